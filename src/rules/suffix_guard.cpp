#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "forebay/content/media_type.hpp"
#include "forebay/http/fields.hpp"
#include "forebay/rules/storability.hpp"

namespace forebay::rules {
namespace {

// Extensions that caches treat as static files. Source maps and manifests are JSON and therefore excluded.
constexpr auto kStatic = std::to_array<std::string_view>(
    {"7z",   "aac", "apk",  "avi", "avif", "bin",  "bmp",  "bz2",  "class", "cjs", "css",  "cur",  "dmg", "doc",
     "docx", "ejs", "eot",  "eps", "exe",  "flac", "gif",  "gz",   "ico",   "iso", "jar",  "jpeg", "jpg", "js",
     "jxl",  "m4a", "m4v",  "mid", "midi", "mjs",  "mkv",  "mov",  "mp3",   "mp4", "mpeg", "mpg",  "ogg", "ogv",
     "otf",  "pdf", "png",  "ppt", "pptx", "ps",   "rar",  "svg",  "svgz",  "swf", "tar",  "tgz",  "tif", "tiff",
     "ttf",  "txt", "wasm", "wav", "weba", "webm", "webp", "woff", "woff2", "xls", "xlsx", "zip",  "zst"});

// HTML, JSON or XML formats, whose compressed files may have such a type.
constexpr auto kText = std::to_array<std::string_view>(
    {"atom", "geojson", "htm", "html", "json", "map", "ndjson", "rss", "svg", "webmanifest", "xhtml", "xml"});

constexpr auto kCompressed = std::to_array<std::string_view>({"br", "bz2", "gz", "zst"});

template <std::size_t N>
bool among(const std::array<std::string_view, N>& list, std::string_view suffix) noexcept {
  return std::any_of(list.begin(), list.end(), [&](std::string_view one) { return http::iequals(one, suffix); });
}

std::optional<std::string_view> suffix_of(std::string_view name) noexcept {
  const auto dot = name.rfind('.');
  return dot == std::string_view::npos ? std::nullopt : std::optional(name.substr(dot + 1));
}

enum class Named : std::uint8_t { Other, Static, Svg };

// The kind of file by its name. `pages.json.gz` is a document that was compressed, `app.js.gz` is a script.
Named named(std::string_view name) noexcept {
  auto suffix = suffix_of(name);
  if (!suffix) return Named::Other;
  if (among(kCompressed, *suffix)) {
    const auto inner = suffix_of(name.substr(0, name.size() - suffix->size() - 1));
    if (inner && among(kText, *inner)) return http::iequals(*inner, "svg") ? Named::Svg : Named::Other;
    if (inner && among(kStatic, *inner)) suffix = inner;
  }
  if (http::iequals(*suffix, "svg") || http::iequals(*suffix, "svgz")) return Named::Svg;
  return among(kStatic, *suffix) ? Named::Static : Named::Other;
}

// Delimiters that only some servers and caches use: `;`, and the escapes of `/ ; ? # \` and of line ends. Returns the
// length of the delimiter at `i`, 0 for none. Escapes are upper case in a normalised path.
std::size_t delimiter_at(std::string_view segment, std::size_t i) noexcept {
  if (segment[i] == ';') return 1;
  static constexpr auto kEscapes =
      std::to_array<std::string_view>({"%2F", "%3B", "%3F", "%23", "%5C", "%0A", "%0D", "%09", "%20"});
  return among(kEscapes, segment.substr(i, 3)) ? 3 : 0;
}

// The last segment as different servers may read it: whole, and cut at each possible delimiter. A static name takes
// precedence over an SVG, which may be XML.
Named path_named(std::string_view path) noexcept {
  const auto segment = path.substr(path.rfind('/') + 1);
  Named found = Named::Other;
  const auto look = [&](std::string_view name) {
    const Named n = named(name);
    if (n == Named::Static || found == Named::Other) found = n;
  };
  std::size_t from = 0;
  for (std::size_t i = 0; i < segment.size();) {
    const auto length = delimiter_at(segment, i);
    if (length > 0) {
      look(segment.substr(from, i - from));
      from = i + length;
    }
    i += std::max<std::size_t>(length, 1);
  }
  look(segment.substr(from));
  return found;
}

bool ends_with(std::string_view text, std::string_view end) noexcept {
  return text.size() >= end.size() && http::iequals(text.substr(text.size() - end.size()), end);
}

bool is_xml(std::string_view type) noexcept {
  const auto essence = content::essence(type);
  return http::iequals(essence, "text/xml") || http::iequals(essence, "application/xml") || ends_with(essence, "+xml");
}

bool is_document(std::string_view type, Named name) noexcept {
  if (content::is_type(type, "text/html") || content::is_type(type, "application/xhtml+xml")) return true;
  return content::is_json(type) || (name != Named::Svg && is_xml(type));
}

}  // namespace

bool is_deceptive(std::string_view path, const http::ResponseView& response) noexcept {
  const Named name = path_named(path);
  if (name == Named::Other) return false;
  return std::any_of(response.fields.begin(), response.fields.end(), [&](const http::Field& f) {
    return f.id == http::FieldId::ContentType && is_document(f.value, name);
  });
}

}  // namespace forebay::rules
