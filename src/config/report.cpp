#include "config/report.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace forebay::config {

namespace {

/// Calls `found(from, to)` with what stands behind the "?" or "#" of each url in `text`, and of each text with a "=" in
/// its query.
template <class F>
void for_each_query(std::string_view text, F&& found) {
  for (std::size_t from = 0; from < text.size();) {
    const auto end = std::min(text.find_first_of(" \t\"'", from), text.size());
    const auto word = text.substr(from, end - from);
    const auto scheme = word.find("://");
    auto mark = word.find('?');
    if (scheme != std::string_view::npos)
      mark = word.find_first_of("?#", scheme);
    else if (mark != std::string_view::npos && word.find('=', mark) == std::string_view::npos)
      mark = std::string_view::npos;
    if (mark != std::string_view::npos && mark + 1 < word.size()) found(from + mark + 1, end);
    from = end + 1;
  }
}

/// Calls `found(from, to)` with the user and password of each url in `text`: what stands before an "@" and behind "//",
/// or has a colon in it.
template <class F>
void for_each_userinfo(std::string_view text, F&& found) {
  std::size_t from = 0;
  while (from < text.size()) {
    const auto end = std::min(text.find_first_of(" \t\"'/[{,", from), text.size());
    const auto word = text.substr(from, end - from);
    if (const auto at = word.rfind('@'); at != std::string_view::npos && at > 0) {
      const bool of_url = text.substr(0, from).ends_with("//");
      if (of_url || word.substr(0, at).find(':') != std::string_view::npos) found(from, from + at);
    }
    from = end + 1;
  }
}

void hide_parts_of_urls(std::string& text) {
  const auto hide = [&](std::size_t from, std::size_t to) {
    std::fill(text.begin() + static_cast<std::ptrdiff_t>(from), text.begin() + static_cast<std::ptrdiff_t>(to), '*');
  };
  for_each_userinfo(text, hide);
  for_each_query(text, hide);
}

}  // namespace

Report::Report(std::string file, std::string_view text, std::vector<std::string> flags)
    : files_{{std::move(file), 1}}, flags_(std::move(flags)) {
  add_lines(text);
}

std::string_view Report::begin_file(std::string file, std::string text) {
  files_.push_back({std::move(file), static_cast<int>(lines_.size()) + 1});
  add_lines(texts_.emplace_back(std::move(text)));
  return texts_.back();
}

const Report::File& Report::file_of(int line) const noexcept {
  const auto next = std::upper_bound(files_.begin(), files_.end(), line,
                                     [](int number, const File& file) { return number < file.first_line; });
  return next == files_.begin() ? files_.front() : *std::prev(next);
}

Report::FileLine Report::at(const Place& place) const noexcept {
  const auto& file = file_of(place.line);
  const bool somewhere = place.flag < 0 && place.line > 0;
  return {file.name, somewhere ? place.line - file.first_line + 1 : 0, &file == &files_.front()};
}

std::string Report::in_words(const Place& place) const {
  const auto [file, line, first] = at(place);
  return " on line " + std::to_string(line) + (first ? std::string() : " of " + file);
}

void Report::add_lines(std::string_view text) {
  std::size_t at = 0;
  while (at <= text.size()) {
    const auto end = std::min(text.find('\n', at), text.size());
    auto line = text.substr(at, end - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines_.push_back(line);
    at = end + 1;
  }
}

void Report::error(int code, const Place& place, std::string path, std::string message, std::string hint) {
  failed_ = true;
  add(Severity::Error, code, place, std::move(path), std::move(message), std::move(hint));
}

void Report::warning(int code, const Place& place, std::string path, std::string message, std::string hint) {
  add(Severity::Warning, code, place, std::move(path), std::move(message), std::move(hint));
}

void Report::add(Severity severity, int code, const Place& place, std::string path, std::string message,
                 std::string hint) {
  if (diagnostics_.size() > kMost) return;
  if (!seen_.emplace(place.flag, place.line, place.column, code, message).second) return;
  Diagnostic d;
  if (diagnostics_.size() == kMost) {
    // A generated file with one systematic mistake; the thousand-and-first line would help nobody.
    d.severity = severity;
    d.code = code;
    d.file = files_.front().name;
    d.message = "too many mistakes: the first " + std::to_string(kMost) + " are shown";
    diagnostics_.push_back(std::move(d));
    return;
  }
  d.severity = severity;
  d.code = code;
  for (auto* text : {&path, &message, &hint})
    std::replace_if(
        text->begin(), text->end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, '?');
  for (auto* text : {&path, &message, &hint}) hide_parts_of_urls(*text);
  d.path = std::move(path);
  d.message = std::move(message);
  d.hint = std::move(hint);
  locate(d, place);
  diagnostics_.push_back(std::move(d));
}

void Report::locate(Diagnostic& d, const Place& place) const {
  if (place.flag >= 0 && static_cast<std::size_t>(place.flag) < flags_.size()) {
    d.flag = flags_[static_cast<std::size_t>(place.flag)];
  } else {
    d.file = file_of(place.line).name;
  }
  if (place.flag < 0 && place.line > 0 && static_cast<std::size_t>(place.line) <= lines_.size()) {
    const auto line = lines_[static_cast<std::size_t>(place.line) - 1];
    const auto before = line.substr(0, static_cast<std::size_t>(std::max(place.column - 1, 0)));
    const auto under = line.substr(before.size(), static_cast<std::size_t>(std::max(place.length, 1)));
    d.line = place.line;
    d.column = code_points(before) + 1;
    d.end_column = d.column + std::max(code_points(under), 1);
  }
}

/// Until here `line` counts over all files.
void Report::name_line(Diagnostic& d) const {
  if (d.line <= 0) return;
  d.source_line = shown(d.line);
  d.line -= file_of(d.line).first_line - 1;
}

void Report::not_looked_at(const Node& node, std::string path, const std::string& what) {
  warning(2090, node, std::move(path), what + " is not looked at by this check", "forebay check on its machine does");
}

Diagnostic Report::about(const Place& place, std::string path) const {
  Diagnostic d;
  d.path = std::move(path);
  locate(d, place);
  name_line(d);
  return d;
}

std::string Report::flag_of(const Place& place) const {
  const auto index = static_cast<std::size_t>(std::max(place.flag, 0));
  return place.flag >= 0 && index < flags_.size() ? flags_[index] : std::string();
}

void Report::hide(const Place& place) {
  if (place.flag >= 0 || place.line <= 0) return;
  const auto from = static_cast<std::size_t>(std::max(place.column - 1, 0));
  hidden_[place.line].emplace_back(from, from + static_cast<std::size_t>(std::max(place.length, 1)));
}

std::string Report::shown(int number) const {
  const auto line = lines_[static_cast<std::size_t>(number) - 1];
  std::vector<bool> covered(line.size(), false);
  const auto cover = [&](std::size_t from, std::size_t to) {
    for (; from < std::min(to, line.size()); ++from) covered[from] = true;
  };
  if (const auto it = hidden_.find(number); it != hidden_.end())
    for (const auto& [from, to] : it->second) cover(from, to);
  for_each_userinfo(line, cover);
  for_each_query(line, cover);
  std::string out;
  for (std::size_t at = 0; at < line.size();) {
    const auto n = std::max<std::size_t>(utf8_length(line.substr(at)), 1);
    const bool secret = covered[at];
    // One star for each code point, so that the caret stays where it is.
    out += secret ? std::string_view("*") : line.substr(at, n);
    at += n;
  }
  return out;
}

std::vector<Diagnostic> Report::take() {
  const auto order = [&](const Diagnostic& d) {
    return d.flag.empty() ? -1 : std::find(flags_.begin(), flags_.end(), d.flag) - flags_.begin();
  };
  std::stable_sort(diagnostics_.begin(), diagnostics_.end(), [&](const Diagnostic& a, const Diagnostic& b) {
    return std::make_tuple(order(a), a.line, a.column) < std::make_tuple(order(b), b.line, b.column);
  });
  for (auto& d : diagnostics_) name_line(d);
  return std::move(diagnostics_);
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kLongest = 60;
  std::string out = "\"";
  std::size_t shown = 0;
  while (!text.empty()) {
    if (shown++ == kLongest) {
      out += "...";
      break;
    }
    const auto n = utf8_length(text);
    const auto c = static_cast<unsigned char>(text.front());
    if (n == 0 || c < 0x20 || c == 0x7f) {
      out += "\\x";
      append_hex(out, c);
      text.remove_prefix(1);
      continue;
    }
    out += text.substr(0, n);
    text.remove_prefix(n);
  }
  return out + '"';
}

std::string_view name_of_key(std::string_view text) noexcept {
  const auto end = text.empty() ? std::string_view::npos : text.find_first_of(" \t\n:=", 1);
  return text.substr(0, end);
}

std::string key_in_quotes(std::string_view text) {
  const auto name = name_of_key(text);
  return in_quotes(name.size() == text.size() ? std::string(name) : std::string(name) + " ...");
}

std::vector<std::string_view> names_in(std::string_view text) {
  std::vector<std::string_view> names;
  while (true) {
    const auto comma = text.find(',');
    auto name = text.substr(0, comma);
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    if (name.empty() || name_of_key(name).size() < name.size()) return {};
    names.push_back(name);
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  if (names.size() < 2) names.clear();
  return names;
}

bool has_value_behind(std::string_view text) {
  return name_of_key(text).size() < text.size() && names_in(text).empty();
}

std::string list_hint(std::string_view text) {
  std::string out;
  for (const auto name : names_in(text)) out += (out.empty() ? "write [" : ", ") + std::string(name);
  return out.empty() ? out : clipped(out) + ']';
}

std::string clipped(std::string_view text) {
  constexpr std::size_t kLongest = 80;
  if (text.size() <= kLongest) return std::string(text);
  auto end = kLongest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return std::string(text.substr(0, end));
}

int code_points(std::string_view text) noexcept {
  int n = 0;
  while (!text.empty()) {
    text.remove_prefix(std::max<std::size_t>(utf8_length(text), 1));
    ++n;
  }
  return n;
}

}  // namespace forebay::config
