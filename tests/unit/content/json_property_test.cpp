#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "forebay/content/json.hpp"

namespace forebay::content {
namespace {

// A JSON value, and ways to write it that mean the same.
struct Value {
  enum class Kind { Scalar, String, Array, Object } kind = Kind::Scalar;
  std::string text;                // scalars as written, strings decoded
  std::vector<Value> items;        // of arrays and objects
  std::vector<std::string> names;  // of objects, no two alike
};

class Writer {
 public:
  explicit Writer(std::mt19937_64& random) : random_(random) {}

  std::string any(const Value& value) {
    switch (value.kind) {
      case Value::Kind::Scalar: return value.text;
      case Value::Kind::String: return string(value.text);
      case Value::Kind::Array:
      case Value::Kind::Object: break;
    }
    const bool object = value.kind == Value::Kind::Object;
    std::vector<std::size_t> order(value.items.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    if (object) std::shuffle(order.begin(), order.end(), random_);
    std::string out = (object ? "{" : "[") + space();
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (i > 0) out += space() + "," + space();
      if (object) out += string(value.names[order[i]]) + space() + ":" + space();
      out += any(value.items[order[i]]);
    }
    return out + space() + (object ? "}" : "]");
  }

 private:
  std::size_t below(std::size_t n) { return random_() % n; }
  std::string space() {
    std::string out;
    while (below(3) == 0) out += " \t\r\n"[below(4)];
    return out;
  }
  static void hex(std::string& out, unsigned unit, bool upper) {
    char text[8];
    std::snprintf(text, sizeof text, upper ? "\\u%04X" : "\\u%04x", unit);
    out += text;
  }
  // Each character as it is, by its short escape or by its code.
  std::string string(const std::string& text) {
    std::string out = "\"";
    for (std::size_t i = 0; i < text.size();) {
      const auto lead = static_cast<unsigned char>(text[i]);
      const std::size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
      unsigned code = size == 1 ? lead : lead & (0xFFU >> (size + 1));
      for (std::size_t k = 1; k < size; ++k) code = code << 6 | (static_cast<unsigned char>(text[i + k]) & 0x3F);
      const std::string_view shorts = "\"\\/\b\f\n\r\t";
      const auto at = size == 1 ? shorts.find(text[i]) : std::string_view::npos;
      const bool needed = code < 0x20 || code == '"' || code == '\\';
      if (at != std::string_view::npos && below(3) != 0) {
        out += '\\';
        out += "\"\\/bfnrt"[at];
      } else if (needed || below(4) == 0) {
        const bool upper = below(2) == 0;
        if (code >= 0x10000) hex(out, 0xD800 + ((code - 0x10000) >> 10), upper);
        hex(out, code >= 0x10000 ? 0xDC00 + ((code - 0x10000) & 0x3FF) : code, upper);
      } else {
        out += text.substr(i, size);
      }
      i += size;
    }
    return out + "\"";
  }
  std::mt19937_64& random_;
};

class Maker {
 public:
  explicit Maker(std::mt19937_64& random) : random_(random) {}

  Value value(unsigned depth = 0) {
    Value v;
    const std::size_t kind = below(depth > 4 ? 5 : 9);
    if (kind < 3) {
      const char* const scalars[] = {"null", "true", "false", "0", "-1", "17", "1.5", "1e400", "12345678901234567890"};
      v.text = scalars[below(std::size(scalars))];
    } else if (kind < 5) {
      v.kind = Value::Kind::String;
      v.text = string();
    } else {
      v.kind = kind < 7 ? Value::Kind::Array : Value::Kind::Object;
      const std::size_t n = below(8) == 0 ? 40 : below(5);
      for (std::size_t i = 0; i < n; ++i) {
        if (v.kind == Value::Kind::Object) {
          std::string name = string();
          while (std::find(v.names.begin(), v.names.end(), name) != v.names.end()) name += std::to_string(i);
          v.names.push_back(name);
        }
        v.items.push_back(value(depth + (n > 8 ? 4 : 1)));
      }
    }
    return v;
  }
  // The same but for one place.
  Value changed(Value v) {
    if (v.items.empty() || below(3) == 0) {
      switch (v.kind) {
        case Value::Kind::Scalar: v.text = v.text == "42" ? "43" : "42"; return v;
        case Value::Kind::String: v.text += below(2) == 0 ? "x" : "\x01"; return v;
        case Value::Kind::Array: v.items.emplace_back().text = "null"; return v;
        case Value::Kind::Object: {
          std::string longest;
          for (const auto& name : v.names) longest = std::max(longest, name);
          v.names.push_back(longest + "x");
          v.items.emplace_back().text = "null";
          return v;
        }
      }
    }
    Value& item = v.items[below(v.items.size())];
    item = changed(item);
    return v;
  }

 private:
  std::size_t below(std::size_t n) { return random_() % n; }
  std::string string() {
    const char* const pieces[] = {"a",
                                  "b",
                                  "name",
                                  "abcdefgh",
                                  "\"",
                                  "\\",
                                  "/",
                                  "\n",
                                  "\x1f",
                                  "\x7f",
                                  "{",
                                  ":",
                                  "%",
                                  "|",
                                  " ",
                                  "\xC3\xA9",
                                  "\xE2\x82\xAC",
                                  "\xED\x9F\xBF",
                                  "\xEE\x80\x80",
                                  "\xF0\x9F\x98\x80",
                                  "\xF4\x8F\xBF\xBF"};
    std::string out;
    if (below(8) == 0) out += '\0';
    for (std::size_t n = below(5); n > 0; --n) out += pieces[below(std::size(pieces))];
    return out;
  }
  std::mt19937_64& random_;
};

TEST(CanonicalJson, EqualValuesHaveEqualTextsAndDifferentOnesNever) {
  std::mt19937_64 random(20240607);
  Maker maker(random);
  Writer writer(random);
  CanonicalJson json;
  const std::vector<JsonPointer> whole = {*JsonPointer::parse("")};
  const auto canonical = [&](const std::string& text) {
    EXPECT_TRUE(json.read(text, whole, Numbers::Written)) << text;
    return std::string(json.value(0).value_or("nothing"));
  };
  for (int i = 0; i < 3000; ++i) {
    const Value value = maker.value();
    const std::string one = canonical(writer.any(value));
    ASSERT_EQ(canonical(writer.any(value)), one);
    ASSERT_EQ(canonical(one), one);
    const Value other = maker.changed(value);
    ASSERT_NE(canonical(writer.any(other)), one);
  }
}

// A pointer to a random place in the value, or past it.
std::string random_pointer(const Value& value, std::mt19937_64& random) {
  if (random() % 5 == 0) return random() % 4 == 0 ? "/none" : "";
  if (value.items.empty()) return "";
  const std::size_t i = random() % value.items.size();
  std::string step = std::to_string(i);
  if (value.kind == Value::Kind::Object) {
    step.clear();
    for (const char c : value.names[i]) step += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  }
  return "/" + step + random_pointer(value.items[i], random);
}

TEST(CanonicalJson, WhatPointersChooseIsTheSameWithAndWithoutAllTheRest) {
  std::mt19937_64 random(20240608);
  Maker maker(random);
  Writer writer(random);
  CanonicalJson json;
  int found = 0;
  for (int i = 0; i < 3000; ++i) {
    const Value value = maker.value();
    const auto text = writer.any(value);
    std::vector<JsonPointer> pointers;
    for (std::size_t n = 1 + random() % 4; n > 0; --n)
      pointers.push_back(JsonPointer::parse(random_pointer(value, random)).value());
    if (!json.read(text, pointers, Numbers::Written)) {  // to some readers two names are one that ends at a NUL
      ASSERT_NE(text.find("\\u0000"), std::string::npos) << text;
      continue;
    }
    std::vector<std::pair<std::string, std::uint64_t>> values;
    for (std::size_t k = 0; k < pointers.size(); ++k) {
      found += json.value(k).has_value();
      values.emplace_back(json.value(k).value_or("nothing"), json.through_objects(k));
    }
    pointers.push_back(*JsonPointer::parse(""));
    ASSERT_TRUE(json.read(text, pointers, Numbers::Written));
    for (std::size_t k = 0; k < values.size(); ++k) {
      ASSERT_EQ(json.value(k).value_or("nothing"), values[k].first) << pointers[k].text() << " in " << text;
      ASSERT_EQ(json.through_objects(k), values[k].second) << pointers[k].text() << " in " << text;
    }
  }
  EXPECT_GT(found, 3000);
}

TEST(CanonicalJson, AnyCutOfATextIsRefused) {
  const std::string text = R"({"a":[1,-2.5e3,"x\u00e9\ud83d\ude00"],"b":{"c":null,"d":true}})";
  CanonicalJson json;
  ASSERT_TRUE(json.read(text, {}, Numbers::Written));
  for (std::size_t n = 0; n < text.size(); ++n) {
    const std::vector<char> exact(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(n));
    EXPECT_FALSE(json.read({exact.data(), n}, {}, Numbers::Written)) << n;
  }
}

}  // namespace
}  // namespace forebay::content
