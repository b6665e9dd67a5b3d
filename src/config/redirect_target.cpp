#include "forebay/config/redirect_target.hpp"

#include <algorithm>

#include "config/report.hpp"
#include "forebay/cache/key.hpp"
#include "forebay/http/chars.hpp"

namespace forebay::config {
namespace {

using Part = RedirectTarget::Part;

/// Host without port.
std::string_view without_port(std::string_view host) noexcept {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

bool is_in(std::string_view set, char c) noexcept { return set.find(c) != std::string_view::npos; }

/// Whether a byte of a part stands as it is at its place.
bool stays(char c, Part part, bool in_query) noexcept {
  if (http::is_class(c, http::kUnreserved) || is_in(":@/", c)) return true;
  if (part == Part::Query) return c == '?' || http::is_class(c, http::kSubDelim);
  // In a query, a value from the path must not begin another parameter.
  return http::is_class(c, http::kSubDelim) && !(in_query && is_in("&=+;", c));
}

void append_encoded(std::string& out, std::string_view text, Part part, bool in_query) {
  for (; !text.empty(); text.remove_prefix(1)) {
    const char c = text.front();
    if (stays(c, part, in_query) || percent_decoded(text) >= 0) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kUpperHex[byte >> 4];
    out += kUpperHex[byte & 15];
  }
}

constexpr bool is_url_byte(char c) noexcept {
  return c > 0x20 && c < 0x7f && std::string_view("\"<>\\^`|").find(c) == std::string_view::npos;
}

/// Compiles a text piece by piece, with the place in the URL that each part has.
class Compiler {
 public:
  Compiler(std::string_view text, const std::vector<std::string>& captures, RedirectTarget::Fault& fault)
      : text_(text), captures_(captures), fault_(fault) {}

  bool run(RedirectTarget& out) {
    if (!begins()) return false;
    std::string_view rest = text_;
    while (true) {
      const auto brace = rest.find_first_of("{}");
      const auto literal = rest.substr(0, brace);
      if (!take_literal(literal)) return false;
      if (brace == std::string_view::npos) {
        out.end = literal;
        return !in_authority_ || authority_ || bad("the URL has no host", "such as https://{host}{path}");
      }
      const auto close = rest.find('}', brace);
      if (rest[brace] == '}' || close == std::string_view::npos)
        return bad("a brace is not opened or not closed", "parts of the request are written like {host}");
      if (!take_part(literal, rest.substr(brace + 1, close - brace - 1), out)) return false;
      rest.remove_prefix(close + 1);
    }
  }

 private:
  bool bad(std::string message, std::string hint, bool unknown_part = false) {
    fault_ = {unknown_part, std::move(message), std::move(hint)};
    return false;
  }

  bool begins() {
    for (const char c : text_)
      if (!is_url_byte(c) && c != '{' && c != '}')
        return bad("a URL has no byte like " + in_quotes(std::string_view(&c, 1)), "percent-encode it");
    for (const std::string_view scheme : {"https://", "http://"})
      if (text_.starts_with(scheme)) {
        in_authority_ = true;
        skipped_ = scheme.size();
        return true;
      }
    if (text_.starts_with("{path}"))
      return !is_capture("path") || bad("the target begins with a capture, which may be a URL", "write /{path}");
    const bool path = text_.starts_with('/') && !text_.starts_with("//");
    return path || bad("the target is no http or https URL and no path",
                       text_.starts_with("//") ? "write the scheme, such as https:" + std::string(text_)
                                               : "such as https://{host}/new/{id}, or /new/{id}");
  }

  bool take_literal(std::string_view literal) {
    literal.remove_prefix(std::min(std::exchange(skipped_, 0), literal.size()));
    if (in_authority_) {
      const auto end = literal.find_first_of("/?#");
      const auto host = literal.substr(0, end);
      if (host.find('@') != std::string_view::npos)
        return bad("the URL has a user before its host", "leave it out: clients show it to nobody, or refuse it");
      authority_ = authority_ || !host.empty();
      if (end == std::string_view::npos) return true;
      if (!authority_) return bad("the URL has no host", "such as https://{host}{path}");
      in_authority_ = false;
    }
    in_query_ = in_query_ || literal.find_first_of("?#") != std::string_view::npos;
    return true;
  }

  bool take_part(std::string_view before, std::string_view name, RedirectTarget& out) {
    RedirectTarget::Piece piece{std::string(before), Part::Capture, std::string(name), in_query_};
    if (!is_capture(name)) {
      piece.capture.clear();
      if (name == "host")
        piece.part = Part::Host;
      else if (name == "path")
        piece.part = Part::Path;
      else if (name == "query")
        piece.part = Part::Query;
      else
        return unknown(name);
    }
    if (in_authority_) {
      // What a client sends must not choose the host.
      if (piece.part == Part::Capture || piece.part == Part::Query || (piece.part == Part::Path && !authority_))
        return bad(in_quotes("{" + std::string(name) + "}") + " stands in the host of the URL",
                   "only {host} does; write a \"/\" before other parts");
      authority_ = true;
      in_authority_ = piece.part == Part::Host;
    }
    if (piece.part == Part::Query && !in_query_) return bad("{query} does not stand behind a \"?\"", "write ?{query}");
    out.pieces.push_back(std::move(piece));
    return true;
  }

  bool is_capture(std::string_view name) const {
    return std::find(captures_.begin(), captures_.end(), name) != captures_.end();
  }

  bool unknown(std::string_view name) {
    std::string known = "{host}, {path}, {query}";
    for (const auto& capture : captures_) known += ", {" + capture + '}';
    return bad(
        "there is no " + in_quotes("{" + std::string(name) + "}") + ": the path of the route captures no such part",
        "known here: " + known, true);
  }

  std::string_view text_;
  const std::vector<std::string>& captures_;
  RedirectTarget::Fault& fault_;
  std::size_t skipped_ = 0;  // the scheme, of the first literal
  bool in_authority_ = false, authority_ = false, in_query_ = false;
};

}  // namespace

std::optional<RedirectTarget> RedirectTarget::compile(std::string_view text, const std::vector<std::string>& captures,
                                                      Fault& fault) {
  RedirectTarget target;
  if (!Compiler(text, captures, fault).run(target)) return std::nullopt;
  return target;
}

std::optional<std::string> RedirectTarget::expand(const Request& request) const {
  std::string out;
  const auto add = [&](std::string_view value, const Piece& piece) {
    append_encoded(out, value, piece.part, piece.in_query);
  };
  for (const auto& piece : pieces) {
    out += piece.text;
    switch (piece.part) {
      case Part::Host: {
        const auto host = without_port(request.host);
        if (host.empty()) return std::nullopt;
        out += host;
        break;
      }
      case Part::Path:
        if (!request.path.starts_with('/')) out += '/';
        add(request.path, piece);
        break;
      case Part::Query:
        if (request.query && !request.query->empty())
          add(*request.query, piece);
        else if (&piece == &pieces.back() && (end.empty() || end.front() == '#') &&
                 (out.ends_with('?') || out.ends_with('&')))
          out.pop_back();
        break;
      case Part::Capture:
        for (const auto& capture : request.captures)
          if (capture.name == piece.capture) add(capture.value, piece);
        break;
    }
  }
  out += end;
  const auto slashes = std::min(out.find_first_not_of('/'), out.size());
  if (slashes > 1) out.erase(0, slashes - 1);
  return out;
}

}  // namespace forebay::config
