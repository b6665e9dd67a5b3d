#include "config/hiding.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "config/keys.hpp"
#include "config/scalar.hpp"
#include "config/schema.hpp"
#include "forebay/base/text.hpp"
#include "forebay/config/secrecy.hpp"

namespace forebay::config {
namespace {

using Position = std::pair<int, int>;  // line and column in bytes, both from 1

constexpr Position kEnd{std::numeric_limits<int>::max(), 1};

Position start_of(const Node& node) { return {node.place.line, node.place.column}; }
Position end_of(const Node& node) { return {node.place.line, node.place.column + std::max(node.place.length, 1)}; }
bool in_file(const Node& node) { return node.place.flag < 0 && node.place.line > 0; }

/// Every node below `node`, itself included, once.
void collect(const Node& node, std::unordered_set<const Node*>& into) {
  if (!into.insert(&node).second) return;
  if (node.anchored) collect(*node.anchored, into);
  for (const auto& item : node.items) collect(*item, into);
  for (const auto* entries : {&node.entries, &node.repeated})
    for (const auto& [key, value] : *entries) {
      collect(*key, into);
      collect(*value, into);
    }
}

/// Hides nodes with everything up to the next node that is not theirs: quotes, block scalars and comments have no
/// ends of their own in the tree.
class Hiding final : public KeyVisitor {
 public:
  Hiding(const Node& root, Report& report) : report_(report) {
    redact("headers", access_.redact_headers, root);
    redact("query", access_.redact_query, root);
    std::unordered_set<const Node*> all;
    collect(root, all);
    for (const auto* node : all)
      if (in_file(*node)) starts_.emplace_back(start_of(*node), node);
    std::sort(starts_.begin(), starts_.end());
  }

  void unknown(const Entry& entry, const Where&) override {
    if (!stands_for_origin(entry) || !plain_url(*entry.value)) value(entry);
  }
  void later(const Entry& entry, const Where&) override { value(entry); }
  void repeated(const Entry& entry, const Schema* known) override { below(entry, entry.key->bad ? nullptr : known); }
  void misshapen(const Node& node, const std::string& path, std::string, std::string) override {
    if (!is_harmless(node, path)) whole(node);
  }

  void leaf(const Entry& entry, const Schema& known) override {
    const auto type = known.type();
    if (type == "secret") return value(entry);
    const bool takes_map = type.find("map") != std::string_view::npos || type.find("except") != std::string_view::npos;
    if (!takes_map && (entry.value->is_map() || has_maps(*entry.value))) return value(entry);
    // Values of header fields may be anything.
    const bool fields = known.name == "set" || type == "map of header name to text or file";
    if (fields && !entry.value->is_map()) return whole(*entry.value);
    for (const auto& inner : entry.value->repeated) value(inner);
    if (const auto kind = kind_of(known)) conditions(*entry.value, *kind);
    if ((type.find("glob") != std::string_view::npos && known.name != "host") ||
        type.find("header name") != std::string_view::npos)
      names(*entry.value, known.name == "headers" || type.find("header name") != std::string_view::npos);
    for (const auto& inner : entry.value->entries) {
      const bool status = known.name == "status" && parse_status(inner.key->text).value;
      const bool cut = name_of_key(inner.key->text).size() < inner.key->text.size();  // `Name: value` as a name
      if (fields || (known.name == "status" && !status) || (known.name == "headers" && cut)) value(inner);
    }
    named(*entry.value);
  }

  /// What the access log is told not to write, as far as it can be read already.
  static void redact(std::string_view what, std::vector<std::string>& into, const Node& root) {
    const Node* list = &root;
    for (const auto key : {std::string_view("log"), std::string_view("access"), std::string_view("redact"), what})
      list = list ? list->find(key) : nullptr;
    if (!list) return;
    into.clear();
    if (list->is_scalar()) into.push_back(list->text);
    for (const auto& item : list->items) into.push_back(item->text);
  }

  /// What the names of a map of conditions are names of; nothing for other keys.
  static std::optional<Named> kind_of(const Schema& known) {
    if (!known.parent || (known.parent->name != "match" && known.parent->name != "bypass")) return std::nullopt;
    if (known.name == "headers") return Named::Field;
    if (known.name == "query") return Named::Parameter;
    return known.name == "cookies" ? Named::Cookie : Named::Member;
  }

  void conditions(const Node& map, Named kind) {
    for (const auto& entry : map.entries)
      if (entry.value->is_map() || has_maps(*entry.value) || !shows_value(access_, kind, entry.key->text)) value(entry);
  }

  /// `X-Api-Key: ...` as a name: there is a value behind it.
  void names(const Node& node, bool fields) {
    const auto is_no_name = [&](const std::string& text) {
      return fields ? !is_token(text) : !is_glob(text) || text.find('=') != std::string::npos;
    };
    if (node.is_scalar() && is_no_name(node.text) && has_value_behind(node.text)) return whole(node);
    if (const auto* except = node.find("except")) names(*except, fields);
    for (const auto& item : node.items)
      if (item->is_scalar() && is_no_name(item->text) && has_value_behind(item->text)) whole(*item);
  }

  /// What has the name of a secret below a key whose names are the user's.
  void users_own(const Entry& entry) override {
    if (looks_secret(entry.key->text)) return value(entry);
    named(*entry.value);
  }

 private:
  /// Of a key that nobody looks into: what is not known to hold no secret.
  void below(const Entry& entry, const Schema* known) {
    const Node& node = *entry.value;
    const bool secret = !known || known->type() == "secret";
    const bool section = known && !known->children.empty() && !known->child("*") && !known->child("[]");
    if (secret || (section && known->type().empty() && !node.is_map()) ||
        (!section && (node.is_map() || has_maps(node))))
      return value(entry);
    if (!node.is_map()) return;
    for (const auto& inner : node.repeated) value(inner);
    for (const auto& inner : node.entries) below(inner, known->child(inner.key->text));
  }
  static bool has_maps(const Node& node) {
    return std::any_of(node.items.begin(), node.items.end(), [](const auto& item) { return !item->is_scalar(); });
  }

  void named(const Node& node) {
    for (const auto& item : node.items) named(*item);
    for (const auto& entry : node.repeated) value(entry);
    for (const auto& entry : node.entries) users_own(entry);
  }

  Position next(Position from, const std::unordered_set<const Node*>& inside) const {
    auto it = std::upper_bound(starts_.begin(), starts_.end(), from,
                               [](const Position& p, const auto& start) { return p < start.first; });
    while (it != starts_.end() && inside.count(it->second) != 0) ++it;
    return it == starts_.end() ? kEnd : it->first;
  }

  void value(const Entry& entry) {
    std::unordered_set<const Node*> inside;
    collect(*entry.value, inside);
    const Node& key = *entry.key;
    std::pair<Position, Position> hidden;
    if (in_file(key)) {
      // `token hunter2` and `token:hunter2` are keys for YAML.
      auto from = end_of(key);
      const auto name = name_of_key(key.text).size();
      if (key.bad)
        from = start_of(key);
      else if (name < key.text.size())
        from = {key.place.line, key.place.column + static_cast<int>(name)};
      hidden = {from, next(start_of(key), inside)};
      range(hidden.first, hidden.second, entry.value.get());
    }
    each(inside, hidden);  // Those of an alias stand elsewhere.
  }

  void whole(const Node& node) {
    std::unordered_set<const Node*> inside;
    collect(node, inside);
    each(inside);
  }

  /// Each run of nodes with nothing else between them at once, but for what is hidden already.
  void each(const std::unordered_set<const Node*>& nodes, std::pair<Position, Position> hidden = {}) {
    std::vector<std::pair<Position, const Node*>> own;
    for (const auto* node : nodes)
      if (in_file(*node) && !node->is_null()) own.emplace_back(start_of(*node), node);  // Nothing has no place.
    std::sort(own.begin(), own.end());
    Position done{};
    for (const auto& [start, node] : own) {
      if (start < done || (hidden.first <= start && start < hidden.second)) continue;
      done = next(start, nodes);
      range(start, done, node);
    }
  }

  std::string_view line(int number) const {
    const auto& lines = report_.lines();
    return number < 1 || static_cast<std::size_t>(number) > lines.size() ? std::string_view()
                                                                         : lines[static_cast<std::size_t>(number) - 1];
  }

  void range(Position from, Position to, const Node* value) {
    const int last = std::min(to.first, static_cast<int>(report_.lines().size()));
    for (int number = from.first; number <= last; ++number) {
      const auto text = line(number);
      auto begin = number == from.first ? static_cast<std::size_t>(from.second) - 1 : 0;
      auto end = number == to.first ? static_cast<std::size_t>(to.second) - 1 : text.size();
      begin = std::min(begin, text.size());
      end = std::min(end, text.size());
      if (number == from.first) begin = behind_colon(text, begin, end);
      while (begin < end && is_blank(text[begin])) ++begin;
      const auto own = number == from.first ? end_on_line(text, *value, number, end) : std::nullopt;
      if (own)
        end = *own;
      else if (number == to.first)  // What opens or separates the next node.
        while (end > begin && std::string_view(" \t-{[,\"'}]").find(text[end - 1]) != std::string_view::npos) --end;
      if (begin < end) report_.hide({number, static_cast<int>(begin) + 1, static_cast<int>(end - begin), -1});
    }
  }

  static std::size_t behind_colon(std::string_view text, std::size_t begin, std::size_t end) {
    auto at = begin;
    while (at < end && is_blank(text[at])) ++at;
    if (at < end && text[at] == ':' && (at + 1 >= text.size() || is_blank(text[at + 1]))) return at + 1;
    return begin;
  }

  /// Where a value ends, if nothing but brackets follows it on its line.
  static std::optional<std::size_t> end_on_line(std::string_view text, const Node& value, int number, std::size_t end) {
    if (!in_file(value) || value.place.line != number || value.is_null()) return std::nullopt;
    const auto start = static_cast<std::size_t>(value.place.column) - 1;
    const auto own = start + static_cast<std::size_t>(value.place.length);
    const bool flow = start < text.size() && (text[start] == '{' || text[start] == '[');
    if (own > end || (!value.is_scalar() && !flow)) return std::nullopt;
    const auto rest = text.substr(own, end - own);
    return rest.find_first_not_of(" \t}],") == std::string_view::npos ? std::optional(own) : std::nullopt;
  }

  Report& report_;
  AccessLog access_;
  std::vector<std::pair<Position, const Node*>> starts_;
};

/// All names of the table, and those of them that hold secrets.
struct Vocabulary {
  std::set<std::string_view> names, secrets;

  Vocabulary() { add(schema()); }
  void add(const Schema& node) {
    names.insert(node.name);
    if (node.type() == "secret") secrets.insert(node.name);
    for (const auto& child : node.children) add(*child);
  }
  bool shows(std::string_view name) const {
    return name == "except" || (names.count(name) != 0 && secrets.count(name) == 0) ||
           (is_users_own(name) && !looks_secret(name));
  }
};

/// What is hidden of one line, and whether what belongs to it on the lines behind is hidden too.
class LineReader {
 public:
  explicit LineReader(const Vocabulary& words) : words_(words) {}

  /// Where to hide from; npos: nothing.
  std::size_t hidden_from(std::string_view line) {
    std::size_t at = line.starts_with("---") ? 3 : 0;
    while (at < line.size() && (is_blank(line[at]) || (line[at] == '-' && is_break(line, at + 1)))) ++at;
    if (at >= line.size() || line[at] == '#') return std::string_view::npos;
    const bool shown = starts_with_known_key(line, at);
    if (inside_ && (!shown || at > indent_)) return at;
    inside_ = false;
    const auto from = scan(line, at);
    if (from != std::string_view::npos) {
      inside_ = true;
      indent_ = at;
    }
    return from;
  }

 private:
  static bool is_break(std::string_view line, std::size_t at) { return at >= line.size() || is_blank(line[at]); }

  static std::string_view word_at(std::string_view line, std::size_t& at) {
    const bool quoted = at < line.size() && (line[at] == '"' || line[at] == '\'');
    const auto begin = at + (quoted ? 1 : 0);
    auto end = begin;
    while (end < line.size() &&
           (is_alnum(line[end]) || std::string_view("_-.<").find(line[end]) != std::string_view::npos))
      ++end;
    at = end + (quoted && end < line.size() && line[end] == line[begin - 1] ? 1 : 0);
    return line.substr(begin, end - begin);
  }

  bool starts_with_known_key(std::string_view line, std::size_t at) const {
    const auto word = word_at(line, at);
    return words_.shows(word) && at < line.size() && line[at] == ':' && is_break(line, at + 1);
  }

  /// A key stands where the line begins, behind `{` and behind a comma. Where to hide from on, if something that stands
  /// so is no key that shows.
  std::size_t scan(std::string_view line, std::size_t at) const {
    bool in_list = false;
    while (true) {
      for (; at < line.size() && std::string_view(" \t{[,}]").find(line[at]) != std::string_view::npos; ++at)
        in_list = line[at] == '[' || (in_list && line[at] != '{' && line[at] != '}' && line[at] != ']');
      if (at >= line.size() || line[at] == '#') return std::string_view::npos;
      if (line[at] == '&' || line[at] == '!') {
        while (at < line.size() && !is_blank(line[at])) ++at;
        continue;
      }
      const auto begin = at;
      const auto word = word_at(line, at);
      if (at < line.size() && line[at] == ':' && is_break(line, at + 1)) {
        if (word != "<<" && !words_.shows(word)) return at + 1;
        at = past_value(line, at + 1);
      } else if (in_list || (begin > 0 && line[begin - 1] == ']')) {
        while (at < line.size() && std::string_view(",{]}").find(line[at]) == std::string_view::npos) ++at;
      } else {
        return word.empty() ? begin : at;
      }
    }
  }

  /// The comma behind a scalar, or where a flow collection begins.
  static std::size_t past_value(std::string_view line, std::size_t at) {
    while (at < line.size() && is_blank(line[at])) ++at;
    if (at < line.size() && std::string_view("{[&!").find(line[at]) != std::string_view::npos) return at;
    while (at < line.size() && line[at] != ',' && line[at] != '}') ++at;
    return at;
  }

  const Vocabulary& words_;
  bool inside_ = false;
  std::size_t indent_ = 0;
};

}  // namespace

void hide_values(const Node& root, Report& report) {
  Hiding hiding(root, report);
  walk_keys(root, hiding);
}

void hide_unread(Report& report, int first_line) {
  static const Vocabulary words;
  LineReader reader(words);
  for (std::size_t i = static_cast<std::size_t>(std::max(first_line, 1)) - 1; i < report.lines().size(); ++i) {
    const auto line = report.lines()[i];
    auto from = reader.hidden_from(line);
    while (from < line.size() && is_blank(line[from])) ++from;
    if (from < line.size())
      report.hide({static_cast<int>(i) + 1, static_cast<int>(from) + 1, static_cast<int>(line.size() - from), -1});
  }
}

}  // namespace forebay::config
