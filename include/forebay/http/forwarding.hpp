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
bool contains(const Cidr& net, const std::array<std::uint8_t, 16>& ip) noexcept;
bool contains_any(const std::vector<Cidr>& nets, const std::array<std::uint8_t, 16>& ip) noexcept;

/// Walks X-Forwarded-For from the right past trusted proxies, beginning with the peer: the first address that is not
/// trusted is the client. What is not an address ends the walk at the last good one.
std::string client_address(std::string_view peer, FieldsView fields, const std::vector<Cidr>& trusted);

enum class ForwardedMode : std::uint8_t { Auto, Append, Set, Off };

struct ForwardingFacts {
  std::string_view peer;    ///< Address of the TCP peer without port; empty for a Unix socket.
  std::string_view host;    ///< Host as the client sent it.
  std::string_view scheme;  ///< Of the listener.
  bool peer_trusted = false;
  ForwardedMode mode = ForwardedMode::Auto;
};
/// Replaces X-Forwarded-For, -Host, -Proto, -Port and Forwarded (RFC 7239) in `fields` by what is true: `append` keeps
/// what a trusted peer sent and adds to it, `set` drops it first, `off` removes all of them. Auto: append if the peer
/// is trusted.
void set_forwarding_fields(Fields& fields, const ForwardingFacts& facts);

/// Adds "1.1 name" to Via, after what is there (RFC 9110 section 7.6.3).
void add_via(Fields& fields, Version received, std::string_view name);
/// Hop-by-hop fields and those that Connection names, removed (RFC 9110 section 7.6.1).
void remove_hop_by_hop(Fields& fields);

/// RFC 8586. `own_id` is this process's; `members` counts those named `name` in all lines.
struct LoopVerdict {
  bool own = false;
  std::size_t members = 0;
};
LoopVerdict read_cdn_loop(FieldsView fields, std::string_view name, std::string_view own_id);

}  // namespace forebay::http
