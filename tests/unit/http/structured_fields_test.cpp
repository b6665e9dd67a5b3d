#include "forebay/http/structured_fields.hpp"

#include <gtest/gtest.h>

namespace forebay::http::sf {
namespace {

// A readable form, so that a table can say what was parsed.
std::string show(const Bare& b) {
  struct Visitor {
    std::string operator()(std::int64_t n) const { return std::to_string(n); }
    std::string operator()(const Decimal& d) const { return std::to_string(d.thousandths) + "m"; }
    std::string operator()(const std::string& s) const { return '"' + s + '"'; }
    std::string operator()(const Token& t) const { return t.text; }
    std::string operator()(const Bytes& b) const { return ':' + b.bytes + ':'; }
    std::string operator()(bool b) const { return b ? "?1" : "?0"; }
    std::string operator()(const SfDate& d) const { return '@' + std::to_string(d.seconds); }
    std::string operator()(const Display& d) const { return '%' + d.text; }
  };
  return std::visit(Visitor{}, b);
}
std::string show(const Parameters& ps) {
  std::string out;
  for (const auto& [k, v] : ps) out += ';' + k + '=' + show(v);
  return out;
}
std::string show(const Item& i) { return show(i.value) + show(i.parameters); }
std::string show(const Member& m) {
  if (const auto* item = std::get_if<Item>(&m)) return show(*item);
  const auto& inner = std::get<InnerList>(m);
  std::string out = "(";
  for (const Item& i : inner.items) out += (out.size() > 1 ? " " : "") + show(i);
  return out + ")" + show(inner.parameters);
}
std::string item(std::string_view text) {
  const auto i = parse_item(text);
  return i ? show(*i) : "error";
}
std::string list(std::string_view text) {
  const auto l = parse_list(text);
  if (!l) return "error";
  std::string out;
  for (const Member& m : *l) out += (out.empty() ? "" : ", ") + show(m);
  return out;
}
std::string dictionary(std::string_view text) {
  const auto d = parse_dictionary(text);
  if (!d) return "error";
  std::string out;
  for (const auto& [k, m] : *d) out += (out.empty() ? "" : ", ") + k + "=" + show(m);
  return out;
}

struct Row {
  std::string_view text;
  const char* parsed;
};

TEST(StructuredFields, Items) {
  const Row rows[] = {
      {"1", "1"},
      {" 1  ", "1"},
      {"-0", "0"},
      {"-42", "-42"},
      {"999999999999999", "999999999999999"},
      {"1000000000000000", "error"},
      {"00", "0"},
      {"1.5", "1500m"},
      {"-1.25", "-1250m"},
      {"1.125", "1125m"},
      {"1.1234", "error"},
      {"1.", "error"},
      {".1", "error"},
      {"123456789012.5", "123456789012500m"},
      {"1234567890123.5", "error"},
      {"-", "error"},
      {"--1", "error"},
      {"+1", "error"},
      {"1 2", "error"},
      {"\t1", "error"},
      {"1\t", "error"},
      {"", "error"},
      {"  ", "error"},
      {"\"a\"", "\"a\""},
      {"\"a\\\"\\\\\"", "\"a\"\\\""},
      {"\"a\\x\"", "error"},
      {"\"a", "error"},
      {"\"a\\", "error"},
      {"\"\x7f\"", "error"},
      {"\"\xC3\xA9\"", "error"},
      {"'a'", "error"},
      {"a", "a"},
      {"*", "*"},
      {"Foo/bar:1*!", "Foo/bar:1*!"},
      {"1a", "error"},
      {"a,b", "error"},
      {":aGVsbG8=:", ":hello:"},
      {":aGVsbG8:", ":hello:"},
      {":aGVsbG9=:", ":hello:"},
      {"::", "::"},
      {":a:", "error"},
      {":aGVs bG8=:", "error"},
      {":aGVsbG8=", "error"},
      {":a=GVsbG8:", "error"},
      {":====:", "error"},
      {"?1", "?1"},
      {"?0", "?0"},
      {"?2", "error"},
      {"?", "error"},
      {"@1659578233", "@1659578233"},
      {"@-1", "@-1"},
      {"@1.5", "error"},
      {"@", "error"},
      {"%\"caf%c3%a9\"", "%caf\xC3\xA9"},
      {"%\"%C3%A9\"", "error"},
      {"%\"%ff\"", "error"},
      {"%\"%c0%80\"", "error"},
      {"%\"%ed%a0%80\"", "error"},
      {"%\"%f0%9f%92%a9\"", "%\xF0\x9F\x92\xA9"},
      {"%\"%f4%90%80%80\"", "error"},
      {"%\"%e2%82\"", "error"},
      {"%\"%\"", "error"},
      {"%x", "error"},
      {"1;a;b=2;c=\"x\"", "1;a=?1;b=2;c=\"x\""},
      {"1; a;  b=?0", "1;a=?1;b=?0"},
      {"1;a=1;b=2;a=3", "1;a=3;b=2"},
      {"1 ;a", "error"},
      {"1;A=1", "error"},
      {"1;", "error"},
      {"1;a=", "error"},
      {"1;a =1", "error"},
      {"1;a= 1", "error"},
      {"1;*a_-.=1", "1;*a_-.=1"},
  };
  for (const Row& r : rows) EXPECT_EQ(item(r.text), r.parsed) << r.text;
}

TEST(StructuredFields, Lists) {
  const Row rows[] = {
      {"", ""},
      {"  ", ""},
      {"a", "a"},
      {"a, b", "a, b"},
      {"a,b", "a, b"},
      {"a\t,\tb", "a, b"},
      {"a , b ", "a, b"},
      {"a,", "error"},
      {"a, ", "error"},
      {",a", "error"},
      {"a,,b", "error"},
      {"a b", "error"},
      {"a\t", "a"},
      {"(1 2), b", "(1 2), b"},
      {"()", "()"},
      {"(  1   2  );x", "(1 2);x=?1"},
      {"(1;a 2);b=c", "(1;a=?1 2);b=c"},
      {"(1,2)", "error"},
      {"(1\t2)", "error"},
      {"(1", "error"},
      {"(", "error"},
      {"( ", "error"},
      {"((1))", "error"},
      {"1)", "error"},
      {"(\"a\"b)", "error"},
  };
  for (const Row& r : rows) EXPECT_EQ(list(r.text), r.parsed) << r.text;
}

TEST(StructuredFields, Dictionaries) {
  const Row rows[] = {
      {"", ""},
      {"max-age=60", "max-age=60"},
      {"max-age=60, no-store", "max-age=60, no-store=?1"},
      {"max-age=\"60\"", "max-age=\"60\""},
      {"max-age = 60", "error"},
      {"max-age =60", "error"},
      {"max-age= 60", "error"},
      {"Max-Age=60", "error"},
      {"MAX-AGE=60", "error"},
      {"max-age=60,", "error"},
      {"max-age=60 no-store", "error"},
      {"max-age=60;x=1, b;y", "max-age=60;x=1, b=?1;y=?1"},
      {"a=1, b=2, a=3", "a=3, b=2"},
      {"a=(1 2);x, b=?0", "a=(1 2);x=?1, b=?0"},
      {"a=1,\tb=2", "a=1, b=2"},
      {"1=2", "error"},
      {"a==1", "error"},
      {"a=,b", "error"},
      {"private=Set-Cookie", "private=Set-Cookie"},
  };
  for (const Row& r : rows) EXPECT_EQ(dictionary(r.text), r.parsed) << r.text;
}

TEST(StructuredFields, StringsAndTokensAreWrittenSafely) {
  std::string out;
  append_string(out, "a\"b\\c\x01\xC3");
  EXPECT_EQ(out, "\"a\\\"b\\\\c??\"");
  EXPECT_EQ(item(out), "\"a\"b\\c??\"");
  EXPECT_TRUE(is_sf_token("uri-miss"));
  EXPECT_TRUE(is_sf_token("*a/b:c"));
  for (const char* bad : {"", "1a", "-a", "a b", "a\"", "a;"}) EXPECT_FALSE(is_sf_token(bad)) << bad;
}

}  // namespace
}  // namespace forebay::http::sf
