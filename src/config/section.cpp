#include "config/section.hpp"

#include <algorithm>

#include "config/schema.hpp"
#include "config/suggest.hpp"

namespace forebay::config {
namespace {

const Option* option_at(const std::string& path) {
  const auto* known = schema_at(path);
  return known ? known->option : nullptr;
}

std::string_view bounds_at(const std::string& path) {
  const auto* option = option_at(path);
  return option ? option->bounds : std::string_view();
}

std::string name_of(const Node& node) {
  if (node.is_scalar()) return in_quotes(node.text);
  return node.is_map() ? "a map" : node.is_list() ? "a list" : "nothing";
}

/// Without what may be a value behind the name.
std::string name_in_quotes(const std::string& text) {
  return has_value_behind(text) ? key_in_quotes(text) : in_quotes(text);
}

std::string listed(const std::vector<std::string_view>& words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += i + 1 == words.size() ? " or " : ", ";
    out += words[i];
  }
  return out;
}

}  // namespace

std::string Section::schema_of(std::string_view key) const {
  return schema_.empty() ? std::string(key) : schema_ + '.' + std::string(key);
}

std::string Section::path_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + '.' + std::string(key);
}

std::string Section::path_of(std::string_view key, std::size_t index) const {
  return path_of(key) + '[' + std::to_string(index) + ']';
}

Section Section::in(std::string_view key) const {
  return {*report_, node_ ? node_->find(key) : nullptr, schema_of(key), path_of(key)};
}

const Node* Section::find(std::string_view key) const {
  if (!node_) return nullptr;
  const auto* entry = node_->entry(key);
  if (!entry || entry->value->bad) return nullptr;
  if (entry->value->is_null()) {
    const auto* known = schema_at(schema_of(key));
    // `origins:` with everything below it commented out is an empty section; `ttl:` without a value is a slip.
    const bool section =
        known && known->option && (known->option->type.starts_with("map") || known->option->type == "policy");
    if (!section) error(1002, *entry->key, path_of(key), in_quotes(key) + " has no value", {});
    return nullptr;
  }
  return entry->value.get();
}

void Section::fault(const Node& node, const std::string& path, const Fault& fault) const {
  report_->error(fault.code, node, path, fault.message, fault.hint);
}

const std::string* Section::scalar(const Node& node, const std::string& path, std::string_view what) const {
  if (node.bad) return nullptr;
  if (node.is_scalar()) return &node.text;
  error(1002, node, path, name_of(node) + " is not " + std::string(what), {});
  return nullptr;
}

std::optional<Duration> Section::duration_of(std::string_view key, const Node& node, const std::string& path) const {
  const auto* written = scalar(node, path, "a duration");
  if (!written) return std::nullopt;
  const auto parsed = parse_duration(*written);
  if (!parsed.value) {
    fault(node, path, parsed.fault);
    return std::nullopt;
  }
  const auto bounds = bounds_at(schema_of(key));
  const auto dots = bounds.find("..");
  if (dots != std::string_view::npos) {
    const auto low = parse_duration(bounds.substr(0, dots)).value.value_or(Duration{0});
    const auto high = parse_duration(bounds.substr(dots + 2)).value.value_or(Duration::max());
    const auto between =
        "between " + std::string(bounds.substr(0, dots)) + " and " + std::string(bounds.substr(dots + 2));
    if (*parsed.value < low || *parsed.value > high) {
      fault(node, path,
            {1004, in_quotes(*written) + (*parsed.value < low ? " is too short" : " is too long"), between});
      return std::nullopt;
    }
  }
  return parsed.value;
}

bool Section::duration(std::string_view key, Duration& out) const {
  const auto* node = find(key);
  if (!node) return false;
  const auto value = duration_of(key, *node, path_of(key));
  if (value) out = *value;
  return value.has_value();
}

bool Section::size(std::string_view key, std::uint64_t& out) const {
  const auto* node = find(key);
  const auto* written = node ? scalar(*node, path_of(key), "a size") : nullptr;
  if (!written) return false;
  const auto parsed = parse_size(*written);
  if (!parsed.value) return fault(*node, path_of(key), parsed.fault), false;
  if (const auto out_of =
          out_of_bounds<std::uint64_t>(*parsed.value, *written, bounds_at(schema_of(key)), parse_size)) {
    return fault(*node, path_of(key), *out_of), false;
  }
  out = *parsed.value;
  return true;
}

bool Section::ratio(std::string_view key, double& out) const {
  const auto* node = find(key);
  const auto* written = node ? scalar(*node, path_of(key), "a ratio") : nullptr;
  if (!written) return false;
  const auto parsed = parse_ratio(*written);
  if (!parsed.value) return fault(*node, path_of(key), parsed.fault), false;
  if (const auto out_of = out_of_bounds<double>(*parsed.value, *written, bounds_at(schema_of(key)), parse_ratio)) {
    return fault(*node, path_of(key), *out_of), false;
  }
  out = *parsed.value;
  return true;
}

bool Section::boolean(std::string_view key, bool& out) const {
  const auto* node = find(key);
  const auto* written = node ? scalar(*node, path_of(key), "true or false") : nullptr;
  if (!written) return false;
  const bool is_true = *written == "true";
  if ((is_true || *written == "false") && (!node->quoted || node->replaced)) {
    out = is_true;
    return true;
  }
  const auto low = lower_case(written->substr(0, 8));
  std::string hint = "write true or false";
  for (const auto* word : {"true", "yes", "on", "y", "1"})
    if (low == word) hint = "write true";
  for (const auto* word : {"false", "no", "off", "n", "0"})
    if (low == word) hint = "write false";
  const bool only_quotes = is_true || *written == "false";
  if (key == "cache" && *written != "0" && parse_duration(*written).value)
    hint = "a lifetime is \"ttl\": write ttl: " + *written;
  error(1002, *node, path_of(key),
        in_quotes(*written) + (only_quotes ? " in quotes is a text" : " is not true or false"),
        only_quotes ? hint + " without quotes" : hint);
  return false;
}

std::optional<std::int64_t> Section::any_integer(std::string_view key) const {
  const auto* node = find(key);
  const auto* written = node ? scalar(*node, path_of(key), "a whole number") : nullptr;
  if (!written) return std::nullopt;
  const auto parsed = parse_integer(*written);
  if (!parsed.value) return fault(*node, path_of(key), parsed.fault), std::nullopt;
  if (node->quoted && !node->replaced) {
    error(1002, *node, path_of(key), in_quotes(*written) + " in quotes is a text",
          "write " + *written + " without quotes");
    return std::nullopt;
  }
  if (const auto out_of =
          out_of_bounds<std::int64_t>(*parsed.value, *written, bounds_at(schema_of(key)), parse_integer)) {
    return fault(*node, path_of(key), *out_of), std::nullopt;
  }
  return parsed.value;
}

std::optional<std::size_t> Section::any_choice(std::string_view key) const {
  const auto* node = find(key);
  const auto* option = option_at(schema_of(key));
  const auto words = words_of(option ? option->type : std::string_view());
  const auto* written = node ? scalar(*node, path_of(key), listed(words)) : nullptr;
  if (!written) return std::nullopt;
  const auto it = std::find(words.begin(), words.end(), *written);
  if (it != words.end()) return static_cast<std::size_t>(it - words.begin());
  const auto near = nearest(*written, words);
  if (!near && key == "authorization") {  // Perhaps a credential that belongs to a header field.
    report_->hide(node->place);
    error(1002, *node, path_of(key), in_quotes(key) + " is not " + listed(words), "one of " + listed(words));
    return std::nullopt;
  }
  std::optional<std::string> meant;  // `warning` for `warn`, `err` for `error`
  for (const auto option_word : words)
    if (std::min(written->size(), option_word.size()) >= 3 &&
        (written->starts_with(option_word) || option_word.starts_with(*written)))
      meant = option_word;
  // YAML 1.1 tools turn `on` and `off` into true and false.
  const auto has = [&](std::string_view w) { return std::find(words.begin(), words.end(), w) != words.end(); };
  std::string hint = words.size() == 1 ? "write " + listed(words) : "one of " + listed(words);
  if (*written == "true" && has("on"))
    hint = "write on";
  else if (*written == "false" && has("off"))
    hint = "write off";
  else if (meant)
    hint = "did you mean \"" + *meant + "\"?";
  else if (near)
    hint = "did you mean \"" + *near + "\"?";
  error(1002, *node, path_of(key), in_quotes(*written) + " is not " + listed(words), hint);
  return std::nullopt;
}

bool Section::text(std::string_view key, std::string& out) const {
  const auto* node = find(key);
  const auto* written = node ? scalar(*node, path_of(key), "a text") : nullptr;
  if (written) out = *written;
  return written != nullptr;
}

std::optional<std::vector<NodePtr>> Section::list(std::string_view key) const {
  const auto* node = find(key);
  if (!node) return std::nullopt;
  std::vector<NodePtr> out;
  if (node->is_scalar()) {
    out.push_back(node_->entry(key)->value);
    return out;
  }
  if (!node->is_list()) {
    error(1002, *node, path_of(key), name_of(*node) + " is not a list", {});
    return std::nullopt;
  }
  bool good = true;
  for (std::size_t i = 0; i < node->items.size(); ++i) {
    const auto& item = node->items[i];
    if (item->bad) {
      good = false;
    } else if (!item->is_scalar()) {
      error(1002, *item, path_of(key) + '[' + std::to_string(i) + ']', name_of(*item) + " cannot stand in this list",
            {});
      good = false;
    } else {
      out.push_back(item);
    }
  }
  if (!good && out.empty()) return std::nullopt;
  return out;
}

bool Section::globs(std::string_view key, std::vector<std::string>& out) const {
  const auto all = list(key);
  if (!all) return false;
  out.clear();
  for (std::size_t i = 0; i < all->size(); ++i) {
    const auto& item = *(*all)[i];
    if (!is_glob(item.text)) {
      const auto list = list_hint(item.text);
      error(1002, item, path_of(key, i), name_in_quotes(item.text) + " is not a name or glob",
            list.empty() ? "such as utm_*" : list);
      continue;
    }
    check_separators(item, path_of(key, i));
    if (std::find(out.begin(), out.end(), item.text) == out.end()) out.push_back(item.text);
  }
  return true;
}

void Section::check_separators(const Node& item, const std::string& path) const {
  const auto& text = item.text;
  const auto at = text.find_first_of(",?&=;");
  if (at == std::string::npos) return;
  auto bare = text.substr(text[0] == '?' || text[0] == '&' ? 1 : 0);
  std::replace_if(
      bare.begin(), bare.end(), [](char c) { return c == '&' || c == ';'; }, ',');
  auto hint = list_hint(bare);
  if (const auto name = bare.substr(0, bare.find_first_of(",?=")); hint.empty() && !name.empty())
    hint = "write " + name;
  report_->warning(2022, item, path,
                   name_in_quotes(text) + " is one name, and the \"" + text[at] + "\" is a part of it", hint);
}

void Section::bad_field_name(const Node& node, const std::string& path) const {
  if (has_value_behind(node.text)) report_->hide(node.place);  // `Authorization: Bearer ...`
  error(1002, node, path, name_in_quotes(node.text) + " is not the name of a header field", list_hint(node.text));
}

bool Section::field_globs(std::string_view key, std::vector<std::string>& out) const {
  return header_names(key, out);  // A token may have `*` in it.
}

bool Section::header_names(std::string_view key, std::vector<std::string>& out) const {
  const auto all = list(key);
  if (!all) return false;
  out.clear();
  for (std::size_t i = 0; i < all->size(); ++i) {
    const auto& item = *(*all)[i];
    if (is_token(item.text))
      out.push_back(item.text);
    else
      bad_field_name(item, path_of(key, i));
  }
  return true;
}

}  // namespace forebay::config
