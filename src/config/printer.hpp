#pragma once

#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace forebay::config {

struct AccessLog;
struct Row;

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
/// `{ a: 1, b: 2 }` of what `each` gives for the items.
template <class List, class F>
std::string yaml_map(const List& list, F&& each) {
  std::string out;
  for (const auto& item : list) out += (out.empty() ? "{ " : ", ") + each(item);
  return out.empty() ? "{}" : out + " }";
}

/// What `print` has written, as JSON.
std::string json_of_yaml(const std::string& yaml);

/// Writes keys in block style; the help of a row stands above its first use.
class Printer {
 public:
  /// What `access` redacts is not shown.
  explicit Printer(const AccessLog& access) : access_(access) {}
  /// What it gives for the path of a key is written behind the key, unless it is empty. `first`: the key is the first
  /// one of its map, which is the one that a short form of the map sets.
  using Note = std::function<std::string(const std::string& path, bool first)>;
  Printer(const AccessLog& access, Note note) : access_(access), note_(std::move(note)) {}

  /// All keys of a table, those without a text left out.
  void rows(std::span<const Row> rows, const void* owner);
  /// One key of a table, also of one whose rows stand in a map without a name.
  void row(std::span<const Row> rows, std::string_view name, const void* owner);
  /// A map; nothing is written where nothing follows in it.
  void open(std::string_view name);
  /// An element of the list that is open; its first key stands behind the dash.
  void open_element();
  void close();
  void help(const Row& row);
  void line(const std::string& text);
  /// An empty line before what comes next, unless nothing stands before it.
  void gap() { gap_ = !out_.empty(); }
  std::string take() { return std::move(out_); }

 private:
  void write_open();
  std::string indent();
  std::string path_of(const std::string& line) const;

  /// A map or an element of a list that is being written.
  struct Frame {
    std::string name;          ///< `[2]` for an element.
    std::size_t elements = 0;  ///< Elements or keys in it, so far.
  };

  const AccessLog& access_;
  Note note_;
  std::vector<Frame> frames_;
  std::string out_;
  std::vector<std::string> open_;  ///< What is not written yet.
  std::size_t depth_ = 0;
  bool dash_ = false, gap_ = false;
  std::set<const Row*> helped_;
};

}  // namespace forebay::config
