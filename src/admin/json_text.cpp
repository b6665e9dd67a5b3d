#include "json_text.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <charconv>
#include <ctime>

#include "forebay/base/text.hpp"
#include "forebay/content/json.hpp"

namespace forebay::admin {

namespace json = boost::json;

std::optional<json::object> read_object(std::string_view content, std::string& fault) {
  json::error_code ec;
  auto parsed = json::parse({content.data(), content.size()}, ec);
  if (ec) return fault = "The content is not valid JSON: " + ec.message() + '.', std::nullopt;
  if (!parsed.is_object()) return fault = "The content must be a JSON object.", std::nullopt;
  if (!content::CanonicalJson().read(content, {}, content::Numbers::Written))
    return fault = "The content is not valid JSON: a name stands twice in an object, or it is nested too deep.",
           std::nullopt;
  return std::move(parsed.get_object());
}

std::optional<std::map<std::string, std::string, std::less<>>> read_texts(std::string_view content,
                                                                          std::initializer_list<std::string_view> names,
                                                                          std::string& fault) {
  std::map<std::string, std::string, std::less<>> out;
  if (content.empty()) return out;
  const auto object = read_object(content, fault);
  if (!object) return std::nullopt;
  for (const auto& [key, value] : *object) {
    const std::string_view name(key);
    bool known = false;
    std::string list;
    for (const auto n : names) {
      known = known || n == name;
      list.append(list.empty() ? "" : ", ").append(n);
    }
    if (!known && list.empty()) return fault = "This endpoint takes no members.", std::nullopt;
    if (!known)
      return fault = "Unknown member \"" + as_utf8(name) + "\"; known members are " + list + '.', std::nullopt;
    if (value.is_null()) continue;
    if (!value.is_string()) return fault = '"' + std::string(name) + "\" must be a string.", std::nullopt;
    out.emplace(name, value.get_string());
  }
  return out;
}

json::value to_json_value(const std::vector<config::Diagnostic>& diagnostics) {
  return json::parse(config::to_json(diagnostics));
}

std::string time_text(std::int64_t unix_seconds) {
  const auto seconds = static_cast<std::time_t>(unix_seconds);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc)};
}

json::value seconds(Duration d) {
  if (const auto whole = whole_seconds(d); Seconds(whole) == d) return whole;
  return std::chrono::duration<double>(d).count();
}

std::string with_plain_numbers(std::string_view document) {
  std::string out;
  out.reserve(document.size());
  while (!document.empty()) {
    const bool is_text = document[0] == '"', is_number = document[0] == '-' || is_digit(document[0]);
    std::size_t end = 1;
    if (is_text) {
      while (end < document.size() && document[end] != '"') end += document[end] == '\\' ? 2 : 1;
      ++end;
    } else if (is_number) {
      end = std::min(document.find_first_not_of("0123456789+-.eE"), document.size());
    }
    const auto piece = document.substr(0, end);
    document.remove_prefix(piece.size());
    double n = 0;
    char digits[400];  // the longest one has 309 before the point or 340 behind it
    if (is_number && piece.find('E') != piece.npos &&
        std::from_chars(piece.data(), piece.data() + piece.size(), n).ec == std::errc{})
      out.append(digits, std::to_chars(digits, digits + sizeof digits, n, std::chars_format::fixed).ptr);
    else
      out += piece;
  }
  return out;
}

}  // namespace forebay::admin
