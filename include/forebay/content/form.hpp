#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/base/error.hpp"

namespace forebay::content {

/// One field of application/x-www-form-urlencoded content, decoded; views into the buffer that `read_form` filled.
struct FormField {
  std::string_view name;
  std::string_view value;  ///< `a` and `a=` are one and the same here, as for every reader of forms.
  std::string_view sent;   ///< All of it, undecoded; a view into the content.
};
/// Fields in their order; `+` and `%20` are a space, empty pieces between `&` are nothing. `Malformed` for a `%`
/// without two hex digits behind it, which readers take differently. `buffer` and `out` are overwritten and used again.
Result<void> read_form(std::string_view content, std::string& buffer, std::vector<FormField>& out);
/// Decodes one name or value of a query or form the same way and appends it.
Result<void> append_form_decoded(std::string_view text, std::string& out);

/// The names under which one reader or another finds the parameter of a query or form that is sent as `name`: as sent;
/// decoded, with broken escapes as they are; `f` for `f[x]`; and `a_b` for `a.b` and `a b`, as in PHP.
class NameReadings {
 public:
  /// The views point to `name` or into `buffer`, which is overwritten.
  NameReadings(std::string_view name, std::string& buffer);
  auto begin() const noexcept { return each_.begin(); }
  auto end() const noexcept { return each_.begin() + static_cast<std::ptrdiff_t>(count_); }

 private:
  void add(std::string_view name) noexcept { each_[count_++] = name; }
  std::array<std::string_view, 6> each_;
  std::size_t count_ = 0;
};

/// Some readers take `;` for a separator too. Calls `is(name)` for the undecoded names that they find in `piece`, one
/// `name=value` between two `&`, until it returns true; gives whether it did. Nothing is called when there is no `;`.
template <class F>
bool any_name_between_semicolons(std::string_view piece, F&& is) {
  auto end = piece.find(';');
  if (end == std::string_view::npos) return false;
  while (true) {
    const auto part = piece.substr(0, end);
    if (!part.empty() && is(part.substr(0, part.find('=')))) return true;
    if (end == std::string_view::npos) return false;
    piece.remove_prefix(end + 1);
    end = piece.find(';');
  }
}

}  // namespace forebay::content
