#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/http/fields.hpp"

namespace forebay::rules {

/// What a response says about the query parameters it does not depend on (No-Vary-Search, draft of the HTTP working
/// group).
struct NoVarySearch {
  enum class Ignored : std::uint8_t { None, Listed, All, AllExcept };
  bool key_order = false;  ///< The order of parameters of different names does not matter.
  Ignored ignored = Ignored::None;
  std::vector<std::string> names;  ///< Decoded; of Listed and AllExcept; sorted, without doubles.
  bool operator==(const NoVarySearch&) const = default;
  bool ignores(std::string_view decoded_name) const noexcept;
};
/// Nothing for a field that is absent, unreadable, contradictory or has members of the wrong type, and for one that
/// leaves exact matching in force.
std::optional<NoVarySearch> read_no_vary_search(http::FieldsView response_fields);

/// Appends the query (without `?`, as sent) in a form that is equal exactly for queries that the rule treats as equal:
/// ignored parameters left out, names and values decoded as forms are and encoded again (`a` and `a=` are one), sorted
/// by name (stably) under `key_order`. `%`, `|`, `&`, control bytes and in names `=` are percent-encoded. A `%` without
/// two hex digits behind it stays apart from an escaped one, bytes that are no UTF-8 from one another, and `;` from
/// `%3B`, where the draft would treat them as equal; a parameter with a counting one after a `;` is not left out.
/// Allocates nothing once its buffers have grown.
void append_search(const NoVarySearch& rule, std::string_view query, std::string& out);
/// Appends the rule itself in one form for each meaning.
void append_rule(const NoVarySearch& rule, std::string& out);

}  // namespace forebay::rules
