#include "forebay/cache/key.hpp"

#include <set>

#include "fixture.hpp"
#include "forebay/http/names.hpp"

namespace forebay::cache {
namespace {

std::string text(std::string_view target, const KeySpec& spec = {}, std::string_view method = "GET",
                 const FieldList& fields = {}) {
  return std::string(key_of(target, spec, method, fields).text());
}

TEST(Key, IsRouteMethodSchemeHostAndPath) {
  EXPECT_EQ(text("/a/b"), "r|GET|http|example.com|/a/b");
  EXPECT_EQ(text("/a", {.body = BodyMode::None}, "POST"), "r|POST|http|example.com|/a");
  EXPECT_EQ(key_of("/", {}, "GET", {}, "r", "h", "https").text(), "r|GET|https|h|/");
}

TEST(Key, HeadSharesTheKeyOfGet) { EXPECT_EQ(text("/a?x", {}, "HEAD"), text("/a?x")); }

TEST(Key, LeavesOutPartsThatAreNotInUse) {
  KeySpec spec;
  spec.scheme = false;
  EXPECT_EQ(text("/a", spec), "r|GET|example.com|/a");
  spec.host = false;
  EXPECT_EQ(text("/a", spec), "r|GET|/a");
  spec.query = QueryMode::None;
  EXPECT_EQ(text("/a?b=c", spec), "r|GET|/a");
}

TEST(Key, EscapesSeparatorsSoThatPartsStayApart) {
  EXPECT_EQ(key_of("/", {}, "GET", {}, "a|b%\x01", "h").text(), "a%7Cb%25%01|GET|http|h|/");
  EXPECT_EQ(text("/a|b"), "r|GET|http|example.com|/a%7Cb");
  EXPECT_EQ(text("/a%2fb"), "r|GET|http|example.com|/a%252Fb");
}

TEST(Key, SortsWhereTheRouteSaysSoByTheNameUpToItsBracketAndKeepsTheOrderOfEqualNames) {
  const KeySpec sorted{.query_sort = true};
  const struct {
    const char* query;
    const char* keyed;
  } cases[] = {
      {"b=2&a=1", "a=1&b=2"},
      {"a=2&b&a=1", "a=2&a=1&b"},
      {"a", "a"},
      {"a=", "a="},
      {"", ""},
      {"&&a=1&", "a=1"},
      {"=v", "=v"},
      {"%61=%62", "a=b"},
      {"a=%26", "a=%2526"},
      {"a=b=c", "a=b=c"},
      {"a%3Db=c", "a%253Db=c"},
      {"a=b|c", "a=b%7Cc"},
      {"a=%4", "a=%254"},
      {"A=1&B=3&b=2", "A=1&B=3&b=2"},
      {"b=2&A=1", "A=1&b=2"},
      {"b[]=2&a[x]=1&a[]=0&b=3", "a[x]=1&a[]=0&b[]=2&b=3"},
      {"b=1&a[]=1&a%5B%5D=2&a=0", "a[]=1&a%255B%255D=2&a=0&b=1"},
      {"f[][k]=a&f[][v]=1&f[][k]=b&f[][v]=2", "f[][k]=a&f[][v]=1&f[][k]=b&f[][v]=2"},
      {"z=0&f[][v]=1&f[][k]=a", "f[][v]=1&f[][k]=a&z=0"},
      {"$top=1&%24filter=2&$filter=3", "%2524filter=2&$filter=3&$top=1"},
      {"b.x=1&a=2", "a=2&b.x=1"},
  };
  for (const auto& c : cases)
    EXPECT_EQ(text(std::string("/?") + c.query, sorted), std::string("r|GET|http|example.com|/|q:") + c.keyed)
        << c.query;
}

TEST(Key, KeepsTheOrderOfParametersThatAreOneToSomeReader) {
  for (const char* query : {"z=1&?a=2", "?z=1&a=2", "a_b=1&a.b=2&0=0", "b=1&%62%2Ec=2&b_c=3&a=4", "z=1&a=2&Z=3",
                            "z=1&+a=2&a=3", "z=1&a%20b=2&a=0&a_b=3", "z=1&[a]=2", "z=1&a]=2", "z=1&b[a=2",
                            "z=1&a[b][c=2", "z=1&a%zz=2", "z=1&a%01=2", "z=1;a=1&a=2", "z=1&a=1;z=2"}) {
    const auto of = [&](std::optional<bool> sort) { return text(std::string("/?") + query, {.query_sort = sort}); };
    EXPECT_EQ(of(true), of(false)) << query;
  }
}

TEST(Key, KeepsTheOrderOfTheQueryByDefault) {
  const KeySpec except{.query = QueryMode::Except, .query_names = {"u"}};
  const KeySpec only{.query = QueryMode::Only, .query_names = {"a", "b"}};
  EXPECT_EQ(text("/?b=2&a=1"), "r|GET|http|example.com|/|q:b=2&a=1");
  EXPECT_EQ(text("/?b=2&u&a=1", except), "r|GET|http|example.com|/|q:b=2&a=1");
  EXPECT_EQ(text("/?b=2&u&a=1", only), "r|GET|http|example.com|/|q:a=1&b=2");
}

TEST(Key, TakesEveryParameterOfAQueryThatSomeReadersDoNotReadToItsEnd) {
  std::string many;
  for (std::size_t i = 0; i < http::kCrowd; ++i) many += "u&";
  const KeySpec except{.query = QueryMode::Except, .query_names = {"u"}};
  const KeySpec only{.query = QueryMode::Only, .query_names = {"a"}};
  for (const auto& spec : {except, only}) {
    EXPECT_EQ(text("/?" + many + "a=1", spec), "r|GET|http|example.com|/|q:" + many + "a=1");
    EXPECT_EQ(text("/?" + many.substr(2) + "a=1", spec), "r|GET|http|example.com|/|q:a=1");
  }
}

TEST(Key, TellsAnAbsentQueryFromAnEmptyOne) {
  EXPECT_NE(text("/"), text("/?"));
  EXPECT_NE(text("/?a"), text("/?a="));
}

TEST(Key, KeepsTheQuerysOrderWhereTheRouteSaysSo) {
  KeySpec spec;
  spec.query_sort = false;
  EXPECT_EQ(text("/?b=2&a=1", spec), "r|GET|http|example.com|/|q:b=2&a=1");
}

TEST(Key, CountsOnlyTheQueryNamesOfItsLists) {
  KeySpec only{.query = QueryMode::Only, .query_names = {"id", "x*"}};
  EXPECT_EQ(text("/?z=1&xy=2&id=3", only), "r|GET|http|example.com|/|q:id=3&xy=2");
  EXPECT_EQ(text("/?z=1", only), "r|GET|http|example.com|/") << "nothing remains, so there is no q:";
  KeySpec except{.query = QueryMode::Except, .query_names = {"utm_*"}};
  EXPECT_EQ(text("/?utm_source=a&b=1", except), "r|GET|http|example.com|/|q:b=1");
  EXPECT_EQ(text("/?utm_source=a", except), "r|GET|http|example.com|/");
  EXPECT_EQ(text("/?%75tm_x=a&b", except), "r|GET|http|example.com|/|q:b") << "compared as decoded";
}

TEST(Key, CountsWhatAnOriginMayTakeForANameOfItsList) {
  const KeySpec only{.query = QueryMode::Only, .query_names = {"$filter", "f[x]", "a b", "lang", "user_id", "x*"}};
  const struct {
    const char* query;
    const char* keyed;
  } cases[] = {
      {"$filter=1", "|q:$filter=1"},
      {"%24filter=evil", "|q:%2524filter=evil"},
      {"%24Filter=evil", "|q:%2524Filter=evil"},
      {"f[x]=1", "|q:f[x]=1"},
      {"f%5Bx%5D=1", "|q:f%255Bx%255D=1"},
      {"f%5bx]", "|q:f%255bx]"},
      {"f[x][]=1&f[y]=2", "|q:f[x][]=1"},
      {"a+b=2&a%20b=3", "|q:a+b=2&a%2520b=3"},
      {"LANG=no", "|q:LANG=no"},
      {"%4CANG=no", "|q:LANG=no"},
      {"lang[]=no&lang%5B0%5D=no", "|q:lang[]=no&lang%255B0%255D=no"},
      {"user.id=1&user+id=2&user[id=3", "|q:user.id=1&user+id=2&user[id=3"},
      {"%78y=1", "|q:xy=1"},
      {"x%zz=1", "|q:x%25zz=1"},
      {"f%zzx]&l%C3%A4ng&languages&alang&lan", ""},
  };
  for (const auto& c : cases)
    EXPECT_EQ(text(std::string("/?") + c.query, only), std::string("r|GET|http|example.com|/") + c.keyed) << c.query;
}

TEST(Key, LeavesOutOnlyWhatEveryOriginTakesForANameOfItsList) {
  const KeySpec except{.query = QueryMode::Except, .query_names = {"f[x]", "utm", "a b", "%24x"}};
  const struct {
    const char* query;
    const char* keyed;
  } cases[] = {
      {"f%5Bx%5D=1&b=2", "|q:b=2"},    {"f[x]&utm=1&%75tm=2&a+b&a%20b", ""},  {"UTM=1", "|q:UTM=1"},
      {"utm%zz=1", "|q:utm%25zz=1"},   {"utm[]=1&utm.x", "|q:utm[]=1&utm.x"}, {"%24x=1", "|q:%2524x=1"},
      {"%2575tm=1", "|q:%252575tm=1"},
  };
  for (const auto& c : cases)
    EXPECT_EQ(text(std::string("/?") + c.query, except), std::string("r|GET|http|example.com|/") + c.keyed) << c.query;
}

TEST(Key, ASemicolonHidesNothingThatCounts) {
  KeySpec only{.query = QueryMode::Only, .query_names = {"a"}};
  KeySpec except{.query = QueryMode::Except, .query_names = {"u*"}};
  for (const auto& spec : {only, except}) {
    for (const char* pair :
         {"u=1;a=2", "u;a", "u;a=2", "u=1;;a", "u=;a=", "u=1;u=2;a", "u=1;%61=2", ";a=1", "u;u;a=;u"})
      EXPECT_NE(text(std::string("/?a=1&") + pair, spec), text("/?a=1", spec)) << pair;
    for (const char* pair : {"u=1;u=2", "u=1;", "u;", "u;u=1", "u=;;u=a"})
      EXPECT_EQ(text(std::string("/?a=1&") + pair, spec), text("/?a=1", spec)) << pair;
  }
  EXPECT_EQ(text("/?u=1;a=2", only), "r|GET|http|example.com|/|q:u=1;a=2");
}

TEST(Key, TakesHeadersInTheOrderOfTheConfiguration) {
  const KeySpec spec{.headers = {"x-tenant", "accept-language"}};
  EXPECT_EQ(text("/", spec, "GET", {{"Accept-Language", "de"}, {"X-Tenant", "a"}, {"X-Other", "o"}}),
            "r|GET|http|example.com|/|h:x-tenant=a&accept-language=de");
  EXPECT_EQ(text("/", spec, "GET", {{"X-Tenant", "a"}, {"X-TENANT", "b&c|d"}}),
            "r|GET|http|example.com|/|h:x-tenant=a,b%26c%7Cd");
  EXPECT_EQ(text("/", spec), "r|GET|http|example.com|/") << "absent";
  EXPECT_EQ(text("/", spec, "GET", {{"X-Tenant", ""}}), "r|GET|http|example.com|/|h:x-tenant=") << "is not empty";
}

TEST(Key, OfOptionsHoldsWhatAPreflightAsksFor) {
  const FieldList ask{{"Origin", "https://a"}, {"Access-Control-Request-Method", "PUT"}};
  EXPECT_EQ(text("/", {}, "OPTIONS", ask),
            "r|OPTIONS|http|example.com|/|h:origin=https://a&access-control-request-method=PUT");
  EXPECT_EQ(text("/", {.headers = {"origin"}}, "OPTIONS", ask), text("/", {}, "OPTIONS", ask)) << "not twice";
}

TEST(Key, HoldsADigestOfAuthorizationNeverTheField) {
  const KeySpec spec{.authorization = true};
  const auto key = text("/", spec, "GET", {{"Authorization", "Bearer abc"}});
  EXPECT_EQ(key, "r|GET|http|example.com|/|a:" + sha256_hex("Bearer abc", 32));
  EXPECT_EQ(text("/", spec), "r|GET|http|example.com|/|a:");
  // One reader takes the first of several lines, another the last, a third joins them.
  const FieldList lines[] = {{{"Authorization", "a"}},
                             {{"Authorization", "b"}},
                             {{"Authorization", "a, b"}},
                             {{"Authorization", "a"}, {"Authorization", "b"}},
                             {{"Authorization", "b"}, {"Authorization", "a"}},
                             {{"Authorization", "a"}, {"Authorization", ""}},
                             {{"Authorization", ""}, {"Authorization", "a"}}};
  std::set<std::string> keys;
  for (const auto& fields : lines) keys.insert(text("/", spec, "GET", fields));
  EXPECT_EQ(keys.size(), std::size(lines));
}

TEST(Key, HasOneResourceForAllThatAWriteToTheUrlMakesStale) {
  const auto get = key_of("/a?x=1").resource();
  EXPECT_EQ(key_of("/a?x=1", {}, "POST").resource(), get);
  EXPECT_EQ(key_of("/a?x=1", {.headers = {"x"}}, "GET", {{"X", "1"}}).resource(), get);
  EXPECT_EQ(key_of("/a?x=1", {}, "GET", {}, "other-route").resource(), get);
  EXPECT_EQ(key_of("/a?x=1", {}, "GET", {}, "r", "example.com", "https").resource(), get);
  EXPECT_NE(key_of("/a?x=2").resource(), get);
  EXPECT_NE(key_of("/b?x=1").resource(), get);
  EXPECT_NE(key_of("/a?x=1", {}, "GET", {}, "r", "other.com").resource(), get);
  const KeySpec stripped{.query = QueryMode::None};
  EXPECT_EQ(key_of("/a?x=1", stripped).resource(), key_of("/a?y=2", stripped).resource());
}

TEST(Key, HoldsThePathAsTheRouteSays) {
  const std::vector<Capture> captures{{"product", "a=b&c"}, {"v", "1"}, {"rest", ""}};
  KeyMaker make;
  const auto text_for = [&](const KeySpec& spec) { return make(spec, {"GET", "/p/x?q=1", {}, {}, captures}).text; };
  EXPECT_EQ(text_for({}), "r|GET|http|h|/p/x|q:q=1");
  EXPECT_EQ(text_for({.path = PathMode::None}), "r|GET|http|h|q:q=1");
  EXPECT_EQ(text_for({.path = PathMode::Captures, .captures = {"v"}}), "r|GET|http|h|v=1|q:q=1");
  EXPECT_EQ(text_for({.path = PathMode::Captures, .captures = {"rest", "product"}}),
            "r|GET|http|h|rest=&product=a=b%26c|q:q=1");
  EXPECT_EQ(text_for({.path = PathMode::Captures, .captures = {"none", "v"}}), "r|GET|http|h|v=1|q:q=1");
  EXPECT_EQ(text_for({.path = PathMode::Captures, .captures = {"none"}}), "r|GET|http|h||q:q=1")
      << "the place of the path stays";
  EXPECT_EQ(text_for({.host = false, .scheme = false, .path = PathMode::None}), "r|GET|q:q=1");
}

TEST(Key, SharesOneEntryWhereOnlyCapturesDifferThatAreNotKeyed) {
  const KeySpec spec{.path = PathMode::Captures, .captures = {"product"}};
  KeyMaker make;
  const auto of = [&](const char* path, const char* product, const char* v) {
    return make(spec, {"GET", path, {}, {}, {{"product", product}, {"v", v}}});
  };
  EXPECT_EQ(of("/7/x/1", "7", "1").text, of("/7/x/2", "7", "2").text);
  EXPECT_NE(of("/7/x/1", "7", "1").text, of("/8/x/1", "8", "1").text);
  EXPECT_EQ(of("/7/x/1", "7", "1").key.resource(), of("/7/x/2", "7", "2").key.resource());
}

TEST(Key, TakesCookiesInTheOrderOfTheConfigurationThenByName) {
  const KeySpec spec{.cookies = {"lang", "ab_*", "*b_2"}};
  const auto of = [&](const char* cookie) { return text("/", spec, "GET", {{"Cookie", cookie}}); };
  const std::string base = "r|GET|http|example.com|/";
  const struct {
    const char* cookie;
    const char* keyed;
  } cases[] = {
      {"ab_2=y; other=1; lang=de; ab_1=x", "|c:lang=de&ab_1=x&ab_2=y"},
      {"other=1", ""},
      {"lang=b; lang=a", "|c:lang=b&lang=a"},
      {"lang=", "|c:lang="},
      {"lang", "|c:lang&;=lang"},
      {"xb_2=1; ab_2=2", "|c:ab_2=2&xb_2=1"},
      {"lang=a&b|c=d%", "|c:lang=a%26b%7Cc=d%25"},
      {"Lang=de", "|c:Lang=de&;=Lang=de"},
      {"la%6Eg=de", "|c:la%256Eg=de&;=la%256Eg=de"},
      {"ab.1=x; ab_1=y", "|c:ab.1=x&ab_1=y&;=ab.1=x; ab_1=y"},
      {"lang[0]=x", "|c:lang[0]=x&;=lang[0]=x"},
      {"=lang", "|c:;==lang"},
  };
  for (const auto& c : cases) EXPECT_EQ(of(c.cookie), base + c.keyed) << c.cookie;
  EXPECT_EQ(text("/", spec), base);
  EXPECT_EQ(text("/", spec, "GET", {{"Cookie", "lang=a"}, {"Cookie", "lang=b"}}), base + "|c:lang=a&lang=b");
}

TEST(Key, HoldsTheWholeCookieFieldWhereReadersSplitItDifferently) {
  const KeySpec spec{.cookies = {"ab"}};
  const auto of = [&](const char* cookie) { return text("/", spec, "GET", {{"Cookie", cookie}}); };
  const std::string base = "r|GET|http|example.com|/";
  const struct {
    const char* cookie;
    const char* keyed;
  } cases[] = {
      {R"(x="1; ab=b; y=2")", R"(|c:ab=b&;=x="1; ab=b; y=2")"},
      {"x=1, ab=c", "|c:;=x=1, ab=c"},
      {R"(ab="b,c")", R"(|c:ab="b,c"&;=ab="b,c")"},
      {R"(x="\"; ab=b; y=\"")", R"(|c:ab=b&;=x="\"; ab=b; y=\"")"},
      {"ab =b", "|c:ab=b&;=ab =b"},
      {"ab= b", "|c:ab=b&;=ab= b"},
      {R"(x="1&2%;ab=b)", R"(|c:ab=b&;=x="1%262%25;ab=b)"},
      {R"(x="1"; ab=b; y="2=3")", "|c:ab=b"},
      {R"(x="1"; ab=b; y="2 = 4")", R"(|c:ab=b&;=x="1"; ab=b; y="2 = 4")"},
      {R"(x=\1; ab=b)", R"(|c:ab=b&;=x=\1; ab=b)"},
      {"x=1 ab=c", "|c:;=x=1 ab=c"},
      {"x=a b; ab=c", "|c:ab=c&;=x=a b; ab=c"},
      {"x; ab=c", "|c:ab=c&;=x; ab=c"},
      {"$Version=1; ab=c", "|c:ab=c&;=$Version=1; ab=c"},
      {" ab=b ;x=1", "|c:ab=b"},
  };
  for (const auto& c : cases) EXPECT_EQ(of(c.cookie), base + c.keyed) << c.cookie;
  EXPECT_EQ(text("/", spec, "GET", {{"Cookie", "a=1"}, {"X", "1"}, {"Cookie", "b,ab=1"}}), base + "|c:;=a=1&;=b,ab=1");
  EXPECT_EQ(text("/", {}, "GET", {{"Cookie", "x=1, ab=c"}}), base) << "where no cookie counts";
}

TEST(Key, KeepsItsPartsInOneOrder) {
  KeySpec spec{.headers = {"x"}, .cookies = {"c"}, .authorization = true};
  spec.body = BodyMode::All;
  spec.form = {"f"};
  KeyMaker make;
  const rules::NoVarySearch rule{.key_order = true, .names = {}};
  const Sent sent{
      "POST",
      "/p?q=1",
      {{"Content-Type", "application/x-www-form-urlencoded"}, {"Authorization", "t"}, {"Cookie", "c=1"}, {"X", "1"}},
      "f=1"};
  EXPECT_EQ(make(spec, sent, &rule).text, "r|POST|http|h|/p|q:q=1|h:x=1|c:c=1|a:" + sha256_hex("t", 32) +
                                              "|b:" + sha256_hex("f=1", 32) +
                                              "|f:f=1|m:application/x-www-form-urlencoded|n:key-order");
}

TEST(Key, TellsItsPartsAndWhatTheRequestLacks) {
  KeySpec spec{.path = PathMode::Captures,
               .captures = {"id", "gone"},
               .query = QueryMode::Only,
               .query_names = {"a", "z*"},
               .headers = {"x-a", "x-b"},
               .cookies = {"c", "d"},
               .authorization = true};
  spec.body = BodyMode::Pointers;
  spec.pointers = pointers({"/p", "/none"});
  KeyMaker make;
  const auto built = make(spec, {"POST",
                                 "/1?a=%26&a",
                                 {{"X-A", "1"}, {"Cookie", "c=2"}, {"Content-Type", "Application/JSON"}},
                                 R"({"p":"v"})",
                                 {{"id", "1"}}});
  std::string told;
  for (const auto& p : built.parts)
    told += p.kind + " " + p.name + (p.present ? " = " + p.value : std::string(" absent")) + "\n";
  EXPECT_EQ(told,
            "route  = r\n"
            "method  = POST\n"
            "scheme  = http\n"
            "host  = h\n"
            "capture id = 1\n"
            "capture gone absent\n"
            "query z* absent\n"
            "query a = %2526\n"
            "query a = \n"
            "header x-a = 1\n"
            "header x-b absent\n"
            "cookie c = 2\n"
            "cookie d absent\n"
            "authorization  absent\n"
            "body /p = \"v\"\n"
            "body /none absent\n"
            "content_type  = application/json\n");
}

TEST(Key, UnderASearchRuleHoldsTheQueryInItsFormAndTheRule) {
  KeyMaker make;
  const rules::NoVarySearch utm{.ignored = rules::NoVarySearch::Ignored::Listed, .names = {"utm"}};
  const auto of = [&](const char* target, const KeySpec& spec = {}) { return make(spec, {"GET", target}, &utm); };
  EXPECT_EQ(of("/a?utm=1&b=2&a=1", {.query_sort = true}).text, "r|GET|http|h|/a|q:a=1&b=2|n:params&utm");
  EXPECT_EQ(of("/a?utm=9&b=2&a=%31").text, of("/a?utm=1&b=2&a=1").text);
  EXPECT_EQ(of("/a?b=2&a=1", {.query_sort = false}).text, "r|GET|http|h|/a|q:b=2&a=1|n:params&utm");
  EXPECT_EQ(of("/a?utm=1").text, "r|GET|http|h|/a|n:params&utm");
  EXPECT_EQ(of("/a").text, of("/a?").text);
  EXPECT_EQ(of("/a?b=1&c=2", {.query = QueryMode::Only, .query_names = {"c"}}).text,
            "r|GET|http|h|/a|q:c=2|n:params&utm")
      << "what the route does not count stays out";
  EXPECT_NE(of("/a?x=1").text, make({}, {"GET", "/a?x=1"}).text) << "a plain key is another one";
}

TEST(Key, HasOneBaseWhateverTheQueryAndTheRule) {
  KeyMaker make;
  const rules::NoVarySearch rule{.key_order = true, .names = {}};
  const KeySpec spec{.headers = {"x"}};
  const auto base = make(spec, {"GET", "/a?b=1", {{"X", "1"}}}).key.base();
  EXPECT_EQ(make(spec, {"GET", "/a", {{"X", "1"}}}).key.base(), base);
  EXPECT_EQ(make(spec, {"GET", "/a?c", {{"X", "1"}}}, &rule).key.base(), base);
  EXPECT_NE(make(spec, {"GET", "/a?b=1", {{"X", "2"}}}).key.base(), base);
  EXPECT_NE(make(spec, {"GET", "/b?b=1", {{"X", "1"}}}).key.base(), base);
}

TEST(Key, UnderASearchRuleIsFoundByAWriteToAnyOfTheUrlsThatShareIt) {
  KeyMaker make;
  const rules::NoVarySearch rule{.ignored = rules::NoVarySearch::Ignored::All, .names = {}};
  const auto shared = make({}, {"GET", "/a?b=1"}, &rule).key.resource();
  EXPECT_EQ(make({}, {"GET", "/a?c=2"}).key.searched_resource(), shared);
  EXPECT_NE(make({}, {"GET", "/a?c=2"}).key.resource(), shared);
  EXPECT_NE(make({}, {"GET", "/b"}).key.searched_resource(), shared);
}

TEST(Key, KnowsItsResourceWithoutContent) {
  KeySpec graphql{.query = QueryMode::Except, .query_names = {"v"}};
  graphql.graphql = true;
  KeySpec json;
  json.body = BodyMode::Pointers;
  json.pointers = pointers({"/a"});
  for (const KeySpec& spec : {graphql, json, KeySpec{}}) {
    Key key;
    const http::Fields none;
    http::Target target;
    ASSERT_TRUE(target.read(http::Method::Get, "/a?x=1").has_value());
    const http::RequestView get{http::Method::Get, "GET", "/a?x=1", http::Version::Http11, none.view()};
    key.build_resource(spec, {"r", get, target, "http", "h"});
    KeyMaker make;
    EXPECT_EQ(make(spec, {"POST", "/a?x=1", {{"Content-Type", "application/json"}}, R"({"query":"{a}","a":1})"})
                  .key.resource(),
              key.resource());
    EXPECT_EQ(make(spec, {"POST", "/a?x=1", {}, "not keyed"}).key.resource(), key.resource())
        << "also when there is no key";
  }
}

TEST(Key, IsMadeAnewByEachBuild) {
  Key key = key_of("/a?b=1");
  const auto id = key.id();
  key = key_of("/c");
  EXPECT_EQ(key.text(), "r|GET|http|example.com|/c");
  EXPECT_NE(key.id(), id);
  EXPECT_EQ(key.id(), digest_of(key.text()));
}

}  // namespace
}  // namespace forebay::cache
