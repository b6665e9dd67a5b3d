#pragma once

#include <string_view>
#include <utility>

#include "forebay/http/fields.hpp"
#include "forebay/http/list.hpp"

namespace forebay::http {

/// One pair of a Cookie field (RFC 6265 section 4.2.1). A piece without `=` is a name without a value.
struct CookiePair {
  std::string_view name;
  std::string_view value;
  bool has_value = true;
};

/// Calls `visit(CookiePair)` for each pair of all Cookie lines, in order. Blanks around names and values are removed;
/// empty pieces are skipped.
template <class F>
void for_each_cookie(FieldsView fields, F&& visit) {
  for (const auto& field : fields) {
    if (field.id != FieldId::Cookie) continue;
    auto rest = field.value;
    while (!rest.empty()) {
      const auto end = rest.find(';');
      const auto piece = trim(rest.substr(0, end));
      rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
      if (piece.empty()) continue;
      const auto equals = piece.find('=');
      if (equals == std::string_view::npos)
        visit(CookiePair{piece, {}, false});
      else
        visit(CookiePair{trim(piece.substr(0, equals)), trim(piece.substr(equals + 1)), true});
    }
  }
}

}  // namespace forebay::http
