#include "forebay/content/aws_credentials.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <string>

#include "forebay/base/text.hpp"

namespace forebay::content {
namespace {

bool is_visible(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

/// The number of exactly so many digits at the front, which is taken; -1 when there is none.
int take_number(std::string_view& text, std::size_t digits) noexcept {
  if (text.size() < digits) return -1;
  int value = 0;
  for (const char c : text.substr(0, digits)) {
    if (!is_digit(c)) return -1;
    value = 10 * value + (c - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, std::string_view any_of) noexcept {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

/// `Z` or `+01:00`; it is all that is left of `text`.
std::optional<std::chrono::minutes> offset_of(std::string_view text) noexcept {
  if (text == "Z" || text == "z") return std::chrono::minutes{0};
  const bool west = text.starts_with('-');
  if (!take(text, "+-")) return std::nullopt;
  const int hours = take_number(text, 2);
  if (!take(text, ":")) return std::nullopt;
  const int minutes = take_number(text, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || !text.empty()) return std::nullopt;
  const std::chrono::minutes offset{60 * hours + minutes};
  return west ? -offset : offset;
}

/// Its text; nothing where there is no such member. False where it is no string.
bool read_member(const boost::json::object& object, std::string_view name, std::string& out) {
  const auto* value = object.if_contains(name);
  if (!value || value->is_null()) return true;
  const auto* text = value->if_string();
  if (text) out.assign(text->data(), text->size());
  return text != nullptr;
}

}  // namespace

bool are_usable(const http::AwsCredentials& credentials) noexcept {
  return !credentials.access_key_id.empty() && !credentials.secret_access_key.empty() &&
         is_visible(credentials.access_key_id) && is_visible(credentials.secret_access_key) &&
         is_visible(credentials.session_token);
}

std::optional<WallTime> read_timestamp(std::string_view text) noexcept {
  const int year = take_number(text, 4);
  if (!take(text, "-")) return std::nullopt;
  const int month = take_number(text, 2);
  if (!take(text, "-")) return std::nullopt;
  const int day = take_number(text, 2);
  if (!take(text, "Tt ")) return std::nullopt;
  const int hour = take_number(text, 2);
  if (!take(text, ":")) return std::nullopt;
  const int minute = take_number(text, 2);
  if (!take(text, ":")) return std::nullopt;
  const int second = take_number(text, 2);
  if (std::min({year, month, day, hour, minute, second}) < 0) return std::nullopt;
  if (take(text, ".") && take_number(text, 1) < 0) return std::nullopt;
  while (take(text, "0123456789")) {
  }
  const auto offset = offset_of(text);
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  // A Duration of nanoseconds reaches from 1678 to 2261.
  const bool fits = year >= 1970 && year <= 2200 && date.ok() && hour <= 23 && minute <= 59 && second <= 60;
  if (!offset || !fits) return std::nullopt;
  return std::chrono::sys_days{date} + std::chrono::hours{hour} + std::chrono::minutes{minute} + Seconds{second} -
         *offset;
}

Result<http::AwsCredentials> read_container_credentials(std::string_view json) try {
  const auto value = boost::json::parse(json);
  const auto* object = value.if_object();
  if (!object) return Errc::Malformed;
  http::AwsCredentials out;
  std::string expiration;
  if (!read_member(*object, "AccessKeyId", out.access_key_id) ||
      !read_member(*object, "SecretAccessKey", out.secret_access_key) ||
      !read_member(*object, "Token", out.session_token) || !read_member(*object, "Expiration", expiration))
    return Errc::Malformed;
  if (!expiration.empty()) {
    out.expires = read_timestamp(expiration);
    if (!out.expires) return Errc::Malformed;
  }
  if (!are_usable(out)) return Errc::Malformed;
  return out;
} catch (const boost::system::system_error&) {
  return Errc::Malformed;
}

std::optional<http::AwsCredentials> read_shared_credentials(std::string_view file, std::string_view profile) {
  http::AwsCredentials out;
  bool inside = false;
  while (!file.empty()) {
    const auto end = file.find('\n');
    auto line = file.substr(0, end);
    file.remove_prefix(end == std::string_view::npos ? file.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    line = trim(line);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      inside = line.ends_with(']') && trim(line.substr(1, line.size() - 2)) == profile;
      continue;
    }
    const auto equals = line.find('=');
    if (!inside || equals == std::string_view::npos) continue;
    const auto name = lower_case(trim(line.substr(0, equals)));
    const auto value = trim(line.substr(equals + 1));
    if (name == "aws_access_key_id") out.access_key_id = value;
    if (name == "aws_secret_access_key") out.secret_access_key = value;
    if (name == "aws_session_token") out.session_token = value;
  }
  if (!are_usable(out)) return std::nullopt;
  return out;
}

}  // namespace forebay::content
