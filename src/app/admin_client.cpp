#include "admin_client.hpp"

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <fstream>
#include <iostream>
#include <iterator>
#include <utility>

#include "config_source.hpp"
#include "forebay/base/terminal_text.hpp"
#include "forebay/http/fields.hpp"
#include "forebay/http/forwarding.hpp"
#include "forebay/net/worker.hpp"

namespace forebay::app {
namespace {

constexpr std::size_t kMostContent = 64 * 1024 * 1024;

// On this machine nobody else can listen there while the daemon runs, and its certificate is for another name.
std::shared_ptr<const net::TlsClient> tls_to(const std::string& host) {
  static const net::SystemClock clock;
  config::Origin daemon;
  daemon.url.scheme = "https";
  daemon.url.host = host;
  daemon.tls.verify = !http::is_localhost(host) && host != "127.0.0.1" && host != "::1";
  if (const auto ca = environment()("FOREBAY_ADMIN_CA")) daemon.tls.ca = *ca;
  std::vector<net::TlsFinding> findings;
  auto client = net::TlsClient::make(daemon, clock, findings);
  for (const auto& finding : findings)
    if (!client) std::cerr << "forebay: $FOREBAY_ADMIN_CA: " << finding.message << '\n';
  return client;
}

}  // namespace

std::optional<net::Endpoint> endpoint_at(std::string address) {
  if (address.rfind("http://", 0) == 0) address = address.substr(7, address.find('/', 7) - 7);
  const bool tls = address.rfind("https://", 0) == 0;
  if (tls) address = address.substr(8, address.find('/', 8) - 8);
  if (address.rfind("unix:", 0) == 0) return net::Endpoint{{}, {}, address.substr(5)};
  const auto colon = address.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  auto host = address.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (host.empty() || host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  net::Endpoint endpoint{host, address.substr(colon + 1), {}, {}};
  if (tls && !(endpoint.tls = tls_to(host))) return std::nullopt;
  return endpoint;
}

namespace {

std::string message_of(const AdminRequest& request) {
  std::string text = request.method + ' ' + request.target + " HTTP/1.1\r\n";
  http::append_line(text, "Host", "localhost");
  http::append_line(text, "User-Agent", "forebay");
  http::append_line(text, "Connection", "close");
  if (!request.token.empty()) http::append_line(text, "Authorization", "Bearer " + request.token);
  if (!request.content.empty()) {
    http::append_line(text, "Content-Type", "application/json");
    http::append_line(text, "Content-Length", std::to_string(request.content.size()));
  }
  return text + "\r\n" + request.content;
}

}  // namespace

std::optional<AdminAnswer> ask_admin(const std::string& address, const AdminRequest& request,
                                     net::SteadyClock::time_point deadline) {
  const auto endpoint = endpoint_at(address);
  if (!endpoint) return std::nullopt;
  const auto answer = net::ask(*endpoint, request.method, message_of(request), kMostContent, deadline).answer;
  if (!answer || !answer->whole) return std::nullopt;
  return AdminAnswer{answer->status, answer->body};
}

std::optional<AdminAnswer> follow_admin(const std::string& address, const AdminRequest& request,
                                        net::SteadyClock::time_point deadline, Duration silence,
                                        const std::function<bool(std::string_view)>& piece) {
  const auto endpoint = endpoint_at(address);
  if (!endpoint) return std::nullopt;
  const auto answer =
      net::follow(*endpoint, request.method, message_of(request), kMostContent, deadline, silence, piece).answer;
  if (!answer) return std::nullopt;
  return AdminAnswer{answer->status, answer->body};
}

std::optional<DaemonPlace> find_daemon(const std::optional<std::string>& config,
                                       const std::optional<std::string>& admin, ExitCode& why) {
  std::string fault;
  auto token = admin_token(fault);
  if (!token) {
    std::cerr << "forebay: " << fault << '\n';
    why = ExitCode::Failed;
    return std::nullopt;
  }
  auto address = admin_address(config, admin, why);
  if (!address) return std::nullopt;
  return DaemonPlace{std::move(*address), std::move(*token)};
}

std::optional<AdminAnswer> ask_daemon(const DaemonPlace& daemon, AdminRequest request, Duration timeout,
                                      ExitCode& why) {
  request.token = daemon.token;
  auto answer = ask_admin(daemon.address, request, net::SteadyClock::now() + timeout);
  if (!answer) {
    std::cerr << "forebay: no daemon answers at " << daemon.address << '\n';
    why = ExitCode::NotReached;
  }
  return answer;
}

std::optional<std::string> refusal_of(const AdminAnswer& answer) {
  if (answer.status < 400) return std::nullopt;
  boost::json::error_code ec;
  const auto document = boost::json::parse(answer.body, ec);
  if (ec || !document.is_object()) return std::nullopt;
  const auto* code = document.get_object().if_contains("code");
  const auto* detail = document.get_object().if_contains("detail");
  constexpr std::array<std::string_view, 14> kRefusals{
      "unauthorized", "forbidden",        "method_not_allowed",     "bad_request",
      "too_large",    "stopping",         "configuration_rejected", "too_many_changes",
      "timeout",      "too_many_streams", "no_such_route",          "not_stored",
      "busy",         "no_memory"};
  if (!code || !code->is_string()) return std::nullopt;
  const std::string_view word = code->get_string();
  if (std::find(kRefusals.begin(), kRefusals.end(), word) == kRefusals.end()) return std::nullopt;
  if (detail && detail->is_string()) return harmless(std::string_view(detail->get_string()));
  return "status " + std::to_string(answer.status);
}

ExitCode code_of_refusal(int status) {
  switch (status) {
    case 400: return ExitCode::Usage;
    case 409:
    case 413:
    case 429:
    case 503:
    case 504: return ExitCode::Failed;
    case 422: return ExitCode::Configuration;
    default: return ExitCode::NotReached;
  }
}

std::optional<std::string> admin_address(const std::optional<std::string>& config,
                                         const std::optional<std::string>& admin, ExitCode& why) {
  const auto variables = environment();
  if (admin) return *admin;
  for (const char* name : {"FOREBAY_ADMIN", "FOREBAY_ADMIN_LISTEN"})
    if (const auto value = variables(name); value && !value->empty() && *value != "off") return *value;
  ConfigSource source(config, variables);
  const auto loaded = source.load();
  const bool named = config || variables("FOREBAY_CONFIG");
  if (!loaded.ok() && named) {
    std::cerr << config::to_text(loaded.diagnostics);
    why = ExitCode::Configuration;
    return std::nullopt;
  }
  if (loaded.ok() && !loaded.config->admin) {
    std::cerr << "forebay: the admin listener is off in " << source.name() << "; there is no daemon to ask\n";
    why = ExitCode::NotReached;
    return std::nullopt;
  }
  if (!loaded.ok()) return "127.0.0.1:8081";
  return (loaded.config->admin_listener.tls.on() ? "https://" : "") + loaded.config->admin->text;
}

std::optional<std::string> admin_token(std::string& fault) {
  const auto variables = environment();
  if (auto token = variables("FOREBAY_ADMIN_TOKEN"); token && !token->empty()) return token;
  const auto file = variables("FOREBAY_ADMIN_TOKEN_FILE");
  if (!file || file->empty()) return std::string();
  std::ifstream in(*file, std::ios::binary);
  std::string token((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
  if (in.bad() || token.empty()) {
    fault = "there is no token in " + *file + " ($FOREBAY_ADMIN_TOKEN_FILE)";
    return std::nullopt;
  }
  return token;
}

}  // namespace forebay::app
