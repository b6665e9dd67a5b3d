// Whatever the file, `load` answers: it neither throws nor hangs. A fixed number of mutations of real files, the same
// each time.
#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "support.hpp"

namespace forebay::config::test {
namespace {

std::vector<std::string> seeds() {
  std::vector<std::string> out;
  const std::filesystem::path root = FOREBAY_SOURCE_DIR;
  for (const auto& dir : {root / "config", root / "config" / "examples", root / "tests" / "contract" / "bad_configs"})
    for (const auto& entry : std::filesystem::directory_iterator(dir))
      if (entry.path().extension() == ".yaml") out.push_back(content_of(entry.path().string()));
  std::sort(out.begin(), out.end());
  return out;
}

void mutate(std::string& text, std::mt19937& random, const std::vector<std::string>& all) {
  static const std::vector<std::string> kPieces{
      "&a ",     "*a",     "<<: ",   "- ",          "? ",          ": ", "\n",   "\n---\n",
      "\n...\n", "{",      "}",      "[",           "]",           "\"", "'",    "|\n",
      ">\n",     "!!str ", "!x ",    "%YAML 1.2\n", "# ",          "\t", "\r\n", "${",
      "${A:-",   "$$",     "~",      "\xff",        "\x00",        "0",  "-1",   "99999999999999999999",
      "1e999",   "x-",     "path: ", "  ",          "\xef\xbb\xbf"};
  const auto at = text.empty() ? 0 : random() % text.size();
  switch (random() % 6) {
    case 0: text.insert(at, kPieces[random() % kPieces.size()]); break;
    case 1: text.erase(at, random() % 20); break;
    case 2:
      if (!text.empty()) text[at] = static_cast<char>(random());
      break;
    case 3: text.insert(at, text.substr(random() % (text.size() + 1), random() % 40)); break;
    case 4: {
      const auto& other = all[random() % all.size()];
      text.insert(at, other.substr(random() % (other.size() + 1), random() % 80));
      break;
    }
    default: text.resize(at); break;
  }
}

TEST(Mutations, AreAllAnswered) {
  const auto all = seeds();
  std::mt19937 random(20240101);
  const char* rounds = std::getenv("FOREBAY_MUTATIONS");
  int loaded = 0;
  for (int i = rounds ? std::atoi(rounds) : 6000; i > 0; --i) {
    auto text = all[random() % all.size()];
    for (auto n = random() % 4 + 1; n > 0; --n) mutate(text, random, all);
    const auto result =
        load_text(text, random() % 4 == 0 ? Overrides{{"routes.0.ttl", text.substr(0, 20)}} : Overrides{});
    if (result.ok()) {
      ++loaded;
      const auto printed = print(*result.config);
      const auto again = load_text(printed);
      ASSERT_TRUE(again.ok()) << to_text(again.diagnostics) << printed << text;
      ASSERT_EQ(print(*again.config), printed);
    } else {
      ASSERT_FALSE(result.diagnostics.empty()) << text;
    }
    to_text(result.diagnostics);
    to_json(result.diagnostics);
    to_github(result.diagnostics);
  }
  EXPECT_GT(loaded, 0);
}

TEST(HostileFiles, AreRefusedInTime) {
  std::string laughs = "a0: &a0 [x, x]\n";
  for (int i = 1; i < 60; ++i)
    laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + ", *a" +
              std::to_string(i - 1) + "]\n";
  EXPECT_FALSE(load_text(laughs).ok());
  EXPECT_FALSE(load_text(std::string(100'000, '[')).ok());
  EXPECT_FALSE(load_text(std::string(100'000, '{')).ok());
  std::string stairs;
  for (int i = 0; i < 2000; ++i) stairs += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  EXPECT_FALSE(load_text(stairs).ok());
  std::string dashes;
  for (int i = 0; i < 20'000; ++i) dashes += "- ";
  EXPECT_FALSE(load_text(dashes).ok());
  std::string unknown;
  for (int i = 0; i < 20'000; ++i) unknown += "k" + std::to_string(i) + ": 1\n";
  const auto result = load_text(unknown);
  EXPECT_EQ(result.diagnostics.size(), 1001u);
  std::string list = "tokn:\n";
  for (int i = 0; i < 100'000; ++i) list += "  - {a: b}\n";
  EXPECT_FALSE(load_text(list).ok());
  std::string shared = "x-a: &a [" + [] {
    std::string s;
    for (int i = 0; i < 900; ++i) s += "x, ";
    return s;
  }() + "x]\n";
  for (int i = 0; i < 200; ++i) shared += "k" + std::to_string(i) + ": *a\n";
  EXPECT_FALSE(load_text(shared).ok());
  EXPECT_FALSE(load_text("origin: " + std::string(300'000, '@') + "\n").ok());
  EXPECT_FALSE(load_text("tokn: [" + std::string(300'000, '{') + "\n").ok());
  EXPECT_FALSE(load_text("routes:\n" +
                         [] {
                           std::string s;
                           for (int i = 0; i < 11'000; ++i) s += "- path: /a\n";
                           return s;
                         }())
                   .ok());
  EXPECT_FALSE(load_text("? " + std::string(5000, '?')).ok());
  EXPECT_FALSE(load_text("a: &a {<<: *a}\n").ok());
  EXPECT_FALSE(load_text("*a : 1\n").ok());
}

}  // namespace
}  // namespace forebay::config::test
