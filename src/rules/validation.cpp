#include "forebay/rules/validation.hpp"

#include <algorithm>

#include "forebay/content/media_type.hpp"
#include "forebay/http/date.hpp"
#include "forebay/http/list.hpp"

namespace forebay::rules {
namespace {

using http::FieldId;

bool is_weak(std::string_view tag) noexcept { return tag.starts_with("W/"); }
std::string_view opaque(std::string_view tag) noexcept { return is_weak(tag) ? tag.substr(2) : tag; }

// Takes the first entity-tag from a list. Tags are read here and not by the general list reader, since a backslash in a
// tag is no escape (RFC 9110 section 8.8.3). Without quotes, the tag ends at the comma.
std::string_view next_tag(std::string_view& list) noexcept {
  const auto start = list.find_first_not_of(" \t,");
  if (start == std::string_view::npos) {
    list = {};
    return {};
  }
  list.remove_prefix(start);
  const std::size_t quote = is_weak(list) ? 2 : 0;
  std::size_t end = list.find(',');
  if (quote < list.size() && list[quote] == '"') {
    const auto close = list.find('"', quote + 1);
    end = close == std::string_view::npos ? close : close + 1;
  }
  const auto tag = http::trim(list.substr(0, end));
  list.remove_prefix(end == std::string_view::npos ? list.size() : end);
  return tag;
}

bool any_tag_matches(std::string_view list, std::optional<std::string_view> stored,
                     bool (*match)(std::string_view, std::string_view) noexcept) noexcept {
  while (!list.empty()) {
    const auto tag = next_tag(list);
    if (tag == "*") return true;
    if (stored && !tag.empty() && match(tag, *stored)) return true;
  }
  return false;
}

// Whether some line of a condition names the stored response's tag.
bool names_tag(http::FieldsView request, FieldId condition, http::FieldsView stored,
               bool (*match)(std::string_view, std::string_view) noexcept) noexcept {
  const auto etag = stored.value(FieldId::ETag);
  return std::any_of(request.begin(), request.end(),
                     [&](const http::Field& f) { return f.id == condition && any_tag_matches(f.value, etag, match); });
}

std::optional<WallTime> date_of(http::FieldsView fields, FieldId id, WallTime now) noexcept {
  const auto text = fields.value(id);
  return text ? http::parse_date(*text, now) : std::nullopt;
}

bool has_name(const http::Field& f, const http::Field& other) noexcept {
  return f.id == other.id && (f.id != FieldId::Other || http::iequals(f.name, other.name));
}

// Whether a 304's line replaces the stored one (RFC 9111 section 3.2). Fields that describe the stored bytes stay.
// Frameworks (PHP, Django, WebOb) add their default Content-Type, text/html, to a 304: it would turn stored text into
// HTML.
bool updates(http::FieldsView stored, http::FieldsView update, const http::Field& f) noexcept {
  switch (f.id) {
    case FieldId::ContentLength:
    case FieldId::ContentEncoding:
    case FieldId::ContentRange: return false;
    case FieldId::ContentType:
      return http::iequals(content::essence(f.value),
                           content::essence(stored.value(FieldId::ContentType).value_or("")));
    default: return !http::is_hop_by_hop(f.id) && !http::connection_names(update, f.name);
  }
}

}  // namespace

bool strong_match(std::string_view a, std::string_view b) noexcept { return a == b && !a.empty() && !is_weak(a); }
bool weak_match(std::string_view a, std::string_view b) noexcept { return opaque(a) == opaque(b); }

bool preconditions_hold(http::FieldsView request, int stored_status, http::FieldsView stored, WallTime now) noexcept {
  if (stored_status != 200) return false;
  // Section 13.2.2: If-Match takes precedence.
  if (request.has(FieldId::IfMatch)) return names_tag(request, FieldId::IfMatch, stored, strong_match);
  const auto asked = request.value(FieldId::IfUnmodifiedSince);
  if (!asked) return true;
  const auto since = http::parse_date(*asked, now);
  if (!since) return true;  // section 13.1.4: an invalid date is ignored
  const auto modified = date_of(stored, FieldId::LastModified, now);
  return modified && *modified <= *since;
}

Condition evaluate(http::FieldsView request, int stored_status, http::FieldsView stored, WallTime now) noexcept {
  if (stored_status != 200) return Condition::None;
  // Section 13.1.3: If-None-Match takes precedence.
  if (request.has(FieldId::IfNoneMatch)) {
    return names_tag(request, FieldId::IfNoneMatch, stored, weak_match) ? Condition::NotModified : Condition::None;
  }
  const auto since = date_of(request, FieldId::IfModifiedSince, now);
  if (!since) return Condition::None;
  // RFC 9111 section 4.3.2: without Last-Modified, Date is used.
  auto modified = date_of(stored, FieldId::LastModified, now);
  if (!modified) modified = date_of(stored, FieldId::Date, now);
  return modified && *modified <= *since ? Condition::NotModified : Condition::None;
}

bool if_range_holds(http::FieldsView request, http::FieldsView stored, WallTime now) noexcept {
  const auto validator = request.value(FieldId::IfRange);
  if (!validator) return true;
  if (validator->find('"') != std::string_view::npos) {
    return strong_match(*validator, stored.value(FieldId::ETag).value_or(""));
  }
  const auto asked = http::parse_date(*validator, now);
  const auto modified = date_of(stored, FieldId::LastModified, now);
  const auto date = date_of(stored, FieldId::Date, now);
  // Section 8.8.2.2: strong only if it is at least one second older than Date.
  return asked && modified && date && *asked == *modified && *date - *modified >= Seconds{1};
}

bool belongs_on_206(FieldId id, std::string_view name) noexcept {
  constexpr std::string_view kChecksums = "x-amz-checksum-";
  if (id == FieldId::ContentRange) return false;  // that of the 200 is dropped: the part has its own
  return id != FieldId::Other || !(http::iequals(name, "Content-Digest") || http::iequals(name, "Content-MD5") ||
                                   http::iequals(name.substr(0, kChecksums.size()), kChecksums));
}

bool belongs_on_304(http::FieldId id, std::string_view name) noexcept {
  switch (id) {
    case FieldId::CacheControl:
    case FieldId::CdnCacheControl:
    case FieldId::ContentLocation:
    case FieldId::Date:
    case FieldId::ETag:
    case FieldId::Expires:
    case FieldId::LastModified:
    case FieldId::Vary: return true;
    case FieldId::Other: {
      // A browser checks cross-origin access on the 304 itself.
      constexpr std::string_view kCors = "Access-Control-";
      return name.size() > kCors.size() && http::iequals(name.substr(0, kCors.size()), kCors);
    }
    default: return false;
  }
}

void add_validators(http::Fields& request, std::optional<std::string_view> etag,
                    std::optional<std::string_view> last_modified) {
  if (etag && !etag->empty()) request.set(FieldId::IfNoneMatch, *etag);
  if (last_modified && !last_modified->empty()) request.set(FieldId::IfModifiedSince, *last_modified);
}

bool selects(const http::ResponseView& not_modified, http::FieldsView stored) noexcept {
  const auto new_tag = not_modified.fields.value(FieldId::ETag);
  const auto old_tag = stored.value(FieldId::ETag);
  if (new_tag && !is_weak(*new_tag)) return old_tag && *new_tag == *old_tag;
  if (new_tag && old_tag) return weak_match(*new_tag, *old_tag);
  const auto new_date = not_modified.fields.value(FieldId::LastModified);
  const auto old_date = stored.value(FieldId::LastModified);
  if (new_date && old_date) return *new_date == *old_date;
  return true;
}

http::Fields freshen(http::FieldsView stored, http::FieldsView update) {
  const auto replaced = [&](const http::Field& f) {
    // Date and Age of the old exchange would make the freshened response look old (section 4.2.3).
    if (f.id == FieldId::Age || f.id == FieldId::Date) return true;
    return std::any_of(update.begin(), update.end(),
                       [&](const http::Field& u) { return has_name(u, f) && updates(stored, update, u); });
  };
  http::Fields result;
  for (const http::Field& f : stored) {
    if (!replaced(f)) result.add(f.name, f.value);
  }
  for (const http::Field& u : update) {
    if (updates(stored, update, u)) result.add(u.name, u.value);
  }
  return result;
}

bool is_confirmed(const http::ResponseView& head_response, http::FieldsView stored) noexcept {
  for (const FieldId id : {FieldId::ETag, FieldId::LastModified})
    if (const auto received = head_response.fields.value(id); received && received == stored.value(id)) return true;
  return false;
}

HeadUpdate compare_head(const http::ResponseView& head_response, http::FieldsView stored,
                        std::optional<std::uint64_t> stored_length) noexcept {
  if (head_response.fields.value(FieldId::ContentEncoding) != stored.value(FieldId::ContentEncoding))
    return HeadUpdate::None;
  for (const FieldId id : {FieldId::ETag, FieldId::LastModified}) {
    const auto received = head_response.fields.value(id);
    if (received && received != stored.value(id)) return HeadUpdate::Stale;
  }
  const auto length = head_response.fields.value(FieldId::ContentLength);
  if (!length) return HeadUpdate::Freshen;
  std::uint64_t n = 0;
  const bool same = http::parse_decimal(*length, UINT64_MAX, n) && stored_length && n == *stored_length;
  return same ? HeadUpdate::Freshen : HeadUpdate::Stale;
}

}  // namespace forebay::rules
