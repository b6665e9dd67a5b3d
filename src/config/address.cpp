#include "config/address.hpp"

#include <algorithm>
#include <charconv>

#include "config/report.hpp"

namespace forebay::config {
namespace {

std::optional<std::uint16_t> parse_port(std::string_view text) noexcept {
  unsigned value = 0;
  if (text.empty() || text.size() > 5 || !std::all_of(text.begin(), text.end(), is_digit)) return std::nullopt;
  std::from_chars(text.data(), text.data() + text.size(), value);
  if (value > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(value);
}

/// Host and port of `host:port` or `[v6]:port`; the port may be absent.
struct HostPort {
  std::string_view host;
  std::optional<std::string_view> port;
  bool bracketed = false;
};

std::optional<HostPort> split(std::string_view text) {
  HostPort out;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    out.host = text.substr(1, end - 1);
    out.bracketed = true;
    text.remove_prefix(end + 1);
    if (text.empty()) return out;
    if (!text.starts_with(':')) return std::nullopt;
    out.port = text.substr(1);
    return out;
  }
  const auto colon = text.find(':');
  out.host = text.substr(0, colon);
  if (colon != std::string_view::npos) out.port = text.substr(colon + 1);
  return out;
}

bool is_ip(std::string_view text, bool v6) noexcept {
  return (text.find(':') != std::string_view::npos) == v6 && http::parse_ip(text).has_value();
}

/// Four groups of digits are an IPv4 address or nothing.
bool looks_like_ipv4(std::string_view host) noexcept {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) { return is_digit(c) || c == '.'; });
}

bool is_host_name(std::string_view host) noexcept {
  if (host.empty() || host.size() > 253 || host.front() == '.' || host.front() == '-') return false;
  return host.find("..") == std::string_view::npos &&
         std::all_of(host.begin(), host.end(), [](char c) { return is_alnum(c) || c == '-' || c == '.' || c == '_'; });
}

Parsed<Address> parse_unix(std::string_view text, std::string_view path) {
  constexpr std::size_t kLongest = 107;  // sun_path
  if (!path.starts_with('/'))
    return Fault{1002, in_quotes(text) + ": a Unix socket has an absolute path",
                 "write it like unix:/run/forebay.sock"};
  if (path.size() > kLongest)
    return Fault{1004, in_quotes(text) + " is too long", "a Unix socket's path has at most 107 bytes"};
  return Address{Address::Kind::Unix, std::string(path), 0, std::string(text)};
}

}  // namespace

Parsed<Address> parse_address(std::string_view text) {
  const Fault shape{1002, in_quotes(text) + " is not an address",
                    "write it like \":8080\", \"127.0.0.1:8080\", \"[::1]:8080\" or unix:/path"};
  if (text.starts_with("unix:")) return parse_unix(text, text.substr(5));
  if (text.starts_with("fd:")) {
    const auto name = text.substr(3);
    const bool good = !name.empty() && name.size() <= 255 &&
                      std::all_of(name.begin(), name.end(), [](char c) { return c > 0x20 && c < 0x7f && c != ':'; });
    if (!good)
      return Fault{1002, in_quotes(text) + ": \"fd:\" takes the name of a socket",
                   "the FileDescriptorName of the socket unit"};
    return Address{Address::Kind::Fd, std::string(name), 0, std::string(text)};
  }
  if (parse_port(text))
    return Fault{1002, in_quotes(text) + " is not an address", "write \":" + std::string(text) + "\""};
  const auto parts = split(text);
  if (!parts) return shape;
  if (!parts->port) {
    const bool host = parts->bracketed || is_ip(parts->host, false);
    return host ? Fault{1002, in_quotes(text) + " has no port", "write \"" + std::string(text) + ":8080\""} : shape;
  }
  const auto port = parse_port(*parts->port);
  if (!port) {
    const bool number = !parts->port->empty() && std::all_of(parts->port->begin(), parts->port->end(), is_digit);
    return number ? Fault{1004, in_quotes(text) + ": there is no such port", "ports are 0 to 65535"} : shape;
  }
  const std::string port_text(*parts->port);
  if (parts->host == "*")
    return Fault{1002, in_quotes(text) + " is not an address", "write \":" + port_text + "\" for all interfaces"};
  if (http::is_localhost(parts->host))
    return Fault{1002, in_quotes(text) + " is not an address: names are not looked up",
                 "write \"127.0.0.1:" + port_text + "\""};
  if (parts->bracketed ? !is_ip(parts->host, true) : !parts->host.empty() && !is_ip(parts->host, false)) return shape;
  return Address{Address::Kind::Tcp, std::string(parts->host), *port, std::string(text)};
}

bool looks_like_url(std::string_view text) noexcept { return text.find("://") != std::string_view::npos; }

Parsed<Url> parse_origin_url(std::string_view text) {
  const Fault shape{1002, in_quotes(text) + " is not a url", "write it like http://host:port"};
  if (const auto digits = text.substr(text.starts_with(':') ? 1 : 0); parse_port(digits))
    return Fault{1002, in_quotes(text) + " is not a url", "write http://localhost:" + std::string(digits)};
  const auto end = text.find("://");
  const auto scheme = end == std::string_view::npos ? std::string() : lower_case(text.substr(0, end));
  if (scheme.empty()) {
    const auto bare = split(text);
    const bool host = bare && (is_host_name(bare->host) || (bare->bracketed && is_ip(bare->host, true)));
    if (host && (!bare->port || parse_port(*bare->port)))
      return Fault{1002, in_quotes(text) + " is not a url", "write \"http://" + std::string(text) + "\""};
    return shape;
  }
  if (scheme != "http" && scheme != "https")
    return Fault{1002, in_quotes(text) + ": an origin is reached by http:// or https://",
                 "write it like http://host:port"};
  auto authority = text.substr(end + 3);
  const auto slash = authority.find_first_of("/?#");
  if (slash != std::string_view::npos) {
    if (authority.substr(slash) != "/") {
      return Fault{1002, in_quotes(text) + ": an origin's url ends with its port",
                   "write \"" + std::string(text.substr(0, end + 3 + slash)) + "\"" +
                       (authority[slash] == '/' ? "; rewrite.add_prefix of a route puts a path in front" : "")};
    }
    authority = authority.substr(0, slash);
  }
  if (authority.find('@') != std::string_view::npos)
    return Fault{1002, "an origin's url has no user or password", "write it like http://host:port"};
  const auto parts = split(authority);
  if (!parts || parts->host.empty()) return shape;
  const bool good = parts->bracketed               ? is_ip(parts->host, true)
                    : looks_like_ipv4(parts->host) ? is_ip(parts->host, false)
                                                   : is_host_name(parts->host);
  if (!good) return shape;
  Url url;
  url.scheme = scheme;
  const std::uint16_t usual = url.is_https() ? 443 : 80;
  url.port = usual;
  if (parts->port) {
    const auto port = parse_port(*parts->port);
    if (!port || *port == 0) return Fault{1004, in_quotes(text) + ": there is no such port", "ports are 1 to 65535"};
    url.port = *port;
  }
  url.host = lower_case(parts->host);
  url.text = std::string(text);
  url.authority = parts->bracketed ? '[' + url.host + ']' : url.host;
  if (url.port != usual) url.authority += ':' + std::to_string(url.port);
  return url;
}

bool is_authority(std::string_view text) {
  return text.find('/') == std::string_view::npos && parse_origin_url("http://" + std::string(text)).value.has_value();
}

bool is_loopback_host(std::string_view host) noexcept {
  if (http::is_localhost(host)) return true;
  const auto ip = http::parse_ip(host);
  return ip && http::is_loopback(*ip);
}

bool is_any_host(std::string_view host) noexcept {
  if (host.empty()) return true;
  const auto ip = http::parse_ip(host);
  if (!ip) return false;
  const bool tail = std::all_of(ip->begin() + 12, ip->end(), [](auto b) { return b == 0; });
  const bool head = std::all_of(ip->begin(), ip->begin() + 10, [](auto b) { return b == 0; });
  return head && tail && ((*ip)[10] == (*ip)[11]) && ((*ip)[10] == 0 || (*ip)[10] == 0xff);
}

bool is_ipv4_host(std::string_view host) noexcept { return is_ip(host, false); }

bool collide(const Address& a, const Address& b) noexcept {
  if (a.kind != b.kind) return false;
  if (a.kind != Address::Kind::Tcp) return a.host == b.host;
  if (a.port != b.port || a.port == 0) return false;  // Port 0 is a different one each time.
  if (a.host == b.host || is_any_host(a.host) || is_any_host(b.host)) return true;
  const auto left = http::parse_ip(a.host), right = http::parse_ip(b.host);
  return left && right && *left == *right;
}

bool share_port(const Address& a, const Address& b) noexcept {
  const auto leaves_room = [](const Address& wide, const Address& narrow) {
    return is_any_host(wide.host) && !is_ipv4_host(wide.host) && is_ipv4_host(narrow.host);
  };
  return a.kind == Address::Kind::Tcp && b.kind == Address::Kind::Tcp && (leaves_room(a, b) || leaves_room(b, a));
}

}  // namespace forebay::config
