#pragma once

#include <string_view>

#include "config/scalar.hpp"
#include "forebay/config/config.hpp"

namespace forebay::config {

/// `:8080`, `127.0.0.1:8080`, `[::1]:8080`, `unix:/path`, `fd:NAME`.
Parsed<Address> parse_address(std::string_view text);
/// `http://host:port`; FB1016 for what this version does not speak.
Parsed<Url> parse_origin_url(std::string_view text);
/// Whether it can be a Host: a host with or without a port.
bool is_authority(std::string_view text);
/// Whether it is meant as a url rather than as a name.
bool looks_like_url(std::string_view text) noexcept;

bool is_loopback_host(std::string_view host) noexcept;
/// Empty, `0.0.0.0` or `::`.
bool is_any_host(std::string_view host) noexcept;
bool is_ipv4_host(std::string_view host) noexcept;
/// Whether both would want the same socket.
bool collide(const Address& a, const Address& b) noexcept;
/// Whether both may listen although they collide: one is for all addresses, IPv6 included, the other for IPv4 alone, so
/// that the kernel knows whose a connection is.
bool share_port(const Address& a, const Address& b) noexcept;

}  // namespace forebay::config
