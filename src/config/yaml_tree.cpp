// The only file that meets yaml-cpp. It takes the parser's events, not its nodes: those drop duplicate keys, share the
// mark of an anchor with its aliases, and let a node contain itself.
#include "config/yaml_tree.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <exception>
#include <optional>
#include <set>
#include <sstream>
#include <unordered_map>
#include <utility>

#include "config/hiding.hpp"
#include "config/source_extent.hpp"

namespace forebay::config {
namespace {

constexpr std::size_t kDeepest = 64;               // levels; the deepest key of the contract has six
constexpr std::size_t kMostFromAliases = 200'000;  // nodes; "a billion laughs" is ten lines that write out to 10^9
constexpr std::size_t kMostAlone = 100'000;        // nodes of a text that strangers may send
constexpr std::size_t kMostOpen = 1000;            // its brackets; the parser takes memory for each that is open

/// Ends the parse from inside an event; what is wrong has been reported.
struct Stop {};

class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(const Variables& variables, Report& report, int flag)
      : variables_(variables), report_(report), flag_(flag) {}

  NodePtr take() { return root_ ? std::move(root_) : std::make_shared<const Node>(); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    // The mark of an absent value is that of whatever comes next; the key is where the reader has to look.
    Node node;
    const bool written = line_of(place_of(mark)).substr(column_of(mark)).starts_with('~') ||
                         line_of(place_of(mark)).substr(column_of(mark)).starts_with("null");
    node.place = written || stack_.empty() || !stack_.back().key ? place_of(mark) : stack_.back().key->place;
    add(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto place = extent_of_alias(line_of(place_of(mark)), place_of(mark));
    if (open_.count(anchor) != 0) {
      report_.error(1015, place, {}, "an alias to what contains it has no end", "write the value out");
      throw Stop{};
    }
    const auto it = anchors_.find(anchor);
    if (it == anchors_.end()) {
      report_.error(1006, place, {}, "the alias has no anchor before it", {});
      throw Stop{};
    }
    Node node = *it->second;
    from_aliases_ += node.weight;
    if (from_aliases_ > kMostFromAliases) {
      report_.error(1015, place, {}, "aliases write out to more than " + std::to_string(kMostFromAliases) + " nodes",
                    "repeat less");
      throw Stop{};
    }
    node.place = place;
    node.anchored = it->second;
    add(std::move(node), YAML::NullAnchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Node node;
    node.kind = Node::Kind::Scalar;
    node.text = value;
    node.place = extent_of_scalar(line_of(place_of(mark)), place_of(mark), value);
    node.quoted = tag == "!" || tag == "tag:yaml.org,2002:str";
    check_tag(tag, node.place);
    if (flag_ < 0 && node.quoted) check_closed(node.place);
    add(std::move(node), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    push(Node::Kind::List, mark, tag, anchor);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    push(Node::Kind::Map, mark, tag, anchor);
  }
  void OnSequenceEnd() override { pop(); }
  void OnMapEnd() override { pop(); }

 private:
  struct Frame {
    Node node;
    YAML::anchor_t anchor = YAML::NullAnchor;
    NodePtr key;  ///< Of a map, when its value is due.
    std::unordered_map<std::string, std::size_t> index;
    std::vector<NodePtr> merges;
  };

  Place place_of(const YAML::Mark& mark) const {
    if (flag_ >= 0) return {0, 0, 1, flag_};
    return {mark.line + report_.first_line(), mark.column + 1, 1, -1};
  }
  std::size_t column_of(const YAML::Mark& mark) const {
    return std::min(static_cast<std::size_t>(std::max(mark.column, 0)), line_of(place_of(mark)).size());
  }
  std::string_view line_of(const Place& place) const {
    const auto& lines = report_.lines();
    if (place.line < 1 || static_cast<std::size_t>(place.line) > lines.size()) return {};
    return lines[static_cast<std::size_t>(place.line) - 1];
  }

  /// yaml-cpp 0.7 takes the end of the file for the missing quote.
  void check_closed(const Place& place) {
    const auto& lines = report_.lines();
    auto number = static_cast<std::size_t>(place.line) - 1;
    auto at = static_cast<std::size_t>(place.column);
    const auto begin = line_of(place);
    if (at == 0 || at > begin.size() || (begin[at - 1] != '"' && begin[at - 1] != '\'')) return;
    const char quote = begin[at - 1];
    for (; number < lines.size(); ++number, at = 0) {
      for (const auto line = lines[number]; at < line.size(); ++at) {
        if (line[at] == '\\' && quote == '"') {
          ++at;
        } else if (line[at] == quote) {
          if (quote == '"' || at + 1 >= line.size() || line[at + 1] != quote) return;
          ++at;
        }
      }
    }
    report_.error(1006, place, {}, "this quote is not closed", {});
    throw Stop{};
  }

  void check_tag(const std::string& tag, const Place& place) {
    static constexpr std::array<std::string_view, 10> kKnown{"",
                                                             "!",
                                                             "?",
                                                             "tag:yaml.org,2002:str",
                                                             "tag:yaml.org,2002:int",
                                                             "tag:yaml.org,2002:bool",
                                                             "tag:yaml.org,2002:float",
                                                             "tag:yaml.org,2002:null",
                                                             "tag:yaml.org,2002:map",
                                                             "tag:yaml.org,2002:seq"};
    for (const auto known : kKnown)
      if (tag == known) return;
    report_.error(1002, place, {}, "this tag means nothing here", "leave it out");
  }

  void push(Node::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    Frame frame;
    frame.node.kind = kind;
    frame.node.place = extent_of_collection(line_of(place_of(mark)), place_of(mark));
    frame.anchor = anchor;
    check_tag(tag, frame.node.place);
    if (stack_.size() >= kDeepest) {
      report_.error(1015, frame.node.place, {}, "nested more than " + std::to_string(kDeepest) + " levels deep", {});
      throw Stop{};
    }
    if (anchor != YAML::NullAnchor) open_.insert(anchor);
    stack_.push_back(std::move(frame));
  }

  void pop() {
    Frame frame = std::move(stack_.back());
    stack_.pop_back();
    if (frame.anchor != YAML::NullAnchor) open_.erase(frame.anchor);
    for (const auto& from : frame.merges) merge(frame, *from);
    add(std::move(frame.node), frame.anchor);
  }

  /// `<<` (YAML 1.1): explicit keys win, and among several maps the earlier one.
  void merge(Frame& into, const Node& from) {
    if (from.is_list()) {
      for (const auto& item : from.items) merge(into, *item);
      return;
    }
    if (!from.is_map()) {
      report_.error(1002, from, "<<", "\"<<\" takes a map, or a list of maps", "such as \"<<: *name\"");
      return;
    }
    for (const auto& entry : from.entries) {
      if (!into.index.emplace(entry.key->text, into.node.entries.size()).second) continue;
      into.node.weight += entry.value->weight + 1;
      into.node.entries.push_back(entry);
    }
  }

  void add(Node node, YAML::anchor_t anchor) {
    report_.step();
    if (report_.alone() && ++nodes_ > kMostAlone) {
      report_.error(1015, node, {}, "more than " + std::to_string(kMostAlone) + " keys and values",
                    "forebay check on its machine takes more");
      throw Stop{};
    }
    const bool is_value = stack_.empty() || stack_.back().node.is_list() || stack_.back().key;
    if (is_value && node.is_scalar() && !node.expanded) expand(node);
    auto ptr = std::make_shared<const Node>(std::move(node));
    if (anchor != YAML::NullAnchor) anchors_[anchor] = ptr;
    if (stack_.empty()) {
      root_ = std::move(ptr);
      return;
    }
    auto& frame = stack_.back();
    if (frame.node.is_list()) {
      frame.node.weight += ptr->weight;
      frame.node.items.push_back(std::move(ptr));
    } else if (!frame.key) {
      add_key(frame, std::move(ptr));
    } else {
      add_value(frame, std::move(ptr));
    }
  }

  void add_key(Frame& frame, NodePtr key) {
    if (!key->is_scalar()) {
      report_.error(1002, *key, {}, "a key is a text", {});
      auto stand_in = std::make_shared<Node>();
      stand_in->kind = Node::Kind::Scalar;
      stand_in->text = "x-";  // Nobody looks further into it.
      stand_in->place = key->place;
      stand_in->bad = true;
      key = std::move(stand_in);
    }
    frame.key = std::move(key);
  }

  void add_value(Frame& frame, NodePtr value) {
    const auto key = std::exchange(frame.key, nullptr);
    if (key->bad) {
      frame.node.repeated.push_back({key, std::move(value)});
      return;
    }
    const bool merges = key->text == "<<" && !key->quoted;
    const auto [it, fresh] = frame.index.emplace(key->text, frame.node.entries.size());
    if (!fresh) {
      report_.error(1005, *key, std::string(name_of_key(key->text)), "duplicate key " + key_in_quotes(key->text),
                    first_use(frame, key->text));
      frame.node.repeated.push_back({key, std::move(value)});
      return;
    }
    if (merges) {
      frame.merges.push_back(std::move(value));
      return;
    }
    frame.node.weight += value->weight + 1;
    frame.node.entries.push_back({key, std::move(value)});
  }

  std::string first_use(const Frame& frame, const std::string& name) const {
    const auto* entry = frame.node.entry(name);
    if (!entry || entry->key->place.line == 0) return "write it once";
    return "first" + report_.in_words(entry->key->place);
  }

  void expand(Node& node) {
    node.expanded = true;
    if (report_.alone() && expand_alone(node)) return;
    const auto fault = expand_variables(node.text, variables_, node.replaced);
    if (!fault) return;
    node.bad = true;
    report_.error(fault->code, node, {}, fault->message, fault->hint);
  }

  /// Of variables only their defaults are known. False: there are none, or what is written is wrong.
  bool expand_alone(Node& node) {
    std::set<std::string> names;
    const Variables noting = [&](const std::string& name) { return names.insert(name), std::nullopt; };
    const Variables empty = [](const std::string&) { return std::optional<std::string>(""); };
    auto text = node.text, by_default = node.text;
    bool replaced = false;
    const bool wrong = expand_variables(text, empty, replaced).has_value();
    if (wrong || !replaced) return false;
    const bool unset = expand_variables(by_default, noting, node.replaced).has_value();
    for (const auto& name : names) report_.not_looked_at(node, {}, "the variable " + in_quotes(name));
    if (unset)
      node.bad = node.unknown = true;
    else
      node.text = std::move(by_default);
    if (unset) report_.leave_open();
    return true;
  }

  const Variables& variables_;
  Report& report_;
  int flag_;
  std::size_t nodes_ = 0;
  NodePtr root_;
  std::vector<Frame> stack_;
  std::unordered_map<YAML::anchor_t, NodePtr> anchors_;
  std::set<YAML::anchor_t> open_;
  std::size_t from_aliases_ = 0;
};

/// Looks at what a second document begins with, and stops there.
class FirstMark final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override {
    mark_ = mark;
    throw Stop{};
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
  const YAML::Mark& mark() const { return mark_; }

 private:
  YAML::Mark mark_;
};

/// Bytes that YAML does not have (YAML 1.2 section 5.1), found before the parser sees them.
bool report_bad_bytes(std::string_view text, Report& report) {
  Place place{report.first_line(), 1, 1, -1};
  while (!text.empty()) {
    const auto n = utf8_length(text);
    const auto c = static_cast<unsigned char>(text.front());
    const char* wrong = nullptr;
    if (n == 0)
      wrong = "not UTF-8";
    else if (c == '\r' && !text.starts_with("\r\n"))
      wrong = "a carriage return without a newline";
    else if ((c < 0x20 && c != '\n' && c != '\t' && c != '\r') || c == 0x7f)
      wrong = "a control byte";
    if (wrong) {
      report.error(1006, place, {}, wrong, {});
      return true;
    }
    if (c == '\n')
      ++place.line, place.column = 1;
    else
      place.column += static_cast<int>(n);
    text.remove_prefix(n);
  }
  return false;
}

/// Far more brackets than levels that a configuration may have.
bool report_brackets(std::string_view text, Report& report) {
  std::size_t open = 0;
  for (const char c : text) {
    if (c == '[' || c == '{') ++open;
    if ((c == ']' || c == '}') && open > 0) --open;
    if (open <= kMostOpen) continue;
    report.error(1015, Place{1, 1, 1, -1}, {}, "more than " + std::to_string(kMostOpen) + " brackets are open", {});
    return true;
  }
  return false;
}

/// yaml-cpp's words name its own machinery; these name what the writer most likely did.
std::pair<std::string, std::string> explain_syntax(const std::string& said, std::string_view rest) {
  using Said = std::array<std::string_view, 3>;
  static constexpr std::array<Said, 14> kKnown{{
      {"the referenced anchor is not defined", "there is no anchor of this name",
       "quote a text that begins with \"*\""},
      {"end of map not found", "this does not go on as the map above it began", "check the indentation"},
      {"end of map flow not found", "a \"{\" has no \"}\"", ""},
      {"end of sequence not found", "this does not go on as the list above it began", "check the indentation"},
      {"end of sequence flow not found", "a \"[\" has no \"]\"", ""},
      {"illegal map value", "a \": \" where no key can be", "quote a text that has \": \" in it"},
      {"illegal map key", "a key where none can be", ""},
      {"illegal block entry", "a \"- \" where no list can be", "check the indentation"},
      {"illegal flow end", "a bracket that was not opened", ""},
      {"illegal EOF in scalar", "a quote is not closed", ""},
      {"illegal tab when looking for indentation", "a tab in the indentation", "indent by blanks"},
      {"unknown token", "no text begins like this", "quote it"},
      {"unknown escape character: ", "no such escape in double quotes", "use single quotes, or write \"\\\\\""},
      {"bad file", "nested too deep", ""},
  }};
  for (const auto& [theirs, ours, hint] : kKnown) {
    if (!said.starts_with(theirs)) continue;
    if (theirs == "the referenced anchor is not defined" && !rest.starts_with('*')) break;
    return {std::string(ours), std::string(hint)};
  }
  return {said.substr(0, 100), {}};
}

/// The first `{` in a text without quotes within the flow style, such as `{ path: /old/{id} }`.
std::optional<Place> unquoted_braces(const Report& report) {
  const auto& lines = report.lines();
  for (auto n = static_cast<std::size_t>(report.first_line()); n <= lines.size(); ++n) {
    const auto line = lines[n - 1];
    char quote = '\0';
    int depth = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const char c = line[i], before = i == 0 ? ' ' : line[i - 1];
      const bool begins = std::string_view(" \t,:[{-").find(before) != std::string_view::npos;
      if (quote != '\0') {
        if (c == '\\' && quote == '"')
          ++i;
        else if (c == quote)
          quote = '\0';
      } else if ((c == '"' || c == '\'') && begins) {
        quote = c;
      } else if (c == '#' && (before == ' ' || before == '\t')) {
        break;
      } else if (c == '{' || c == '[') {
        if (c == '{' && !begins && depth > 0) return Place{static_cast<int>(n), static_cast<int>(i) + 1, 1, -1};
        ++depth;
      } else if (c == '}' || c == ']') {
        --depth;
      }
    }
  }
  return std::nullopt;
}

void report_syntax(const YAML::Exception& e, Report& report, int flag) {
  Place place{0, 0, 1, flag};
  std::string_view rest;
  if (flag < 0) {
    const auto& lines = report.lines();
    const int first = report.first_line();
    place.line = std::clamp(e.mark.line + first, first, static_cast<int>(lines.size()));
    const auto line = lines[static_cast<std::size_t>(place.line) - 1];
    const auto column = e.mark.line < 0 ? 0 : std::clamp(e.mark.column, 0, static_cast<int>(line.size()));
    place.column = column + 1;
    rest = line.substr(static_cast<std::size_t>(column));
    if (rest.starts_with('*')) place = extent_of_alias(line, place);
    const auto tab = line.substr(0, line.find_first_not_of(" \t")).find('\t');
    if (tab != std::string_view::npos) {
      report.error(1006, Place{place.line, static_cast<int>(tab) + 1, 1, -1}, {}, "a tab in the indentation",
                   "indent by blanks");
      return;
    }
    const auto word = line.substr(0, static_cast<std::size_t>(column));
    if (rest == ":" && word.substr(word.find_last_of(" \t") + 1).find("://") != std::string_view::npos) {
      report.error(1006, place, {}, "a \":\" at the end makes a key of the url", "write the port behind it");
      return;
    }
    if (column > 0 && rest.starts_with(':') && line[static_cast<std::size_t>(column) - 1] == ']') {
      report.error(1006, place, {}, "a list ends before this", "quote a text that begins with \"[\"");
      return;
    }
  }
  // `{ path: /old/{id} }`: what YAML misses is another bracket, on another line.
  if (flag < 0 && !e.msg.starts_with("bad file"))
    if (const auto braces = unquoted_braces(report)) {
      report.error(1006, *braces, {}, "a \"{\" begins a map here", "quote a text that has { }");
      return;
    }
  const bool too_deep = e.msg.starts_with("bad file");
  auto [message, hint] = explain_syntax(e.msg, rest);
  report.error(too_deep ? 1015 : 1006, place, {}, std::move(message), std::move(hint));
}

void check_for_second_document(YAML::Parser& parser, Report& report, int flag) {
  FirstMark second;
  try {
    if (!parser.HandleNextDocument(second)) return;
  } catch (const Stop&) {
  }
  if (flag >= 0) {
    report.error(1006, Place{0, 0, 1, flag}, {}, "the value goes on behind its end", {});
    return;
  }
  const auto& lines = report.lines();
  const int first = report.first_line();
  Place place{std::clamp(second.mark().line + first, first, static_cast<int>(lines.size())), second.mark().column + 1,
              1, -1};
  // The mark is that of the first node; the `---` that begins the document stands before it.
  for (int n = place.line; n > first; --n) {
    if (!lines[static_cast<std::size_t>(n) - 1].starts_with("---")) continue;
    report.error(1014, Place{n, 1, 3, -1}, {}, "a second document begins here", "one file holds one configuration");
    hide_unread(report, n);
    return;
  }
  hide_unread(report, place.line);
  report.error(1006, place, {}, "the document has ended before this", "check the indentation and the brackets");
}

}  // namespace

NodePtr parse_yaml(std::string_view text, const Variables& variables, Report& report, int flag) {
  const bool failed_before = report.failed();
  if (flag < 0 && report_bad_bytes(text, report)) return nullptr;
  if (report.alone() && report_brackets(text, report)) return nullptr;
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    TreeBuilder builder(variables, report, flag);
    parser.HandleNextDocument(builder);
    check_for_second_document(parser, report, flag);
    return builder.take();
  } catch (const Stop&) {
  } catch (const YAML::Exception& e) {
    report_syntax(e, report, flag);
  } catch (const std::exception&) {
    if (!report.failed() || failed_before)
      report.error(1006, Place{report.first_line(), 1, 1, flag}, {}, "this cannot be read as YAML", {});
  }
  return nullptr;
}

}  // namespace forebay::config
