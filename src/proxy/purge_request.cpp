#include "purge_request.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include "forebay/base/log.hpp"
#include "forebay/base/secret.hpp"
#include "forebay/base/text.hpp"
#include "forebay/http/forwarding.hpp"
#include "forebay/http/list.hpp"
#include "forebay/rules/tags.hpp"
#include "plan.hpp"
#include "purge_task.hpp"

namespace forebay::proxy {

const OwnError kPurgeIsOff{405,
                           RequestError::BadRequest,
                           "Method Not Allowed",
                           "PURGE and BAN are not forwarded; purge.methods switches them on.",
                           {},
                           kAllow};

namespace {

using http::FieldId;
using Ip = std::array<std::uint8_t, 16>;

const OwnError kThroughProxy{403,
                             RequestError::Forbidden,
                             "Forbidden",
                             "The request has passed a proxy that is not in server.trusted_proxies, so its client is "
                             "not known.",
                             {},
                             {}};
const OwnError kNoClient{
    403,         RequestError::Forbidden,
    "Forbidden", "The address of the client is not known: X-Forwarded-For is missing or unreadable.",
    {},          {}};
const OwnError kNotAllowed{
    403, RequestError::Forbidden, "Forbidden", "The address of the client is not in purge.allow.", {}, {}};
const OwnError kFromPage{
    403,         RequestError::Forbidden,
    "Forbidden", "The request comes from a web page (Origin, Sec-Fetch-Site), which needs a token.",
    {},          {}};
const OwnError kNoToken{401,
                        RequestError::Forbidden,
                        "Unauthorized",
                        "A token is required: Authorization: Bearer TOKEN, with the token of purge.token.",
                        {},
                        {},
                        false,
                        "Bearer realm=\"forebay purge\""};
const OwnError kTooMany{
    429, RequestError::Overload, "Too Many Requests", "Too many purges in this second (admin.changes_per_second).", "1",
    {}};
const OwnError kBadTarget{400, RequestError::BadRequest, "Bad Request", "The request target is invalid.", {}, {}};
const OwnError kNoHost{
    400, RequestError::BadRequest, "Bad Request", "The request has no host, so it is not clear what to purge.", {}, {}};

bool is_passed_on(http::FieldsView fields) { return std::any_of(fields.begin(), fields.end(), http::shows_a_proxy); }

/// Who asks, or why that is not known. Where a mere log line may guess, this must not.
std::variant<Ip, const OwnError*> client_of(const PendingRequest& pending, http::FieldsView fields) {
  const auto& peer = pending.exchange->peer();
  if (!pending.peer_trusted && is_passed_on(fields)) return &kThroughProxy;
  if (!pending.peer_trusted || !is_passed_on(fields)) {
    // A trusted proxy may ask for itself.
    if (!peer.has_ip) return &kNoClient;
    return peer.ip;
  }
  const auto client = http::proven_client(fields, pending.config().server.trusted_proxies.networks);
  if (!client) return &kNoClient;
  return *client;
}

bool shows_token(http::FieldsView fields, const std::string& token) {
  constexpr std::string_view kScheme = "Bearer ";
  const auto field = fields.value(FieldId::Authorization).value_or("");
  if (fields.count(FieldId::Authorization) != 1 || field.size() <= kScheme.size()) return false;
  return http::iequals(field.substr(0, kScheme.size()), kScheme) &&
         same_secret(http::trim(field.substr(kScheme.size())), token);
}

bool is_from_page(http::FieldsView fields) noexcept {
  return fields.has(FieldId::Origin) || fields.find("Sec-Fetch-Site") != nullptr;
}

/// Null: it may purge. `who` becomes its address.
const OwnError* refuse_client(const PendingRequest& pending, http::FieldsView fields, std::string& who) {
  const auto& config = pending.config().purging;
  const auto client = client_of(pending, fields);
  who = std::string(pending.peer);
  if (const auto* const* error = std::get_if<const OwnError*>(&client)) return *error;
  const auto& ip = std::get<Ip>(client);
  who = http::ip_text(ip);
  if (!http::contains_any(config.allow, ip)) return &kNotAllowed;
  if (!config.token.empty()) return shows_token(fields, config.token) ? nullptr : &kNoToken;
  return is_from_page(fields) ? &kFromPage : nullptr;
}

void add_tags(http::FieldsView fields, std::vector<std::string>& tags, bool& has_field) {
  for (const auto& f : fields) {
    if (!http::iequals(f.name, "Cache-Tag") && !http::iequals(f.name, "Surrogate-Key") &&
        !http::iequals(f.name, "xkey"))
      continue;
    has_field = true;
    rules::for_each_tag(f.value, [&](std::string_view tag) { tags.emplace_back(tag); });
  }
}

/// What it names, or what is wrong about that.
std::variant<PreparedPurge, std::string> read_order(const PendingRequest& pending, bool ban) {
  const auto fields = pending.exchange->request().fields;
  const auto origin = std::string(pending.reading.scheme) + "://" + pending.reading.host;
  PurgeNames names;
  bool has_tags = false;
  add_tags(fields, names.tags, has_tags);
  if (has_tags && names.tags.empty()) return std::string("The field with the tags names none.");
  for (const auto& f : fields) {
    const bool glob = http::iequals(f.name, "Forebay-Glob");
    if (!glob && !http::iequals(f.name, "Forebay-Prefix")) continue;
    if (!ban) return std::string("Forebay-Prefix and Forebay-Glob are for the method BAN.");
    // A path alone is for the host that the request is for.
    auto text = std::string(f.value);
    const bool of_host = text.starts_with('/') || (glob && text.starts_with('*') && !text.starts_with("*://"));
    if (of_host) text.insert(0, origin + (text[0] == '*' ? "/" : ""));
    (glob ? names.globs : names.prefixes).push_back(std::move(text));
  }
  if (ban && names.count() == 0)
    return std::string(
        "BAN needs a field that says what to purge: Forebay-Prefix (/p/), Forebay-Glob (/p/*.jpg) or Cache-Tag.");
  if (!ban && !has_tags) {
    const auto query = pending.reading.target.query();
    names.urls.push_back(origin + std::string(pending.reading.target.path()) +
                         (query ? "?" + std::string(*query) : ""));
  }
  auto prepared = prepare_purge(names, *pending.runtime->runtime);
  if (auto* fault = std::get_if<PurgeFault>(&prepared)) return std::move(fault->why);
  return std::move(std::get<PreparedPurge>(prepared));
}

/// A target that was not read yet, as a log may show it.
std::string without_userinfo(std::string_view target) {
  std::string out(target);
  if (target.starts_with('/')) return out;
  const auto scheme = target.find("://");
  const auto from = scheme == std::string_view::npos ? 0 : scheme + 3;
  // Up to the path: a password may have a question mark.
  const auto at = target.substr(0, target.find('/', from)).rfind('@');
  if (at != std::string_view::npos && at >= from) out.erase(from, at + 1 - from);
  return out;
}

/// False when it is neither word, or there are several.
bool read_mode(http::FieldsView fields, cache::PurgeMode by_default, cache::PurgeMode& mode) {
  const auto* field = fields.find("Forebay-Purge");
  mode = by_default;
  if (field == nullptr) return true;
  if (std::count_if(fields.begin(), fields.end(),
                    [](const auto& f) { return http::iequals(f.name, "Forebay-Purge"); }) > 1)
    return false;
  if (field->value != "soft" && field->value != "hard") return false;
  mode = field->value == "soft" ? cache::PurgeMode::Soft : cache::PurgeMode::Hard;
  return true;
}

void refuse(PendingRequest& pending, const OwnError& error, std::string_view by) {
  if (error.status != 400 && pending.core.shared.purges_refused.take(pending.core.now().mono, 1))
    log::warn("purge: " + std::string(by) + ": refused (" + std::string(error.detail) + "), " +
              std::to_string(error.status));
  deliver_error(pending, error);
}

void bad(PendingRequest& pending, const std::string& why) {
  OwnError error{400, RequestError::BadRequest, "Bad Request", why, {}, {}};
  deliver_error(pending, error);
}

}  // namespace

void answer_purge(const PendingRequestPtr& pending) {
  const auto& config = pending->config().purging;
  // As sent: a client may have Connection name what its proxy has added, which is removed then.
  const auto fields = pending->exchange->request().fields;
  const auto method = pending->request.method_text;
  const bool ban = method == "BAN";
  if (!(ban ? config.ban : method == "PURGE" && config.purge)) return deliver_error(*pending, kPurgeIsOff);
  std::string by;
  const auto* refused = refuse_client(*pending, fields, by);
  // Without the query, which may hold secrets.
  auto path = without_userinfo(pending->request.target);
  path.erase(std::min({path.find('?'), path.size(), std::size_t{256}}));
  by = std::string(method) + ' ' + as_utf8(path) + " from " + (by.empty() ? "an unknown address" : by) +
       (refused || config.token.empty() ? "" : " by right of purge.token");
  if (refused) return refuse(*pending, *refused, by);
  const auto now = pending->core.now().mono;
  if (!pending->core.shared.purges_taken.take(now, pending->config().operators.changes_per_second))
    return refuse(*pending, kTooMany, by);
  auto& reading = pending->reading;
  if (!reading.target.read(http::Method::Get, pending->request.target)) return deliver_error(*pending, kBadTarget);
  const auto forwarded = http::forwarded_scheme(fields);
  if (!read_host(pending->request.authority, forwarded, pending->peer_trusted, pending->exchange->peer().scheme,
                 reading))
    return deliver_error(*pending, kBadHost);
  if (reading.host.empty()) return deliver_error(*pending, kNoHost);
  auto read = read_order(*pending, ban);
  if (const auto* why = std::get_if<std::string>(&read)) return bad(*pending, *why);
  auto& purge = std::get<PreparedPurge>(read);
  if (!read_mode(fields, config.mode, purge.order.mode))
    return bad(*pending, "Forebay-Purge must be soft or hard, once.");
  purge.order.now = now;
  pending->keep();
  std::make_shared<PurgeTask>(pending)->start(std::move(purge), std::move(by));
}

}  // namespace forebay::proxy
