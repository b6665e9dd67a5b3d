#include "forebay/rules/tag_template.hpp"

#include <algorithm>

#include "forebay/base/text.hpp"
#include "forebay/content/json_scalars.hpp"
#include "forebay/rules/tags.hpp"

namespace forebay::rules {
namespace {

using Part = TagTemplate::Part;

/// Tags that one template may have for one exchange.
constexpr std::size_t kMostOfTemplate = 256;

struct Prefix {
  std::string_view text;
  Part part;
};
constexpr Prefix kPrefixes[] = {{"header:", Part::Header},
                                {"body:", Part::Body},
                                {"response_header:", Part::ResponseHeader},
                                {"response_body:", Part::ResponseBody}};

constexpr std::string_view kParts =
    "{capture} of the path, {header:NAME}, {body:/pointer}, {response_header:NAME} or {response_body:/pointer}";

bool is_name(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

/// The part between braces; nothing where it is none.
std::optional<TagTemplate::Piece> read_part(std::string_view inside, TagTemplate::Fault& fault) {
  TagTemplate::Piece piece;
  const auto bad = [&](std::string message, std::string hint) -> std::optional<TagTemplate::Piece> {
    fault = {std::move(message), std::move(hint)};
    return std::nullopt;
  };
  const auto shown = "{" + std::string(inside) + "}";
  for (const auto& [text, part] : kPrefixes) {
    if (!inside.starts_with(text)) continue;
    const auto rest = inside.substr(text.size());
    piece.part = part;
    if (part == Part::Header || part == Part::ResponseHeader) {
      if (!http::is_token(rest)) return bad(shown + " names no header field", "such as {header:X-Shop}");
      piece.name = rest;
      return piece;
    }
    auto pointer = content::JsonPointer::parse(rest);
    if (!pointer || pointer->steps().empty())
      return bad(shown + " has no JSON Pointer", "such as {body:/product/id} (RFC 6901)");
    piece.pointer = std::move(*pointer);
    return piece;
  }
  if (inside.find(':') != std::string_view::npos)
    return bad("a tag has no part " + shown, "parts are " + std::string(kParts));
  if (!is_name(inside))
    return bad(shown + " is not the name of a capture", "parts are " + std::string(kParts) + "; {{ is a brace");
  piece.name = inside;
  return piece;
}

}  // namespace

std::optional<TagTemplate> TagTemplate::compile(std::string_view text, Fault& fault) {
  TagTemplate made;
  const auto bad = [&](std::string message, std::string hint) -> std::optional<TagTemplate> {
    fault = {std::move(message), std::move(hint)};
    return std::nullopt;
  };
  if (text.empty()) return bad("a tag has a text", "such as products, or product-{id}");
  if (text.size() > kLongestTag) return bad("the tag is too long", "at most " + std::to_string(kLongestTag) + " bytes");
  made.text_ = text;
  std::string literal;
  while (!text.empty()) {
    const char c = text.front();
    if ((c == '{' || c == '}') && text.size() > 1 && text[1] == c) {
      literal += c;
      text.remove_prefix(2);
    } else if (c == '{') {
      const auto close = text.find('}');
      if (close == std::string_view::npos) return bad("a \"{\" is not closed", "write {{ for a brace");
      auto piece = read_part(text.substr(1, close - 1), fault);
      if (!piece) return std::nullopt;
      piece->text = std::exchange(literal, {});
      made.pieces_.push_back(std::move(*piece));
      text.remove_prefix(close + 1);
    } else if (c == '}') {
      return bad("a \"}\" is not opened", "write }} for a brace");
    } else if (c == ' ' || c == ',' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      return bad("a tag has neither blanks nor commas", "they separate tags; write a list with one tag in each item");
    } else {
      literal += c;
      text.remove_prefix(1);
    }
  }
  made.end_ = std::move(literal);
  return made;
}

bool TagTemplate::uses(Part part) const noexcept {
  return std::any_of(pieces_.begin(), pieces_.end(), [&](const Piece& p) { return p.part == part; });
}

bool any_uses(std::span<const TagTemplate> templates, Part part) noexcept {
  return std::any_of(templates.begin(), templates.end(), [&](const TagTemplate& t) { return t.uses(part); });
}

namespace {

/// A template as literal bytes and parts; a part stands for one byte or more.
constexpr int kAnyText = -1;
std::vector<int> symbols_of(const TagTemplate& t) {
  std::vector<int> out;
  const auto literal = [&](const std::string& text) {
    for (const char c : text) out.push_back(static_cast<unsigned char>(c));
  };
  for (const auto& piece : t.pieces()) {
    literal(piece.text);
    out.push_back(kAnyText);
  }
  literal(t.end());
  return out;
}

}  // namespace

bool may_meet(const TagTemplate& a, const TagTemplate& b) {
  const auto begin = [](const TagTemplate& t) -> const std::string& {
    return t.pieces().empty() ? t.end() : t.pieces().front().text;
  };
  const auto common = std::min(begin(a).size(), begin(b).size());
  if (begin(a).compare(0, common, begin(b), 0, common) != 0) return false;  // as with most of many
  const auto x = symbols_of(a), y = symbols_of(b);
  // meets[j]: x from i on and y from j on have a text in common. A part takes a byte, and then may end or go on.
  std::vector<char> below(y.size() + 1), meets(y.size() + 1);
  below[y.size()] = 1;  // both are at their end
  for (std::size_t i = x.size(); i-- > 0;) {
    meets[y.size()] = 0;
    for (std::size_t j = y.size(); j-- > 0;) {
      const bool any_x = x[i] == kAnyText, any_y = y[j] == kAnyText;
      if (!any_x && !any_y)
        meets[j] = x[i] == y[j] && below[j + 1];
      else
        meets[j] = below[j + 1] || (any_x && meets[j + 1]) || (any_y && below[j]);
    }
    std::swap(below, meets);
  }
  return below[0] != 0;
}

namespace {

/// The values of the pointers of all templates in one content.
class Pointed {
 public:
  Pointed(std::span<const TagTemplate> templates, Part part, const TagContent& content)
      : part_(part), unreadable_(content.state == TagContent::State::Unreadable) {
    if (content.state == TagContent::State::None) return;
    for (const auto& t : templates)
      for (const auto& piece : t.pieces())
        if (piece.part == part) pointers_.push_back(piece.pointer);
    if (pointers_.empty() || unreadable_) return;
    const auto first = content.text.find_first_not_of(" \t\r\n");
    of_many_ = first != std::string_view::npos && content.text[first] == '[';
    read_ = json_.read(content.text, pointers_, content::Numbers::Written).has_value();
    unreadable_ = !read_;
  }
  bool is_of(Part part) const noexcept { return part == part_; }
  /// False: it cannot be told.
  bool append(const content::JsonPointer& pointer, std::vector<std::string>& out) const {
    if (unreadable_) return false;
    if (!read_) return true;
    const auto at =
        static_cast<std::size_t>(std::find(pointers_.begin(), pointers_.end(), pointer) - pointers_.begin());
    if (const auto value = json_.value(at))
      content::append_scalars(*value, out);
    else
      return !(of_many_ && !is_index(pointer.steps().front()));
    return true;
  }

 private:
  static bool is_index(std::string_view step) noexcept {
    return !step.empty() && std::all_of(step.begin(), step.end(), is_digit);
  }

  Part part_;
  bool unreadable_, read_ = false;
  bool of_many_ = false;  // an array, whose members a pointer into an object may be meant for
  std::vector<content::JsonPointer> pointers_;
  content::CanonicalJson json_;
};

class Filling {
 public:
  Filling(std::span<const TagTemplate> templates, const TagParts& parts)
      : parts_(parts), body_(templates, Part::Body, parts.body), answer_(templates, Part::ResponseBody, parts.answer) {}

  /// False: there are more than are known, or some that are no tags.
  bool append(const TagTemplate& t, std::vector<std::string>& out) const {
    std::vector<std::string> made{std::string()};
    bool known = true;
    for (const auto& piece : t.pieces()) {
      std::vector<std::string> values;
      const bool told = append_values(piece, values);
      if (told && values.empty()) return true;  // whatever the other parts are
      known = known && told;
      if (made.size() * values.size() > kMostOfTemplate) {
        known = false;
        values.resize(kMostOfTemplate / made.size());
      }
      std::vector<std::string> longer;
      for (const auto& begun : made)
        for (const auto& value : values) {
          // Nothing is made of what is too long already.
          if (begun.size() + piece.text.size() + value.size() > kLongestTag) {
            known = false;
            continue;
          }
          longer.push_back(begun + piece.text + value);
        }
      made = std::move(longer);
    }
    for (auto& tag : made) {
      tag += t.end();
      if (is_tag(tag))
        out.push_back(std::move(tag));
      else
        known = false;
    }
    return known;
  }

 private:
  bool append_values(const TagTemplate::Piece& piece, std::vector<std::string>& out) const {
    const auto add = [&](std::string_view value) {
      if (!value.empty()) out.emplace_back(value);
    };
    switch (piece.part) {
      case Part::Capture:
        for (const auto& [name, value] : parts_.captures)
          if (name == piece.name) add(value);
        return true;
      case Part::Header: return append_field(parts_.request, piece.name, out);
      case Part::ResponseHeader: return parts_.response && append_field(*parts_.response, piece.name, out);
      case Part::Body: return body_.append(piece.pointer, out);
      case Part::ResponseBody: return parts_.response && answer_.append(piece.pointer, out);
    }
    return true;
  }

  /// Of several lines, readers differ in which one counts.
  static bool append_field(http::FieldsView fields, std::string_view name, std::vector<std::string>& out) {
    std::size_t lines = 0;
    for (const auto& f : fields) {
      if (!http::iequals(f.name, name)) continue;
      ++lines;
      if (!f.value.empty()) out.emplace_back(f.value);
    }
    return lines <= 1;
  }

  const TagParts& parts_;
  Pointed body_, answer_;
};

}  // namespace

FilledTags fill(std::span<const TagTemplate> templates, const TagParts& parts) {
  FilledTags filled;
  const Filling filling(templates, parts);
  for (std::size_t i = 0; i < templates.size(); ++i)
    if (!filling.append(templates[i], filled.tags)) filled.unknown.push_back(i);
  return filled;
}

}  // namespace forebay::rules
