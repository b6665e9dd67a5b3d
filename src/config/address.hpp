#pragma once

#include <string_view>

#include "config/scalar.hpp"
#include "forebay/config/config.hpp"

namespace forebay::config {

/// `:8080`, `127.0.0.1:8080`, `[::1]:8080`, `unix:/path`, `fd:NAME`.
Parsed<Address> parse_address(std::string_view text);
/// `http://host:port`; FB1016 for what this version does not speak.
Parsed<Url> parse_origin_url(std::string_view text);
/// Whether it is meant as a url rather than as a name.
bool looks_like_url(std::string_view text) noexcept;

bool is_loopback_host(std::string_view host) noexcept;
/// Empty, `0.0.0.0` or `::`.
bool is_any_host(std::string_view host) noexcept;
/// Whether both would want the same socket.
bool collide(const Address& a, const Address& b) noexcept;

/// A network as it is written; IPv4-mapped ones as IPv4.
std::string format_cidr(const http::Cidr& net);

}  // namespace forebay::config
