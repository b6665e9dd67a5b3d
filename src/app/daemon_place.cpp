#include "daemon_place.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "config_source.hpp"
#include "forebay/http/forwarding.hpp"
#include "forebay/net/worker.hpp"

namespace forebay::app {
namespace {

// On this machine nobody else can listen there while the daemon runs, and its certificate is for another name.
std::shared_ptr<const net::TlsClient> tls_to(const std::string& host, std::string& fault) {
  static const net::SystemClock clock;
  config::Origin daemon;
  daemon.url.scheme = "https";
  daemon.url.host = host;
  daemon.tls.verify = !http::is_localhost(host) && host != "127.0.0.1" && host != "::1";
  if (const auto ca = environment()("FOREBAY_ADMIN_CA")) daemon.tls.ca = *ca;
  std::vector<net::TlsFinding> findings;
  auto client = net::TlsClient::make(daemon, clock, findings);
  for (const auto& finding : findings)
    if (!client) fault += (fault.empty() ? "$FOREBAY_ADMIN_CA: " : "; ") + finding.message;
  return client;
}

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && stop == text.data() + text.size();
}

/// What was meant by something that is no address.
std::string meant_by(const std::string& written) {
  if (is_port(written)) return "127.0.0.1:" + written;
  if (written.find(':') != written.rfind(':') && written.front() != '[') return '[' + written + "]:8081";
  const bool is_host = !written.empty() && written != "off" && written.find_first_of("/ ") == std::string::npos &&
                       (written.find(':') == std::string::npos || written.back() == ']');
  return is_host ? written + ":8081" : "127.0.0.1:8081";
}

struct Written {
  std::string address, from;
};
std::optional<Written> written_address(const std::optional<std::string>& config,
                                       const std::optional<std::string>& admin, ExitCode& why) {
  const auto variables = environment();
  if (admin) return Written{*admin, "--admin"};
  for (const std::string name : {"FOREBAY_ADMIN", "FOREBAY_ADMIN_LISTEN"})
    if (const auto value = variables(name); value && !value->empty() && *value != "off")
      return Written{*value, '$' + name};
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
  if (!loaded.ok()) return Written{"127.0.0.1:8081", "the default"};
  return Written{(loaded.config->admin_listener.tls.on() ? "https://" : "") + loaded.config->admin->text,
                 source.name()};
}

/// False, with a sentence in `fault`, when the file with the token cannot be read.
bool take_token(DaemonPlace& daemon, std::string& fault) {
  const auto variables = environment();
  if (auto token = variables("FOREBAY_ADMIN_TOKEN"); token && !token->empty()) {
    daemon.token = std::move(*token);
    daemon.token_from = "$FOREBAY_ADMIN_TOKEN";
    return true;
  }
  const auto file = variables("FOREBAY_ADMIN_TOKEN_FILE");
  if (!file || file->empty()) return true;
  std::ifstream in(*file, std::ios::binary);
  std::string token((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
  if (in.bad() || token.empty()) {
    fault = "there is no token in " + *file + " ($FOREBAY_ADMIN_TOKEN_FILE)";
    return false;
  }
  daemon.token = std::move(token);
  daemon.token_from = "$FOREBAY_ADMIN_TOKEN_FILE";
  return true;
}

}  // namespace

std::optional<net::Endpoint> endpoint_at(std::string address, std::string& fault, ExitCode& why) {
  const auto refuse = [&](const std::string& scheme, const std::string& meant) {
    fault = '"' + scheme + address + "\" is no address; write " + scheme + meant;
    why = ExitCode::Usage;
    return std::nullopt;
  };
  if (address.rfind("http://", 0) == 0) address = address.substr(7, address.find('/', 7) - 7);
  const bool tls = address.rfind("https://", 0) == 0;
  if (tls) address = address.substr(8, address.find('/', 8) - 8);
  const std::string scheme = tls ? "https://" : "";
  if (address.rfind("unix:", 0) == 0) {
    if (address.size() == 5) return refuse({}, "unix:/run/forebay/admin.sock");
    return net::Endpoint{{}, {}, address.substr(5)};
  }
  if (address.rfind("fd:", 0) == 0) {
    fault = '"' + address + "\" is a socket of systemd; name its address by --admin or $FOREBAY_ADMIN";
    why = ExitCode::Usage;
    return std::nullopt;
  }
  const auto colon = address.rfind(':');
  if (colon == std::string::npos || !is_port(address.substr(colon + 1))) return refuse(scheme, meant_by(address));
  auto host = address.substr(0, colon);
  const bool in_brackets = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (!in_brackets && host.find(':') != std::string::npos) return refuse(scheme, meant_by(address));
  if (in_brackets) host = host.substr(1, host.size() - 2);
  if (host.empty() || host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  net::Endpoint endpoint{host, address.substr(colon + 1), {}, {}};
  if (tls && !(endpoint.tls = tls_to(host, fault))) {
    why = ExitCode::Failed;
    return std::nullopt;
  }
  return endpoint;
}

std::optional<net::Endpoint> endpoint_at(std::string address) {
  std::string fault;
  auto why = ExitCode::Done;
  return endpoint_at(std::move(address), fault, why);
}

std::optional<DaemonPlace> find_daemon_without_token(const std::optional<std::string>& config,
                                                     const std::optional<std::string>& admin, ExitCode& why) {
  auto written = written_address(config, admin, why);
  if (!written) return std::nullopt;
  std::string fault;
  auto endpoint = endpoint_at(written->address, fault, why);
  if (!endpoint) {
    std::cerr << "forebay: " << (why == ExitCode::Usage ? written->from + ": " : "") << fault << '\n';
    return std::nullopt;
  }
  return DaemonPlace{std::move(written->address), std::move(written->from), std::move(*endpoint), {}, {}};
}

std::optional<DaemonPlace> find_daemon(const std::optional<std::string>& config,
                                       const std::optional<std::string>& admin, ExitCode& why) {
  auto daemon = find_daemon_without_token(config, admin, why);
  if (std::string fault; daemon && !take_token(*daemon, fault)) {
    std::cerr << "forebay: " << fault << '\n';
    why = ExitCode::Failed;
    return std::nullopt;
  }
  return daemon;
}

}  // namespace forebay::app
