#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "forebay/config/config.hpp"

namespace forebay::config {
namespace {

PathPattern pattern(const std::string& text) {
  std::string why;
  auto parsed = PathPattern::parse(text, why);
  EXPECT_TRUE(parsed) << text << ": " << why;
  return parsed ? *parsed : PathPattern();
}

TEST(PathPattern, MatchesWhatTheContractSays) {
  const std::tuple<const char*, const char*, bool> cases[] = {
      {"/a/b", "/a/b", true},
      {"/a/b", "/a/b/", false},
      {"/a/b", "/a", false},
      {"/a/b", "/A/b", false},
      {"/", "/", true},
      {"/", "/a", false},
      {"/users/{id}", "/users/7", true},
      {"/users/{id}", "/users/", false},
      {"/users/{id}", "/users", false},
      {"/users/{id}", "/users/7/x", false},
      {"/users/{id}/posts/{post}", "/users/7/posts/8", true},
      {"/files/{rest+}", "/files/a", true},
      {"/files/{rest+}", "/files/a/b/c", true},
      {"/files/{rest+}", "/files/", false},
      {"/files/{rest+}", "/files", false},
      {"/files/{rest+}", "/files//", true},
      {"/img/*.png", "/img/a.png", true},
      {"/img/*.png", "/img/.png", true},
      {"/img/*.png", "/img/a/b.png", false},
      {"/img/*.png", "/img/a.jpg", false},
      {"/img/a*b*c", "/img/axxbyybc", true},
      {"/img/*", "/img/", true},
      {"/img/*", "/img", false},
      {"/static/**", "/static", true},
      {"/static/**", "/static/", true},
      {"/static/**", "/static/a/b/c", true},
      {"/static/**", "/statics", false},
      {"/**", "/", true},
      {"/**", "/a/b", true},
      {"/**", "*", false},
      {"/a/**/b", "/a/b", true},
      {"/a/**/b", "/a/x/y/b", true},
      {"/a/**/b", "/a/x/y/c", false},
      {"/a/**/b/**/c", "/a/1/b/2/b/3/c", true},
      {"/a/**/*.js", "/a/x/y.js", true},
      {"/**/{id}", "/a/b", true},
      {"/**/{id}", "/", false},
      {"~ ^/v[0-9]+/.*$", "/v12/x", true},
      {"~ /v[0-9]+", "/v12/x", false},
      {"~^/a(?P<name>.)$", "/ab", true},
      {"/caf\xc3\xa9", "/caf%C3%A9", true},
      {"/a%2fb", "/a%2Fb", true},
      {"/a%2fb", "/a/b", false},
      {"/%61", "/a", true},
      {"/a b", "/a%20b", true},
  };
  for (const auto& [text, path, expected] : cases)
    EXPECT_EQ(pattern(text).matches(path), expected) << text << " over " << path;
}

TEST(PathPattern, IsRefusedWithASentence) {
  for (const auto* text : {"",      "a",       "api/**",   "/a**", "/{a",    "/a}",  "/{a}b", "/{}",
                           "/{+}",  "/{a+}/b", "/{a}/{a}", "/{1}", "/{a b}", "/a?b", "/a#b",  "/./a",
                           "/a/..", "/%",      "/%zz",     "~",    "~ ",     "~ (",  "~ [a-", "~ a{1001}"}) {
    std::string why;
    EXPECT_FALSE(PathPattern::parse(text, why)) << text;
    EXPECT_FALSE(why.empty()) << text;
  }
  std::string why;
  EXPECT_FALSE(PathPattern::parse('/' + std::string(5000, 'a'), why));
  std::string deep;
  for (int i = 0; i < 200; ++i) deep += "/a";
  EXPECT_FALSE(PathPattern::parse(deep, why));
}

TEST(PathPattern, CapturesAreInOrder) {
  EXPECT_THAT(pattern("/{a}/x/{b}/{rest+}").captures(), testing::ElementsAre("a", "b", "rest"));
  EXPECT_THAT(pattern("~ ^/(?P<year>[0-9]+)/(?P<slug>.*)$").captures(), testing::ElementsAre("year", "slug"));
  EXPECT_THAT(PathPattern().captures(), testing::IsEmpty());
}

TEST(PathPattern, GivesAnExampleThatItMatchesButForRegularExpressions) {
  const std::pair<const char*, const char*> cases[] = {
      {"/", "/"},
      {"/**", "/"},
      {"/a/b", "/a/b"},
      {"/a/", "/a/"},
      {"/users/{id}/posts/{post}", "/users/1/posts/1"},
      {"/files/{rest+}", "/files/1"},
      {"/static/**", "/static"},
      {"/a/**/z", "/a/z"},
      {"/img/*.png", "/img/1.png"},
      {"/caf%c3%a9/%41", "/caf%C3%A9/A"},
  };
  for (const auto& [text, path] : cases) {
    EXPECT_EQ(pattern(text).example(), path) << text;
    EXPECT_TRUE(pattern(text).matches(path)) << text;
  }
  EXPECT_EQ(PathPattern().example(), "/");
  EXPECT_FALSE(pattern("~ ^/v[0-9]+$").example());
}

TEST(PathPattern, CoversWhatItSurelyMatchesWhole) {
  const std::tuple<const char*, const char*, bool> cases[] = {{"/**", "/a", true},
                                                              {"/**", "~ ^/x$", true},
                                                              {"/a/**", "/a", true},
                                                              {"/a/**", "/a/{id}", true},
                                                              {"/a/**", "/a/{r+}", true},
                                                              {"/a/**", "/a/b/**", true},
                                                              {"/a/**", "/b", false},
                                                              {"/a/{id}", "/a/b", true},
                                                              {"/a/{id}", "/a/", false},
                                                              {"/a/{id}", "/a/*", false},
                                                              {"/a/{id}", "/a/x*", true},
                                                              {"/a/*", "/a/{id}", true},
                                                              {"/a/*.png", "/a/x.png", true},
                                                              {"/a/*.png", "/a/x*.png", true},
                                                              {"/a/*.png", "/a/{id}", false},
                                                              {"/a/x*", "/a/*", false},
                                                              {"/a/{r+}", "/a/b", true},
                                                              {"/a/{r+}", "/a/b/**", true},
                                                              {"/a/{r+}", "/a/**", false},
                                                              {"/a/{r+}", "/a/", false},
                                                              {"/a/{r+}", "/a/{s+}", true},
                                                              {"/a/b", "/a/{id}", false},
                                                              {"/a/b", "/a/b", true},
                                                              {"~ ^/a$", "~ ^/a$", true},
                                                              {"~ .*", "/a", false},
                                                              {"/a/**/b", "/a/x/b", true},
                                                              {"/a/**/b", "/a/**/x/b", true},
                                                              {"/a/{id}", "/a/**", false},
                                                              {"/a", "/%61", true},
                                                              {"/{x}/b", "/{y}/b", true}};
  for (const auto& [ours, theirs, expected] : cases)
    EXPECT_EQ(pattern(ours).covers(pattern(theirs)), expected) << ours << " over " << theirs;
}

/// What `covers` claims must hold for every path: tried on all short paths over a small alphabet.
TEST(PathPattern, NeverClaimsToCoverWhatItDoesNotMatch) {
  const std::vector<std::string> pieces{"a", "b", "*", "a*", "*b", "{x}", "**", ""};
  std::vector<std::string> texts;
  for (const auto& one : pieces)
    for (const auto& two : pieces)
      for (const auto& three : {std::string(), std::string("/a"), std::string("/**"), std::string("/{r+}"),
                                std::string("/*"), std::string("/")})
        texts.push_back('/' + one + '/' + (two == "{x}" ? "{y}" : two) + three);
  std::vector<std::string> paths{"/"};
  for (std::size_t i = 0; i < paths.size() && paths[i].size() < 6; ++i)
    for (const auto* next : {"a", "b", "/"}) paths.push_back(paths[i] + next);
  std::vector<PathPattern> patterns;
  std::vector<std::vector<bool>> matches;
  for (const auto& text : texts) {
    patterns.push_back(pattern(text));
    matches.emplace_back();
    for (const auto& path : paths) matches.back().push_back(patterns.back().matches(path));
  }
  for (std::size_t i = 0; i < texts.size(); i += 3) {
    for (std::size_t j = 0; j < texts.size(); ++j) {
      if (!patterns[i].covers(patterns[j])) continue;
      for (std::size_t p = 0; p < paths.size(); ++p)
        if (matches[j][p] && !matches[i][p])
          FAIL() << texts[i] << " claims to cover " << texts[j] << " but not " << paths[p];
    }
  }
}

TEST(PathPattern, IsNotSlowedDownByManyStars) {
  std::string text, path;
  for (int i = 0; i < 60; ++i) text += "/**/a*a*a*b";
  for (int i = 0; i < 2000; ++i) path += "/aaaa";
  EXPECT_FALSE(pattern(text).matches(path));
}

}  // namespace
}  // namespace forebay::config
