#include "support/wire.hpp"

#include <algorithm>
#include <charconv>
#include <ostream>

namespace forebay::test {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool token_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool parse_field(std::string_view line, FieldLines& into) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const auto name = line.substr(0, colon);
  if (!std::all_of(name.begin(), name.end(), token_char)) return false;
  auto value = line.substr(colon + 1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  for (const char c : value)
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f) return false;
  into.emplace_back(std::string(name), std::string(value));
  return true;
}

}  // namespace

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

std::size_t FieldLines::count(std::string_view name) const {
  return static_cast<std::size_t>(std::count_if(begin(), end(), [&](auto& f) { return same_name(f.first, name); }));
}

std::string FieldLines::get(std::string_view name) const {
  std::string all;
  bool first = true;
  for (const auto& [n, v] : *this) {
    if (!same_name(n, name)) continue;
    if (!std::exchange(first, false)) all += ", ";
    all += v;
  }
  return all;
}

void FieldLines::remove(std::string_view name) {
  std::erase_if(*this, [&](auto& f) { return same_name(f.first, name); });
}

std::string_view to_string(Ending e) {
  switch (e) {
    case Ending::Complete: return "Complete";
    case Ending::Cut: return "Cut";
    case Ending::Reset: return "Reset";
    case Ending::Timeout: return "Timeout";
    case Ending::Malformed: return "Malformed";
  }
  return "?";
}

Ending Wire::ended(Socket::Got got) {
  switch (got) {
    case Socket::Got::End: return Ending::Cut;
    case Socket::Got::Reset: return Ending::Reset;
    default: return Ending::Timeout;
  }
}

Ending Wire::malformed(std::string why) {
  complaint_ = std::move(why);
  return Ending::Malformed;
}

Socket::Got Wire::more(Clock::duration limit) {
  std::string piece;
  const auto got = socket_->receive(piece, limit);
  buffer_ += piece;
  received_ += piece;
  return got;
}

// One line without its CRLF. A bare LF is an error of whoever sent it.
Ending Wire::line(std::string& into, Clock::duration limit) {
  std::size_t searched = 0;
  for (;;) {
    const auto lf = buffer_.find('\n', searched);
    if (lf != std::string::npos) {
      if (lf == 0 || buffer_[lf - 1] != '\r') return malformed("a line that ends in a bare LF");
      into = buffer_.substr(0, lf - 1);
      buffer_.erase(0, lf + 1);
      if (into.find('\r') != std::string::npos) return malformed("a bare CR");
      return Ending::Complete;
    }
    searched = buffer_.size();
    if (const auto got = more(limit); got != Socket::Got::Data) return ended(got);
  }
}

Ending Wire::read_head(Head& head, Clock::duration limit) {
  head = {};
  std::string text;
  bool first = true;
  for (;;) {
    const auto e = line(text, limit);
    if (e != Ending::Complete) {
      if (first) head.bytes = buffer_;  // empty: nothing had begun
      return e;
    }
    head.bytes += text;
    head.bytes += "\r\n";
    if (first) {
      if (text.empty()) return malformed("an empty start line");
      head.start_line = text;
      first = false;
    } else if (text.empty()) {
      return Ending::Complete;
    } else if (!parse_field(text, head.fields)) {
      return malformed("a bad field line: " + text);
    }
  }
}

Ending Wire::read_length(std::size_t length, const OnContent& on_content, Clock::duration limit) {
  while (length > 0) {
    if (buffer_.empty())
      if (const auto got = more(limit); got != Socket::Got::Data) return ended(got);
    const auto n = std::min(length, buffer_.size());
    on_content(std::string_view(buffer_).substr(0, n));
    buffer_.erase(0, n);
    length -= n;
  }
  return Ending::Complete;
}

Ending Wire::read_chunked(const OnContent& on_content, FieldLines& trailers, Clock::duration limit) {
  std::string text;
  for (;;) {
    if (const auto e = line(text, limit); e != Ending::Complete) return e;
    std::size_t size = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size, 16);
    if (error != std::errc{} || end == text.data()) return malformed("a bad chunk size: " + text);
    if (end != text.data() + text.size()) return malformed("a chunk extension was passed on: " + text);
    if (size == 0) break;
    if (const auto e = read_length(size, on_content, limit); e != Ending::Complete) return e;
    if (const auto e = line(text, limit); e != Ending::Complete) return e;
    if (!text.empty()) return malformed("bytes behind a chunk: " + text);
  }
  for (;;) {
    if (const auto e = line(text, limit); e != Ending::Complete) return e;
    if (text.empty()) return Ending::Complete;
    if (!parse_field(text, trailers)) return malformed("a bad trailer line: " + text);
  }
}

Ending Wire::read_until_close(const OnContent& on_content, Clock::duration limit) {
  for (;;) {
    if (!buffer_.empty()) on_content(buffer_);
    buffer_.clear();
    const auto got = more(limit);
    if (got == Socket::Got::End) return Ending::Complete;
    if (got != Socket::Got::Data) return ended(got);
  }
}

bool parse_length(const FieldLines& fields, std::size_t& length) {
  if (fields.count("Content-Length") != 1) return false;
  const auto text = fields.get("Content-Length");
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  return error == std::errc{} && end == text.data() + text.size() && !text.empty();
}

}  // namespace forebay::test
