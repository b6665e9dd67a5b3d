#include "config/codecs.hpp"

#include <cmath>
#include <limits>

#include "config/suggest.hpp"

namespace forebay::config {
namespace {

/// A scalar type: what it is called, and how it is read.
template <class T>
struct Kind {
  const char* what;
  Parsed<T> (*parse)(std::string_view);
  const char* little = " is too small";
  const char* much = " is too large";
};
constexpr Kind<Duration> kDuration{"a duration", parse_duration, " is too short", " is too long"};
constexpr Kind<std::uint64_t> kSize{"a size", parse_size};
constexpr Kind<double> kRatio{"a ratio", parse_ratio};
constexpr Kind<std::int64_t> kInteger{"a whole number", parse_integer};

/// `low..high`, either end open.
struct Bounds {
  explicit Bounds(std::string_view text) {
    const auto dots = std::min(text.find(".."), text.size());
    low = text.substr(0, dots);
    high = text.substr(std::min(dots + 2, text.size()));
  }
  std::string in_words() const {
    if (low.empty()) return {};
    return high.empty() ? "at least " + low : "between " + low + " and " + high;
  }
  std::string low, high;
};

template <class T>
std::optional<Fault> out_of_bounds(const Kind<T>& kind, T value, std::string_view text, std::string_view bounds) {
  const Bounds within(bounds);
  const auto& [low, high] = within;
  const auto between = within.in_words();
  if (!low.empty() && value < *kind.parse(low).value) return Fault{1004, in_quotes(text) + kind.little, between};
  if (!high.empty() && value > *kind.parse(high).value) return Fault{1004, in_quotes(text) + kind.much, between};
  return std::nullopt;
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

template <class T>
std::optional<T> read_as(const Reading& r, const Kind<T>& kind, const Node& node, const std::string& path) {
  const auto* written = r.section.scalar(node, path, kind.what);
  if (!written) return std::nullopt;
  auto parsed = kind.parse(*written);
  if (parsed.value) {
    const bool is_text = std::is_same_v<T, std::int64_t> && node.quoted && !node.replaced;
    const auto fault =
        is_text ? Fault{1002, in_quotes(*written) + " in quotes is a text", "write " + *written + " without quotes"}
                : out_of_bounds(kind, *parsed.value, *written, r.row.bounds);
    if (!fault) return parsed.value;
    parsed.fault = *fault;
  } else if (parsed.fault.hint.empty()) {
    const Bounds within(r.row.bounds);
    parsed.fault.hint =
        within.low == "0" && is_one_of(*written, {"off", "false", "no"}) ? "write 0" : within.in_words();
  }
  r.section.fault(node, path, parsed.fault);
  return std::nullopt;
}

template <class T, class Out>
bool read_as(const Reading& r, const Kind<T>& kind, Out& out) {
  const auto* node = r.node();
  const auto value = node ? read_as(r, kind, *node, r.path()) : std::nullopt;
  if (value) out = static_cast<Out>(*value);
  return value.has_value();
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

std::string Reading::path() const { return section.path_of(row.name); }
std::string Reading::path(std::size_t index) const { return section.path_of(row.name, index); }

const Node* Reading::node() const {
  // `status:` with everything below it commented out is an empty map; `ttl:` without a value is a slip.
  const auto* written = section.node() ? section.node()->find(row.name) : nullptr;
  return !written || (written->is_null() && row.type.starts_with("map")) ? nullptr : section.find(row.name);
}

const std::string* Reading::scalar(std::string_view what) const {
  const auto* value = node();
  return value ? section.scalar(*value, path(), what) : nullptr;
}

std::optional<Duration> Reading::duration(const Node& node, const std::string& path) const {
  return read_as(*this, kDuration, node, path);
}

void Reading::error(int code, const Node& node, std::string message, std::string hint) const {
  section.error(code, node, path(), std::move(message), std::move(hint));
}

namespace {

/// What to write instead of a bool that stands for a list of names; nothing where the reader of the list refuses it.
std::optional<std::string> hint_for_bool(const Row& row, bool value) {
  if (row.type.find("| none") != std::string_view::npos) return value ? "write all" : "write none";
  if (row.name == "host") return "leave \"host\" out for any host";
  const bool globs = row.name == "except" || row.type.find("glob") != std::string_view::npos;
  for (const auto* names : {"glob", "header name", "list of host", "field name", "extension"})
    if (globs || row.type.find(names) != std::string_view::npos)
      return !value ? "write []" : globs ? "write \"*\" for all" : "write a list of names";
  return std::nullopt;
}

}  // namespace

std::optional<std::vector<NodePtr>> Reading::items(std::size_t most, std::string_view what) const {
  // Else it would be a list of the one name "true", which no message has.
  if (const auto* written = node(); written && written->is_scalar() && !written->quoted)
    if (is_one_of(written->text, {"true", "false"}))
      if (const auto hint = hint_for_bool(row, written->text == "true")) {
        error(1002, *written, in_quotes(written->text) + " is not a list of names", *hint);
        return std::nullopt;
      }
  auto list = section.list(row.name);
  if (list && list->size() > most)
    error(1004, *node(), std::to_string(list->size()) + ' ' + std::string(what), "at most " + std::to_string(most));
  return list;
}

std::optional<std::size_t> Reading::word() const {
  const auto words = words_of(row.type);
  const auto* written = scalar(listed(words));
  if (!written) return std::nullopt;
  const auto it = std::find(words.begin(), words.end(), *written);
  if (it != words.end()) return static_cast<std::size_t>(it - words.begin());
  const auto near = nearest(*written, words);
  if (!near && row.name == "authorization") {  // Perhaps a credential that belongs to a header field.
    section.report().hide(node()->place);
    error(1002, *node(), in_quotes(row.name) + " is not " + listed(words), "one of " + listed(words));
    return std::nullopt;
  }
  std::optional<std::string> meant;  // `warning` for `warn`, `err` for `error`
  for (const auto word : words)
    if (std::min(written->size(), word.size()) >= 3 && (written->starts_with(word) || word.starts_with(*written)))
      meant = word;
  // YAML 1.1 tools turn `on` and `off` into true and false.
  const auto has = [&](std::string_view w) { return std::find(words.begin(), words.end(), w) != words.end(); };
  std::string hint = words.size() == 1 ? "write " + listed(words) : "one of " + listed(words);
  if (*written == "true" && has("on"))
    hint = "write on";
  else if (*written == "false" && has("off"))
    hint = "write off";
  else if (meant || near)
    hint = "did you mean \"" + (meant ? *meant : *near) + "\"?";
  error(1002, *node(), in_quotes(*written) + " is not " + listed(words), hint);
  return std::nullopt;
}

bool read_scalar(const Reading& r, Duration& out) { return read_as(r, kDuration, out); }
bool read_scalar(const Reading& r, std::uint64_t& out) { return read_as(r, kSize, out); }
bool read_scalar(const Reading& r, double& out) { return read_as(r, kRatio, out); }
bool read_scalar(const Reading& r, std::uint32_t& out) { return read_as(r, kInteger, out); }
bool read_scalar(const Reading& r, bool& out) {
  const auto* written = r.scalar("true or false");
  if (!written) return false;
  const Node& node = *r.node();
  const bool is_word = is_one_of(*written, {"true", "false"});
  if (is_word && (!node.quoted || node.replaced)) {
    out = *written == "true";
    return true;
  }
  const auto low = lower_case(*written);
  std::string hint = "write true or false";
  if (is_one_of(low, {"true", "yes", "on", "y", "1"})) hint = "write true";
  if (is_one_of(low, {"false", "no", "off", "n", "0"})) hint = "write false";
  if (r.row.name == "cache" && *written != "0" && parse_duration(*written).value)
    hint = "a lifetime is \"ttl\": write ttl: " + *written;
  r.error(1002, node, in_quotes(*written) + (is_word ? " in quotes is a text" : " is not true or false"),
          is_word ? hint + " without quotes" : hint);
  return false;
}

void Count::read(const Reading& r, std::size_t& out) { read_as(r, kInteger, out); }

void Threads::read(const Reading& r, unsigned& out) {
  const auto* node = r.node();
  if (node && !(node->is_scalar() && node->text == "auto")) read_as(r, kInteger, out);
}

void Percent::read(const Reading& r, unsigned& out) {
  double share = 0;
  if (!read_as(r, kRatio, share)) return;
  const auto whole = static_cast<unsigned>(std::lround(share * 100));
  if (std::abs(share * 100 - whole) < 1e-6)
    out = whole;
  else
    r.error(1004, *r.node(), in_quotes(r.node()->text) + " is not a whole percentage", "such as " + text(whole));
}

void Statuses::read(const Reading& r, StatusPatterns& out) {
  r.each(out, [&](const Node& item, const std::string& path) {
    const auto status = parse_status(item.text);
    if (!status.value) return r.section.fault(item, path, status.fault);
    out.push_back(*status.value);
  });
}

bool Failures::read_words(const Reading& r, bool& connect, bool& timeout, StatusPatterns& statuses) {
  return r.each(statuses, [&](const Node& item, const std::string& path) {
    const auto status = parse_status(item.text);
    if (item.text == "connect" || item.text == "timeout") {
      (item.text == "connect" ? connect : timeout) = true;
    } else if (status.value) {
      statuses.push_back(*status.value);
    } else if (status.fault.code == 1004) {
      r.section.fault(item, path, status.fault);
    } else {
      r.section.error(1002, item, path, in_quotes(item.text) + " is not connect, timeout or a status",
                      did_you_mean(item.text, {"connect", "timeout"}, "such as 503 or 5xx"));
    }
  });
}

void RefreshAhead::read(const Reading& r, rules::Policy::RefreshAhead& out) {
  const auto* node = r.node();
  if (!node) return;
  const bool near = node->is_scalar() && nearest(node->text, {"auto"});
  if (node->is_scalar() && node->text == "auto")
    out = {0, true};
  else if (near)
    r.error(1002, *node, in_quotes(node->text) + " is not a ratio or auto", "did you mean auto?");
  else if (const auto share = read_as(r, kRatio, *node, r.path()))
    out = {*share, false};
}
std::string RefreshAhead::text(const rules::Policy::RefreshAhead& ahead) {
  return ahead.automatic ? "auto" : format_ratio(ahead.share);
}

bool FieldNames::read(const Reading& r, Texts& out) {
  return r.each(out, [&](const Node& item, const std::string& path) {
    if (is_token(item.text))
      out.push_back(item.text);
    else
      r.section.bad_field_name(item, path);
  });
}

bool Globs::read(const Reading& r, Texts& out) {
  return r.each(out, [&](const Node& item, const std::string& path) {
    if (r.section.check_glob(item, path)) add_once(out, item.text);
  });
}

namespace {

/// What to write for a coding that Forebay does not make.
std::string coding_hint(std::string_view text) {
  constexpr std::pair<std::string_view, std::string_view> kNames[] = {{"brotli", "br"},
                                                                      {"zstandard", "zstd"},
                                                                      {"gz", "gzip"},
                                                                      {"x-gzip", "gzip"},
                                                                      {"deflate", "gzip"},
                                                                      {"true", "[zstd, br, gzip]"},
                                                                      {"on", "[zstd, br, gzip]"},
                                                                      {"yes", "[zstd, br, gzip]"},
                                                                      {"false", "[]"},
                                                                      {"off", "[]"},
                                                                      {"no", "[]"},
                                                                      {"none", "[]"}};
  for (const auto& [other, usual] : kNames)
    if (http::iequals(text, other)) return "write " + std::string(usual);
  return did_you_mean(text, {"zstd", "br", "gzip"}, "write zstd, br or gzip");
}

}  // namespace

void Codings::read(const Reading& r, std::vector<content::Compression>& out) {
  r.each(out, [&](const Node& item, const std::string& path) {
    if (const auto coding = content::compression_of(item.text)) return add_once(out, *coding);
    r.section.error(1029, item, path, in_quotes(item.text) + " is not a coding that Forebay makes",
                    coding_hint(item.text));
  });
}
std::string Codings::text(const std::vector<content::Compression>& codings) {
  return yaml_list(codings, [](content::Compression coding) { return std::string(content::to_string(coding)); });
}

void MediaTypes::read(const Reading& r, Texts& out) {
  r.each(out, [&](const Node& item, const std::string& path) {
    const auto slash = item.text.find('/');
    const bool good =
        slash != std::string::npos && is_token(item.text.substr(0, slash)) && is_token(item.text.substr(slash + 1));
    if (!good)
      return r.section.error(1002, item, path, in_quotes(item.text) + " is not a media type",
                             "such as text/* or application/json, without parameters");
    std::string lower;
    append_lower(lower, item.text);
    add_once(out, lower);
  });
}

void read_rows(Loading& loading, const Section& section, std::span<const Row> rows, void* owner) {
  for (const auto& row : rows) {
    if (row.read) row.read({loading, section, row}, owner);
    if (row.inside)
      read_rows(loading, row.name.empty() ? section : section.in(row.name), row.rows(), row.inside(owner));
  }
}

void append_texts(std::string& out, Reload reload, std::span<const Row> rows, const void* owner) {
  for (const auto& row : rows) {
    if (row.inside) append_texts(out, reload, row.rows(), row.inside_of(owner));
    // A text has no line break, so no two lists of settings have one text.
    if (row.reload == reload) out += std::string(row.name) + ':' + row.text({row}, owner).value_or("") + '\n';
  }
}

std::vector<std::string_view> words_of(std::string_view type) {
  std::vector<std::string_view> words;
  type = type.substr(0, type.find(" or "));
  type = type.substr(0, type.find(','));
  while (!type.empty()) {
    const auto bar = type.find(" | ");
    words.push_back(type.substr(0, bar));
    type = bar == std::string_view::npos ? std::string_view() : type.substr(bar + 3);
  }
  return words;
}

std::string word_at(std::string_view type, std::size_t index) { return std::string(words_of(type).at(index)); }

std::optional<http::Cidr> read_network(const std::string& text) {
  auto net = http::parse_cidr(text);
  if (!net && http::parse_ip(text))
    net = http::parse_cidr(text + (text.find(':') == std::string::npos ? "/32" : "/128"));
  return net;
}

bool trusts_strangers(const http::Cidr& net) {
  const bool v4 = net.prefix >= 96 && http::is_ipv4(net.address);
  return v4 ? net.prefix < 96 + 8 : net.prefix < 7;
}

}  // namespace forebay::config
