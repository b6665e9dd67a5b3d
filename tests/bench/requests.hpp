#pragma once

#include <string_view>

namespace forebay::bench {

/// What a load generator sends.
inline constexpr std::string_view kSmallRequest =
    "GET /1k HTTP/1.1\r\n"
    "Host: 127.0.0.1:8080\r\n"
    "\r\n";
static_assert(kSmallRequest.size() == 42);

/// What a browser sends: 11 fields.
inline constexpr std::string_view kBrowserRequest =
    "GET /api/products/1?lang=en&currency=EUR HTTP/1.1\r\n"
    "Host: shop.example.com\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
    "Accept-Language: en-GB,en;q=0.7,de;q=0.3\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Connection: keep-alive\r\n"
    "Referer: https://shop.example.com/api/products/\r\n"
    "Sec-Fetch-Dest: document\r\n"
    "Sec-Fetch-Mode: navigate\r\n"
    "Sec-Fetch-Site: same-origin\r\n"
    "Priority: u=0, i\r\n"
    "\r\n";
static_assert(kBrowserRequest.size() == 490);

}  // namespace forebay::bench
