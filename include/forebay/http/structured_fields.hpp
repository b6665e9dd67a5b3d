#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace forebay::http::sf {

/// Structured Fields, RFC 9651. One strict parser; any error invalidates the whole field.
struct Token {
  std::string text;
  bool operator==(const Token&) const = default;
};
struct Decimal {
  std::int64_t thousandths;
  bool operator==(const Decimal&) const = default;
};
struct Bytes {
  std::string bytes;
  bool operator==(const Bytes&) const = default;
};
struct SfDate {
  std::int64_t seconds;
  bool operator==(const SfDate&) const = default;
};
struct Display {
  std::string text;
  bool operator==(const Display&) const = default;
};
using Bare = std::variant<std::int64_t, Decimal, std::string, Token, Bytes, bool, SfDate, Display>;
using Parameters = std::vector<std::pair<std::string, Bare>>;

struct Item {
  Bare value;
  Parameters parameters;
};
struct InnerList {
  std::vector<Item> items;
  Parameters parameters;
};
using Member = std::variant<Item, InnerList>;
using List = std::vector<Member>;
using Dictionary = std::vector<std::pair<std::string, Member>>;

std::optional<Item> parse_item(std::string_view text);
std::optional<List> parse_list(std::string_view text);
std::optional<Dictionary> parse_dictionary(std::string_view text);

/// As an sf-string with quotes and escapes; only bytes 0x20..0x7E may be in `text`, others are replaced by '?'.
void append_string(std::string& out, std::string_view text);
/// Whether `text` is an sf-token.
bool is_sf_token(std::string_view text) noexcept;

}  // namespace forebay::http::sf
