#include "forebay/http/fields.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace forebay::http {
namespace {

TEST(FieldNames, EveryKnownNameIsFoundInAnyCase) {
  for (int i = 1; i < static_cast<int>(FieldId::kCount); ++i) {
    const auto id = static_cast<FieldId>(i);
    std::string name(field_name(id));
    ASSERT_FALSE(name.empty()) << i;
    EXPECT_EQ(field_id(name), id) << name;
    for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    EXPECT_EQ(field_id(name), id) << name;
    for (char& c : name) c = static_cast<char>(c >= 'a' && c <= 'z' ? c & ~0x20 : c);
    EXPECT_EQ(field_id(name), id) << name;
  }
}

TEST(FieldNames, ANameThatDiffersInOneByteIsAnother) {
  for (int i = 1; i < static_cast<int>(FieldId::kCount); ++i) {
    const std::string name(field_name(static_cast<FieldId>(i)));
    for (std::size_t at = 0; at < name.size(); ++at) {
      for (const int flip : {1, 0x40, 0x80}) {
        std::string other = name;
        other[at] = static_cast<char>(other[at] ^ flip);
        if (iequals(other, name)) continue;
        EXPECT_NE(field_id(other), static_cast<FieldId>(i)) << other;
      }
    }
  }
  EXPECT_EQ(field_id(""), FieldId::Other);
  EXPECT_EQ(field_id("X"), FieldId::Other);
  EXPECT_EQ(field_id("X-Unknown"), FieldId::Other);
  EXPECT_EQ(field_name(FieldId::Other), "");
}

TEST(FieldNames, CaseFoldsLettersOnly) {
  EXPECT_TRUE(iequals("aBcDeFgHiJkLm-1", "AbCdEfGhIjKlM-1"));
  EXPECT_TRUE(iequals("", ""));
  EXPECT_FALSE(iequals("a", "ab"));
  // Bytes that differ in the case bit without being letters.
  const std::pair<const char*, const char*> others[] = {
      {"@", "`"}, {"[", "{"}, {"\x01", "!"}, {"12345678@", "12345678`"}, {"[1234567", "{1234567"}, {"\xC1", "\xE1"}};
  for (const auto& [a, b] : others) EXPECT_FALSE(iequals(a, b)) << a;
}

TEST(FieldGrammar, TokensAndValues) {
  EXPECT_TRUE(is_token("M-SEARCH"));
  EXPECT_TRUE(is_token("!#$%&'*+-.^_`|~09azAZ"));
  for (const char* bad : {"", "a b", "a:", "a,b", "\"a\"", "a/b", "a=b", "\x7f", "\xC3\xA9", "a\t"}) {
    EXPECT_FALSE(is_token(bad)) << bad;
  }
  EXPECT_TRUE(is_field_value("text, \twith \"tabs\" and \xC3\xA9"));
  EXPECT_TRUE(is_field_value(""));
  for (const std::string_view bad : {std::string_view("a\rb"), std::string_view("a\nb"), std::string_view("a\0b", 3),
                                     std::string_view("\x1F"), std::string_view("\x7F")}) {
    EXPECT_FALSE(is_field_value(bad));
  }
  EXPECT_EQ(trim(" \t a b\t "), "a b");
  EXPECT_EQ(trim(" \t "), "");
}

TEST(Fields, LinesAreJoinedInOrderAndOneLineIsNotCopied) {
  Fields f;
  f.add("Vary", "A");
  f.add("x-thing", "1");
  f.add("VARY", "B");
  f.add("X-Thing", " 2 ");
  f.add("Empty", "");
  std::string scratch;
  EXPECT_EQ(f.view().combined(FieldId::Vary, scratch), "A, B");
  EXPECT_EQ(f.view().combined("X-THING", scratch), "1, 2");
  EXPECT_EQ(f.view().combined("empty", scratch), "");
  EXPECT_EQ(f.view().combined(FieldId::Age, scratch), std::nullopt);
  EXPECT_EQ(f.view().combined("none", scratch), std::nullopt);
  EXPECT_EQ(f.view().count(FieldId::Vary), 2u);
  EXPECT_EQ(f.view().value(FieldId::Vary), "A");
  EXPECT_EQ(f.view().value("vary"), "A");

  Fields one;
  one.add("Vary", "A");
  std::string untouched = "before";
  EXPECT_EQ(one.view().combined(FieldId::Vary, untouched)->data(), one.view()[0].value.data());
  EXPECT_EQ(untouched, "before");
}

TEST(Fields, SetReplacesAllLinesAndRemoveIgnoresCase) {
  Fields f;
  f.add("X-A", "1");
  f.add("x-a", "2");
  f.add("Age", "3");
  f.set("X-A", "4");
  EXPECT_EQ(f.view().size(), 2u);
  EXPECT_EQ(f.view().value("x-a"), "4");
  f.set("Age", *f.view().value("Age"));  // from its own text
  EXPECT_EQ(f.view().value(FieldId::Age), "3");
  f.remove("X-a");
  f.remove(FieldId::Age);
  EXPECT_TRUE(f.view().empty());
}

TEST(Fields, ViewsSurviveMovesAndCopiesAreTheirOwn) {
  Fields f;
  for (int i = 0; i < 100; ++i) f.add("X-" + std::to_string(i), std::string(static_cast<std::size_t>(i), 'v'));
  const std::string_view kept = f.keep("target");
  const std::string_view value = f.view()[50].value;
  const Fields copy = f;
  Fields moved = std::move(f);
  f = Fields{};
  f.add("After", "move");
  moved.add("Also", "after");
  EXPECT_EQ(kept, "target");
  EXPECT_EQ(value, std::string(50, 'v'));
  EXPECT_EQ(moved.view()[50].value.data(), value.data());
  EXPECT_NE(copy.view()[50].value.data(), value.data());
  EXPECT_EQ(copy.view()[99].value, std::string(99, 'v'));
  EXPECT_EQ(moved.view().size(), 101u);
}

TEST(Fields, AMovedFromObjectDoesNotWriteIntoTheOther) {
  Fields a;
  a.add("X-First", "one");
  Fields b = std::move(a);
  a.clear();
  a.add("X-Other", "zzz");
  b.add("X-Second", "two");
  EXPECT_EQ(b.view().value("X-First"), "one");
  EXPECT_EQ(b.view().value("X-Second"), "two");
  EXPECT_EQ(a.view().value("X-Other"), "zzz");
}

TEST(Fields, AnAssignmentToItselfChangesNothing) {
  Fields a;
  a.add("A", "b");
  const Fields& same = a;
  a = same;
  EXPECT_EQ(a.view().value("a"), "b");
}

TEST(Fields, ClearedFieldsStartAnew) {
  Fields f;
  for (int round = 0; round < 3; ++round) {
    f.clear();
    f.add("Name", "value " + std::to_string(round));
    EXPECT_EQ(f.view().size(), 1u);
    EXPECT_EQ(f.view().value("name"), "value " + std::to_string(round));
  }
}

TEST(Fields, ALineIsWrittenAsNameColonValue) {
  std::string out;
  append_line(out, FieldId::ETag, "\"x\"");
  append_line(out, "X-A", "");
  EXPECT_EQ(out, "ETag: \"x\"\r\nX-A: \r\n");
}

TEST(HopByHop, ConnectionGovernsItsOwnAndTheNamedFields) {
  for (const char* name :
       {"Connection", "HTTP2-Settings", "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding",
        "Upgrade", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Authentication-Info"}) {
    EXPECT_TRUE(is_hop_by_hop(field_id(name))) << name;
  }
  for (const char* name : {"Content-Length", "Host", "Via", "Cache-Control", "X-Any"}) {
    EXPECT_FALSE(is_hop_by_hop(field_id(name))) << name;
  }
  Fields f;
  f.add("Connection", "close, X-One");
  f.add("Connection", "x-two");
  EXPECT_TRUE(connection_names(f, "x-one"));
  EXPECT_TRUE(connection_names(f, "X-Two"));
  EXPECT_FALSE(connection_names(f, "X-Three"));
  EXPECT_FALSE(connection_names(Fields{}, "X-One"));
}

TEST(HopByHop, TheNamesOfAllConnectionLinesAreFoundInAnyCase) {
  Fields f;
  f.add("Connection", "zeta, X-One,,  ");
  f.add("Accept", "X-Accept");
  f.add("Connection", "x-two, A");
  const ConnectionNames names(f);
  for (const char* name : {"X-One", "x-one", "X-TWO", "a", "Zeta"}) EXPECT_TRUE(names.has(name)) << name;
  for (const char* name : {"X-Accept", "X-On", "X-One1", ""}) EXPECT_FALSE(names.has(name)) << name;
  EXPECT_FALSE(ConnectionNames(Fields{}).has("X-One"));
}

TEST(FieldBlock, LinesThatAreReadyStandForTheFields) {
  Fields fields;
  fields.add("A", "1");
  fields.add("B", "");
  std::string out;
  append_lines(out, fields);
  EXPECT_EQ(out, "A: 1\r\nB: \r\n");
  append_lines(out, {fields.view(), "ready\r\n"});
  append_lines(out, {});
  EXPECT_EQ(out, "A: 1\r\nB: \r\nready\r\n");
}

}  // namespace
}  // namespace forebay::http
