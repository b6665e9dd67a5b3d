#include "forebay/http/forwarding.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <bitset>

#include "forebay/base/text.hpp"
#include "forebay/http/chars.hpp"
#include "forebay/http/list.hpp"
#include "forebay/http/names.hpp"

namespace forebay::http {
namespace {

using Ip = std::array<std::uint8_t, 16>;

// An element of X-Forwarded-For: an address, perhaps with a port.
std::string_view without_port(std::string_view element) noexcept {
  if (element.starts_with('[')) {
    const auto bracket = element.find(']');
    return bracket == std::string_view::npos ? element : element.substr(1, bracket - 1);
  }
  const auto colon = element.find(':');
  if (colon == std::string_view::npos || element.find(':', colon + 1) != std::string_view::npos) return element;
  return element.substr(0, colon);
}

// The port a client named: of Host, else the scheme's own.
std::string_view port_of(std::string_view host, std::string_view scheme) noexcept {
  const auto colon = host.rfind(':');
  const auto bracket = host.rfind(']');
  const bool has_port = colon != std::string_view::npos && colon + 1 < host.size() &&
                        (bracket == std::string_view::npos || colon > bracket);
  if (has_port) return host.substr(colon + 1);
  return scheme == "https" ? "443" : "80";
}

void append_value(std::string& out, std::string_view value) {
  if (is_token(value)) {
    out.append(value);
    return;
  }
  out.push_back('"');
  for (const char c : value) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
}

// RFC 7239 section 4: one element for the hop that reached us.
void append_forwarded(std::string& out, const ForwardingFacts& facts) {
  out.append("for=");
  if (facts.peer.empty()) {
    out.append("unknown");
  } else if (facts.peer.find(':') != std::string_view::npos) {
    out.append("\"[").append(facts.peer).append("]\"");
  } else {
    append_value(out, facts.peer);
  }
  if (!facts.host.empty()) {
    out.append(";host=");
    append_value(out, facts.host);
  }
  out.append(";proto=").append(facts.scheme);
}

constexpr std::array kForwardingFields{FieldId::XForwardedFor, FieldId::XForwardedHost, FieldId::XForwardedProto,
                                       FieldId::XForwardedPort, FieldId::Forwarded};

void remove_forwarding_fields(Fields& fields) {
  fields.remove_if([](const Field& f) {
    return std::find(kForwardingFields.begin(), kForwardingFields.end(), f.id) != kForwardingFields.end();
  });
}

constexpr std::string_view kTargets[] = {
    "x-original-url",  "x-original-uri",  "x-original-path", "x-rewrite-url",         "x-rewrite-uri",
    "x-request-uri",   "x-override-url",  "x-replaced-path", "x-http-destinationurl", "x-forwarded-path",
    "x-forwarded-uri", "x-forwarded-url", "x-sendfile-type", "x-envoy-original-path"};
constexpr std::string_view kMethods[] = {"x-http-method-override", "x-http-method", "x-method-override",
                                         "x-forwarded-method"};
// Beside all that begins with `X-Forwarded-`.
constexpr std::string_view kPlaces[] = {
    "x-host",    "x-original-host", "x-http-host-override", "x-backend-host", "x-forwarded", "x-url-scheme",
    "x-arr-ssl", "x-script-name",   "front-end-https",      "base-url",       "forwarded"};
constexpr std::string_view kAddresses[] = {"x-forwarded-for",
                                           "x-real-ip",
                                           "true-client-ip",
                                           "x-client-ip",
                                           "client-ip",
                                           "cf-connecting-ip",
                                           "cf-connecting-ipv6",
                                           "cf-pseudo-ipv4",
                                           "fastly-client-ip",
                                           "fly-client-ip",
                                           "do-connecting-ip",
                                           "x-cluster-client-ip",
                                           "x-azure-clientip",
                                           "x-azure-socketip",
                                           "x-originating-ip",
                                           "x-remote-ip",
                                           "x-remote-addr",
                                           "x-appengine-user-ip",
                                           "x-proxyuser-ip",
                                           "x-envoy-external-address",
                                           "x-original-forwarded-for"};
// Including other spellings of fields that Forebay writes: some applications read both as one name.
constexpr std::string_view kNever[] = {"x-forwarded-server", "x-forwarded-by",   "x-forwarded-for", "x-forwarded-proto",
                                       "x-forwarded-host",   "x-forwarded-port", "forwarded",       "proxy"};

// One `name=value` of an element of Forwarded; false if invalid.
bool read_forwarded_pair(std::string_view text, std::string_view& name, std::string_view& value) noexcept {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos) return false;
  name = trim(text.substr(0, equals));
  value = trim(text.substr(equals + 1));
  if (value.size() > 1 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
  return is_token(name) && value.find_first_of("\"\\,;") == std::string_view::npos;
}

// What is there, then the new member, as one line.
void extend(Fields& fields, FieldId id, std::string_view member) {
  if (!fields.view().has(id)) return fields.add(id, member);
  std::string scratch;
  std::string value(fields.view().combined(id, scratch).value_or(""));
  if (!value.empty()) value.append(", ");
  value.append(member);
  fields.set(id, value);
}

}  // namespace

std::optional<Ip> parse_ip(std::string_view text) noexcept {
  Ip ip{};
  char terminated[INET6_ADDRSTRLEN];
  if (text.size() >= sizeof terminated || text.find('\0') != std::string_view::npos) return std::nullopt;
  terminated[text.copy(terminated, text.size())] = '\0';
  if (text.find(':') != std::string_view::npos)
    return ::inet_pton(AF_INET6, terminated, ip.data()) == 1 ? std::optional(ip) : std::nullopt;
  ip[10] = ip[11] = 0xFF;
  return ::inet_pton(AF_INET, terminated, ip.data() + 12) == 1 ? std::optional(ip) : std::nullopt;
}

bool is_localhost(std::string_view host) noexcept {
  constexpr std::string_view kName = "localhost";
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.size() < kName.size() || !iequals(host.substr(host.size() - kName.size()), kName)) return false;
  host.remove_suffix(kName.size());
  return host.empty() || (host.size() > 1 && host.ends_with('.'));
}

bool is_ipv4(const Ip& ip) noexcept {
  static constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  return std::equal(kMapped.begin(), kMapped.end(), ip.begin());
}

std::string ip_text(const Ip& ip) {
  const bool v4 = is_ipv4(ip);
  char text[INET6_ADDRSTRLEN] = "";
  (void)::inet_ntop(v4 ? AF_INET : AF_INET6, ip.data() + (v4 ? 12 : 0), text, sizeof text);
  return text;
}

bool is_loopback(const Ip& ip) noexcept {
  static constexpr Ip kV6{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  static constexpr std::array<std::uint8_t, 13> kV4{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 127};
  return ip == kV6 || std::equal(kV4.begin(), kV4.end(), ip.begin());
}

std::optional<Cidr> parse_cidr(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = text.substr(0, slash);
  const auto ip = parse_ip(address);
  if (!ip) return std::nullopt;
  const bool v4 = address.find(':') == std::string_view::npos;
  const std::uint64_t widest = v4 ? 32 : 128;
  std::uint64_t prefix = widest;
  if (slash != std::string_view::npos) {
    const auto digits = text.substr(slash + 1);
    if (digits.size() > 3 || !parse_decimal(digits, 999, prefix) || prefix > widest) return std::nullopt;
  }
  return Cidr{*ip, static_cast<int>(v4 ? prefix + 96 : prefix)};
}

bool contains(const Cidr& net, const Ip& ip) noexcept {
  const auto whole = static_cast<std::size_t>(net.prefix / 8);
  if (!std::equal(ip.begin(), ip.begin() + static_cast<std::ptrdiff_t>(whole), net.address.begin())) return false;
  const int bits = net.prefix % 8;
  if (bits == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xFF << (8 - bits));
  return (ip[whole] & mask) == (net.address[whole] & mask);
}

bool contains_any(const std::vector<Cidr>& nets, const Ip& ip) noexcept {
  return std::any_of(nets.begin(), nets.end(), [&ip](const Cidr& net) { return contains(net, ip); });
}

Cidr network_of(const Ip& ip) noexcept {
  Cidr net{ip, is_ipv4(ip) ? 96 + 24 : 64};
  std::fill(net.address.begin() + net.prefix / 8, net.address.end(), std::uint8_t{0});
  return net;
}

std::string cidr_text(const Cidr& net) {
  const bool v4 = net.prefix >= 96 && is_ipv4(net.address);
  std::string out = ip_text(net.address) + '/';
  append_number(out, static_cast<std::uint64_t>(v4 ? net.prefix - 96 : net.prefix));
  return out;
}

bool orders_purge(std::string_view method) noexcept { return iequals(method, "PURGE") || iequals(method, "BAN"); }

namespace {

/// The members of X-Forwarded-For from the last one on, without their ports: `visit` gets each, and ends the walk by
/// false.
template <class Visit>
void walk_back(FieldsView fields, Visit&& visit) {
  for (std::size_t line = fields.size(); line-- > 0;) {
    if (fields[line].id != FieldId::XForwardedFor) continue;
    std::string_view rest = fields[line].value;
    while (!rest.empty()) {
      const auto comma = rest.rfind(',');
      const auto member = trim(comma == std::string_view::npos ? rest : rest.substr(comma + 1));
      rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(0, comma);
      if (!member.empty() && !visit(without_port(member))) return;
    }
  }
}

}  // namespace

std::string client_address(std::string_view peer, bool peer_trusted, FieldsView fields,
                           const std::vector<Cidr>& trusted) {
  std::string_view client = peer;
  if (peer_trusted)
    walk_back(fields, [&](std::string_view address) {
      const auto ip = parse_ip(address);
      if (ip) client = address;
      return ip && contains_any(trusted, *ip);
    });
  return std::string(client);
}

std::optional<Ip> proven_client(FieldsView fields, const std::vector<Cidr>& trusted) {
  std::optional<Ip> client;
  walk_back(fields, [&](std::string_view address) {
    client = parse_ip(address);
    return client && contains_any(trusted, *client);
  });
  return client;
}

namespace {

// Whether a name of the lists begins with the same letter; true for a name that begins with another character, which
// may be read as another name. Most fields of a request end here.
bool may_claim(std::string_view name) noexcept {
  static const std::bitset<256> kFirst = [] {
    std::bitset<256> first;
    const auto add = [&](const auto& names) {
      for (const std::string_view n : names) first.set(static_cast<unsigned char>(n.front()));
    };
    add(kNever);
    add(kTargets);
    add(kMethods);
    add(kAddresses);
    add(kPlaces);
    first.set('x');
    return first;
  }();
  const char c = name.empty() ? '\0' : to_lower(name.front());
  return c < 'a' || c > 'z' || kFirst.test(static_cast<unsigned char>(c));
}

}  // namespace

Claim claim_of(const Field& field) {
  switch (field.id) {
    case FieldId::XForwardedHost:
    case FieldId::XForwardedPort:
    case FieldId::Forwarded: return Claim::Place;
    case FieldId::Other: break;
    default: return Claim::None;
  }
  if (!may_claim(field.name)) return Claim::None;
  const auto is = [&](std::string_view name) { return may_be_read_as(NameKind::Field, field.name, name); };
  const auto any = [&](const auto& names) { return std::any_of(std::begin(names), std::end(names), is); };
  if (any(kNever)) return Claim::Never;
  if (any(kTargets)) return Claim::Target;
  if (any(kMethods)) return Claim::Method;
  if (any(kAddresses)) return Claim::Address;
  return any(kPlaces) || is("x-forwarded-*") ? Claim::Place : Claim::None;
}

bool shows_a_proxy(const Field& field) {
  switch (field.id) {
    case FieldId::Via:
    case FieldId::CdnLoop:
    case FieldId::XForwardedFor:
    case FieldId::XForwardedProto: return true;
    default: break;
  }
  const auto claim = claim_of(field);
  return claim == Claim::Place || claim == Claim::Address || claim == Claim::Never;
}

std::string_view forwarded_scheme(FieldsView fields) noexcept {
  const auto line = fields.value(FieldId::XForwardedProto).value_or("");
  return trim(line.substr(0, line.find(',')));
}

std::string_view known_scheme(std::string_view text) noexcept {
  if (iequals(text, "https")) return "https";
  return iequals(text, "http") ? "http" : std::string_view();
}

void append_forwarded_place(std::string_view line, std::string_view scheme, std::string& out) {
  const auto begin = out.size();
  bool readable = std::count(line.begin(), line.end(), '"') % 2 == 0;
  const auto append = [&](std::string_view name, std::string_view value) {
    if (out.size() > begin) out.push_back(',');
    out.append(name).append("=").append(value);
  };
  for_each_member(line, [&](std::string_view element) {
    while (readable && !element.empty()) {
      const auto end = std::min(element.find(';'), element.size());
      const auto pair = trim(element.substr(0, end));
      element.remove_prefix(std::min(end + 1, element.size()));
      if (pair.empty()) continue;
      std::string_view name, value;
      readable = read_forwarded_pair(pair, name, value);
      if (readable && iequals(name, "host")) append("host", value);
      if (readable && iequals(name, "proto") && !iequals(value, scheme)) append("proto", value);
    }
  });
  if (readable) return;
  out.resize(begin);
  out.append(line);
}

std::optional<std::uint64_t> max_forwards(FieldsView fields) noexcept {
  std::optional<std::uint64_t> least;
  for (const Field& f : fields) {
    std::uint64_t n = 0;
    if (f.id != FieldId::Other || !iequals(f.name, "Max-Forwards") || !parse_decimal(f.value, UINT32_MAX, n)) continue;
    least = std::min(n, least.value_or(n));
  }
  return least;
}

bool keeps_claims(bool peer_trusted, ForwardedMode mode) noexcept {
  return peer_trusted && (mode == ForwardedMode::Auto || mode == ForwardedMode::Append);
}

void set_forwarding_fields(Fields& fields, const ForwardingFacts& facts) {
  // Claims of an untrusted peer are never forwarded, in any mode.
  if (!keeps_claims(facts.peer_trusted, facts.mode)) remove_forwarding_fields(fields);
  if (facts.mode == ForwardedMode::Off) return;
  const auto sent_any = [view = fields.view()](auto... ids) { return (view.has(ids) || ...); };
  // A Forwarded field that began with the peer would say that the peer is the client.
  const bool begins_late = !sent_any(FieldId::Forwarded) &&
                           sent_any(FieldId::XForwardedFor, FieldId::XForwardedHost, FieldId::XForwardedProto);
  if (!facts.peer.empty()) extend(fields, FieldId::XForwardedFor, facts.peer);
  const auto unless_there = [&fields](FieldId id, std::string_view value) {
    if (!value.empty() && !fields.view().has(id)) fields.add(id, value);
  };
  // Of several schemes in one message, some applications use the first and others the last.
  const auto sent = fields.view().value(FieldId::XForwardedProto);
  if (sent && (fields.view().count(FieldId::XForwardedProto) > 1 || (*sent != "http" && *sent != "https")))
    fields.set(FieldId::XForwardedProto, facts.scheme);
  unless_there(FieldId::XForwardedHost, facts.host);
  unless_there(FieldId::XForwardedProto, facts.scheme);
  unless_there(FieldId::XForwardedPort, port_of(facts.host, facts.scheme));
  if (begins_late) return;
  std::string element;
  append_forwarded(element, facts);
  extend(fields, FieldId::Forwarded, element);
}

void add_via(Fields& fields, Version received, std::string_view name) {
  std::string member = received == Version::Http10 ? "1.0 " : received == Version::Http11 ? "1.1 " : "2.0 ";
  extend(fields, FieldId::Via, member.append(name));
}

LoopVerdict read_cdn_loop(FieldsView fields, std::string_view name, std::string_view own_id) {
  LoopVerdict verdict;
  std::string scratch;
  for (const Field& f : fields) {
    if (f.id != FieldId::CdnLoop) continue;
    const auto count = [&](std::string_view member) {
      const auto end = member.find(';');
      if (!iequals(trim(member.substr(0, end)), name)) return;
      ++verdict.members;
      auto parameters = end == std::string_view::npos ? std::string_view{} : member.substr(end + 1);
      while (!parameters.empty()) {
        const auto semicolon = parameters.find(';');
        const auto one = trim(parameters.substr(0, semicolon));
        parameters.remove_prefix(semicolon == std::string_view::npos ? parameters.size() : semicolon + 1);
        const auto equals = one.find('=');
        if (equals == std::string_view::npos || !iequals(trim(one.substr(0, equals)), "id")) continue;
        const auto value = trim(one.substr(equals + 1));
        if (value == own_id || (unquote(value, scratch) && scratch == own_id)) verdict.own = true;
      }
    };
    if (quotes_hold(f.value))
      for_each_member(f.value, count);
    else
      for_each_piece(f.value, count);
  }
  return verdict;
}

}  // namespace forebay::http
