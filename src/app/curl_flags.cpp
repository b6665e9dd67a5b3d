#include "curl_flags.hpp"

#include <algorithm>
#include <array>

#include "forebay/base/base64.hpp"
#include "forebay/base/text.hpp"
#include "forebay/http/chars.hpp"
#include "forebay/http/fields.hpp"

namespace forebay::app {
namespace {

/// First characters of a JSON text or a file name: an object, a list, a string, a number, `true`, `false`, `null`.
bool begins_document(std::string_view word) {
  if (word.empty()) return false;
  if (word == "true" || word == "false" || word == "null") return true;
  return std::string_view("{[\"@").find(word.front()) != std::string_view::npos || is_digit(word.front()) ||
         (word.size() > 1 && word.front() == '-' && is_digit(word[1]));
}

bool given(const ExplainFlags& flags, std::string_view name) {
  return std::any_of(flags.headers.begin(), flags.headers.end(),
                     [&](const auto& field) { return http::iequals(field.first, name); });
}

/// As with curl, a field of -H overrides the field of another flag.
std::optional<std::string> add_field(ExplainFlags& flags, const char* name, const std::string& value,
                                     const char* flag) {
  if (!http::is_field_value(value)) return std::string(flag) + " contains a byte that is not allowed in a header field";
  if (!given(flags, name)) flags.headers.emplace_back(name, value);
  return std::nullopt;
}

std::optional<std::string> add_cookies(const std::vector<std::string>& cookies, ExplainFlags& flags) {
  if (cookies.empty()) return std::nullopt;
  std::string all;
  for (const auto& cookie : cookies) {
    if (cookie.find('=') == std::string::npos || !http::is_field_value(cookie))
      return "-b needs 'name=value; name=value'";
    all += (all.empty() ? "" : "; ") + cookie;
  }
  flags.headers.emplace_back("Cookie", all);
  return std::nullopt;
}

std::optional<std::string> add_fields(const CurlWords& words, ExplainFlags& flags) {
  if (!split_fields(words.headers, flags.headers)) return "-H needs 'Name: value'";
  if (auto wrong = add_cookies(words.cookies, flags)) return wrong;
  if (words.user_agent)
    if (auto wrong = add_field(flags, "User-Agent", *words.user_agent, "-A")) return wrong;
  if (words.referer)
    if (auto wrong = add_field(flags, "Referer", *words.referer, "-e")) return wrong;
  if (!words.user) return std::nullopt;
  const auto& user = *words.user;  // curl asks for a password that is not given; here it is empty
  const auto credentials = user.find(':') == std::string::npos ? user + ':' : user;
  return add_field(flags, "Authorization", "Basic " + to_base64(credentials), "-u");
}

using Kind = ExplainFlags::Content::Kind;

std::optional<std::string> take_content(ExplainFlags& flags) {
  const auto is_json = [](const auto& piece) { return piece.kind == Kind::Json; };
  const auto documents = std::count_if(flags.content.begin(), flags.content.end(), is_json);
  if (documents == 0) return std::nullopt;
  if (static_cast<std::size_t>(documents) != flags.content.size())
    return "--json with a document cannot be used with -d";
  for (const auto* name : {"Content-Type", "Accept"})  // as curl does
    if (!given(flags, name)) flags.headers.emplace_back(name, "application/json");
  return std::nullopt;
}

}  // namespace

void take_json(std::vector<std::string>& words) {
  for (std::size_t i = 1; i < words.size(); ++i) {
    constexpr std::string_view kEquals = "--json=";
    if (words[i] == "--") return;
    if (words[i].starts_with(kEquals)) {
      words.insert(words.begin() + static_cast<std::ptrdiff_t>(i) + 1, words[i].substr(kEquals.size()));
    } else if (words[i] != "--json" || i + 1 == words.size() || !begins_document(words[i + 1])) {
      continue;
    }
    words[i++] = "--json-content";
  }
}

bool split_fields(const std::vector<std::string>& lines, std::vector<std::pair<std::string, std::string>>& into) {
  for (const auto& line : lines) {
    const auto colon = line.find(':');
    if (colon == std::string::npos || !http::is_token(line.substr(0, colon))) return false;
    const auto value = http::trim(std::string_view(line).substr(colon + 1));
    if (!http::is_field_value(value)) return false;
    into.emplace_back(line.substr(0, colon), value);
  }
  return true;
}

std::optional<std::string> take_curl_words(const CurlWords& words, ExplainFlags& flags) {
  if (auto wrong = add_fields(words, flags)) return wrong;
  if (auto wrong = take_content(flags)) return wrong;
  const bool has_content = !flags.content.empty() && !flags.content_in_query;
  if (flags.content_in_query && flags.content.empty()) return "-G requires -d or --data-urlencode";
  if (words.head && !flags.method.empty() && flags.method != "HEAD")
    return "-I means HEAD, but -X is " + flags.method + "; give one";
  if (words.head && has_content) return "-I sends no content; remove -d, or add -G or -X";
  if (words.head) flags.method = "HEAD";
  if (flags.method.empty()) flags.method = has_content ? "POST" : "GET";
  if (!http::is_token(flags.method)) return "-X needs a method, not \"" + flags.method + '"';
  return std::nullopt;
}

std::optional<std::string> curl_flag_advice(std::string_view flag) {
  struct Advice {
    std::string_view brief, name, write;
  };
  // Flags that change the request have a replacement.
  static constexpr std::array<Advice, 31> kFlags{{
      {"", "--compressed", "-H 'Accept-Encoding: gzip'"},
      {"-r", "--range", "-H 'Range: bytes=0-99'"},
      {"-z", "--time-cond", "-H 'If-Modified-Since: ...'"},
      {"-F", "--form", "-d with the content and -H 'Content-Type: multipart/form-data; boundary=...'"},
      {"-T", "--upload-file", "-X PUT -d @FILE"},
      {"-x", "--proxy", "the URL alone"},
      {"", "--oauth2-bearer", "-H 'Authorization: Bearer ...'"},
      {"-L", "--location", ""},
      {"-f", "--fail", ""},
      {"-k", "--insecure", ""},
      {"-o", "--output", ""},
      {"-O", "--remote-name", ""},
      {"-w", "--write-out", ""},
      {"-m", "--max-time", ""},
      {"-D", "--dump-header", ""},
      {"-N", "--no-buffer", ""},
      {"-j", "--junk-session-cookies", ""},
      {"-K", "--config-file", ""},
      {"-n", "--netrc", ""},
      {"-q", "--disable", ""},
      {"-4", "--ipv4", ""},
      {"-6", "--ipv6", ""},
      {"-0", "--http1.0", ""},
      {"-#", "--progress-bar", ""},
      {"", "--http1.1", ""},
      {"", "--http2", ""},
      {"", "--http2-prior-knowledge", ""},
      {"", "--connect-timeout", ""},
      {"", "--resolve", ""},
      {"", "--retry", ""},
      {"", "--cookie-jar", ""},
  }};
  const auto* found = std::find_if(kFlags.begin(), kFlags.end(), [&](const Advice& a) {
    return flag == a.name || (!a.brief.empty() && flag == a.brief);
  });
  if (found == kFlags.end()) return std::nullopt;
  const auto word = std::string(flag) + " is a curl flag that explain does not support; ";
  return word + (found->write.empty() ? "explain sends nothing, so leave it out" : "use " + std::string(found->write));
}

std::string url_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (http::is_class(c, http::kUnreserved))
      out += c;
    else
      append_percent_encoded(out, static_cast<unsigned char>(c));
  }
  return out;
}

}  // namespace forebay::app
