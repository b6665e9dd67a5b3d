#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "forebay/content/json.hpp"
#include "forebay/http/message.hpp"

namespace forebay::rules {

/// A tag with parts of an exchange in braces, such as `product-{id}`. `{{` and `}}` are braces.
class TagTemplate {
 public:
  enum class Part : std::uint8_t {
    Capture,         ///< `{id}`: of the route's path.
    Header,          ///< `{header:X-Shop}`: a field of the request.
    Body,            ///< `{body:/product/id}`: what a JSON Pointer finds in the request's content.
    ResponseHeader,  ///< `{response_header:X}`
    ResponseBody,    ///< `{response_body:/id}`
  };
  struct Piece {
    std::string text;  ///< What stands before the part.
    Part part = Part::Capture;
    std::string name;  ///< Of the capture or field.
    content::JsonPointer pointer{};
    bool operator==(const Piece&) const = default;
  };
  /// Why a text is no template: a sentence, and what would be right.
  struct Fault {
    std::string message, hint;
  };
  static std::optional<TagTemplate> compile(std::string_view text, Fault& fault);

  const std::string& text() const noexcept { return text_; }  ///< As written.
  const std::vector<Piece>& pieces() const noexcept { return pieces_; }
  const std::string& end() const noexcept { return end_; }  ///< What stands behind the last part.
  bool uses(Part part) const noexcept;
  bool operator==(const TagTemplate&) const = default;

 private:
  std::string text_;
  std::vector<Piece> pieces_;
  std::string end_;
};

/// Whether some tag can be one of both.
bool may_meet(const TagTemplate& a, const TagTemplate& b);
/// Whether one of the templates has this part.
bool any_uses(std::span<const TagTemplate> templates, TagTemplate::Part part) noexcept;

/// The content of a message, for templates.
struct TagContent {
  enum class State : std::uint8_t {
    None,        ///< There is none, or it is not of JSON: it has no parts.
    Text,        ///< Of JSON, as it seems.
    Unreadable,  ///< It is not known what it was.
  };
  State state = State::None;
  std::string_view text{};
};
/// What templates are filled from.
struct TagParts {
  std::vector<std::pair<std::string_view, std::string>> captures{};
  http::FieldsView request{};
  TagContent body{};
  std::optional<http::FieldsView> response{};  ///< Nothing: it is not known.
  TagContent answer{};                         ///< The response's content.
};
struct FilledTags {
  std::vector<std::string> tags;
  /// Indexes of templates that have more tags than are known: a part could not be read, there are too many, or some
  /// text is no tag (`is_tag`).
  std::vector<std::size_t> unknown;
};
/// The tags that templates have for an exchange. A part that is absent gives no tag. Where a pointer finds an array,
/// each member that is a string, a number or a bool gives one.
FilledTags fill(std::span<const TagTemplate> templates, const TagParts& parts);

}  // namespace forebay::rules
