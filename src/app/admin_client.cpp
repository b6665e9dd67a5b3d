#include "admin_client.hpp"

#include <fstream>
#include <iostream>
#include <iterator>

#include "config_source.hpp"
#include "forebay/http/fields.hpp"

namespace forebay::app {
namespace {

constexpr std::size_t kMostContent = 64 * 1024 * 1024;

// `:8081`, `127.0.0.1:8081`, `[::1]:8081`, `unix:/path`. An address that means "all" is asked at loopback.
std::optional<net::Endpoint> endpoint_of(std::string address) {
  if (address.rfind("http://", 0) == 0) address = address.substr(7, address.find('/', 7) - 7);
  if (address.rfind("unix:", 0) == 0) return net::Endpoint{{}, {}, address.substr(5)};
  const auto colon = address.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  auto host = address.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (host.empty() || host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  return net::Endpoint{host, address.substr(colon + 1), {}};
}

}  // namespace

std::optional<AdminAnswer> ask_admin(const std::string& address, const AdminRequest& request,
                                     net::SteadyClock::time_point deadline) {
  const auto endpoint = endpoint_of(address);
  if (!endpoint) return std::nullopt;
  std::string text = request.method + ' ' + request.target + " HTTP/1.1\r\n";
  http::append_line(text, "Host", "localhost");
  http::append_line(text, "User-Agent", "forebay");
  http::append_line(text, "Connection", "close");
  if (!request.token.empty()) http::append_line(text, "Authorization", "Bearer " + request.token);
  if (!request.content.empty()) {
    http::append_line(text, "Content-Type", "application/json");
    http::append_line(text, "Content-Length", std::to_string(request.content.size()));
  }
  text += "\r\n" + request.content;
  const auto answer = net::ask(*endpoint, request.method, text, kMostContent, deadline).answer;
  if (!answer || !answer->whole) return std::nullopt;
  return AdminAnswer{answer->status, answer->body};
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
  return loaded.ok() ? loaded.config->admin->text : "127.0.0.1:8081";
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
