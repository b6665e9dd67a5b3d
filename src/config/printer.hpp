#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/schema.hpp"
#include "forebay/config/config.hpp"

namespace forebay::config {

/// A scalar that reads back as this text: quoted where YAML or Forebay would see more in it.
std::string yaml_text(std::string_view text);
/// A name on the left of a colon, where `$` has no meaning.
std::string yaml_name(std::string_view text);

template <class List, class F>
std::string yaml_list(const List& list, F&& each) {
  std::string out = "[";
  for (const auto& item : list) {
    if (out.size() > 1) out += ", ";
    out += each(item);
  }
  return out + ']';
}

std::string yaml_texts(const std::vector<std::string>& list);
inline std::string yaml_bool(bool b) { return b ? "true" : "false"; }

/// The word of an option's closed list that stands for an enumerator; both are in one order.
template <class E>
std::string word(std::string_view option, E value) {
  const auto words = words_of(schema_at(option)->option->type);
  const auto text = words[std::min(static_cast<std::size_t>(value), words.size() - 1)];
  return std::string(text);  // Enums accept `on` and `off` as they are.
}

/// Writes keys in block style; the help of an option stands above its first use.
class Printer {
 public:
  void open(const std::string& name) {
    indent();
    out_ += name + ":\n";
    ++depth_;
  }
  /// An element of the list that is open; its first key stands behind the dash.
  void open_element() {
    ++depth_;
    dash_ = true;
  }
  void close() { --depth_; }
  void key(std::string_view schema, const std::string& value) {
    help_of(schema);
    raw(std::string(schema_at(schema)->name) + ": " + value);
  }
  void raw(const std::string& line) {
    indent();
    out_ += line + '\n';
  }
  void blank() { out_ += '\n'; }
  void help_of(std::string_view schema) {
    if (!helped_.insert(std::string(schema)).second) return;
    const auto& option = *schema_at(schema)->option;
    out_ += std::string(depth_ * 2, ' ') + "# " + std::string(option.help) +
            (option.restart ? " Needs a restart.\n" : "\n");
  }
  std::string take() { return std::move(out_); }

 private:
  void indent() {
    auto blanks = std::string(depth_ * 2, ' ');
    if (dash_) blanks.replace(blanks.size() - 2, 2, "- ");
    dash_ = false;
    out_ += blanks;
  }

  std::string out_;
  std::size_t depth_ = 0;
  bool dash_ = false;
  std::set<std::string, std::less<>> helped_;
};

/// A secret is not shown: only where it was read.
void print_secret(Printer& p, const std::string& schema, const std::string& value, const std::string& file);
void print_routes(Printer& p, const std::vector<Route>& routes, const AccessLog& access);

}  // namespace forebay::config
