#include "forebay/rules/cache_status.hpp"

#include <algorithm>

#include "forebay/base/text.hpp"
#include "forebay/http/structured_fields.hpp"

namespace forebay::rules {
namespace {

// A longer field may make the response too large for its recipients.
constexpr std::size_t kLongestKey = 4096;

void append_ttl(std::string& out, const CacheStatus& s) {
  if (!s.ttl) return;
  out.append("; ttl=");
  append_number(out, *s.ttl);
}

void append_forward(std::string& out, Forward why) { out.append("; fwd=").append(to_string(why)); }

void append_forward_status(std::string& out, int status) {
  if (status == 0) return;
  out.append("; fwd-status=");
  append_number(out, status);
}

void append_detail(std::string& out, std::string_view detail) {
  if (!detail.empty()) out.append("; detail=").append(detail);
}

void append_stale_error(std::string& out, const CacheStatus& s) {
  if (s.forward == Forward::None) {
    out.append("; hit");
  } else {
    append_forward(out, Forward::Stale);
    append_forward_status(out, s.forward_status);
  }
  append_ttl(out, s);
  append_detail(out, "stale-if-error");
}

void append_miss(std::string& out, const CacheStatus& s) {
  append_forward(out, s.forward == Forward::None ? Forward::UriMiss : s.forward);
  // Section 2.3: left out, it means the status that is sent.
  if (s.sent_status != 0 && s.sent_status != s.forward_status) append_forward_status(out, s.forward_status);
  if (s.stored) out.append("; stored");
  if (s.collapsed) out.append("; collapsed");
  append_ttl(out, s);
  append_detail(out, to_string(s.reason));
}

// For debugging, like the key.
void append_cause(std::string& out, const CacheStatus& s) {
  if (s.cause == Reason::None) return;
  out.append("; cause=").append(to_string(s.cause)).append("; cause-left=");
  append_number(out, s.cause_left);
}

// An sf-string holds visible ASCII alone; other bytes are percent-encoded; this is unambiguous, since `%` in the key is
// encoded too.
void append_key(std::string& out, std::string_view key) {
  const auto plain = [](char c) { return c >= 0x20 && c < 0x7f; };
  if (std::all_of(key.begin(), key.end(), plain)) return http::sf::append_string(out, key);
  std::string shown;
  for (const char c : key) {
    if (plain(c))
      shown += c;
    else
      append_percent_encoded(shown, static_cast<unsigned char>(c));
  }
  http::sf::append_string(out, shown);
}

}  // namespace

void append_cache_status(std::string& out, std::string_view name, const CacheStatus& s) {
  if (s.result == CacheResult::Error) return;
  if (http::sf::is_sf_token(name))
    out.append(name);
  else
    http::sf::append_string(out, name);
  switch (s.result) {
    case CacheResult::Hit:
    case CacheResult::Stale:
      out.append("; hit");
      append_ttl(out, s);
      if (s.result == CacheResult::Stale) append_detail(out, s.max_stale ? "max-stale" : "stale-while-revalidate");
      break;
    case CacheResult::StaleError: append_stale_error(out, s); break;
    case CacheResult::Coalesced:
      append_forward(out, s.forward == Forward::None ? Forward::UriMiss : s.forward);
      out.append("; collapsed");
      break;
    case CacheResult::Revalidated:
      append_forward(out, s.forward == Forward::None ? Forward::Stale : s.forward);
      append_forward_status(out, s.forward_status == 0 ? 304 : s.forward_status);
      if (s.stored) out.append("; stored");
      break;
    case CacheResult::Miss: append_miss(out, s); break;
    case CacheResult::Bypass:
      append_forward(out,
                     s.reason == Reason::Method || s.forward == Forward::Method ? Forward::Method : Forward::Bypass);
      append_detail(out, to_string(s.reason));
      break;
    case CacheResult::Error: break;
  }
  if (s.key.empty()) return;
  append_cause(out, s);
  if (s.key.size() <= kLongestKey) {
    out.append("; key=");
    append_key(out, s.key);
  }
}

}  // namespace forebay::rules
