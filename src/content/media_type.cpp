#include "forebay/content/media_type.hpp"

#include "forebay/base/text.hpp"
#include "forebay/http/chars.hpp"
#include "forebay/http/fields.hpp"

namespace forebay::content {
namespace {

// Each function takes its piece from the front of the rest; an empty piece means that it is absent.
class TypeReader {
 public:
  explicit TypeReader(std::string_view text) noexcept : left_(text) {}

  bool done() const noexcept { return left_.empty(); }
  bool at(char c) const noexcept { return !left_.empty() && left_.front() == c; }
  bool eat(char c) noexcept {
    if (!at(c)) return false;
    left_.remove_prefix(1);
    return true;
  }
  void skip_blanks() noexcept {
    while (!left_.empty() && is_blank(left_.front())) left_.remove_prefix(1);
  }
  std::string_view token() noexcept {
    std::size_t n = 0;
    while (n < left_.size() && http::is_class(left_[n], http::kTchar)) ++n;
    return take(n);
  }
  // With its quotes (section 5.6.4).
  std::string_view quoted_string() noexcept {
    for (std::size_t i = 1; at('"') && i < left_.size(); ++i) {
      if (left_[i] == '"') return take(i + 1);
      if (left_[i] == '\\' && ++i == left_.size()) break;
      const auto c = static_cast<unsigned char>(left_[i]);
      if ((c < 0x20 && c != '\t') || c == 0x7F) break;
    }
    return {};
  }

 private:
  std::string_view take(std::size_t n) noexcept {
    const auto piece = left_.substr(0, n);
    left_.remove_prefix(n);
    return piece;
  }

  std::string_view left_;
};

Charset charset_named(std::string_view value) noexcept {
  if (value.starts_with('"')) value = value.substr(1, value.size() - 2);
  if (http::iequals(value, "utf-8")) return Charset::Utf8;
  return http::iequals(value, "us-ascii") ? Charset::Ascii : Charset::Other;
}

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

Result<Charset> append_normal_type(std::string& out, std::string_view content_type) {
  TypeReader reader(http::trim(content_type));
  const auto type = reader.token();
  if (type.empty() || !reader.eat('/')) return Errc::Malformed;
  const auto subtype = reader.token();
  if (subtype.empty()) return Errc::Malformed;
  append_lower(out, type);
  out += '/';
  append_lower(out, subtype);
  auto charset = Charset::Unsaid;
  while (!reader.done()) {
    reader.skip_blanks();
    if (!reader.eat(';')) return Errc::Malformed;
    out += ';';
    reader.skip_blanks();
    if (reader.done() || reader.at(';')) continue;  // the grammar allows empty parameters
    const auto name = reader.token();
    if (name.empty() || !reader.eat('=')) return Errc::Malformed;
    const auto value = reader.at('"') ? reader.quoted_string() : reader.token();
    if (value.empty()) return Errc::Malformed;
    append_lower(out, name);
    out += '=';
    if (http::iequals(name, "charset")) {
      append_lower(out, value);
      charset = charset == Charset::Unsaid ? charset_named(value) : Charset::Other;
    } else {
      out += value;
    }
  }
  return charset;
}

}  // namespace forebay::content
