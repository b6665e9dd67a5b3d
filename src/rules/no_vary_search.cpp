#include "forebay/rules/no_vary_search.hpp"

#include <algorithm>
#include <variant>

#include "forebay/base/text.hpp"
#include "forebay/http/names.hpp"
#include "forebay/http/structured_fields.hpp"
#include "forebay/http/target.hpp"

namespace forebay::rules {
namespace {

namespace sf = http::sf;
using Ignored = NoVarySearch::Ignored;

constexpr std::string_view kField = "No-Vary-Search";
enum class Sent { Plain, Escaped, Broken };

// Calls `visit(byte, sent)` for each byte of a name or value as the form parser of the URL standard decodes it: `+` is
// a space, and a `%` without two hex digits behind it is left as it is.
template <class F>
void for_each_decoded(std::string_view text, F&& visit) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      visit(text[i] == '+' ? ' ' : text[i], Sent::Plain);
      continue;
    }
    const int byte = percent_decoded(text.substr(i));
    if (byte < 0) {
      visit('%', Sent::Broken);
      continue;
    }
    visit(static_cast<char>(byte), Sent::Escaped);
    i += 2;
  }
}

bool is_special(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7F || c == '%' || c == '|' || c == '&';
}

// Decodes and encodes again. The draft treats a broken `%` like an escaped one; here the two differ (the first as
// `%%`), because origins disagree on it. They also disagree on `;`, a separator for some, so it differs from an escaped
// one.
void append_normal(std::string_view text, bool is_name, std::string& out) {
  for_each_decoded(text, [&](char c, Sent sent) {
    if (sent == Sent::Broken)
      out.append("%%");
    else if (is_special(c) || (is_name && c == '=') || (c == ';' && sent == Sent::Escaped))
      append_percent_encoded(out, static_cast<unsigned char>(c));
    else
      out.push_back(c);
  });
}

// The strings of an inner list, as "parse a key" of the draft decodes them. Nothing when one is not a string.
std::optional<std::vector<std::string>> read_names(const sf::InnerList& list) {
  std::vector<std::string> names;
  for (const sf::Item& item : list.items) {
    const auto* name = std::get_if<std::string>(&item.value);
    if (!name) return std::nullopt;
    std::string& out = names.emplace_back();
    for_each_decoded(*name, [&](char c, Sent) { out.push_back(c); });
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

const bool* boolean(const sf::Member& member) noexcept {
  const auto* item = std::get_if<sf::Item>(&member);
  return item ? std::get_if<bool>(&item->value) : nullptr;
}

// `params`: a boolean, or the names that are ignored.
bool read_params(const sf::Member& member, NoVarySearch& rule) {
  if (const bool* all = boolean(member)) {
    rule.ignored = *all ? Ignored::All : Ignored::None;
    return true;
  }
  const auto* list = std::get_if<sf::InnerList>(&member);
  auto names = list ? read_names(*list) : std::nullopt;
  if (!names) return false;
  rule.ignored = names->empty() ? Ignored::None : Ignored::Listed;
  rule.names = std::move(*names);
  return true;
}

// `except`: names, beside a true `params` alone.
bool read_except(const sf::Member& member, NoVarySearch& rule) {
  const auto* list = std::get_if<sf::InnerList>(&member);
  auto names = list && rule.ignored == Ignored::All ? read_names(*list) : std::nullopt;
  if (!names) return false;
  if (!names->empty()) rule.ignored = Ignored::AllExcept;
  rule.names = std::move(*names);
  return true;
}

// "Parse a URL search variance". Unknown members and wrong types invalidate the field: a stricter match is always safe.
std::optional<NoVarySearch> read_rule(const sf::Dictionary& dictionary) {
  NoVarySearch rule;
  const sf::Member* except = nullptr;
  for (const auto& [name, member] : dictionary) {
    if (name == "key-order") {
      const bool* on = boolean(member);
      if (!on) return std::nullopt;
      rule.key_order = *on;
    } else if (name == "params") {
      if (!read_params(member, rule)) return std::nullopt;
    } else if (name == "except") {
      except = &member;
    } else {
      return std::nullopt;
    }
  }
  if (except && !read_except(*except, rule)) return std::nullopt;
  if (rule == NoVarySearch{}) return std::nullopt;
  return rule;
}

// Position of a counting parameter in normal form: `name=value` in a buffer.
struct Parameter {
  std::size_t from, equals, to;
};

// Reused between queries, since hits need them.
struct Buffers {
  std::string name;
  std::string text;
  std::vector<Parameter> kept;
};

std::string_view decoded(std::string_view text, std::string& buffer) {
  if (text.find_first_of("%+") == std::string_view::npos) return text;
  buffer.clear();
  for_each_decoded(text, [&](char c, Sent) { buffer.push_back(c); });
  return buffer;
}

// A name of `except` counts under every spelling that a parser may read as it.
bool rule_counts(const NoVarySearch& rule, std::string_view sent_name, std::string& buffer) {
  if (!rule.ignores(decoded(sent_name, buffer))) return true;
  return rule.ignored == Ignored::AllExcept &&
         http::may_be_read_as_any(http::NameKind::Parameter, sent_name, rule.names);
}

}  // namespace

bool NoVarySearch::ignores(std::string_view decoded_name) const noexcept {
  const auto listed = [&] { return std::binary_search(names.begin(), names.end(), decoded_name, std::less<>{}); };
  switch (ignored) {
    case Ignored::None: return false;
    case Ignored::Listed: return listed();
    case Ignored::All: return true;
    case Ignored::AllExcept: return !listed();
  }
  return false;
}

std::optional<NoVarySearch> read_no_vary_search(http::FieldsView response_fields) {
  std::string scratch;
  const auto value = response_fields.combined(kField, scratch);
  if (!value) return std::nullopt;
  const auto dictionary = sf::parse_dictionary(*value);
  return dictionary ? read_rule(*dictionary) : std::nullopt;
}

void append_search(const NoVarySearch& rule, std::string_view query, std::string& out) {
  thread_local Buffers b;
  b.text.clear();
  b.kept.clear();
  const bool crowded = http::is_crowded(query);
  http::for_each_query_pair(query, [&](const http::QueryPair& pair) {
    const auto counts = [&](std::string_view sent_name) { return rule_counts(rule, sent_name, b.name); };
    // A parameter with a counting one after a `;` counts itself.
    if (rule.ignored != Ignored::None && !crowded && !counts(pair.name) &&
        !http::any_name_between_semicolons(http::whole_pair(pair), counts))
      return;
    Parameter p{b.text.size(), 0, 0};
    append_normal(pair.name, true, b.text);
    p.equals = b.text.size();
    b.text.push_back('=');
    append_normal(pair.value.value_or(std::string_view{}), false, b.text);
    p.to = b.text.size();
    b.kept.push_back(p);
  });
  const auto name = [&](const Parameter& p) { return std::string_view(b.text).substr(p.from, p.equals - p.from); };
  if (rule.key_order && !crowded) {
    // Stably, by where they stood; std::stable_sort would allocate.
    std::sort(b.kept.begin(), b.kept.end(), [&](const Parameter& x, const Parameter& y) {
      const int order = name(x).compare(name(y));
      return order != 0 ? order < 0 : x.from < y.from;
    });
  }
  for (std::size_t i = 0; i < b.kept.size(); ++i) {
    if (i > 0) out.push_back('&');
    out.append(b.text, b.kept[i].from, b.kept[i].to - b.kept[i].from);
  }
}

void append_rule(const NoVarySearch& rule, std::string& out) {
  if (rule.key_order) out.append("key-order");
  const bool listed = rule.ignored == Ignored::Listed && !rule.names.empty();
  const bool except = rule.ignored == Ignored::AllExcept;
  if (!listed && !except && rule.ignored != Ignored::All) return;
  if (rule.key_order) out.push_back(';');
  out.append(listed ? "params" : "all");
  if (!listed && !except) return;
  // A name follows each `&`, so that an empty one is seen too.
  for (const std::string& name : rule.names) {
    out.push_back('&');
    for (const char c : name) {
      if (is_special(c))
        append_percent_encoded(out, static_cast<unsigned char>(c));
      else
        out.push_back(c);
    }
  }
}

}  // namespace forebay::rules
