#include "key_builder.hpp"

#include <algorithm>
#include <utility>

#include "forebay/content/media_type.hpp"
#include "forebay/http/list.hpp"

namespace forebay::cache {
namespace {

// A CORS preflight is answered for what these three ask (Fetch standard, section 4.8).
constexpr std::array<http::FieldId, 3> kPreflight{http::FieldId::Origin, http::FieldId::AccessControlRequestMethod,
                                                  http::FieldId::AccessControlRequestHeaders};

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool matches_any(const std::vector<std::string>& globs, std::string_view name) noexcept {
  return std::any_of(globs.begin(), globs.end(), [&](const auto& glob) { return http::glob_match(glob, name); });
}

}  // namespace

bool KeyBuilder::is_graphql() const noexcept {
  const auto m = input_.request.method;
  return spec_.graphql && (m == http::Method::Get || m == http::Method::Head || m == http::Method::Post);
}

void KeyBuilder::pair(std::string_view kind, std::string_view name, std::optional<std::string_view> value) {
  const auto from = text_.size();
  append_escaped(text_, name, kInName);
  const auto name_to = text_.size();
  if (value) {
    text_ += '=';
    append_escaped(text_, *value, kInValue);
  }
  if (parts_) note(kind, text_.substr(from, name_to - from), name_to + (value ? 1 : 0));
}

rules::Reason KeyBuilder::build() {
  build_resource();
  headers();
  cookies();
  authorization();
  const auto what = what_counts();
  if (const auto reason = what.graphql ? graphql() : content(what); reason != rules::Reason::None) return reason;
  if (what.typed) content_type();
  key_.rule_from_ = text_.size();
  if (input_.search) rule();
  key_.id_ = digest_of(text_);
  return rules::Reason::None;
}

// From the host to the end of the query the text is the same for all that one URL gives: that is the resource.
void KeyBuilder::build_resource() {
  text_.clear();
  route_to_host();
  path();
  key_.query_from_ = text_.size();
  if (input_.search)
    searched_query();
  else
    query();
  key_.query_to_ = key_.rule_from_ = text_.size();
  key_.resource_ =
      input_.search ? key_.searched_resource() : digest_of(std::string_view(text_).substr(key_.resource_from_));
}

void KeyBuilder::route_to_host() {
  append_escaped(text_, input_.route, kInPart);
  note("route", {}, 0);
  text_ += '|';
  const auto method = text_.size();
  if (is_graphql())
    text_ += "GRAPHQL";
  else if (input_.request.method == http::Method::Head)
    text_ += "GET";
  else
    append_escaped(text_, input_.request.method_text, kInPart);
  note("method", {}, method);
  if (spec_.scheme) {
    text_ += '|';
    const auto scheme = text_.size();
    append_escaped(text_, input_.scheme, kInPart);
    note("scheme", {}, scheme);
  }
  key_.resource_from_ = text_.size();
  if (spec_.host) {
    text_ += '|';
    const auto host = text_.size();
    append_escaped(text_, input_.host, kInPart);
    note("host", {}, host);
  }
}

void KeyBuilder::path() {
  switch (spec_.path) {
    case PathMode::None:
      return;
    case PathMode::Captures:
      return captures();
    case PathMode::All:
      text_ += '|';
      const auto from = text_.size();
      append_escaped(text_, input_.target.path(), kInPart);
      note("path", {}, from);
  }
}

void KeyBuilder::captures() {
  // The part stands also when no capture has a value: by its place it is told from what follows.
  text_ += '|';
  bool first = true;
  for (const auto& name : spec_.captures) {
    const auto capture =
        std::find_if(input_.captures.begin(), input_.captures.end(), [&](const Capture& c) { return c.name == name; });
    if (capture == input_.captures.end()) {
      note_absent("capture", name);
      continue;
    }
    if (!std::exchange(first, false)) text_ += '&';
    pair("capture", name, capture->value);
  }
}

// Whether the list of the route has the name, as it stands or as the origin will decode it.
bool KeyBuilder::lists(std::string_view name) const {
  if (matches_any(spec_.query_names, name)) return true;
  if (name.find_first_of("%+") == std::string_view::npos) return false;
  auto& decoded = scratch_.text;
  decoded.clear();
  return content::append_form_decoded(name, decoded) && matches_any(spec_.query_names, decoded);
}

bool KeyBuilder::counts(const http::QueryPair& pair) const {
  // These stand in `b:`.
  if (spec_.graphql && is_graphql() && content::is_graphql_parameter(pair.name)) return false;
  if (spec_.query == QueryMode::All) return true;
  const bool only = spec_.query == QueryMode::Only;
  if (lists(pair.name) == only) return true;
  // Some origins take `;` for a separator too. What they would find behind one, and counts, must not choose an answer
  // that others get: then the whole pair counts.
  const auto hidden = [&](std::string_view text, bool value) {
    for (auto from = value ? text.find(';') : 0; from < text.size(); from = text.find(';', from)) {
      if (text[from] == ';') ++from;
      const auto piece = text.substr(from, text.find(';', from) - from);
      const auto name = piece.substr(0, piece.find('='));
      if (!name.empty() && lists(name) == only) return true;
    }
    return false;
  };
  return (pair.name.find(';') != std::string_view::npos && hidden(pair.name, false)) ||
         (pair.value && hidden(*pair.value, true));
}

// The pairs that count, in the order in which they stand in the text.
void KeyBuilder::collect_pairs() {
  auto& pairs = scratch_.pairs;
  pairs.clear();
  if (spec_.query == QueryMode::None) return;
  auto query = input_.target.query().value_or(std::string_view{});
  if (query.find('%') != std::string_view::npos) {
    decode_unreserved(query, scratch_.query);
    query = scratch_.query;
  }
  http::for_each_query_pair(query, [&](const http::QueryPair& pair) {
    if (counts(pair)) pairs.push_back(pair);
  });
  if (parts_ && spec_.query == QueryMode::Only) {
    for (const auto& glob : spec_.query_names)
      if (std::none_of(pairs.begin(), pairs.end(), [&](const auto& p) { return http::glob_match(glob, p.name); }))
        note_absent("query", glob);
  }
  if (!spec_.query_sort) return;
  // Names point into one string, so their place in it is the order of arrival.
  std::sort(pairs.begin(), pairs.end(), [](const http::QueryPair& a, const http::QueryPair& b) {
    if (const int order = a.name.compare(b.name); order != 0) return order < 0;
    return a.name.data() < b.name.data();
  });
}

void KeyBuilder::query() {
  collect_pairs();
  const bool whole = spec_.query == QueryMode::All && input_.target.query() && !is_graphql();
  if (scratch_.pairs.empty() && !whole) return;
  text_ += "|q:";
  bool first = true;
  for (const auto& p : scratch_.pairs) {
    if (!std::exchange(first, false)) text_ += '&';
    pair("query", p.name, p.value);
  }
}

// Under a No-Vary-Search rule no query and an empty one are the same, as is one of which nothing counts.
void KeyBuilder::searched_query() {
  collect_pairs();
  auto& kept = scratch_.text;
  kept.clear();
  for (const auto& p : scratch_.pairs) {
    if (!kept.empty()) kept += '&';
    kept += p.name;
    if (p.value) kept.append("=").append(*p.value);
  }
  const auto before = text_.size();
  text_ += "|q:";
  const auto from = text_.size();
  rules::append_search(*input_.search, kept, text_);
  if (text_.size() == from)
    text_.resize(before);
  else
    note("query", {}, from);
}

// Whether the request has the field.
bool KeyBuilder::header(std::string_view name, bool first) {
  bool found = false;
  std::size_t from = 0;
  for (const auto& field : input_.request.fields) {
    if (!http::iequals(field.name, name)) continue;
    if (!std::exchange(found, true)) {
      text_ += first ? "|h:" : "&";
      append_escaped(text_, name, kInName);
      text_ += '=';
      from = text_.size();
    } else {
      text_ += ',';
    }
    append_escaped(text_, field.value, kInValue);
  }
  if (found)
    note("header", name, from);
  else
    note_absent("header", name);
  return found;
}

void KeyBuilder::headers() {
  bool first = true;
  for (const auto& name : spec_.headers)
    if (header(name, first)) first = false;
  if (input_.request.method != http::Method::Options) return;
  auto& name = scratch_.text;
  for (const auto id : kPreflight) {
    name = http::field_name(id);
    std::transform(name.begin(), name.end(), name.begin(), lower);
    if (std::find(spec_.headers.begin(), spec_.headers.end(), name) != spec_.headers.end()) continue;
    if (header(name, first)) first = false;
  }
}

// Each cookie once, under the first of the globs that it matches.
void KeyBuilder::cookies() {
  if (spec_.cookies.empty()) return;
  auto& all = scratch_.cookies;
  all.clear();
  http::for_each_cookie(input_.request.fields, [&](const http::CookiePair& pair) {
    all.push_back({pair, all.size(), false});
  });
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    const int order = a.pair.name.compare(b.pair.name);
    return order != 0 ? order < 0 : a.arrival < b.arrival;
  });
  bool first = true;
  for (const auto& glob : spec_.cookies) {
    bool found = false;
    for (auto& cookie : all) {
      if (!http::glob_match(glob, cookie.pair.name)) continue;
      found = true;
      if (std::exchange(cookie.taken, true)) continue;
      text_ += std::exchange(first, false) ? "|c:" : "&";
      pair("cookie", cookie.pair.name, cookie.pair.has_value ? std::optional(cookie.pair.value) : std::nullopt);
    }
    if (!found) note_absent("cookie", glob);
  }
}

void KeyBuilder::authorization() {
  if (!spec_.authorization) return;
  text_ += "|a:";
  // The field itself never gets into a text that is shown and logged.
  const auto value = input_.request.fields.combined(http::FieldId::Authorization, scratch_.text);
  if (!value) return note_absent("authorization", {});
  const auto from = text_.size();
  append_sha256_hex(text_, *value, 32);
  note("authorization", {}, from);
}

// RFC 10008 section 2: the type of a QUERY's content is as much a part of the query as the content is, and so are its
// other representation metadata. Their places stand even when they are empty.
void KeyBuilder::content_type() {
  const auto& fields = input_.request.fields;
  const auto type = fields.combined(http::FieldId::ContentType, scratch_.text);
  const bool query = input_.request.method == http::Method::Query;
  if (!type && !query) return note_absent("content_type", {});
  text_ += "|m:";
  const auto from = text_.size();
  if (type) {
    scratch_.coding.clear();
    content::append_normal_type(scratch_.coding, *type);
    append_escaped(text_, scratch_.coding, kInPart);
  }
  if (query) {
    text_ += ';';
    members(http::FieldId::ContentEncoding);
    text_ += ';';
    members(http::FieldId::ContentLanguage);
  }
  note("content_type", {}, from);
}

// The members of a list of tokens, in lower case.
void KeyBuilder::members(http::FieldId id) {
  bool first = true;
  for (const auto& field : input_.request.fields) {
    if (field.id != id) continue;
    http::for_each_member(field.value, [&](std::string_view member) {
      if (!std::exchange(first, false)) text_ += ',';
      auto& low = scratch_.coding;
      low.clear();
      std::transform(member.begin(), member.end(), std::back_inserter(low), lower);
      append_escaped(text_, low, kInMember);
    });
  }
}

void KeyBuilder::rule() {
  text_ += "|n:";
  const auto from = text_.size();
  rules::append_rule(*input_.search, text_);
  note("search", {}, from);
}

}  // namespace forebay::cache
