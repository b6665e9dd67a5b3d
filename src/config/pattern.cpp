#include <algorithm>
#include <array>

#include "config/compiled_pattern.hpp"
#include "config/report.hpp"
#include "forebay/http/chars.hpp"
#include "forebay/http/list.hpp"
#include "forebay/http/target.hpp"

namespace forebay::config {
namespace {

using Kind = PatternSegment::Kind;
constexpr std::size_t kLongest = 4096;
constexpr std::size_t kMostSegments = 128;
constexpr int kMostGroups = 63;  // of a regular expression, up to the last that has a name

bool is_capture_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= 64 && !is_digit(name.front()) &&
         std::all_of(name.begin(), name.end(), [](char c) { return http::is_class(c, http::kUnreserved) && c != '~'; });
}

/// The segment of `path` from `at` on; past the end when `at` is behind the last one.
struct Cursor {
  std::string_view path;
  std::size_t at = 1;
  bool done() const noexcept { return at > path.size(); }
  std::size_t end() const noexcept { return std::min(path.find('/', at), path.size()); }
  std::string_view segment() const noexcept { return path.substr(at, end() - at); }
  void advance() noexcept { at = end() + 1; }
};

/// Where each segment of the pattern begins in the path that it matches.
using Starts = std::array<std::size_t, kMostSegments>;

/// `begins(i, at)` is told where segment `i` is tried; the last word on each segment is right when all match.
template <class Begins>
bool match_segments(const std::vector<PatternSegment>& segments, std::string_view path, Begins&& begins) noexcept {
  if (!path.starts_with('/')) return false;
  Cursor cursor{path};
  Cursor star_cursor{path};
  std::size_t i = 0;
  std::size_t after_star = 0;  // 0: no `**` seen yet
  while (!cursor.done()) {
    if (i < segments.size() && segments[i].kind == Kind::AnySegments) {
      if (i + 1 == segments.size()) return true;
      after_star = ++i;
      star_cursor = cursor;
      continue;
    }
    if (i < segments.size()) begins(i, cursor.at);
    if (i < segments.size() && segments[i].kind == Kind::Rest && cursor.at < path.size()) return true;
    if (i < segments.size() && segments[i].matches(cursor.segment())) {
      ++i;
      cursor.advance();
      continue;
    }
    if (after_star == 0) return false;
    star_cursor.advance();  // Let the last `**` take one segment more.
    cursor = star_cursor;
    i = after_star;
  }
  while (i < segments.size() && segments[i].kind == Kind::AnySegments) ++i;
  return i == segments.size();
}

/// Whether each segment that `theirs` matches is matched by `ours` too.
bool segment_covers(const PatternSegment& ours, const PatternSegment& theirs) noexcept {
  if (theirs.kind == Kind::AnySegments || theirs.kind == Kind::Rest) return false;
  switch (ours.kind) {
    case Kind::Literal: return theirs.kind == Kind::Literal && ours.text == theirs.text;
    case Kind::Glob:
      // A `*` of theirs can only stand under a `*` of ours, since no literal of ours is one.
      if (theirs.kind == Kind::Capture) return ours.text.find_first_not_of('*') == std::string::npos;
      return http::glob_match(ours.text, theirs.text);
    case Kind::Capture:
      if (theirs.kind == Kind::Capture) return true;
      return theirs.text.find_first_not_of(theirs.kind == Kind::Glob ? "*" : "") != std::string::npos;
    default: return false;
  }
}

/// Whether the segments from `j` on surely leave something for `{rest+}`, which wants at least one byte.
bool leaves_a_rest(const std::vector<PatternSegment>& theirs, std::size_t j) noexcept {
  std::size_t sure = 0;
  for (; j < theirs.size(); ++j) {
    const auto& s = theirs[j];
    if (s.kind == Kind::AnySegments) continue;
    if (s.kind == Kind::Capture || s.kind == Kind::Rest) return true;
    if (s.text.find_first_not_of(s.kind == Kind::Glob ? "*" : "") != std::string::npos) return true;
    if (++sure == 2) return true;  // Two segments have a slash between them.
  }
  return false;
}

/// The same walk as `match_segments`, over the other pattern's segments. What it finds is true; it may miss some.
bool segments_cover(const std::vector<PatternSegment>& ours, const std::vector<PatternSegment>& theirs) noexcept {
  std::size_t i = 0, j = 0, after_star = 0, star_j = 0;
  while (j < theirs.size()) {
    if (i < ours.size() && ours[i].kind == Kind::AnySegments) {
      if (i + 1 == ours.size()) return true;
      after_star = ++i;
      star_j = j;
      continue;
    }
    if (i < ours.size() && ours[i].kind == Kind::Rest && leaves_a_rest(theirs, j)) return true;
    if (i < ours.size() && segment_covers(ours[i], theirs[j])) {
      ++i;
      ++j;
      continue;
    }
    if (after_star == 0) return false;
    j = ++star_j;
    i = after_star;
  }
  while (i < ours.size() && ours[i].kind == Kind::AnySegments) ++i;
  return i == ours.size();
}

/// One segment as it is written; false with a sentence when it is none.
bool read_segment(std::string_view text, bool last, PatternSegment& out, std::vector<std::string>& captures,
                  std::string& why) {
  if (text == "**") {
    out.kind = Kind::AnySegments;
    return true;
  }
  if (text.find("**") != std::string_view::npos) return why = "\"**\" stands alone between slashes", false;
  if (text == "." || text == "..") return why = "a path has no \".\" and \"..\" when it is matched", false;
  if (text.find_first_of("{}") != std::string_view::npos) {
    const bool whole =
        text.size() > 2 && text.front() == '{' && text.find('}') == text.size() - 1 && text.rfind('{') == 0;
    if (!whole) return why = "a capture like {id} is a whole segment", false;
    auto name = text.substr(1, text.size() - 2);
    out.kind = name.ends_with('+') ? Kind::Rest : Kind::Capture;
    if (out.kind == Kind::Rest) name.remove_suffix(1);
    if (out.kind == Kind::Rest && !last)
      return why = "{" + std::string(name) + "+} takes all the rest, so it stands last", false;
    if (!is_capture_name(name)) return why = "a capture's name has letters, digits, \"_\", \"-\" and \".\"", false;
    if (std::find(captures.begin(), captures.end(), name) != captures.end()) {
      return why = "the capture {" + std::string(name) + "} stands twice", false;
    }
    captures.emplace_back(name);
    return true;
  }
  out.kind = text.find('*') == std::string_view::npos ? Kind::Literal : Kind::Glob;
  if (http::append_normal_segment(text, out.text)) return true;
  return why = "\"%\" is followed by two hex digits", false;
}

}  // namespace

bool PatternSegment::matches(std::string_view segment) const noexcept {
  switch (kind) {
    case Kind::Literal: return segment == text;
    case Kind::Glob: return http::glob_match(text, segment);
    case Kind::Capture: return !segment.empty();
    default: return false;
  }
}

PatternView PatternView::of(const PathPattern& pattern) noexcept {
  return {pattern.compiled_->regex ? nullptr : &pattern.compiled_->segments};
}

std::optional<PathPattern> PathPattern::parse(std::string_view text, std::string& why) {
  auto compiled = std::make_shared<Compiled>();
  compiled->text = std::string(text);
  if (text.size() > kLongest) {
    why = "a pattern has at most " + std::to_string(kLongest) + " bytes";
    return std::nullopt;
  }
  if (text.starts_with('~')) {
    auto expression = text.substr(1);
    while (expression.starts_with(' ')) expression.remove_prefix(1);
    if (expression.empty()) return why = "a regular expression follows \"~\"", std::nullopt;
    // Paths are bytes; Latin-1 keeps RE2 from reading more into them.
    re2::RE2::Options options(re2::RE2::Latin1);
    options.set_log_errors(false);
    options.set_max_mem(4 << 20);
    compiled->regex = std::make_unique<re2::RE2>(re2::StringPiece(expression.data(), expression.size()), options);
    if (!compiled->regex->ok()) return why = compiled->regex->error().substr(0, 200), std::nullopt;
    for (const auto& [index, name] : compiled->regex->CapturingGroupNames()) {
      compiled->captures.push_back(name);
      compiled->groups.push_back(index);
    }
    if (!compiled->groups.empty() && compiled->groups.back() > kMostGroups) {
      why = "named groups stand among the first " + std::to_string(kMostGroups) + " groups";
      return std::nullopt;
    }
  } else {
    if (!text.starts_with('/')) return why = "a path begins with \"/\"", std::nullopt;
    if (text.find('?') != std::string_view::npos)
      return why = "the query is no part of the path; see key.query", std::nullopt;
    if (text.find('#') != std::string_view::npos) return why = "a fragment never reaches a server", std::nullopt;
    for (auto rest = text.substr(1);;) {
      const auto slash = rest.find('/');
      PatternSegment segment;
      if (!read_segment(rest.substr(0, slash), slash == std::string_view::npos, segment, compiled->captures, why))
        return std::nullopt;
      compiled->segments.push_back(std::move(segment));
      if (compiled->segments.size() > kMostSegments) {
        why = "a pattern has at most " + std::to_string(kMostSegments) + " segments";
        return std::nullopt;
      }
      if (slash == std::string_view::npos) break;
      rest.remove_prefix(slash + 1);
    }
  }
  PathPattern pattern;
  pattern.compiled_ = std::move(compiled);
  return pattern;
}

PathPattern::PathPattern() {
  static const auto all = [] {
    auto compiled = std::make_shared<Compiled>();
    compiled->text = "/**";
    compiled->segments.push_back({Kind::AnySegments, {}});
    return compiled;
  }();
  compiled_ = all;
}
PathPattern::PathPattern(PathPattern&&) noexcept = default;
PathPattern& PathPattern::operator=(PathPattern&&) noexcept = default;
PathPattern::PathPattern(const PathPattern&) = default;
PathPattern& PathPattern::operator=(const PathPattern&) = default;
PathPattern::~PathPattern() = default;

bool PathPattern::matches(std::string_view path) const {
  if (compiled_->regex) return re2::RE2::FullMatch(re2::StringPiece(path.data(), path.size()), *compiled_->regex);
  return match_segments(compiled_->segments, path, [](std::size_t, std::size_t) {});
}

void PathPattern::capture(std::string_view path, std::vector<cache::Capture>& out) const {
  const auto& names = compiled_->captures;
  if (names.empty()) return;
  if (compiled_->regex) {
    std::array<re2::StringPiece, kMostGroups + 1> found;
    const re2::StringPiece text(path.data(), path.size());
    if (!compiled_->regex->Match(text, 0, path.size(), re2::RE2::ANCHOR_BOTH, found.data(),
                                 compiled_->groups.back() + 1))
      return;
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto& piece = found[static_cast<std::size_t>(compiled_->groups[i])];
      if (piece.data()) out.push_back({names[i], std::string_view(piece.data(), piece.size())});
    }
    return;
  }
  Starts starts{};
  if (!match_segments(compiled_->segments, path, [&](std::size_t i, std::size_t at) { starts[i] = at; })) return;
  std::size_t next = 0;
  for (std::size_t i = 0; i < compiled_->segments.size(); ++i) {
    const auto kind = compiled_->segments[i].kind;
    if (kind != Kind::Capture && kind != Kind::Rest) continue;
    const auto end = kind == Kind::Rest ? path.size() : std::min(path.find('/', starts[i]), path.size());
    out.push_back({names[next++], path.substr(starts[i], end - starts[i])});
  }
}

std::optional<std::string> PathPattern::example() const {
  if (compiled_->regex) return std::nullopt;
  std::string path;
  for (const auto& segment : compiled_->segments) {
    if (segment.kind == Kind::AnySegments) continue;
    path += '/';
    if (segment.kind == Kind::Capture || segment.kind == Kind::Rest) path += '1';
    for (const char c : segment.text) path += c == '*' ? '1' : c;
  }
  return path.empty() ? "/" : path;
}

const std::string& PathPattern::text() const noexcept { return compiled_->text; }
const std::vector<std::string>& PathPattern::captures() const noexcept { return compiled_->captures; }

bool PathPattern::covers(const PathPattern& other) const {
  if (compiled_->text == other.compiled_->text) return true;
  if (compiled_->regex) return false;
  const bool everything = compiled_->segments.size() == 1 && compiled_->segments.front().kind == Kind::AnySegments;
  if (everything || other.compiled_->regex) return everything;
  return segments_cover(compiled_->segments, other.compiled_->segments);
}

}  // namespace forebay::config
