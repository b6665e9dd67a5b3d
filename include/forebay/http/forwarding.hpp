#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/http/message.hpp"

namespace forebay::http {

/// An IP network. IPv4 is kept as an IPv4-mapped IPv6 address, so one comparison serves both.
struct Cidr {
  std::array<std::uint8_t, 16> address{};
  int prefix = 0;  ///< 0..128 (an IPv4 /n is 96 + n).
};
std::optional<Cidr> parse_cidr(std::string_view text);
std::optional<std::array<std::uint8_t, 16>> parse_ip(std::string_view text) noexcept;
/// `localhost` and every name below it, in any case, with or without a dot at the end: loopback by definition, which no
/// resolver is asked for (RFC 6761 section 6.3).
bool is_localhost(std::string_view host) noexcept;
/// Whether it is an IPv4 address, mapped.
bool is_ipv4(const std::array<std::uint8_t, 16>& ip) noexcept;
/// `192.0.2.1`, `2001:db8::1`.
std::string ip_text(const std::array<std::uint8_t, 16>& ip);
/// 127.0.0.0/8 or ::1.
bool is_loopback(const std::array<std::uint8_t, 16>& ip) noexcept;
bool contains(const Cidr& net, const std::array<std::uint8_t, 16>& ip) noexcept;
bool contains_any(const std::vector<Cidr>& nets, const std::array<std::uint8_t, 16>& ip) noexcept;
/// The network of an address that is named in the log: its /24, or its /64.
Cidr network_of(const std::array<std::uint8_t, 16>& ip) noexcept;
/// `10.0.0.0/8`, `fd00::/8`.
std::string cidr_text(const Cidr& net);

/// `server.trusted_proxies`: the peers whose claims about the client are believed.
struct TrustedProxies {
  std::vector<Cidr> networks;
  bool unix_sockets = false;  ///< The peers of Unix sockets.
  bool empty() const noexcept { return networks.empty() && !unix_sockets; }
};

/// Reads X-Forwarded-For from the right past trusted proxies, starting with the peer: the first address that is not
/// trusted is the client. Text that is not an address ends the search at the last valid one.
std::string client_address(std::string_view peer, bool peer_trusted, FieldsView fields,
                           const std::vector<Cidr>& trusted);

/// The same for what a client must not be able to choose: nothing where X-Forwarded-For names no address, and where a
/// member that is no address stands before one that is not trusted. The first member where all are trusted.
std::optional<std::array<std::uint8_t, 16>> proven_client(FieldsView fields, const std::vector<Cidr>& trusted);

enum class ForwardedMode : std::uint8_t { Auto, Append, Set, Off };

struct ForwardingFacts {
  std::string_view peer;    ///< Address of the TCP peer without port; empty for a Unix socket.
  std::string_view host;    ///< Host as the client sent it.
  std::string_view scheme;  ///< Of the listener.
  bool peer_trusted = false;
  ForwardedMode mode = ForwardedMode::Auto;
};
/// Whether what a peer claims is passed on: it is trusted, and the mode neither replaces nor removes it.
bool keeps_claims(bool peer_trusted, ForwardedMode mode) noexcept;
/// Replaces X-Forwarded-For, -Host, -Proto, -Port and Forwarded (RFC 7239) in `fields` by the facts: `append` keeps
/// what a trusted peer sent and adds to it, `set` drops it first, `off` removes all of them. Auto: append if the peer
/// is trusted. Forwarded is not begun where a trusted peer sent X-Forwarded-For, -Host or -Proto without it.
/// X-Forwarded-Proto is kept where it is one line of "http" or "https", else it becomes the facts' scheme.
void set_forwarding_fields(Fields& fields, const ForwardingFacts& facts);

/// What a request field claims about the request. Applications trust such fields, under any name that may be read as
/// one of theirs (`may_be_read_as`).
enum class Claim : std::uint8_t {
  None,
  Target,   ///< Another URL than the request's own: X-Original-URL.
  Method,   ///< Another method: X-HTTP-Method-Override.
  Place,    ///< Host, port, scheme or prefix that the client requested: X-Forwarded-Host, Forwarded.
  Address,  ///< The client's address: X-Real-IP.
  Never,    ///< Never forwarded: X-Forwarded-Server, Proxy, other spellings of X-Forwarded-Host.
};
/// X-Forwarded-For and X-Forwarded-Proto themselves claim nothing here: `set_forwarding_fields` writes them.
Claim claim_of(const Field& field);

/// Whether a field says that a proxy has passed the request on, so that the client may be anywhere.
bool shows_a_proxy(const Field& field);

/// The first member of the first X-Forwarded-Proto line: what the client of the first proxy used. Empty without one.
std::string_view forwarded_scheme(FieldsView fields) noexcept;
/// "http" or "https" for a text that is one of them in any case, else nothing.
std::string_view known_scheme(std::string_view text) noexcept;
/// Appends the requested place from a Forwarded line (RFC 7239): `host=` of each element, and `proto=` if it is not
/// `scheme`, joined by commas. An unreadable line is appended whole. Nothing if there is none.
void append_forwarded_place(std::string_view line, std::string_view scheme, std::string& out);

/// Whether a method orders a cache to forget what it stores: PURGE and BAN, in any case, as caches behind may read
/// them.
bool orders_purge(std::string_view method) noexcept;
/// Max-Forwards (RFC 9110 section 7.6.2): the least of its lines; nothing without one that is a number.
std::optional<std::uint64_t> max_forwards(FieldsView fields) noexcept;
/// Adds "1.1 name" to Via, after what is there (RFC 9110 section 7.6.3).
void add_via(Fields& fields, Version received, std::string_view name);

/// RFC 8586. `own_id` is this process's; `members` counts those named `name` in all lines.
struct LoopVerdict {
  bool own = false;
  std::size_t members = 0;
};
LoopVerdict read_cdn_loop(FieldsView fields, std::string_view name, std::string_view own_id);

}  // namespace forebay::http
