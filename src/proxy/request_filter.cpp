#include "forebay/proxy/request_filter.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "forebay/base/suggest.hpp"
#include "forebay/base/text.hpp"

namespace forebay::proxy {
namespace {

/// A field of a record: a text, or a number where it has one. What the access log redacts is no field here, since a
/// filter could guess it.
struct Field {
  std::string_view name;
  std::string_view (*text)(const AccessRecord&);
  std::optional<double> (*number)(const AccessRecord&) = nullptr;
};

std::optional<double> unless_absent(double value) { return value < 0 ? std::nullopt : std::optional(value); }

constexpr Field kFields[] = {
    {"result",
     [](const auto& r) -> std::string_view { return r.has_result ? rules::to_string(r.result) : std::string_view(); }},
    {"reason", [](const auto& r) -> std::string_view { return rules::to_string(r.reason); }},
    {"status", nullptr, [](const auto& r) -> std::optional<double> { return r.status; }},
    {"method", [](const auto& r) -> std::string_view { return r.method; }},
    {"scheme", [](const auto& r) -> std::string_view { return r.scheme; }},
    {"host", [](const auto& r) -> std::string_view { return r.host; }},
    {"path", [](const auto& r) -> std::string_view { return r.path; }},
    {"route", [](const auto& r) -> std::string_view { return r.route; }},
    {"client", [](const auto& r) -> std::string_view { return r.client; }},
    {"remote", [](const auto& r) -> std::string_view { return r.remote; }},
    {"bytes_in", nullptr, [](const auto& r) -> std::optional<double> { return static_cast<double>(r.bytes_in); }},
    {"bytes_out", nullptr, [](const auto& r) -> std::optional<double> { return static_cast<double>(r.bytes_out); }},
    {"key_id", [](const auto& r) -> std::string_view { return r.key_id; }},
    {"age_s", nullptr,
     [](const auto& r) -> std::optional<double> { return unless_absent(static_cast<double>(r.age_s)); }},
    {"ttl_s", nullptr,
     [](const auto& r) -> std::optional<double> {
       return r.has_ttl ? std::optional(static_cast<double>(r.ttl_s)) : std::nullopt;
     }},
    {"stored", [](const auto& r) -> std::string_view { return r.stored ? "true" : "false"; }},
    {"time.total_ms", nullptr, [](const auto& r) -> std::optional<double> { return unless_absent(r.total_ms); }},
    {"time.queue_ms", nullptr, [](const auto& r) -> std::optional<double> { return unless_absent(r.queue_ms); }},
    {"time.lookup_ms", nullptr, [](const auto& r) -> std::optional<double> { return unless_absent(r.lookup_ms); }},
    {"time.wait_ms", nullptr, [](const auto& r) -> std::optional<double> { return unless_absent(r.wait_ms); }},
    {"time.origin_connect_ms", nullptr,
     [](const auto& r) -> std::optional<double> { return unless_absent(r.origin_connect_ms); }},
    {"time.origin_ttfb_ms", nullptr,
     [](const auto& r) -> std::optional<double> { return unless_absent(r.origin_ttfb_ms); }},
    {"time.send_ms", nullptr, [](const auto& r) -> std::optional<double> { return unless_absent(r.send_ms); }},
    {"origin.name", [](const auto& r) -> std::string_view { return r.origin_name; }},
    {"origin.status", nullptr,
     [](const auto& r) -> std::optional<double> {
       return r.origin_status == 0 ? std::nullopt : std::optional<double>(r.origin_status);
     }},
    {"origin.attempts", nullptr, [](const auto& r) -> std::optional<double> { return r.origin_attempts; }},
    {"origin.error", [](const auto& r) -> std::string_view { return r.origin_error; }},
    {"error.code", [](const auto& r) -> std::string_view { return r.error_code; }},
    {"request_id", [](const auto& r) -> std::string_view { return r.request_id; }},
    {"trace_id", [](const auto& r) -> std::string_view { return r.trace_id; }},
};

constexpr bool is_name(char c) { return is_alnum(c) || c == '_' || c == '.'; }

std::string in_quotes(std::string_view text) { return '"' + std::string(text) + '"'; }

std::string known_names() {
  std::string list;
  for (const auto& field : kFields) list.append(list.empty() ? "" : ", ").append(field.name);
  return list;
}

std::optional<std::size_t> field_named(std::string_view name) {
  // As the access log names them.
  if (name.starts_with("cache.")) name.remove_prefix(6);
  const auto found =
      std::find_if(std::begin(kFields), std::end(kFields), [&](const auto& f) { return f.name == name; });
  if (found == std::end(kFields)) return std::nullopt;
  return static_cast<std::size_t>(found - std::begin(kFields));
}

std::string unknown_name(std::string_view name) {
  std::vector<std::string_view> names;
  for (const auto& field : kFields) names.push_back(field.name);
  auto why = in_quotes(name) + " is no field of a request";
  if (const auto meant = nearest(name, names)) why += "; did you mean " + *meant + '?';
  return why + (why.ends_with('?') ? " There are " : "; there are ") + known_names() + '.';
}

/// The words that a field can have; empty: any.
template <class Enum>
std::string words_unless_one(std::string_view word, std::size_t count) {
  std::string list;
  for (std::size_t i = 0; i < count; ++i) {
    const auto known = rules::to_string(static_cast<Enum>(i));
    if (known == word) return {};
    if (!known.empty()) list.append(list.empty() ? "" : ", ").append(known);
  }
  return list;
}

/// Takes a value from the front: up to the next blank, or in double quotes, where a backslash keeps the byte behind it.
std::optional<std::string> take_value(std::string_view& rest) {
  std::string value;
  if (!rest.starts_with('"')) {
    const auto end = std::min(rest.find_first_of(" \t"), rest.size());
    value = rest.substr(0, end);
    rest.remove_prefix(end);
    return value;
  }
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] == '"') {
      rest.remove_prefix(i + 1);
      return value;
    }
    if (rest[i] == '\\' && i + 1 < rest.size()) ++i;
    value += rest[i];
  }
  return std::nullopt;
}

}  // namespace

std::variant<RequestFilter, RequestFilter::Fault> RequestFilter::parse(std::string_view text) {
  static constexpr std::pair<std::string_view, Operator> kOperators[] = {
      {"!=", Operator::NotEqual},  {"!~", Operator::Lacks}, {">=", Operator::GreaterEqual},
      {"<=", Operator::LessEqual}, {"=", Operator::Equal},  {"~", Operator::Contains},
      {">", Operator::Greater},    {"<", Operator::Less}};
  RequestFilter filter;
  auto rest = text;
  while (true) {
    while (!rest.empty() && is_blank(rest.front())) rest.remove_prefix(1);
    if (rest.empty()) return filter;
    const auto at = text.size() - rest.size();
    const auto fault = [&](std::string why) { return Fault{at, std::move(why)}; };
    const auto end = static_cast<std::size_t>(std::find_if_not(rest.begin(), rest.end(), is_name) - rest.begin());
    const auto name = rest.substr(0, end);
    rest.remove_prefix(end);
    if (name == "and" && !filter.conditions_.empty() && !rest.empty() && is_blank(rest.front())) continue;
    if (name.empty()) return fault("a condition begins with the name of a field: " + known_names() + '.');
    const auto field = field_named(name);
    if (!field) return fault(unknown_name(name));
    Condition condition;
    condition.field = *field;
    const auto* const op = std::find_if(std::begin(kOperators), std::end(kOperators),
                                        [&](const auto& o) { return rest.starts_with(o.first); });
    if (op == std::end(kOperators)) return fault(in_quotes(name) + " needs one of = != < <= > >= ~ !~ and a value.");
    condition.op = op->second;
    rest.remove_prefix(op->first.size());
    auto value = take_value(rest);
    if (!value) return fault("the quotes of the value are not closed.");
    const auto& described = kFields[*field];
    const bool contains = condition.op == Operator::Contains || condition.op == Operator::Lacks;
    const bool equal = condition.op == Operator::Equal || condition.op == Operator::NotEqual;
    if (described.number) {
      if (contains) return fault(in_quotes(name) + " is a number: it has = != < <= > >=.");
      const auto [stop, error] = std::from_chars(value->data(), value->data() + value->size(), condition.number);
      if (error != std::errc{} || stop != value->data() + value->size())
        return fault(in_quotes(name) + " is a number, and " + in_quotes(*value) + " is none.");
    } else {
      if (!contains && !equal) return fault(in_quotes(name) + " is a text: it has = != ~ !~.");
      if (equal) {
        const auto words =
            described.name == "result" ? words_unless_one<rules::CacheResult>(*value, rules::kCacheResults)
            : described.name == "reason" && !value->empty()
                ? words_unless_one<rules::Reason>(*value, static_cast<std::size_t>(rules::Reason::kCount))
                : std::string();
        if (!words.empty())
          return fault(in_quotes(*value) + " is no " + std::string(name) + "; there are " + words + '.');
      }
      condition.text = std::move(*value);
    }
    if (filter.conditions_.size() == kMostConditions)
      return fault("there are more than " + std::to_string(kMostConditions) + " conditions.");
    filter.conditions_.push_back(std::move(condition));
  }
}

bool RequestFilter::holds(const Condition& condition, const AccessRecord& record) {
  const auto& field = kFields[condition.field];
  if (field.number) {
    const auto value = field.number(record);
    if (!value) return condition.op == Operator::NotEqual;
    switch (condition.op) {
      case Operator::Equal: return *value == condition.number;
      case Operator::NotEqual: return *value != condition.number;
      case Operator::Less: return *value < condition.number;
      case Operator::LessEqual: return *value <= condition.number;
      case Operator::Greater: return *value > condition.number;
      case Operator::GreaterEqual: return *value >= condition.number;
      case Operator::Contains:
      case Operator::Lacks: break;
    }
    return false;
  }
  const auto value = field.text(record);
  switch (condition.op) {
    case Operator::Equal: return value == condition.text;
    case Operator::NotEqual: return value != condition.text;
    case Operator::Contains: return value.find(condition.text) != std::string_view::npos;
    case Operator::Lacks: return value.find(condition.text) == std::string_view::npos;
    default: break;
  }
  return false;
}

bool RequestFilter::matches(const AccessRecord& record) const {
  return std::all_of(conditions_.begin(), conditions_.end(), [&](const auto& c) { return holds(c, record); });
}

}  // namespace forebay::proxy
