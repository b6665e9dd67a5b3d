#include <algorithm>
#include <map>
#include <random>
#include <unordered_map>

#include "fixture.hpp"
#include "forebay/base/text.hpp"
#include "forebay/http/names.hpp"

// No two different inputs may ever give one text. Random inputs of separators, percent signs, quotes, blanks and
// control bytes are keyed, and a reader that knows no more than the route's configuration takes the text apart again:
// what it finds must be what went in.

namespace forebay::cache {
namespace {

using Pair = std::pair<std::string, std::optional<std::string>>;
using Pairs = std::vector<Pair>;

/// What a text says, or what it should say.
struct Parts {
  std::string route, method, host;
  Pairs captures;
  std::optional<Pairs> query;
  Pairs headers, cookies;
  std::optional<std::string> authorization;  // in hex; empty: absent
  std::string coding, body;                  // of a raw key
  Pairs pointers;                            // or the pieces of GraphQL
  Pairs form;
  std::optional<std::string> type;
  std::string type_coding, language;
  bool operator==(const Parts&) const = default;
};

std::string shown(const Parts& p) {
  const auto list = [](const Pairs& pairs) {
    std::string s;
    for (const auto& [name, value] : pairs) s += "[" + name + (value ? "]=[" + *value : "") + "]";
    return s;
  };
  return p.route + "\n" + p.method + "\n" + p.host + "\n" + list(p.captures) + "\nq " +
         (p.query ? list(*p.query) : "-") + "\nh " + list(p.headers) + "\nc " + list(p.cookies) + "\na " +
         p.authorization.value_or("-") + "\nb " + p.coding + ":" + p.body + list(p.pointers) + "\nf " + list(p.form) +
         "\nm " + p.type.value_or("-") + "\n" + p.type_coding + "\n" + p.language;
}

// --- the reader ---

std::string decoded(std::string_view s) {
  std::string out;
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s[i] != '%') {
      out += s[i];
      continue;
    }
    out += static_cast<char>(std::stoi(std::string(s.substr(i + 1, 2)), nullptr, 16));
    i += 2;
  }
  return out;
}

std::vector<std::string_view> split(std::string_view s, char at) {
  std::vector<std::string_view> pieces;
  for (;;) {
    const auto end = s.find(at);
    pieces.push_back(s.substr(0, end));
    if (end == std::string_view::npos) return pieces;
    s.remove_prefix(end + 1);
  }
}

Pairs read_pairs(std::string_view s) {
  Pairs pairs;
  if (s.empty()) return pairs;
  for (const auto piece : split(s, '&')) {
    const auto equals = piece.find('=');
    if (equals == std::string_view::npos)
      pairs.emplace_back(decoded(piece), std::nullopt);
    else
      pairs.emplace_back(decoded(piece.substr(0, equals)), decoded(piece.substr(equals + 1)));
  }
  return pairs;
}

// Where the JSON value that the text begins with ends.
std::size_t json_length(std::string_view s) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < s.size(); ++i) {
    const char c = s[i];
    if (quoted) {
      if (c == '\\') ++i;
      quoted = c != '"';
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      --depth;
    } else if (c == ' ' && depth == 0) {
      return i;
    }
  }
  return s.size();
}

Pairs read_pieces(std::string_view s) {
  Pairs pairs;
  while (!s.empty()) {
    const auto equals = s.find('=');
    const auto name = s.substr(0, equals);
    s.remove_prefix(equals + 1);
    const bool is_word = name == "query" || name == "hash" || name == "operationName";
    const auto length = is_word ? std::min(s.find(' '), s.size()) : json_length(s);
    pairs.emplace_back(decoded(name), decoded(s.substr(0, length)));
    s.remove_prefix(std::min(length + 1, s.size()));
  }
  return pairs;
}

Parts read(const KeySpec& spec, std::string_view text) {
  Parts p;
  const auto components = split(text, '|');
  std::size_t at = 0;
  p.route = decoded(components.at(at++));
  p.method = decoded(components.at(at++));
  p.host = decoded(components.at(at++));
  if (spec.path == PathMode::Captures) p.captures = read_pairs(components.at(at++));
  for (; at < components.size(); ++at) {
    const auto part = components[at].substr(2);
    switch (components[at][0]) {
      case 'q': p.query = read_pairs(part); break;
      case 'h': p.headers = read_pairs(part); break;
      case 'c': p.cookies = read_pairs(part); break;
      case 'a': p.authorization = part; break;
      case 'b':
        if (const bool chosen = part.find('=') != std::string::npos;
            spec.graphql || (spec.body == BodyMode::Pointers && chosen)) {
          p.pointers = read_pieces(part);
        } else {
          p.body = part.substr(part.size() - 32);
          p.coding = decoded(part.substr(0, part.size() - 32));
        }
        break;
      case 'f': p.form = read_pairs(part); break;
      case 'm': {
        auto type = part;
        if (p.method == "QUERY") {
          const auto language = type.rfind(';'), coding = type.rfind(';', language - 1);
          p.language = decoded(type.substr(language + 1));
          p.type_coding = decoded(type.substr(coding + 1, language - coding - 1));
          type = type.substr(0, coding);
        }
        p.type = decoded(type);
        break;
      }
      default: ADD_FAILURE() << "a part of an unknown kind: " << text;
    }
  }
  return p;
}

// --- what goes in ---

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  std::size_t below(std::size_t n) { return engine_() % n; }
  bool one_in(std::size_t n) { return below(n) == 0; }
  std::string word(std::string_view alphabet, std::size_t most) {
    std::string s;
    for (auto n = below(most + 1); n > 0; --n) s += alphabet[below(alphabet.size())];
    return s;
  }
  std::optional<std::string> maybe(std::string_view alphabet, std::size_t most) {
    if (one_in(3)) return std::nullopt;
    return word(alphabet, most);
  }

 private:
  std::mt19937 engine_;
};

using namespace std::string_view_literals;
constexpr auto kAny = "a|%&=: \"\\\x01\x7f\0,;/q{}[]1\xc3\xa9"sv;
constexpr auto kUtf8 = "a|%&=: \"\\\x01\x7f\0,;/q{}[]1"sv;
constexpr auto kTarget = "ab|%:~;"sv;
constexpr auto kCookie = "a|%&:\"\t,"sv;
constexpr auto kMember = "a|%:;/=%"sv;
constexpr auto kQuoted = "a|%; =,A"sv;

std::string blank(Random& random) { return random.word(" \n\t", 1); }

// A random JSON value: as sent, with its own order and blanks, and its canonical form.
struct Json {
  std::string sent, canonical;
};
Json json_string(std::string_view text) {
  Json j;
  append_json_string(j.canonical, text, kCanonicalJsonEscapes);
  j.sent = j.canonical;
  return j;
}
Json random_json(Random& random, int depth) {
  static constexpr std::string_view kScalars[] = {"1", "1.0", "-0", "1e400", "12345678901234567890", "true", "null"};
  switch (random.below(depth > 0 ? 4 : 2)) {
    case 0: {
      const auto scalar = std::string(kScalars[random.below(std::size(kScalars))]);
      return {scalar, scalar};
    }
    case 1: return json_string(random.word(kUtf8, 3));
    case 2: {
      Json list{"[", "["};
      const auto n = random.below(3);
      for (std::size_t i = 0; i < n; ++i) {
        const auto item = random_json(random, depth - 1);
        list.sent += (i > 0 ? "," : "") + blank(random) + item.sent;
        list.canonical += (i > 0 ? "," : "") + item.canonical;
      }
      return {list.sent + "]", list.canonical + "]"};
    }
    default: {
      std::map<std::string, Json> members;
      for (auto n = random.below(3); n > 0; --n) members.emplace(random.word(kUtf8, 2), random_json(random, depth - 1));
      Json object{"", "{"};
      for (const auto& [name, value] : members) {
        const auto quoted = json_string(name).canonical;
        object.sent = quoted + blank(random) + ":" + value.sent + (object.sent.empty() ? "" : "," + object.sent);
        object.canonical += (object.canonical.size() > 1 ? "," : "") + quoted + ":" + value.canonical;
      }
      return {"{" + object.sent + "}" + blank(random), object.canonical + "}"};
    }
  }
}

struct Case {
  KeySpec spec;
  Sent sent;
  Parts parts;
};

void add_query(Random& random, Case& c) {
  if (random.one_in(4)) return;
  c.sent.target += "?";
  c.parts.query.emplace();
  for (auto n = random.below(3); n > 0; --n) {
    Pair pair{random.word(kTarget, 2), std::nullopt};
    if (!random.one_in(3) || pair.first.empty()) pair.second = random.word("ab|%:~;=", 2);
    c.sent.target += (c.parts.query->empty() ? "" : "&") + pair.first + (pair.second ? "=" + *pair.second : "");
    c.parts.query->push_back(pair);
  }
}

// Path, query, fields and cookies.
Case case_of_get(Random& random) {
  Case c;
  c.sent.method = c.parts.method = "GET";
  c.spec.query_sort = false;
  c.spec.path = PathMode::Captures;
  c.spec.captures = {"x", "q:|&=%"};
  for (const auto& name : c.spec.captures) {
    const auto value = random.maybe(kAny, 2);
    if (value) c.parts.captures.emplace_back(name, value);
  }
  for (const auto& [name, value] : c.parts.captures) c.sent.captures.push_back({name, *value});
  add_query(random, c);
  c.spec.headers = {"h", "g&="};
  for (const auto& name : c.spec.headers) {
    const auto value = random.maybe(kAny, 2);
    if (!value) continue;
    c.sent.fields.emplace_back(name, http::trim(*value));
    c.parts.headers.emplace_back(name, http::trim(*value));
  }
  c.spec.cookies = {"*"};
  std::string line;
  for (auto n = random.below(3); n > 0; --n) {
    Pair cookie{"n" + random.word(kCookie, 1) + "n", std::nullopt};
    if (!random.one_in(3)) cookie.second = random.one_in(3) ? "" : "v" + random.word("a|%&:=", 1) + "v";
    line += (line.empty() ? "" : "; ") + cookie.first + (cookie.second ? "=" + *cookie.second : "");
    c.parts.cookies.push_back(cookie);
  }
  if (!line.empty()) c.sent.fields.emplace_back("Cookie", line);
  std::stable_sort(c.parts.cookies.begin(), c.parts.cookies.end(),
                   [](const Pair& a, const Pair& b) { return a.first < b.first; });
  if (!http::is_plain_cookie_line(line)) c.parts.cookies.emplace_back(";", line);
  c.spec.authorization = true;
  c.parts.authorization.emplace();
  if (const auto value = random.maybe("a|", 1)) {
    c.sent.fields.emplace_back("Authorization", *value);
    c.parts.authorization = sha256_hex(*value, 32);
  }
  return c;
}

void add_type(Random& random, Case& c) {
  std::string type = "a/b";
  if (random.one_in(2)) type += ";c=\"" + random.word(kQuoted, 3) + "\"";
  if (random.one_in(4)) type += ";;";
  c.sent.fields.emplace_back("Content-Type", type);
  c.parts.type = type;
}

// Raw content, with QUERY's description of it.
Case case_of_raw(Random& random) {
  Case c;
  c.sent.method = c.parts.method = random.one_in(2) ? "QUERY" : "POST";
  const bool query = c.parts.method == "QUERY";
  c.spec.path = PathMode::None;
  add_query(random, c);
  c.spec.query_sort = false;
  if (query || random.one_in(2)) add_type(random, c);
  const auto members = [&](const char* field) {
    std::string list;
    for (auto n = random.below(3); n > 0; --n)
      list += (list.empty() ? "" : ",") + std::string("z") + random.word(kMember, 3);
    if (!list.empty()) c.sent.fields.emplace_back(field, list);
    return list;
  };
  const auto coding = members("Content-Encoding"), language = members("Content-Language");
  if (!coding.empty()) c.parts.coding = coding + ":";
  if (query) {
    c.parts.type_coding = coding;
    c.parts.language = language;
  }
  c.sent.content = random.word(kAny, 2);
  c.parts.body = sha256_hex(*c.sent.content, 32);
  return c;
}

Case case_of_pointers(Random& random) {
  Case c;
  c.sent.method = c.parts.method = "POST";
  c.spec.path = PathMode::None;
  c.spec.body = BodyMode::Pointers;
  c.spec.pointers = pointers({"/a", "/b c=|%/d", "/x"});
  std::string content;
  const auto member = [&](const char* name, const Json& value) {
    content += (content.empty() ? "" : ",") + std::string("\"") + name + "\":" + value.sent;
  };
  if (!random.one_in(4)) {
    const auto value = random_json(random, 2);
    member("a", value);
    c.parts.pointers.emplace_back("/a", value.canonical);
  }
  if (!random.one_in(4)) {
    const auto value = random_json(random, 1);
    member("b c=|%", {"{\"d\":" + value.sent + "}", ""});
    c.parts.pointers.emplace_back("/b c=|%/d", value.canonical);
  }
  if (random.one_in(2)) member("unkeyed", random_json(random, 1));
  c.sent.content = "{" + content + "}";
  if (c.parts.pointers.empty()) c.parts.body = sha256_hex(*c.sent.content, 32);
  if (random.one_in(2)) add_type(random, c);
  return c;
}

Case case_of_form(Random& random) {
  Case c;
  c.sent.method = c.parts.method = "POST";
  c.spec.path = PathMode::None;
  c.spec.form = {"a", "b|&=%"};
  const auto encoded = [&](std::string_view s) {
    std::string out;
    for (const char b : s) append_percent_encoded(out, static_cast<unsigned char>(b));
    return lower_case(out);
  };
  std::string content;
  for (const auto& name : c.spec.form) {
    for (auto n = random.below(3); n > 0; --n) {
      const auto value = random.word(kAny, 2);
      content += (content.empty() ? "" : "&") + encoded(name) + "=" + encoded(value);
      c.parts.form.emplace_back(name, value);
    }
  }
  if (c.parts.form.empty() && !content.empty()) c.parts.body = sha256_hex(content, 32);
  c.sent.content = content;
  c.sent.fields.emplace_back("Content-Type", "application/x-www-form-urlencoded");
  c.parts.type = "application/x-www-form-urlencoded";
  return c;
}

Case case_of_graphql(Random& random) {
  Case c;
  c.sent.method = "POST";
  c.parts.method = "GRAPHQL";
  c.spec.path = PathMode::None;
  c.spec.graphql = true;
  const auto document = random.one_in(2) ? "{a}" : "query A{a}query B{b}";
  c.parts.pointers.emplace_back("query", sha256_hex(document, 32));
  std::string content = std::string("{\"query\":") + json_string(document).sent;
  if (const auto name = "n" + random.word(kUtf8, 3); random.one_in(2)) {
    content += ",\"operationName\":" + json_string(name).sent;
    c.parts.pointers.emplace_back("operationName", name);
  }
  if (random.one_in(2)) {
    const auto value = random_json(random, 1);
    content += ",\"variables\":{\"v\":" + value.sent + "}";
    c.parts.pointers.emplace_back("variables", "{\"v\":" + value.canonical + "}");
  }
  c.sent.content = content + "}";
  c.sent.fields.emplace_back("Content-Type", "application/json");
  return c;
}

// 20,000 random inputs, and what the reader makes of their texts.
void expect_readable(Case (*make_case)(Random&)) {
  Random random(20240101);
  KeyMaker make;
  std::unordered_map<std::string, std::string> seen;
  for (int i = 0; i < 20000; ++i) {
    Case c = make_case(random);
    c.spec.scheme = false;
    make.route = c.parts.route = random.word(kAny, 2);
    make.host = c.parts.host = random.word("ab.:|%", 2);
    const auto built = make(c.spec, c.sent);
    ASSERT_EQ(built.reason, rules::Reason::None) << shown(c.parts) << c.sent.content.value_or("");
    ASSERT_EQ(read(c.spec, built.text), c.parts)
        << built.text << "\nread: " << shown(read(c.spec, built.text)) << "\nsent: " << shown(c.parts);
    ASSERT_EQ(built.text.find_first_of("\x01\x7f\n\t"), std::string::npos) << "control bytes in " << built.text;
    const auto [at, fresh] = seen.emplace(built.text, shown(c.parts));
    if (!fresh) {
      ASSERT_EQ(at->second, shown(c.parts)) << built.text;
    }
  }
  EXPECT_GT(seen.size(), 2000u);
}

TEST(KeyText, SaysAllOfPathQueryFieldsAndCookies) { expect_readable(&case_of_get); }
TEST(KeyText, SaysAllOfRawContentAndItsDescription) { expect_readable(&case_of_raw); }
TEST(KeyText, SaysAllThatPointersChose) { expect_readable(&case_of_pointers); }
TEST(KeyText, SaysAllOfAForm) { expect_readable(&case_of_form); }
TEST(KeyText, SaysAllOfAGraphqlRequest) { expect_readable(&case_of_graphql); }

}  // namespace
}  // namespace forebay::cache
