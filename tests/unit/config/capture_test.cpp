#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "forebay/config/config.hpp"

namespace forebay::config {
namespace {

PathPattern pattern(const std::string& text) {
  std::string why;
  auto parsed = PathPattern::parse(text, why);
  EXPECT_TRUE(parsed) << text << ": " << why;
  return parsed ? *parsed : PathPattern();
}

/// `name=value` pairs, joined by blanks.
std::string captured(const std::string& text, const std::string& path) {
  const auto compiled = pattern(text);  // The names point into it.
  std::vector<cache::Capture> found;
  compiled.capture(path, found);
  std::string out;
  for (const auto& [name, value] : found) {
    if (!out.empty()) out += ' ';
    out += std::string(name) + '=' + std::string(value);
  }
  return out;
}

TEST(Captures, TakeWhatStandsInTheirPlace) {
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {"/a/b", "/a/b", ""},
      {"/users/{id}", "/users/7", "id=7"},
      {"/users/{id}/posts/{post}", "/users/7/posts/8", "id=7 post=8"},
      {"/{a}/{b}", "/x%2Fy/z", "a=x%2Fy b=z"},
      {"/{id}/", "/7/", "id=7"},
      {"/files/{rest+}", "/files/a", "rest=a"},
      {"/files/{rest+}", "/files/a/b/c/", "rest=a/b/c/"},
      {"/files/{rest+}", "/files//", "rest=/"},
      {"/{a}/x/{b}/{rest+}", "/1/x/2/3/4", "a=1 b=2 rest=3/4"},
      {"/img/*.png", "/img/a.png", ""},
      {"/*/{id}/*", "/a/b/c", "id=b"},
      {"/**/{id}", "/a/b/c", "id=c"},
      {"/**/{id}", "/a", "id=a"},
      {"/a/**/{id}/x", "/a/b/c/x", "id=c"},
      {"/a/**/{id}/x", "/a/c/x", "id=c"},
      {"/{a}/**/{b}", "/1/2/3/4", "a=1 b=4"},
      {"/{a}/**/x/{b}/**/{c}", "/1/x/x/2/3/x/4", "a=1 b=x c=4"},
      {"/**/v/{id}/**", "/a/v/7/v/8", "id=7"},
      {"/**/{rest+}", "/a/b", "rest=a/b"},
      {"/{id}/**", "/7", "id=7"},
      {"~ ^/(?P<year>[0-9]{4})/(x)/(?P<slug>.*)$", "/2024/x/a/b", "year=2024 slug=a/b"},
      {"~ /(?P<a>[^/]*)/b", "//b", "a="},
      {"~ ^/(?:v(?P<version>[0-9]+)/)?(?P<rest>.*)$", "/v2/a", "version=2 rest=a"},
      {"~ ^/(?:v(?P<version>[0-9]+)/)?(?P<rest>.*)$", "/a", "rest=a"},
      {"~ ^/(.*)$", "/a", ""},
  };
  for (const auto& [text, path, expected] : cases) {
    EXPECT_TRUE(pattern(text).matches(path)) << text << " over " << path;
    EXPECT_EQ(captured(text, path), expected) << text << " over " << path;
  }
}

TEST(Captures, OfAPathThatDoesNotMatchAreNone) {
  EXPECT_EQ(captured("/users/{id}", "/users/7/x"), "");
  EXPECT_EQ(captured("/users/{id}", "/users/"), "");
  EXPECT_EQ(captured("/**/{id}/x", "/a/b/c"), "");
  EXPECT_EQ(captured("~ ^/(?P<n>[0-9]+)$", "/a"), "");
}

TEST(Captures, AreAppendedAndPointIntoThePath) {
  const auto users = pattern("/users/{id}");
  const std::string path = "/users/7";
  std::vector<cache::Capture> found{{"before", "x"}};
  users.capture(path, found);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].name, "before");
  EXPECT_EQ(found[1].value.data(), path.data() + 7);
  EXPECT_EQ(found[1].name.data(), users.captures()[0].data());
}

TEST(Captures, OfManyGroupsOfARegularExpressionAreRefused) {
  std::string groups = "~ ^";
  for (int i = 0; i < 63; ++i) groups += "(a?)";
  std::string why;
  EXPECT_TRUE(PathPattern::parse(groups + "(?:/(x))*", why)) << "groups without a name may be many";
  EXPECT_FALSE(PathPattern::parse(groups + "(?P<late>b)", why));
  EXPECT_EQ(why, "named groups stand among the first 63 groups");
}

/// Putting what was captured into the pattern's places gives the path again, whatever stood where `**` is.
TEST(Captures, PutBackGiveThePathAgain) {
  std::mt19937 random(7);
  const std::vector<std::string> pieces{"a", "{x}", "b", "{y}", "**", "{z}"};
  int tried = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    std::vector<std::string> used;
    for (auto n = random() % 5 + 1; n > 0; --n) {
      const auto& piece = pieces[random() % pieces.size()];
      if (piece.front() == '{' && std::find(used.begin(), used.end(), piece) != used.end()) continue;
      used.push_back(piece);
      text += '/' + piece;
    }
    if (text.empty()) continue;
    std::string path;
    for (auto n = random() % 6 + 1; n > 0; --n) path += std::string("/") + "abc"[random() % 3];
    const auto compiled = pattern(text);
    if (!compiled.matches(path)) continue;
    std::vector<cache::Capture> found;
    compiled.capture(path, found);
    ASSERT_EQ(found.size(), compiled.captures().size()) << text << " over " << path;
    auto filled = text;
    for (const auto& [name, value] : found) {
      const auto place = '{' + std::string(name) + '}';
      filled.replace(filled.find(place), place.size(), value);
    }
    EXPECT_TRUE(pattern(filled).matches(path)) << text << " over " << path << " gave " << filled;
    ++tried;
  }
  EXPECT_GT(tried, 1000);
}

}  // namespace
}  // namespace forebay::config
