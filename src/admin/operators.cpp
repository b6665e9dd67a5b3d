#include "operators.hpp"

#include <algorithm>

#include "forebay/base/secret.hpp"
#include "forebay/http/forwarding.hpp"
#include "forebay/http/target.hpp"

namespace forebay::admin {
namespace {

using http::FieldId;
using Verdict = Access::Verdict;

bool from_this_machine(const server::Peer& peer) noexcept {
  return peer.has_ip ? http::is_loopback(peer.ip) : peer.unix_socket;
}

std::string_view without_port(std::string_view host) noexcept {
  const auto colon = host.rfind(':');
  return colon == std::string_view::npos || host.find(']', colon) != std::string_view::npos ? host
                                                                                            : host.substr(0, colon);
}

bool is_our_name(std::string_view host, const std::vector<std::string>& allowed) {
  const auto name = without_port(host);
  if (name == "localhost" || name == "127.0.0.1" || name == "[::1]") return true;
  return std::any_of(allowed.begin(), allowed.end(), [&](const std::string& a) {
    return http::iequals(a, name) || http::iequals(a, host) ||
           (name.starts_with('[') && name.ends_with(']') && a == name.substr(1, name.size() - 2));
  });
}

Access by_token(const http::RequestView& request, const config::Config::Operators& config, Who who) {
  constexpr std::string_view kScheme = "Bearer ";
  const auto field = request.fields.value(FieldId::Authorization).value_or("");
  const bool bearer = field.size() > kScheme.size() && http::iequals(field.substr(0, kScheme.size()), kScheme) &&
                      request.fields.count(FieldId::Authorization) == 1;
  const auto is = [&](const std::string& token) {
    return bearer && !token.empty() && same_secret(http::trim(field.substr(kScheme.size())), token);
  };
  if (is(config.token)) return {Verdict::Granted, {}, "admin.token"};
  if (!is(config.read_token)) return {Verdict::Unauthorized, "Invalid bearer token."};
  if (who == Who::Write)
    return {Verdict::Forbidden, "This token is for reading only; admin.token is for changes.", "admin.read_token"};
  return {Verdict::Granted, {}, "admin.read_token"};
}

Access by_place(const http::RequestView& request, const config::Config::Operators& config) {
  std::string host;
  if (!http::append_normal_host(request.authority, "http", host) || !is_our_name(host, config.allowed_hosts))
    return {Verdict::Forbidden, "Host not allowed; admin.allowed_hosts lists more."};
  for (const auto& f : request.fields) {
    if (http::shows_a_proxy(f))
      return {Verdict::Forbidden, "The request comes through a proxy, so that a token is required (admin.token)."};
    if (f.id == FieldId::Origin) {
      std::string origin;
      const auto scheme = f.value.find("://");
      const bool ours = scheme != std::string_view::npos &&
                        http::append_normal_host(f.value.substr(scheme + 3), "http", origin) && origin == host;
      if (!ours) return {Verdict::Forbidden, "Origin is another site."};
    } else if (http::iequals(f.name, "Sec-Fetch-Site") && f.value != "same-origin" && f.value != "none") {
      return {Verdict::Forbidden, "The request comes from a page of another site."};
    }
  }
  return {Verdict::Granted, {}, "this machine"};
}

}  // namespace

Access may_operate(const http::RequestView& request, const server::Peer& peer, const config::Config::Operators& config,
                   Who who) {
  if (request.fields.has(FieldId::Authorization)) return by_token(request, config, who);
  if (config.allow_loopback && from_this_machine(peer)) return by_place(request, config);
  if (config.token.empty() && config.read_token.empty())
    return {Verdict::Forbidden, "Only clients on this machine are allowed; set admin.token to allow others."};
  return {Verdict::Unauthorized, "A token is required: Authorization: Bearer TOKEN."};
}

}  // namespace forebay::admin
