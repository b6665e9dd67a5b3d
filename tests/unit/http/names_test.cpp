#include "forebay/http/names.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace forebay::http {
namespace {

struct Row {
  const char* sent;
  const char* listed;
  bool may;
  const char* who;
};

void check(NameKind kind, const std::vector<Row>& rows) {
  for (const auto& row : rows)
    EXPECT_EQ(may_be_read_as(kind, row.sent, row.listed), row.may)
        << row.sent << " as " << row.listed << ", " << row.who;
}

const std::vector<Row> kParameters{
    {"lang", "lang", true, "all"},
    {"langs", "lang", false, "none"},
    {"lan", "lang", false, "none"},
    {"", "lang", false, "none"},
    {"lang", "*", true, "all"},
    {"", "*", true, "all"},
    {"LANG", "lang", true, "ASP.NET"},
    {"lang", "Lang", true, "ASP.NET"},
    {"la%6eg", "lang", true, "all"},
    {"%6Cang", "lang", true, "all"},
    {"%24filter", "$filter", true, "all"},
    {"%24filter", "%24filter", true, "a list may be written as it is sent"},
    {"lang[]", "lang", true, "PHP, Rack, qs"},
    {"lang%5B%5d", "lang", true, "PHP, Rack, qs"},
    {"lang[0][x]", "lang", true, "PHP, Rack, qs"},
    {"la%6eg[]", "lang", true, "PHP, Rack, qs"},
    {"lang[x", "lang", true, "in doubt"},
    {"lang[x", "lang_x", true, "PHP"},
    {"lang[]tail", "lang", true, "PHP drops the tail"},
    {"[lang]", "lang", true, "qs"},
    {"[lang][0]", "lang", true, "qs"},
    {"[lang", "lang", true, "Rack 2"},
    {"lang]", "lang", true, "Rack 2"},
    {"]lang", "lang", true, "Rack 2"},
    {"[[]lang]", "lang", true, "Rack 2"},
    {"user.id", "user_id", true, "PHP"},
    {"user+id", "user_id", true, "PHP"},
    {"user%20id", "user_id", true, "PHP"},
    {"user%2Eid", "user_id", true, "PHP"},
    {"user[id", "user_id", true, "PHP"},
    {"user.id", "user", true, "qs with allowDots, Spring, ASP.NET"},
    {"user_id", "user.id", true, "a list may name it as the page does"},
    {"user-id", "user_id", false, "none"},
    {"%20lang", "lang", true, "PHP"},
    {"+++lang", "lang", true, "PHP"},
    {"lang%20", "lang", true, "in doubt"},
    {"_lang", "lang", true, "Spring"},
    {"!lang", "lang", true, "Spring"},
    {"_lang[0]", "lang", true, "Spring"},
    {"?lang", "lang", true, "http_parser drops question marks in front of a query"},
    {"??lang[]", "lang", true, "http_parser"},
    {"lang?", "lang", false, "none"},
    {"?langs", "lang", false, "none"},
    {"_user.lang", "user", true, "Spring"},
    {"lang_", "lang", false, "none"},
    {"x_lang", "lang", false, "none"},
    {"q.lang", "lang", true, "ASP.NET with a prefix"},
    {"q[lang]", "lang", true, "ASP.NET with a prefix"},
    {"q.lang[0]", "lang", true, "ASP.NET with a prefix"},
    {"a.b.c", "b.c", true, "ASP.NET with a prefix"},
    {"a.b.c", "a.c", false, "none"},
    {"q.language", "lang", false, "none"},
    {"lang%00x", "lang", true, "PHP ends names at a NUL"},
    {"x%00lang", "lang", true, "in doubt"},
    {"x%0alang", "lang", true, "in doubt"},
    {"la%ng", "lang", true, "classic ASP drops the %"},
    {"%u006cang", "lang", true, "ASP.NET"},
    {"x%", "lang", false, "none"},
    {"%25lang", "lang", false, "none"},
    {"%lang", "lang", true, "classic ASP drops the %"},
    {"%zz%4", "%zz%4", true, "all"},
    {"%zz%4", "zz4", true, "classic ASP"},
    {"%u006eang", "lang", false, "none"},
    {"%u016Cang", "lang", false, "none"},
    {"la%ng[]", "lang", true, "classic ASP and a path"},
    {"f[x]", "f[x]", true, "all"},
    {"f[y]", "f[x]", false, "none"},
    {"f\xC5\xBFx", "fsx", true, "readers without case"},
    {"%E2%84%AAey", "key", true, "readers without case"},
    {"gr%C3%B6%C3%9Fe",
     "gr\xC3\xB6\xC3\x9F"
     "e",
     true, "all"},
    {"gr%C3%B6%C3%9Fe", "lang", false, "none"},
    {"lang", "lang[]", true, "PHP: both are $_GET['lang']"},
    {"lang[]", "lang[]", true, "all"},
    {"langs[]", "lang[]", false, "none"},
    {"f_size", "f_*", true, "all"},
    {"f.size", "f_*", true, "PHP"},
    {"F%5Bsize", "f_*", true, "PHP"},
    {"f", "f_*", false, "none"},
    {"utm_source", "lang", false, "none"},
    {"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p", "lang", false, "16 steps"},
    {"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q", "lang", true, "more than 16 steps"},
    {"a;lang", "lang", false, "semicolons are looked at elsewhere"},
    {"[", "lang", false, "none"},
    {"[]", "lang", false, "none"},
    {"...", "lang", false, "none"},
};

TEST(MayBeReadAs, ParametersByWhatFrameworksFind) { check(NameKind::Parameter, kParameters); }

TEST(MayBeReadAs, CookiesLikeParametersSinceSomeReadersDecodeAndMangleThemToo) {
  check(NameKind::Cookie, kParameters);
  check(NameKind::Cookie, {{"ab.home", "ab_home", true, "PHP"},
                           {"ab_home[0]", "ab_home", true, "PHP"},
                           {"AB_Home", "ab_home", true, "ASP.NET"},
                           {"ab%5fhome", "ab_home", true, "PHP before 7.4, Rack before 2.2.3"},
                           {"ab home", "ab_home", true, "PHP"}});
}

TEST(MayBeReadAs, FieldsByWhatCgiMakesOfThem) {
  check(NameKind::Field, {{"X-Tenant", "x-tenant", true, "all"},
                          {"x-tenant", "X-Tenant", true, "all"},
                          {"X_Tenant", "X-Tenant", true, "CGI, WSGI, Rack"},
                          {"X.Tenant", "X-Tenant", true, "PHP"},
                          {"X~Tenant", "X-Tenant", true, "Apache"},
                          {"X'Tenant", "X-Tenant", true, "Apache"},
                          {"X!Tenant", "x_tenant", true, "Apache"},
                          {"X*Tenant", "X-Tenant", true, "Apache"},
                          {"X|Tenant", "X-Tenant", true, "Apache"},
                          {"XTenant", "X-Tenant", false, "none"},
                          {"X--Tenant", "X-Tenant", false, "none"},
                          {"X-Tenants", "X-Tenant", false, "none"},
                          {"X-Tenan", "X-Tenant", false, "none"},
                          {"X_Debug_1", "X-Debug*", true, "CGI"},
                          {"X.Debug", "*debug", true, "PHP"},
                          {"[x]", "x", false, "no brackets here"},
                          {"%58-Tenant", "X-Tenant", false, "no escapes here"}});
}

TEST(MayBeReadAs, AListIsMetByAnyOfIts) {
  const std::vector<std::string> listed{"page", "lang"};
  EXPECT_TRUE(may_be_read_as_any(NameKind::Parameter, "lang[]", listed));
  EXPECT_FALSE(may_be_read_as_any(NameKind::Parameter, "size", listed));
  EXPECT_FALSE(may_be_read_as_any(NameKind::Parameter, "x%00", {})) << "nothing is listed";
}

TEST(MayBeReadAs, AListAnswersAsItsNamesDoOneByOne) {
  std::mt19937 random(7);
  const std::string_view pieces[] = {"a", "b", "lang", ".",   "[",   "]",   "[]",     "_", "!", "?",
                                     "+", "%", "%2",   "%61", "%5B", "%00", "%u0061", "*", "L", "\xC5\xBF"};
  const auto word = [&](std::size_t most, bool stars) {
    std::string text;
    for (auto n = random() % (most + 1); n != 0; --n)
      if (const auto piece = pieces[random() % std::size(pieces)]; stars || piece != "*") text += piece;
    return text;
  };
  std::string buffer;
  std::size_t read = 0;
  for (int round = 0; round < 20000; ++round) {
    std::vector<std::string> names;
    for (auto n = 1 + random() % (round % 50 == 0 ? 80 : 6); n != 0; --n)
      if (auto name = word(3, true); !name.empty()) names.push_back(std::move(name));
    const ListedNames listed(names);
    const auto sent = word(round % 7 == 0 ? 40 : 6, false);
    std::uint64_t expected = 0;
    for (std::size_t i = 0; i < names.size(); ++i)
      if (may_be_read_as(NameKind::Parameter, sent, names[i]))
        expected |= std::uint64_t{1} << std::min(i, ListedNames::kLast);
    ASSERT_EQ(listed.read_as(sent, buffer), expected) << sent << " among " << ::testing::PrintToString(names);
    read += expected != 0;
  }
  EXPECT_GT(read, 1000u);
  for (const auto& row : kParameters) {
    const std::vector<std::string> one{row.listed};
    EXPECT_EQ(ListedNames(one).read_as(row.sent, buffer) != 0, row.may) << row.sent << " as " << row.listed;
  }
}

TEST(MayBeReadAs, EveryReaderTakesItForOneOfTheList) {
  const std::vector<std::string> listed{"utm_*", "gclid", "_ga", "hsa.*", "*_id"};
  const std::pair<const char*, bool> rows[] = {
      {"utm_source", true},
      {"utm_source[]", true},
      {"utm_source[a][b]", true},
      {"%75tm_source", true},
      {"gclid", true},
      {"_ga", true},
      {"hsa.x", true},
      {"my_id", true},
      {"my%5Fid", true},
      {"UTM_source", false},  // other readers know case
      {"utm.source", false},  // PHP's utm_source alone
      {"gclid[]", false},     // not on the list by its text
      {"lang[]_id", false},   // PHP's lang
      {"lang.x_id", false},   // Spring's lang
      {"[lang]x_id", false},  // qs
      {"utm_%zz", false},
      {"lang%00_id", false},  // PHP's lang
      {"lang", false},
      {"", false},
  };
  for (const auto& [sent, all] : rows) EXPECT_EQ(is_read_as_one_of(sent, listed), all) << sent;
}

std::vector<std::string> names_in_cookies(std::string_view line) {
  std::vector<std::string> names;
  EXPECT_FALSE(any_cookie_name(line, [&](std::string_view name) {
    names.emplace_back(name);
    return false;
  }));
  return names;
}

TEST(CookieNames, AreAllThatReadersFind) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(names_in_cookies("a=1; b=2;c"), (Names{"a", "b", "b", "c"}));
  EXPECT_EQ(names_in_cookies("a=1 lang=no"), (Names{"a", "a", "lang"})) << "http.cookies";
  EXPECT_EQ(names_in_cookies("a=1,lang=no"), (Names{"a", "lang"})) << "RFC 2109, Rack 1";
  EXPECT_EQ(names_in_cookies("a=\"1;lang=no\""), (Names{"a", "a", "1", "lang", "lang"}))
      << "readers that know no quotes";
  EXPECT_EQ(names_in_cookies("a=\"1\"lang=no"), (Names{"a", "a", "1", "lang"}));
  EXPECT_EQ(names_in_cookies("my name=1"), (Names{"my name", "my", "name"})) << "PHP: my_name";
  EXPECT_EQ(names_in_cookies("\xC2\xA0lang=no"), (Names{"lang", "lang"})) << "Django and Node trim it";
  EXPECT_EQ(names_in_cookies(" ;;, "), Names{});
  EXPECT_EQ(names_in_cookies("=x"), Names{});
  EXPECT_TRUE(any_cookie_name("a=1; b=2", [](std::string_view name) { return name == "b"; }));
}

TEST(CookieNames, ALineIsPlainWhereAllReadersFindTheSame) {
  for (const auto* line : {"", "a=1", "a=1; b=2", "a=1;b=2;", "a=; b=x=y", "a=\"x\"", "__Host-a=x/y:z?{}[]@"})
    EXPECT_TRUE(is_plain_cookie_line(line)) << line;
  for (const auto* line : {"a",
                           "a=1; b",
                           "a =1",
                           "a= 1",
                           "a=1 b=2",
                           "a=1,b=2",
                           "a=\"x",
                           "a=x\"",
                           "a=\"x y\"",
                           "a=\"x\\\"\"",
                           "a[0]=1",
                           "=x",
                           "a=1;;b=2",
                           "$Version=1; a=1",
                           "Path=/; a=1",
                           "a=1; secure=x",
                           "a=\xC3\xA9",
                           "\xC2\xA0"
                           "a=1",
                           "a={\"b\":1}",
                           "a=1\tb=2",
                           "\"a\"=1"})
    EXPECT_FALSE(is_plain_cookie_line(line)) << line;
}

TEST(ParameterNames, AreAllThatReadersFind) {
  std::vector<std::string> names;
  EXPECT_FALSE(any_parameter_name("a=1&b;c=2&&%61;&amp;lang=no", [&](std::string_view name) {
    names.emplace_back(name);
    return false;
  }));
  EXPECT_EQ(names, (std::vector<std::string>{"a", "b;c", "b", "c", "%61;", "%61", "amp;lang", "amp", "lang"}));
}

std::vector<std::string> names_in(std::string_view piece) {
  std::vector<std::string> names;
  EXPECT_FALSE(any_name_between_semicolons(piece, [&](std::string_view name) {
    names.emplace_back(name);
    return false;
  }));
  return names;
}

TEST(Semicolons, SeparateForSomeReaders) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(names_in("a=1"), Names{}) << "without one there is nothing that others do not see";
  EXPECT_EQ(names_in("a%3Bb=1"), Names{});
  EXPECT_EQ(names_in("a=1;b=2;c"), (Names{"a", "b", "c"}));
  EXPECT_EQ(names_in(";;a;"), Names{"a"});
  EXPECT_EQ(names_in("a;=x"), (Names{"a", ""}));
  EXPECT_TRUE(any_name_between_semicolons("a=1;b=2", [](std::string_view name) { return name == "b"; }));
}

}  // namespace
}  // namespace forebay::http
