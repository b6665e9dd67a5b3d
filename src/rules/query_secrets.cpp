#include "forebay/rules/query_secrets.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "forebay/base/base64.hpp"
#include "forebay/base/text.hpp"
#include "forebay/content/form.hpp"
#include "forebay/http/list.hpp"
#include "forebay/http/names.hpp"
#include "forebay/http/target.hpp"

namespace forebay::rules {
namespace {

// Not `*token`: most APIs use such names for paging.
constexpr std::array<std::string_view, 27> kSecrets{
    "*signature",    "sig",           "hmac",         "hdnts",           "hdnea",         "token",
    "access*token",  "auth*token",    "api*token",    "id*token",        "jwt",           "refresh*token",
    "private*token", "session*token", "bearer*token", "*security-token", "*secret",       "*password",
    "passwd",        "pwd",           "api*key",      "*access*key",     "authorization", "sessionid",
    "session_id",    "phpsessid",     "jsessionid"};

// The expiry for an unreadable date.
constexpr WallTime kUnreadable = WallTime::min();

// Later than any signature, and within the range of WallTime.
constexpr std::uint64_t kMostSeconds = std::uint64_t{1} << 33;

WallTime after_epoch(std::uint64_t seconds) noexcept {
  return WallTime{Seconds{static_cast<std::int64_t>(std::min(seconds, kMostSeconds))}};
}

WallTime later_by(WallTime from, std::uint64_t seconds) noexcept {
  return after_epoch(static_cast<std::uint64_t>(whole_seconds(from.time_since_epoch())) + seconds);
}

// Takes exactly that many digits from the front of `text`; nothing if there are fewer.
std::optional<int> take_digits(std::string_view& text, std::size_t n) noexcept {
  std::uint64_t value = 0;
  if (text.size() < n || !http::parse_decimal(text.substr(0, n), 9999, value)) return std::nullopt;
  text.remove_prefix(n);
  return static_cast<int>(value);
}

bool take(std::string_view& text, char c) noexcept {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

// ISO 8601 in UTC: 2026-11-29, 2026-11-29T20:05Z, 2026-11-29T20:05:09.5Z, 20261129T200509Z.
std::optional<WallTime> read_iso(std::string_view text) noexcept {
  using namespace std::chrono;
  const auto y = take_digits(text, 4);
  const bool dashes = take(text, '-');
  const auto m = take_digits(text, 2);
  if (dashes && !take(text, '-')) return std::nullopt;
  const auto d = take_digits(text, 2);
  if (!y || !m || !d) return std::nullopt;
  const year_month_day date{year{*y}, month{static_cast<unsigned>(*m)}, day{static_cast<unsigned>(*d)}};
  if (!date.ok() || *y < 1970 || *y > 2200) return std::nullopt;
  WallTime time{sys_days{date}};
  if (text.empty()) return time;
  if (!take(text, 'T') && !take(text, 't') && !take(text, ' ')) return std::nullopt;
  const auto hour = take_digits(text, 2);
  take(text, ':');
  const auto minute = take_digits(text, 2);
  if (!hour || !minute || *hour > 23 || *minute > 59) return std::nullopt;
  time += hours{*hour} + minutes{*minute};
  if (take(text, ':') || (!text.empty() && is_digit(text.front()))) {
    const auto second = take_digits(text, 2);
    if (!second || *second > 60) return std::nullopt;
    time += seconds{*second};
    if (take(text, '.')) text.remove_prefix(std::min(text.find_first_not_of("0123456789"), text.size()));
  }
  // All of them use UTC.
  return text == "Z" || text == "z" ? std::optional(time) : std::nullopt;
}

// Seconds since the epoch, or milliseconds if there are too many digits.
std::optional<WallTime> read_epoch(std::string_view text) noexcept {
  constexpr std::uint64_t kMilliseconds = 100'000'000'000;
  std::uint64_t n = 0;
  if (!http::parse_decimal(text, UINT64_MAX, n)) return std::nullopt;
  return after_epoch(n >= kMilliseconds ? n / 1000 : n);
}

// Base64 in CloudFront's URL alphabet or the standard one; other characters are skipped.
std::string read_base64(std::string_view text) {
  std::string letters;
  for (const char c : text) {
    const char letter = c == '-' ? '+' : c == '~' ? '/' : c;
    if (is_alnum(letter) || letter == '+' || letter == '/') letters.push_back(letter);
  }
  if (letters.size() % 4 == 1) letters.pop_back();
  return from_base64(letters, StrayBits::Ignored).value_or(std::string());
}

// {"Statement":[{...,"Condition":{"DateLessThan":{"AWS:EpochTime":1767225600}}}]}
std::optional<WallTime> read_policy(std::string_view value) {
  const std::string json = read_base64(value);
  const auto condition = json.find("DateLessThan");
  if (condition == std::string::npos) return std::nullopt;
  const auto time = json.find("AWS:EpochTime", condition);
  if (time == std::string::npos) return std::nullopt;
  const auto from = std::min(json.find_first_of("0123456789", time), json.size());
  const auto to = std::min(json.find_first_not_of("0123456789", from), json.size());
  return read_epoch(std::string_view(json).substr(from, to - from));
}

// A parameter of a query; several of one name are several ends.
struct Parameter {
  std::string name;   // decoded, lower case
  std::string value;  // decoded
};

std::vector<Parameter> read_parameters(std::string_view query) {
  std::vector<Parameter> all;
  const auto decoded = [](std::string_view text) {
    std::string out;
    if (!content::append_form_decoded(text, out)) out = text;
    return out;
  };
  http::for_each_query_pair(query, [&](const http::QueryPair& pair) {
    all.push_back({decoded(pair.name), decoded(pair.value.value_or(""))});
    make_lower(all.back().name);
  });
  return all;
}

class Ends {
 public:
  explicit Ends(std::string_view query) : all_(read_parameters(query)) {}

  std::optional<WallTime> earliest() {
    for (const std::string prefix : {"x-amz-", "x-goog-", "x-oss-", "x-tos-"}) dated(prefix);
    const bool is_signed = has("signature") || has("sig") || has("x-signature") || has("token");
    for (const auto& p : all_) {
      if (p.name == "expires" && (is_signed || has("key-pair-id") || has("awsaccesskeyid") || has("googleaccessid")))
        add(read_epoch(p.value));
      if (p.name == "policy" && is_signed && has("key-pair-id")) add(read_policy(p.value));
      if ((p.name == "se" || p.name == "ske") && has("sig")) add(read_iso(p.value));
    }
    return earliest_;
  }

 private:
  bool has(std::string_view name) const noexcept {
    return std::any_of(all_.begin(), all_.end(), [&](const Parameter& p) { return p.name == name; });
  }
  void add(std::optional<WallTime> end) {
    const auto stated = end.value_or(kUnreadable);
    earliest_ = earliest_ ? std::min(*earliest_, stated) : stated;
  }
  // A date, and the seconds for which it is good.
  void dated(const std::string& prefix) {
    for (const auto& expires : all_) {
      if (expires.name != prefix + "expires") continue;
      std::uint64_t seconds = 0;
      const bool good = http::parse_decimal(expires.value, kMostSeconds, seconds);
      bool any = false;
      for (const auto& date : all_) {
        if (date.name != prefix + "date") continue;
        any = true;
        const auto from = read_iso(date.value);
        add(good && from ? std::optional(later_by(*from, seconds)) : std::nullopt);
      }
      if (!any) add(std::nullopt);
    }
  }

  std::vector<Parameter> all_;
  std::optional<WallTime> earliest_;
};

}  // namespace

bool names_secret(std::string_view name) {
  std::string buffer;
  return http::NameReadings(http::NameKind::Parameter, name, buffer).may_be_any(kSecrets);
}

bool has_secret(std::string_view target) {
  const auto query = target.find('?');
  return query != std::string_view::npos && http::any_parameter_name(target.substr(query + 1), names_secret);
}

std::optional<WallTime> signed_until(std::string_view query) {
  return query.empty() ? std::nullopt : Ends(query).earliest();
}

}  // namespace forebay::rules
