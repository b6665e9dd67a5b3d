#include "forebay/http/proxy_header.hpp"

#include <cstdint>
#include <string>

#include "invariant.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace forebay;
  using fuzz::require;
  using Source = http::ProxyHeader::Source;
  const fuzz::Exact input(fuzz::as_text(data, size));
  const auto read = http::read_proxy_header(input.view());
  if (!read) {
    require(read.error() == Errc::Incomplete || read.error() == Errc::Malformed || read.error() == Errc::TooLarge);
    // Whoever waits for more waits for a bounded number of bytes.
    require(read.error() != Errc::Incomplete || size < http::kMostProxyHeader);
    return 0;
  }
  require(read->size >= 15 && read->size <= size && read->size <= http::kMostProxyHeader);
  require(read->source == Source::Ip || (read->ip == decltype(read->ip){} && read->port == 0));
  // It does not depend on what follows, and no shorter front of it is a header.
  const auto header = input.view().substr(0, read->size);
  for (const auto& same : {http::read_proxy_header(header), http::read_proxy_header(std::string(header) + "GET /")}) {
    require(same && same->size == read->size && same->source == read->source);
    require(same->ip == read->ip && same->port == read->port && same->tls == read->tls);
  }
  for (std::size_t n = 0; n < header.size(); n += 1 + header.size() / 64) {
    const auto part = http::read_proxy_header(header.substr(0, n));
    require(!part && part.error() == Errc::Incomplete);
  }
  return 0;
}
