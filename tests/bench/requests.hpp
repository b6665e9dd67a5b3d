#pragma once

#include <string>
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

/// A load generator's POST, without its content.
inline constexpr std::string_view kSmallPost =
    "POST /search HTTP/1.1\r\n"
    "Host: 127.0.0.1:8080\r\n"
    "Content-Type: application/json\r\n"
    "Content-Length: 1024\r\n"
    "\r\n";

inline constexpr std::string_view kFormPost =
    "POST /search HTTP/1.1\r\n"
    "Host: 127.0.0.1:8080\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\n"
    "Content-Length: 66\r\n"
    "\r\n";

/// A search as an application sends it: 1,024 bytes, of which a route may choose `/query`, `/filters` and `/page`.
inline const std::string& json_of_1k() {
  static const std::string text = [] {
    std::string s =
        R"({"query":"running shoes","filters":{"brand":["acme","globex","initech"],"price":{"from":20,"to":129.5},)"
        R"("inStock":true},"page":{"size":24,"number":3},"session":"0123456789abcdef0123456789abcdef","facets":[)";
    for (int i = 0; s.size() < 900; ++i)
      s += R"({"name":"facet )" + std::to_string(i) + R"(","limit":)" + std::to_string(10 * i) + "},";
    s += R"({"name":"last"}],"note":")";
    s.append(1024 - s.size() - 2, 'x');
    return s + "\"}";
  }();
  return text;
}

}  // namespace forebay::bench
