#include "forebay/content/encoder.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "forebay/content/coding.hpp"

namespace forebay::content {
namespace {

constexpr Compression kAll[] = {Compression::Gzip, Compression::Brotli, Compression::Zstd};

struct Sizes {
  std::size_t in = 64 * 1024, out = 64 * 1024;
};

std::string compressed(Compression coding, std::string_view content, Sizes sizes = {}) {
  const auto encoder = Encoder::make(coding, content.size());
  if (!encoder) return "no encoder";
  std::string all;
  std::string buffer(sizes.out, '\0');
  while (!content.empty()) {
    auto step = content.substr(0, sizes.in);
    content.remove_prefix(step.size());
    while (true) {
      const auto made = encoder->take(step, buffer.data(), buffer.size());
      if (!made) return "an error";
      all.append(buffer, 0, *made);
      if (*made == buffer.size()) continue;
      EXPECT_TRUE(step.empty()) << "less than the room only when all was taken";
      break;
    }
  }
  while (true) {
    const auto made = encoder->finish(buffer.data(), buffer.size());
    if (!made) return "an error";
    all.append(buffer, 0, *made);
    if (*made < buffer.size()) return all;
  }
}

std::string decoded(Compression coding, std::string_view content) {
  std::string out;
  const auto done = decode(to_string(coding), content, std::size_t{64} << 20, out);
  return done ? out : "error " + std::string(to_string(done.error()));
}

std::string words(std::size_t size) {
  std::mt19937_64 random(3);
  std::string text;
  while (text.size() < size) text += "word" + std::to_string(random() % 500) + (random() % 9 == 0 ? "\n" : " ");
  text.resize(size);
  return text;
}

std::vector<std::string> contents() {
  std::mt19937_64 random(7);
  std::string noise(50000, '\0');
  for (char& c : noise) c = static_cast<char>(random());
  return {"", "a", R"({"a":1,"b":[2,3]})", std::string(100000, 'x'), noise, words(200000), words(65536)};
}

TEST(Encoder, WhatItMakesDecodesToTheContentInOneMemberOrFrame) {
  for (const auto coding : kAll)
    for (const auto& content : contents())
      EXPECT_EQ(decoded(coding, compressed(coding, content)), content)
          << to_string(coding) << " of " << content.size() << " bytes";
}

TEST(Encoder, TheSizeOfItsStepsChangesNothingOfTheContent) {
  const auto content = words(20000);
  for (const auto coding : kAll)
    for (const Sizes sizes : {Sizes{1, 1}, Sizes{7, 3}, Sizes{20000, 1}, Sizes{1, 4096}, Sizes{1024, 17}})
      EXPECT_EQ(decoded(coding, compressed(coding, content, sizes)), content)
          << to_string(coding) << ' ' << sizes.in << '/' << sizes.out;
}

TEST(Encoder, TextBecomesAtLeastThreeTimesSmaller) {
  const auto content = words(300000);
  for (const auto coding : kAll) EXPECT_LT(compressed(coding, content).size() * 3, content.size()) << to_string(coding);
}

TEST(Encoder, ALargeContentIsDecodedWithinTheWindowThatClientsHave) {
  const auto content = words(std::size_t{12} << 20);
  for (const auto coding : kAll) EXPECT_EQ(decoded(coding, compressed(coding, content)), content) << to_string(coding);
}

TEST(Encoder, CodingsHaveTheNamesOfContentEncoding) {
  EXPECT_EQ(to_string(Compression::Gzip), "gzip");
  EXPECT_EQ(to_string(Compression::Brotli), "br");
  EXPECT_EQ(to_string(Compression::Zstd), "zstd");
  for (const auto coding : kAll) EXPECT_EQ(compression_of(to_string(coding)), coding);
  EXPECT_EQ(compression_of("GZip"), Compression::Gzip);
  for (const char* other : {"", "deflate", "brotli", "identity", "gzip "}) EXPECT_FALSE(compression_of(other)) << other;
}

}  // namespace
}  // namespace forebay::content
