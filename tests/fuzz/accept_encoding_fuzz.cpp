#include <cstdint>
#include <string>

#include "forebay/http/accept_encoding.hpp"
#include "forebay/rules/compression.hpp"
#include "invariant.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace forebay;
  using content::Compression;
  using fuzz::require;
  const fuzz::Exact input(fuzz::as_text(data, size));
  const http::AcceptedCodings accepted(input.view());
  const Compression order[] = {Compression::Zstd, Compression::Brotli, Compression::Gzip};
  const auto choice = rules::choose_codings(input.view(), order);
  require(choice.count <= choice.codings.size());
  for (std::size_t i = 0; i < choice.count; ++i) {
    require(accepted.accept(content::to_string(choice.codings[i])));
    for (std::size_t j = 0; j < i; ++j) require(choice.codings[i] != choice.codings[j]);
  }
  // What is refused whatever the order is refused in every one.
  const Compression reversed[] = {Compression::Gzip, Compression::Brotli, Compression::Zstd};
  require(rules::choose_codings(input.view(), reversed).count == choice.count);
  std::string normal;
  if (!http::append_normal_accept_encoding(input.view(), normal)) require(normal.empty());
  return 0;
}
