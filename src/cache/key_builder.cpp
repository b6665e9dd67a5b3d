#include "key_builder.hpp"

#include <algorithm>
#include <utility>

#include "forebay/base/text.hpp"
#include "forebay/http/forwarding.hpp"
#include "forebay/http/list.hpp"
#include "forebay/http/names.hpp"

namespace forebay::cache {
namespace {

// A CORS preflight is answered for what these ask (Fetch standard, section 4.8), and every Access-Control-Request-*
// that there may be beside them.
constexpr std::array<http::FieldId, 3> kPreflight{http::FieldId::Origin, http::FieldId::AccessControlRequestMethod,
                                                  http::FieldId::AccessControlRequestHeaders};

// Access-Control-Request-Private-Network and whatever comes; lower case, by name.
std::vector<std::string> further_requests(http::FieldsView fields, std::span<const std::string> keyed) {
  std::vector<std::string> names;
  for (const auto& field : fields) {
    if (field.id != http::FieldId::Other ||
        !http::may_be_read_as(http::NameKind::Field, field.name, "access-control-request-*"))
      continue;
    auto name = lower_case(field.name);
    if (std::find(keyed.begin(), keyed.end(), name) == keyed.end()) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
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
  if (const auto reason = check_description(what); reason != rules::Reason::None) return reason;
  if (const auto reason = what.graphql ? graphql() : content(what); reason != rules::Reason::None) return reason;
  if (what.typed) content_type(what);
  key_.rule_from_ = text_.size();
  if (input_.search) rule();
  key_.id_ = digest_of(text_);
  return rules::Reason::None;
}

// The text from the host to the end of the query is equal for all responses of one URL: the resource.
void KeyBuilder::build_resource() {
  text_.clear();
  key_.url_ = {};
  route_to_host();
  path();
  key_.query_from_ = text_.size();
  if (input_.search)
    searched_query();
  else
    query();
  key_.query_to_ = key_.rule_from_ = text_.size();
  if (spec_.path == PathMode::All) key_.url_.query_to = position();
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
    key_.url_.host_from = static_cast<std::uint32_t>(host);
    key_.url_.host_to = position();
    note("host", {}, host);
  }
}

void KeyBuilder::path() {
  switch (spec_.path) {
    case PathMode::None: return;
    case PathMode::Captures: return captures();
    case PathMode::All:
      text_ += '|';
      const auto from = text_.size();
      append_escaped(text_, input_.target.path(), kInPart);
      key_.url_.path_from = static_cast<std::uint32_t>(from);
      key_.url_.path_to = position();
      note("path", {}, from);
  }
}

void KeyBuilder::captures() {
  // The part is present even if no capture has a value: its position distinguishes it from the next part.
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

bool KeyBuilder::is_keyed(std::string_view name) const noexcept {
  return std::any_of(spec_.headers.begin(), spec_.headers.end(),
                     [&](const auto& listed) { return http::iequals(listed, name); });
}

void KeyBuilder::headers() {
  bool first = true;
  for (const auto& name : spec_.headers)
    if (header(name, first)) first = false;
  if (input_.request.method == http::Method::Options) {
    auto& name = scratch_.text;
    for (const auto id : kPreflight) {
      name = http::field_name(id);
      make_lower(name);
      if (is_keyed(name)) continue;
      if (header(name, first)) first = false;
    }
    // It selects the responder (RFC 9110 section 7.6.2).
    constexpr std::string_view kMaxForwards = "max-forwards";
    if (input_.request.fields.find(kMaxForwards) != nullptr && !is_keyed(kMaxForwards) && header(kMaxForwards, first))
      first = false;
    for (const auto& further : further_requests(input_.request.fields, spec_.headers))
      if (header(further, first)) first = false;
  }
  if (input_.claims) claims(first);
}

// A trusted peer's claims about the requested place, as the origin gets them, in request order.
void KeyBuilder::claims(bool first) {
  for (const auto& field : input_.request.fields) {
    if (http::claim_of(field) != http::Claim::Place || is_keyed(field.name)) continue;
    auto& value = scratch_.text;
    value.clear();
    if (field.id == http::FieldId::Forwarded) {
      http::append_forwarded_place(field.value, input_.scheme, value);
      if (value.empty()) continue;
    } else {
      value = field.value;
    }
    text_ += std::exchange(first, false) ? "|h:" : "&";
    auto& name = scratch_.member;
    name.clear();
    append_lower(name, field.name);
    pair("header", name, value);
  }
}

// Each cookie once, under the first glob that matches it in some reading.
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
  bool first = true, mangled = false;
  for (const auto& glob : spec_.cookies) {
    bool found = false;
    for (auto& cookie : all) {
      if (!http::NameReadings(http::NameKind::Cookie, cookie.pair.name, scratch_.text).may_be(glob)) continue;
      found = true;
      if (std::exchange(cookie.taken, true)) continue;
      mangled = mangled || !http::glob_match(glob, cookie.pair.name);
      text_ += std::exchange(first, false) ? "|c:" : "&";
      pair("cookie", cookie.pair.name, cookie.pair.has_value ? std::optional(cookie.pair.value) : std::nullopt);
    }
    if (!found) note_absent("cookie", glob);
  }
  // Of two spellings of one name, some parsers take the first and others the last; some stop at unreadable pairs, or at
  // a maximum number.
  if (mangled || all.size() > http::kCrowd || !http::are_plain_cookies(input_.request.fields)) whole_cookies(first);
}

// If an origin may find other cookies than those above, all lines count as sent, under a name that no cookie can have.
void KeyBuilder::whole_cookies(bool first) {
  for (const auto& field : input_.request.fields) {
    if (field.id != http::FieldId::Cookie) continue;
    text_ += std::exchange(first, false) ? "|c:" : "&";
    pair("cookie", ";", field.value);
  }
}

void KeyBuilder::authorization() {
  if (!spec_.authorization) return;
  text_ += "|a:";
  // The field value is never in the text, which is shown and logged. Of several lines, some parsers take the first and
  // others the last: they differ from one joined line.
  const auto first = input_.request.fields.value(http::FieldId::Authorization);
  if (!first) return note_absent("authorization", {});
  const auto from = text_.size();
  if (input_.request.fields.count(http::FieldId::Authorization) == 1) {
    append_sha256_hex(text_, *first, 32);
  } else {
    scratch_.text.clear();
    for (const auto& f : input_.request.fields)
      if (f.id == http::FieldId::Authorization) scratch_.text.append(f.value).append("\n");
    append_sha256_hex(text_, scratch_.text, 32);
  }
  note("authorization", {}, from);
}

// The members of a list of tokens, in lower case.
void KeyBuilder::members(http::FieldId id) {
  bool first = true;
  for (const auto& field : input_.request.fields) {
    if (field.id != id) continue;
    http::for_each_member(field.value, [&](std::string_view member) {
      if (!std::exchange(first, false)) text_ += ',';
      auto& low = scratch_.member;
      low.clear();
      append_lower(low, member);
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
