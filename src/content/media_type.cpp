#include "forebay/content/media_type.hpp"

#include "forebay/http/fields.hpp"

namespace forebay::content {
namespace {

constexpr char to_lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

}  // namespace

std::string_view essence(std::string_view content_type) noexcept {
  return http::trim(content_type.substr(0, content_type.find(';')));
}

bool is_type(std::string_view content_type, std::string_view type) noexcept {
  return http::iequals(essence(content_type), type);
}

bool is_json(std::string_view content_type) noexcept {
  constexpr std::string_view kSuffix = "+json";  // RFC 6839 section 3.1
  const auto type = essence(content_type);
  if (http::iequals(type, "application/json") || http::iequals(type, "text/json")) return true;
  const auto slash = type.find('/');
  if (slash == std::string_view::npos || !http::is_token(type.substr(0, slash))) return false;
  const auto subtype = type.substr(slash + 1);
  return subtype.size() > kSuffix.size() && http::is_token(subtype) &&
         http::iequals(subtype.substr(subtype.size() - kSuffix.size()), kSuffix);
}

void append_normal_type(std::string& out, std::string_view content_type) {
  bool quoted = false;
  for (std::size_t i = 0; i < content_type.size(); ++i) {
    const char c = content_type[i];
    if (quoted) {
      out.push_back(c);
      if (c == '\\' && i + 1 < content_type.size())
        out.push_back(content_type[++i]);
      else if (c == '"')
        quoted = false;
    } else if (c != ' ' && c != '\t') {
      out.push_back(to_lower(c));
      quoted = c == '"';
    }
  }
}

}  // namespace forebay::content
