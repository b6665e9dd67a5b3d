#include "forebay/cache/key.hpp"

#include <algorithm>
#include <array>

#include "forebay/http/list.hpp"

namespace forebay::cache {
namespace {

// Which bytes are percent-encoded inside a part. The separators of the text and of the part, and `%` itself: so each
// text can be taken apart in one way only.
using ByteSet = std::array<bool, 256>;
constexpr ByteSet escaping(std::string_view separators) {
  ByteSet set{};
  for (std::size_t i = 0; i < 0x20; ++i) set[i] = true;
  set[0x7F] = set['%'] = set['|'] = true;
  for (const char c : separators) set[static_cast<unsigned char>(c)] = true;
  return set;
}
constexpr ByteSet kInPart = escaping("");
constexpr ByteSet kInName = escaping("&=");
constexpr ByteSet kInValue = escaping("&");

constexpr char kHex[] = "0123456789ABCDEF";

void append_escaped(std::string& out, std::string_view s, const ByteSet& escaped) {
  std::size_t from = 0;
  for (std::size_t i = 0; i < s.size(); ++i) {
    const auto c = static_cast<unsigned char>(s[i]);
    if (!escaped[c]) continue;
    out.append(s, from, i - from);
    const char code[] = {'%', kHex[c >> 4], kHex[c & 15]};
    out.append(code, 3);
    from = i + 1;
  }
  out.append(s, from);
}

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool unreserved(int c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

// RFC 3986 section 6.2.2.2: `%61` and `a` are one and the same. Separators are never among what is decoded.
void decode_unreserved(std::string_view s, std::string& out) {
  out.clear();
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s[i] == '%' && i + 2 < s.size()) {
      const int hi = hex_value(s[i + 1]), lo = hex_value(s[i + 2]);
      if (hi >= 0 && lo >= 0 && unreserved(hi * 16 + lo)) {
        out += static_cast<char>(hi * 16 + lo);
        i += 2;
        continue;
      }
    }
    out += s[i];
  }
}

bool counts(const KeySpec& spec, std::string_view name) {
  if (spec.query == QueryMode::All) return true;
  const bool listed = std::any_of(spec.query_names.begin(), spec.query_names.end(),
                                  [&](const auto& glob) { return http::glob_match(glob, name); });
  return listed == (spec.query == QueryMode::Only);
}

// A CORS preflight is answered for what these three ask (Fetch standard, section 4.8).
constexpr std::array<http::FieldId, 3> kPreflight{http::FieldId::Origin, http::FieldId::AccessControlRequestMethod,
                                                  http::FieldId::AccessControlRequestHeaders};

}  // namespace

void Key::build(const KeySpec& spec, const KeyInput& input) {
  const auto& request = input.request;
  text_.clear();
  append_escaped(text_, input.route, kInPart);
  text_ += '|';
  if (request.method == http::Method::Head)
    text_ += "GET";
  else
    append_escaped(text_, request.method_text, kInPart);
  text_ += '|';
  if (spec.scheme) {
    append_escaped(text_, input.scheme, kInPart);
    text_ += '|';
  }
  // From the host to the end of the query it is the same for all that one URL gives: that is the resource.
  const auto resource = text_.size();
  if (spec.host) {
    append_escaped(text_, input.host, kInPart);
    text_ += '|';
  }
  append_escaped(text_, input.target.path(), kInPart);
  if (const auto query = input.target.query()) append_query(spec, *query);
  resource_ = digest_of(std::string_view(text_).substr(resource));

  append_headers(spec, request);
  if (spec.authorization) {
    text_ += "|a:";
    // The field itself never gets into a text that is shown and logged.
    if (const auto value = request.fields.combined(http::FieldId::Authorization, scratch_))
      text_ += sha256_hex(*value, 32);
  }
  id_ = digest_of(text_);
}

void Key::append_query(const KeySpec& spec, std::string_view query) {
  if (spec.query == QueryMode::None) return;
  if (query.find('%') != std::string_view::npos) {
    decode_unreserved(query, scratch_);
    query = scratch_;
  }
  pairs_.clear();
  http::for_each_query_pair(query, [&](const http::QueryPair& pair) {
    if (counts(spec, pair.name)) pairs_.push_back(pair);
  });
  if (pairs_.empty() && spec.query != QueryMode::All) return;
  if (spec.query_sort)
    // Names point into one string, so their place in it is the order of arrival.
    std::sort(pairs_.begin(), pairs_.end(), [](const http::QueryPair& a, const http::QueryPair& b) {
      if (const int order = a.name.compare(b.name); order != 0) return order < 0;
      return a.name.data() < b.name.data();
    });
  text_ += "|q:";
  bool first = true;
  for (const auto& pair : pairs_) {
    if (!std::exchange(first, false)) text_ += '&';
    append_escaped(text_, pair.name, kInName);
    if (!pair.value) continue;
    text_ += '=';
    append_escaped(text_, *pair.value, kInValue);
  }
}

void Key::append_headers(const KeySpec& spec, const http::RequestView& request) {
  bool first = true;
  const auto append = [&](std::string_view name) {
    bool first_line = true;
    for (const auto& field : request.fields) {
      if (!http::iequals(field.name, name)) continue;
      if (std::exchange(first_line, false)) {
        text_ += std::exchange(first, false) ? "|h:" : "&";
        append_escaped(text_, name, kInName);
        text_ += '=';
      } else {
        text_ += ',';
      }
      append_escaped(text_, field.value, kInValue);
    }
  };
  for (const auto& name : spec.headers) append(name);
  if (request.method != http::Method::Options) return;
  for (const auto id : kPreflight) {
    const auto canonical = http::field_name(id);
    scratch_.clear();
    for (const char c : canonical) scratch_ += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    if (std::find(spec.headers.begin(), spec.headers.end(), scratch_) == spec.headers.end()) append(scratch_);
  }
}

}  // namespace forebay::cache
