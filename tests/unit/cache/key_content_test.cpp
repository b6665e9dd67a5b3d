#include <zlib.h>

#include "fixture.hpp"

namespace forebay::cache {
namespace {

using http::Method;
using rules::Reason;

std::string gzip(std::string_view text) {
  z_stream z{};
  EXPECT_EQ(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&z, static_cast<uLong>(text.size())) + 64, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

KeySpec json_spec(std::initializer_list<std::string_view> texts) {
  KeySpec spec;
  spec.body = BodyMode::Pointers;
  spec.pointers = pointers(texts);
  return spec;
}

KeySpec form_spec(std::vector<std::string> names) {
  KeySpec spec;
  spec.form = std::move(names);
  return spec;
}

const std::string kPost = "r|POST|http|h|/";
const FieldList kJson{{"Content-Type", "application/json"}};
const FieldList kForm{{"Content-Type", "application/x-www-form-urlencoded"}};

std::string raw_of(std::string_view content) { return "|b:" + sha256_hex(content, 32); }

class KeyContent : public ::testing::Test {
 protected:
  std::string text(const KeySpec& spec, const Sent& sent) { return make(spec, sent).text; }
  std::string post(const KeySpec& spec, std::string content, FieldList fields) {
    return text(spec, {"POST", "/", std::move(fields), std::move(content)});
  }
  Reason reason(const KeySpec& spec, const Sent& sent) { return make(spec, sent).reason; }
  KeyMaker make;
};

TEST_F(KeyContent, IsReadWhereItIsKeyedAndOnlyThere) {
  const KeySpec unset;
  KeySpec none, all, graphql;
  none.body = BodyMode::None;
  all.body = BodyMode::All;
  graphql.graphql = true;
  const auto form = form_spec({"a"}), json = json_spec({"/a"});
  const struct {
    const KeySpec& spec;
    Method method;
    ContentUse use;
  } cases[] = {
      {unset, Method::Get, ContentUse::Unexpected},
      {unset, Method::Head, ContentUse::Unexpected},
      {unset, Method::Options, ContentUse::Unexpected},
      {unset, Method::Post, ContentUse::Keyed},
      {unset, Method::Put, ContentUse::Keyed},
      {unset, Method::Patch, ContentUse::Keyed},
      {unset, Method::Delete, ContentUse::Keyed},
      {unset, Method::Query, ContentUse::Keyed},
      {unset, Method::Other, ContentUse::Keyed},
      {none, Method::Get, ContentUse::Unexpected},
      {none, Method::Post, ContentUse::Declared},
      {none, Method::Query, ContentUse::Declared},
      {all, Method::Get, ContentUse::Keyed},
      {all, Method::Post, ContentUse::Keyed},
      {json, Method::Get, ContentUse::Keyed},
      {json, Method::Post, ContentUse::Keyed},
      {form, Method::Post, ContentUse::Keyed},
      {form, Method::Get, ContentUse::Keyed},
      {graphql, Method::Post, ContentUse::Keyed},
      {graphql, Method::Get, ContentUse::Unexpected},
      {graphql, Method::Head, ContentUse::Unexpected},
      {graphql, Method::Options, ContentUse::Unexpected},
      {graphql, Method::Put, ContentUse::Keyed},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(content_use(c.spec, c.method, true), c.use) << http::to_string(c.method);
    EXPECT_EQ(content_use(c.spec, c.method, false), ContentUse::None) << http::to_string(c.method);
  }
  EXPECT_EQ(unkeyed(ContentUse::None), rules::UnkeyedContent::None);
  EXPECT_EQ(unkeyed(ContentUse::Keyed), rules::UnkeyedContent::None);
  EXPECT_EQ(unkeyed(ContentUse::Declared), rules::UnkeyedContent::Declared);
  EXPECT_EQ(unkeyed(ContentUse::Unexpected), rules::UnkeyedContent::Unexpected);
}

TEST_F(KeyContent, IsHashedAsSentUnderAll) {
  EXPECT_EQ(post({}, "abc", {{"Content-Type", "Text/Plain; Charset=UTF-8"}}),
            kPost + raw_of("abc") + "|m:text/plain;charset=utf-8");
  EXPECT_EQ(post({}, "abc", {}), kPost + raw_of("abc")) << "no Content-Type";
  EXPECT_EQ(text({}, {"POST", "/"}), kPost + raw_of("")) << "no content and empty content are one";
  EXPECT_EQ(text({}, {"DELETE", "/"}), "r|DELETE|http|h|/" + raw_of(""));
  EXPECT_NE(post({}, "abc", {}), post({}, "abd", {}));
}

TEST_F(KeyContent, OfARawKeyStandsBehindItsCodings) {
  const struct {
    const char* sent;
    const char* keyed;
  } cases[] = {
      {"gzip", "gzip:"}, {"GZip", "gzip:"}, {"gzip, br", "gzip,br:"}, {"gzip,br", "gzip,br:"},
      {"", ""},          {"a:b", "a%3Ab:"}, {"a|b%", "a%7Cb%25:"},    {"\"x, y\"", "%22x%2C%20y%22:"},
  };
  for (const auto& c : cases)
    EXPECT_EQ(post({}, "abc", {{"Content-Encoding", c.sent}}), kPost + "|b:" + c.keyed + sha256_hex("abc", 32));
  EXPECT_EQ(reason({}, {"POST", "/", {{"Content-Encoding", "gzip"}, {"Content-Encoding", "br"}}, "abc"}),
            Reason::BodyUnparsable)
      << "some read the first line alone";
}

TEST_F(KeyContent, OfAMethodWithoutOneLeavesNoPart) {
  KeySpec all;
  all.body = BodyMode::All;
  for (const auto& spec : {all, json_spec({"/a"}), form_spec({"a"})}) {
    for (const char* method : {"GET", "HEAD", "OPTIONS"}) {
      const std::string plain = std::string("r|") + (method == std::string_view("HEAD") ? "GET" : method) + "|http|h|/";
      EXPECT_EQ(text(spec, {method, "/", kJson}), plain) << method;
      EXPECT_EQ(text(spec, {method, "/", kJson, ""}), plain) << method << ": empty content is none";
    }
  }
  EXPECT_EQ(text(all, {"GET", "/", kJson, "x"}), "r|GET|http|h|/" + raw_of("x") + "|m:application/json");
  KeySpec none;
  none.body = BodyMode::None;
  EXPECT_EQ(post(none, "abc", kJson), kPost) << "the route says that it does not matter";
}

TEST_F(KeyContent, IsPickedByPointersInTheOrderOfTheConfiguration) {
  const auto spec = json_spec({"/q", "/page", "/f/0"});
  const std::string type = "|m:application/json";
  const struct {
    const char* content;
    const char* keyed;
  } cases[] = {
      {R"({"page":2,"q":"x","other":1})", R"(/q="x" /page=2)"},
      {R"({ "q" : "\u0078", "page":2 })", R"(/q="x" /page=2)"},
      {R"({"q":{"b":1,"a":[ 1, 2 ]}})", R"(/q={"a":[1,2],"b":1})"},
      {R"({"f":[3]})", "/f/0=3"},
      {R"({"q":1.0})", "/q=1.0"},
      {R"({"q":1e400})", "/q=1e400"},
      {R"({"q":"1"})", R"(/q="1")"},
      {R"({"q":null})", "/q=null"},
      {R"({"q":"a|b%c /page=2"})", R"(/q="a%7Cb%25c /page=2")"},
      {"{\"q\":\"\x7f\"}", "/q=\"%7F\""},
  };
  for (const auto& c : cases) EXPECT_EQ(post(spec, c.content, kJson), kPost + "|b:" + c.keyed + type) << c.content;
}

// A misspelt pointer, or content of another kind than the route is for: sharing only with its like costs hits and no
// wrong answers.
TEST_F(KeyContent, OfWhichNothingIsChosenIsKeyedWhole) {
  for (const auto* content : {"{}", "[]", "[1,2]", "\"abc\"", R"({"qq":1})", R"({"qq":2})"})
    EXPECT_EQ(post(json_spec({"/q", "/f/0"}), content, kJson), kPost + raw_of(content) + "|m:application/json");
  for (const auto* content : {"x=1", "x=2", "&=&"})
    EXPECT_EQ(post(form_spec({"q", "page"}), content, kForm),
              kPost + raw_of(content) + "|m:application/x-www-form-urlencoded");
}

TEST_F(KeyContent, EscapesPointersSoThatTheyStayApart) {
  EXPECT_EQ(post(json_spec({"/a b", "/c=d", "/%|", ""}), R"({"a b":1,"c=d":2,"%|":3})", {}),
            kPost + R"(|b:/a%20b=1 /c%3Dd=2 /%25%7C=3 ={"%25%7C":3,"a b":1,"c=d":2})");
}

TEST_F(KeyContent, OfJsonThatReadersTakeDifferentlyGivesNoKey) {
  const auto spec = json_spec({"/q"});
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += '[';
  for (int i = 0; i < 100; ++i) deep += ']';
  for (const std::string& content :
       {std::string(R"({"q":1,"q":2})"), std::string("{\"q\":\"\xff\"}"), std::string("{\"q\":1"), std::string("nope"),
        std::string(), std::string(R"({"q":1}x)"), std::string(R"({"q":"\ud800"})"), deep})
    EXPECT_EQ(reason(spec, {"POST", "/", kJson, content}), Reason::BodyUnparsable) << content;
  EXPECT_EQ(reason(spec, {"POST", "/", kJson}), Reason::BodyUnparsable) << "no content";
}

TEST_F(KeyContent, ComparesNumbersAsTheRouteSays) {
  auto spec = json_spec({"/q"});
  EXPECT_NE(post(spec, R"({"q":2})", kJson), post(spec, R"({"q":2.0})", kJson));
  spec.numbers = content::Numbers::Value;
  EXPECT_EQ(post(spec, R"({"q":2})", kJson), post(spec, R"({"q":2.0})", kJson));
  EXPECT_EQ(post(spec, R"({"q":2})", kJson), post(spec, R"({"q":2e0})", kJson));
  EXPECT_NE(post(spec, R"({"q":1e400})", kJson), post(spec, R"({"q":1e401})", kJson));
}

TEST_F(KeyContent, IsDecodedBeforeItIsRead) {
  const std::string content = R"({"q":"x"})";
  FieldList packed = kJson;
  packed.emplace_back("Content-Encoding", "gzip");
  auto spec = json_spec({"/q"});
  EXPECT_EQ(post(spec, gzip(content), packed), post(spec, content, kJson)) << "one entry for both";
  FieldList plain = kJson;
  plain.emplace_back("Content-Encoding", "identity");
  EXPECT_EQ(post(spec, content, plain), post(spec, content, kJson));
  EXPECT_EQ(reason(spec, {"POST", "/", packed, content}), Reason::BodyUnparsable) << "not what it says";
  FieldList unknown = kJson;
  unknown.emplace_back("Content-Encoding", "compress");
  EXPECT_EQ(reason(spec, {"POST", "/", unknown, content}), Reason::BodyUnparsable);
  spec.decode = false;
  EXPECT_EQ(reason(spec, {"POST", "/", packed, gzip(content)}), Reason::BodyUnparsable);
  EXPECT_EQ(reason(spec, {"POST", "/", packed, content}), Reason::BodyUnparsable) << "an origin would read it as gzip";
  EXPECT_EQ(reason(spec, {"POST", "/", kJson, content}), Reason::None);
}

TEST_F(KeyContent, BeyondTheLimitGivesNoKey) {
  auto spec = json_spec({"/q"});
  spec.body_max = 100;
  const std::string content = R"({"q":")" + std::string(92, 'x') + R"("})";
  ASSERT_EQ(content.size(), 100u);
  EXPECT_EQ(reason(spec, {"POST", "/", kJson, content}), Reason::None);
  EXPECT_EQ(reason(spec, {"POST", "/", kJson, content + " "}), Reason::BodyTooLarge);
  FieldList packed = kJson;
  packed.emplace_back("Content-Encoding", "gzip");
  EXPECT_EQ(reason(spec, {"POST", "/", packed, gzip(content)}), Reason::None);
  EXPECT_EQ(reason(spec, {"POST", "/", packed, gzip(content + " ")}), Reason::BodyTooLarge) << "inflated";
  KeySpec raw;
  raw.body_max = 3;
  EXPECT_EQ(reason(raw, {"POST", "/", {}, "abc"}), Reason::None);
  EXPECT_EQ(reason(raw, {"POST", "/", {}, "abcd"}), Reason::BodyTooLarge);
  KeySpec none;
  none.body = BodyMode::None;
  none.body_max = 3;
  EXPECT_EQ(reason(none, {"POST", "/", {}, "abcd"}), Reason::None) << "nothing of it is keyed";
}

TEST_F(KeyContent, UnderATypeThatSomeRefuseToReadGivesNoKey) {
  const std::string content = R"({"q":1})";
  const auto json = json_spec({"/q"});
  for (const char* type : {"", "json", "application/ json", "application / json", "application/json; charset",
                           "application/json, text/plain", "application/json;a=\"b"}) {
    const FieldList fields{{"Content-Type", type}};
    EXPECT_EQ(reason(json, {"POST", "/", fields, content}), Reason::BodyUnparsable) << type;
    EXPECT_EQ(reason({}, {"POST", "/", fields, content}), Reason::BodyUnparsable) << "raw: " << type;
    EXPECT_EQ(reason({}, {"QUERY", "/", fields, content}), Reason::BodyUnparsable) << "QUERY: " << type;
  }
  const FieldList two{kJson[0], {"Content-Type", "text/plain"}};
  EXPECT_EQ(reason(json, {"POST", "/", two, content}), Reason::BodyUnparsable);
  EXPECT_EQ(reason({}, {"POST", "/", two, content}), Reason::BodyUnparsable);
  KeySpec none;
  none.body = BodyMode::None;
  EXPECT_EQ(reason(none, {"POST", "/", two, content}), Reason::None) << "where nothing of it is keyed";
  EXPECT_EQ(post(json, content, {}), kPost + "|b:/q=1") << "none at all is no such type";
  const FieldList upper{{"Content-Type", "multipart/form-data; Boundary=AbC"}};
  EXPECT_EQ(post({}, "x", upper), kPost + raw_of("x") + "|m:multipart/form-data;boundary=AbC");
}

TEST_F(KeyContent, IsReadAsUtf8AndNothingElse) {
  const struct {
    const char* parameter;
    Reason reason;
  } cases[] = {
      {"; charset=utf-8", Reason::None},
      {"; Charset=\"UTF-8\"", Reason::None},
      {"; charset=us-ascii", Reason::None},
      {"; charset=utf-7", Reason::BodyUnparsable},
      {"; charset=utf-16", Reason::BodyUnparsable},
      {"; charset=iso-8859-1", Reason::BodyUnparsable},
      {"; charset=utf-8; charset=utf-7", Reason::BodyUnparsable},
  };
  for (const auto& c : cases) {
    const auto typed = [&](const FieldList& type) { return FieldList{{"Content-Type", type[0].second + c.parameter}}; };
    EXPECT_EQ(reason(json_spec({"/q"}), {"POST", "/", typed(kJson), R"({"q":1})"}), c.reason) << c.parameter;
    EXPECT_EQ(reason(form_spec({"q"}), {"POST", "/", typed(kForm), "q=1"}), c.reason) << c.parameter;
    EXPECT_EQ(reason({}, {"POST", "/", typed(kJson), R"({"q":1})"}), Reason::None) << "raw bytes have none";
  }
}

TEST_F(KeyContent, ThatReadersDecodeDifferentlyGivesNoKey) {
  const auto spec = json_spec({"/q"});
  const auto coded = [&](const char* coding, const std::string& content) {
    return reason(spec, {"POST", "/", {kJson[0], {"Content-Encoding", coding}}, content});
  };
  const std::string content = R"({"q":"tea"})";
  EXPECT_EQ(coded("gzip", gzip(content)), Reason::None);
  EXPECT_EQ(coded("gzip", gzip(content.substr(0, 5)) + gzip(content.substr(5))), Reason::BodyUnparsable)
      << "many stop at the end of the first member";
  EXPECT_EQ(coded("gzip", gzip(content) + gzip("")), Reason::BodyUnparsable);
  EXPECT_EQ(coded("gzip, gzip", gzip(gzip(content))), Reason::BodyUnparsable);
  EXPECT_EQ(coded("identity, gzip", gzip(content)), Reason::None);
  EXPECT_EQ(
      reason(spec,
             {"POST", "/", {kJson[0], {"Content-Encoding", "identity"}, {"Content-Encoding", "gzip"}}, gzip(content)}),
      Reason::BodyUnparsable);
}

TEST_F(KeyContent, ShowsTheCodingWhereWhoDoesNotKnowItReadsOnAllTheSame) {
  // As a form gzip'd content has no fields; as JSON it is none.
  FieldList packed = kForm;
  packed.emplace_back("Content-Encoding", "gzip");
  const auto spec = form_spec({"q"});
  EXPECT_EQ(post(spec, gzip("q=1"), packed), kPost + "|f:q=1|m:application/x-www-form-urlencoded;gzip");
  EXPECT_EQ(post(spec, "q=1", kForm), kPost + "|f:q=1|m:application/x-www-form-urlencoded");
  // Some take deflate for what has no zlib wrapper, and find another text in the same bytes.
  std::string wrapped(100, '\0');
  uLongf size = wrapped.size();
  ASSERT_EQ(compress(reinterpret_cast<Bytef*>(wrapped.data()), &size, reinterpret_cast<const Bytef*>("{\"q\":1}"), 7),
            Z_OK);
  wrapped.resize(size);
  const auto json = json_spec({"/q"});
  EXPECT_EQ(post(json, wrapped, {kJson[0], {"Content-Encoding", "Deflate"}}),
            kPost + "|b:/q=1|m:application/json;deflate");
  EXPECT_EQ(post(json, wrapped, {{"Content-Encoding", "deflate"}}), kPost + "|b:/q=1|m:;deflate");
}

TEST_F(KeyContent, DigestsWhatIsLong) {
  const auto spec = json_spec({"/q", "/p"});
  const auto text_of = [&](const std::string& q) { return post(spec, R"({"q":)" + q + R"(,"p":1})", kJson); };
  const auto quoted = [](std::size_t n) { return '"' + std::string(n - 2, '|') + '"'; };
  std::string escaped;
  for (int i = 0; i < 1022; ++i) escaped += "%7C";
  EXPECT_EQ(text_of(quoted(1024)), kPost + "|b:/q=\"" + escaped + "\" /p=1|m:application/json");
  EXPECT_EQ(text_of(quoted(1025)), kPost + "|b:/q=%sha256:" + sha256_hex(quoted(1025)) + " /p=1|m:application/json");
  EXPECT_NE(text_of(quoted(2000)), text_of(quoted(2001)));
  EXPECT_LT(text_of(quoted(60000)).size(), 200u);
  // Many small fields are as long as a large one.
  const auto form = form_spec({"q"});
  std::string many = "q=%7C", pairs = "q=%7C";
  for (int i = 0; i < 300; ++i) {
    many += "&q=%7C";
    pairs += "&q=%7C";
  }
  EXPECT_EQ(post(form, many, kForm),
            kPost + "|f:%sha256:" + sha256_hex(pairs) + "|m:application/x-www-form-urlencoded");
  EXPECT_EQ(post(form, "q=%25sha256:a", kForm), kPost + "|f:q=%25sha256:a|m:application/x-www-form-urlencoded")
      << "nothing else looks like one";
}

TEST_F(KeyContent, TellsAnElementFromAMemberOfTheSameName) {
  const auto text_of = [&](const char* pointer, const char* content) {
    return post(json_spec({pointer}), content, {}).substr(kPost.size());
  };
  EXPECT_EQ(text_of("/ids/0", R"({"ids":["7"]})"), R"(|b:/ids/0="7")");
  EXPECT_EQ(text_of("/ids/0", R"({"ids":{"0":"7"}})"), R"(|b:/ids/0{}="7")");
  EXPECT_EQ(text_of("/0/a/1", R"({"0":{"a":[1,2]}})"), "|b:/0{}/a/1=2");
  EXPECT_EQ(text_of("/0/a/1", R"([{"a":{"1":2}}])"), "|b:/0/a/1{}=2");
  EXPECT_EQ(text_of("/0/1", R"({"0":{"1":2}})"), "|b:/0{}/1{}=2");
  EXPECT_EQ(text_of("/0{}", R"({"0{}":2})"), "|b:/0%7B%7D=2") << "nothing else looks like it";
}

TEST_F(KeyContent, OfJsonWithNamesThatDifferInTheirCaseAloneGivesNoKey) {
  const auto spec = json_spec({"/query"});
  EXPECT_EQ(reason(spec, {"POST", "/", kJson, R"({"query":"good","Query":"evil"})"}), Reason::BodyUnparsable);
  EXPECT_EQ(reason(spec, {"POST", "/", kJson, R"({"Query":"evil"})"}), Reason::BodyUnparsable);
  EXPECT_EQ(reason(spec, {"POST", "/", kJson, R"({"query":"good","A":1,"a":2})"}), Reason::None);
}

TEST_F(KeyContent, OfAFormIsPickedByNameAndFullyDecoded) {
  const auto spec = form_spec({"b", "a"});
  const std::string type = "|m:application/x-www-form-urlencoded";
  const struct {
    const char* content;
    const char* keyed;
  } cases[] = {
      {"a=1&b=2&c=3", "|f:b=2&a=1"},
      {"a=1&a=2", "|f:a=1&a=2"},
      {"a=x+y", "|f:a=x y"},
      {"%61=x%20y", "|f:a=x y"},
      {"a", "|f:a="},
      {"a=", "|f:a="},
      {"a=%26%7C%25%3D%0a", "|f:a=%26%7C%25=%0A"},
      {"", ""},
  };
  for (const auto& c : cases) EXPECT_EQ(post(spec, c.content, kForm), kPost + c.keyed + type) << c.content;
  EXPECT_EQ(post(form_spec({"a=b&c"}), "a%3Db%26c=1", kForm), kPost + "|f:a%3Db%26c=1" + type);
}

TEST_F(KeyContent, OfAFormMustBeOne) {
  const auto spec = form_spec({"a"});
  EXPECT_EQ(reason(spec, {"POST", "/", kJson, "a=1"}), Reason::BodyUnparsable);
  EXPECT_EQ(reason(spec, {"POST", "/", {}, "a=1"}), Reason::BodyUnparsable);
  EXPECT_EQ(reason(spec, {"POST", "/", kForm, "a=%4"}), Reason::BodyUnparsable);
  EXPECT_EQ(reason(spec, {"POST", "/", {kForm[0], {"Content-Type", "text/plain"}}, "a=1"}), Reason::BodyUnparsable)
      << "of two types nobody can say which one counts";
  EXPECT_EQ(reason(spec, {"POST", "/", {{"Content-Type", "Application/X-WWW-Form-Urlencoded; charset=utf-8"}}, "a=1"}),
            Reason::None);
}

TEST_F(KeyContent, OfAFormHidesNoFieldBehindASemicolon) {
  const auto spec = form_spec({"q", "page"});
  for (const char* content : {"x=1;q=2", "x;q=2", "x=1;q", "q=1;page=2", "q=1;x=2", "x=;%71=1", "q;x=1", "x=1&y=2;;q=3",
                              "x=1;Q=2", "x=1;q[]=2"})
    EXPECT_EQ(reason(spec, {"POST", "/", kForm, content}), Reason::BodyUnparsable) << content;
  for (const char* content : {"x=1;y=2&q=3", "q=3&x=1;", "q=3&;"})
    EXPECT_EQ(post(spec, content, kForm), kPost + "|f:q=3|m:application/x-www-form-urlencoded") << content;
  EXPECT_EQ(post(spec, "q=1%3Bpage=2", kForm), kPost + "|f:q=1;page=2|m:application/x-www-form-urlencoded");
}

TEST_F(KeyContent, OfAFormCountsUnderEveryNameThatAReaderMayTakeForOneOfTheList) {
  const auto spec = form_spec({"q", "user_id"});
  const std::string type = "|m:application/x-www-form-urlencoded";
  EXPECT_EQ(post(spec, "q=1&Q=2", kForm), kPost + "|f:q=1&Q=2" + type);
  EXPECT_EQ(post(spec, "q[]=1", kForm), kPost + "|f:q[]=1" + type);
  EXPECT_EQ(post(spec, "user.id=1&USER+ID=2", kForm), kPost + "|f:user.id=1&USER ID=2" + type);
}

TEST_F(KeyContent, OfQueryStandsWithAllThatDescribesIt) {
  const std::string base = "r|QUERY|http|h|/";
  EXPECT_EQ(text({}, {"QUERY", "/", kJson, "abc"}), base + raw_of("abc") + "|m:application/json;;");
  EXPECT_EQ(
      text({}, {"QUERY",
                "/",
                {{"Content-Type", "a/b; c=\"X;y\""}, {"Content-Language", "en, DE"}, {"Content-Encoding", "Gzip"}},
                "abc"}),
      base + "|b:gzip:" + sha256_hex("abc", 32) + "|m:a/b;c=\"X;y\";gzip;en,de");
  EXPECT_EQ(text({}, {"QUERY", "/", {{"Content-Type", "a/b"}, {"Content-Language", "en;de"}}, "abc"}),
            base + raw_of("abc") + "|m:a/b;;en%3Bde");
  EXPECT_EQ(reason({}, {"QUERY", "/", {}, "abc"}), Reason::BodyUnparsable) << "RFC 10008: content has a type";
  EXPECT_EQ(reason({}, {"QUERY", "/", {{"Content-Type", ""}}, "abc"}), Reason::BodyUnparsable);
  EXPECT_EQ(reason({}, {"QUERY", "/", {kJson[0], kJson[0]}, "abc"}), Reason::BodyUnparsable);
}

TEST_F(KeyContent, OfQueryIsNormalisedUnlessNoTransformForbidsIt) {
  const auto spec = json_spec({"/q"});
  const std::string base = "r|QUERY|http|h|/", type = "|m:application/json;;";
  FieldList strict = kJson;
  strict.emplace_back("Cache-Control", "No-Transform");
  EXPECT_EQ(text(spec, {"QUERY", "/", kJson, R"({ "q":1 })"}), base + "|b:/q=1" + type);
  EXPECT_EQ(text(spec, {"QUERY", "/", strict, R"({ "q":1 })"}), base + raw_of(R"({ "q":1 })") + type);
  EXPECT_EQ(text(spec, {"QUERY", "/", strict, "no JSON"}), base + raw_of("no JSON") + type);
  FieldList packed = strict;
  packed.emplace_back("Content-Encoding", "gzip");
  EXPECT_EQ(text(spec, {"QUERY", "/", packed, "no gzip"}),
            base + "|b:gzip:" + sha256_hex("no gzip", 32) + "|m:application/json;gzip;");
  EXPECT_EQ(post(spec, R"({ "q":1 })", strict), kPost + "|b:/q=1|m:application/json") << "of QUERY alone";
  FieldList form = kForm;
  form.emplace_back("Cache-Control", "no-transform");
  EXPECT_EQ(text(form_spec({"a"}), {"QUERY", "/", form, "a=1"}),
            base + raw_of("a=1") + "|m:application/x-www-form-urlencoded;;");
}

TEST_F(KeyContent, LeavesNothingBehindForTheNextKey) {
  const auto spec = json_spec({"/q", "/p"});
  const auto first = post(spec, R"({"q":1,"p":2})", kJson);
  const auto second = post(spec, R"({"q":1})", kJson);
  EXPECT_NE(first, second);
  EXPECT_EQ(reason(spec, {"POST", "/", kJson, "{"}), Reason::BodyUnparsable);
  EXPECT_EQ(post(spec, R"({"q":1})", kJson), second);
  EXPECT_EQ(post(spec, R"({"p":2,"q":1})", kJson), first);
}

}  // namespace
}  // namespace forebay::cache
