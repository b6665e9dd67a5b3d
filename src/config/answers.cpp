// Routes that answer by themselves: `redirect` and `respond`.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "config/codecs.hpp"
#include "forebay/base/hash.hpp"

namespace forebay::config {
namespace {

constexpr std::size_t kLargestBody = 64 * 1024;

/// Keys of a route that counts for what it answers by itself.
constexpr std::string_view kCounting[] = {"name",    "path",     "host",    "match",
                                          "methods", "redirect", "respond", "response_headers"};

/// Media types by the ends of files' names.
constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
    {".html", "text/html; charset=utf-8"},
    {".htm", "text/html; charset=utf-8"},
    {".txt", "text/plain; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".json", "application/json"},
    {".webmanifest", "application/manifest+json"},
    {".xml", "application/xml"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".jpeg", "image/jpeg"},
    {".gif", "image/gif"},
    {".webp", "image/webp"},
    {".avif", "image/avif"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".wasm", "application/wasm"},
    {".pdf", "application/pdf"},
};

std::string_view type_of(const Respond& respond) {
  if (respond.file.empty()) return "text/plain; charset=utf-8";
  const auto name = lower_case(respond.file);
  for (const auto& [end, type] : kTypes)
    if (name.ends_with(end)) return type;
  return "application/octet-stream";
}

/// What the messages are about: the key in the map, else the route's own.
struct At {
  const Node* node;
  std::string path;
};
At at(const Section& route, std::string_view key, std::string_view inside) {
  const auto map = route.in(key);
  if (const auto* node = map.find(inside)) return {node, map.path_of(inside)};
  return {route.node()->find(key), route.path_of(key)};
}

/// Whether a redirect leads to what the same route matches: the same host, and a path without parts of the request.
bool leads_back(const Route& route) {
  if (!route.match.empty() || !route.redirect.to.starts_with('/')) return false;
  if (!route.redirect.target.pieces.empty()) return false;
  const auto path = std::string_view(route.redirect.to).substr(0, route.redirect.to.find_first_of("?#"));
  return route.path.matches(path);
}

void read_redirect(const Section& section, Route& route) {
  auto& redirect = route.redirect;
  const auto [node, path] = at(section, "redirect", "to");
  if (redirect.to.empty()) {
    if (section.map("redirect") && !section.map("redirect")->find("to"))
      section.error(1030, *node, path, "the redirect needs a target",
                    "write to: \"https://{host}/new/{id}\", or redirect: https");
    return;
  }
  redirect.only_http = is_https_redirect(redirect.to);
  if (redirect.status == 0) redirect.status = redirect.only_http ? 308 : 302;
  RedirectTarget::Fault fault;
  const auto port = redirect.only_http ? redirect.to.substr(5) : std::string();
  auto target = RedirectTarget::compile(redirect.only_http ? "https://{host}" + port + "{path}?{query}" : redirect.to,
                                        route.path.captures(), fault);
  if (!target) return section.error(fault.unknown_part ? 1031 : 1030, *node, path, fault.message, fault.hint);
  redirect.target = std::move(*target);
  if (leads_back(route))
    section.report().warning(2068, *node, path,
                             in_quotes(redirect.to) + " is a path of this route: clients are redirected for ever",
                             "put a route for it before this one, or name another target");
}

/// The content of a file, up to one byte over the limit; nothing with the reason in `why`.
std::optional<std::string> content_of(const std::string& file, std::string& why) {
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
    return why = "it is no regular file", std::nullopt;
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  if (!in) return why = errno != 0 ? std::strerror(errno) : "it cannot be opened", std::nullopt;
  std::string text(kLargestBody + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) return why = "it cannot be read to its end", std::nullopt;
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

/// The content that is written or in the file; nothing where it cannot be used, which is reported.
std::optional<std::string> content_of(const Section& section, const Respond& respond) {
  const auto [node, path] = at(section, "respond", respond.file.empty() ? "body" : "file");
  const auto fault = [&, node = node, path = path](std::string message, std::string hint = {}) {
    section.error(1032, *node, path, std::move(message), std::move(hint));
    return std::nullopt;
  };
  if (!respond.file.empty() && !respond.body.empty())
    return fault("\"body\" and \"file\" are the same thing", "write one of them");
  std::string why;
  if (!respond.file.empty()) section.report().note_source(respond.file);
  if (!respond.file.empty() && section.report().alone()) {
    section.report().not_looked_at(*node, path, "the file " + in_quotes(respond.file));
    return std::string();
  }
  auto content = respond.file.empty() ? std::optional(respond.body) : content_of(respond.file, why);
  if (!content) return fault(in_quotes(respond.file) + " cannot be read: " + why);
  if (content->size() > kLargestBody) return fault("the content is longer than 64 KiB", "let an origin answer it");
  const auto status = static_cast<int>(respond.status);
  if (!content->empty() && (http::never_has_content(status) || status == 205))
    return fault("an answer with the status " + std::to_string(respond.status) + " has no content",
                 "leave the content out, or write another status");
  return content;
}

void read_respond(const Section& section, Route& route) {
  auto& respond = route.respond;
  if (respond.status == 0) respond.status = 200;
  const auto content = content_of(section, respond);
  if (!content) return;
  auto& fields = respond.fields;
  for (const auto& [name, value] : respond.headers) fields.add(name, value);
  if (!content->empty()) {
    respond.content = Chunk::copy_of(*content);
    if (!fields.view().has(http::FieldId::ContentType)) fields.add(http::FieldId::ContentType, type_of(respond));
    if (respond.status == 200 && !fields.view().has(http::FieldId::ETag))
      fields.add(http::FieldId::ETag, '"' + sha256_hex(*content, 32) + '"');
  }
  for (const auto& name : route.response_headers.remove) fields.remove(name);
  for (const auto& [name, value] : route.response_headers.set) fields.set(name, value);
}

void check_others(const Section& section, const Route& route) {
  const bool reads_content = !route.match.body.empty();
  for (const auto& [key, value] : section.node()->entries) {
    const auto& name = key->text;
    const bool counts = std::find(std::begin(kCounting), std::end(kCounting), name) != std::end(kCounting);
    if (counts || value->bad || is_users_own(name) || (reads_content && name == "key")) continue;
    section.report().warning(2066, *key, section.path_of(name),
                             in_quotes(name) + " has no effect: the route answers by itself, and asks no origin",
                             "leave it out");
  }
}

}  // namespace

bool is_https_redirect(std::string_view to) noexcept {
  if (!to.starts_with("https")) return false;
  to.remove_prefix(5);
  if (to.empty()) return true;
  const auto port = to.front() == ':' ? parse_integer(to.substr(1)).value : std::nullopt;
  return port && *port >= 1 && *port <= 65535;
}

void read_answer(const Section& section, Route& route) {
  const auto* redirect = section.node()->entry("redirect");
  const auto* respond = section.node()->entry("respond");
  if (!redirect && !respond) return;
  route.answers = redirect ? Answers::Redirect : Answers::Respond;
  if (redirect && respond)
    return section.error(1034, *respond->key, section.path_of("respond"),
                         "a route has \"redirect\" or \"respond\", not both", "write two routes");
  if (redirect)
    read_redirect(section, route);
  else
    read_respond(section, route);
  check_others(section, route);
}

}  // namespace forebay::config
