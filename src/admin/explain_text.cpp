#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <cstdio>

#include "forebay/admin/explain.hpp"
#include "forebay/base/terminal_text.hpp"

// The text output, made from the JSON of the daemon or of this process.

namespace forebay::admin {
namespace {

namespace json = boost::json;

/// A member that may be missing: the daemon may have another version.
class View {
 public:
  View(const json::value* value) : value_(value) {}
  View operator[](std::string_view name) const {
    if (value_ == nullptr || !value_->is_object()) return nullptr;
    return value_->get_object().if_contains({name.data(), name.size()});
  }
  bool there() const { return value_ != nullptr && !value_->is_null(); }
  bool yes() const { return value_ != nullptr && value_->is_bool() && value_->get_bool(); }
  std::string text(std::string_view otherwise = {}) const {
    if (value_ == nullptr || !value_->is_string()) return std::string(otherwise);
    return std::string(value_->get_string());
  }
  std::int64_t number() const {
    if (value_ == nullptr) return 0;
    if (const auto* n = value_->if_int64()) return *n;
    const auto* n = value_->if_uint64();
    return n != nullptr ? static_cast<std::int64_t>(*n) : 0;
  }
  const json::array& list() const {
    static const json::array none;
    return value_ != nullptr && value_->is_array() ? value_->get_array() : none;
  }

 private:
  const json::value* value_;
};

void add_line(std::string& out, std::string_view word, const std::string& text) {
  constexpr std::size_t kColumn = 11;
  std::string line(word);
  line.resize(std::max(kColumn, line.size() + 1), ' ');
  out += line + harmless(text) + '\n';
}

std::string seconds(std::int64_t n) { return std::to_string(n) + " s"; }

std::string size_text(std::int64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB"};
  auto n = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; n >= 1024 && unit < 3; ++unit) n /= 1024;
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", n, kUnits[unit]);
  return text;
}

std::string joined(const json::array& list) {
  std::string out;
  for (const auto& item : list) out += (out.empty() ? "" : ", ") + View(&item).text();
  return out;
}

std::string count(std::int64_t n, const char* one) { return std::to_string(n) + ' ' + one + (n == 1 ? "" : "s"); }

void add_route(std::string& out, View document) {
  const auto route = document["route"];
  if (!route.there()) return add_line(out, "route", "none");
  std::string text = route["name"].text() + "  (";
  if (route["file"].there()) {
    text += route["file"].text();
    if (route["line"].number() > 0) text += ':' + std::to_string(route["line"].number());
    text += ", ";
  }
  text += "policy " + route["policy"].text("-") + ")  methods " + joined(route["methods"].list());
  text += ", origin " + route["origin"].text("-");
  add_line(out, "route", text);
  // Shown if it differs.
  auto asked = document["request"]["url"].text();
  if (const auto host = asked.find("://"); host != std::string::npos) asked.erase(0, asked.find('/', host + 3));
  const auto target = route["target"].text();
  if (!target.empty() && target != asked) add_line(out, "", "the origin is asked for " + target);
}

/// `header X-Tenant, body /query, /page (absent: /filters)`
std::string parts_text(const json::array& parts) {
  std::string present, absent, last_kind;
  for (const auto& item : parts) {
    const View part(&item);
    const auto kind = part["kind"].text();
    const auto name = part["name"].text();
    if (name.empty() && (kind == "route" || kind == "method")) continue;  // every key has them
    if (!part["present"].yes()) {
      absent += (absent.empty() ? "" : ", ") + (name.empty() ? kind : name);
      continue;
    }
    present += present.empty() ? "" : ", ";
    if (kind != last_kind || name.empty()) present += kind;
    if (!name.empty()) present += (kind != last_kind ? " " : "") + name;
    last_kind = name.empty() ? std::string() : kind;
  }
  if (!absent.empty()) present += (present.empty() ? "(absent: " : " (absent: ") + absent + ')';
  return present;
}

void add_key(std::string& out, View document) {
  const auto key = document["key"];
  if (!key.there()) return;
  add_line(out, "key", key["text"].text());
  const auto parts = parts_text(key["parts"].list());
  add_line(out, "", "id " + key["id"].text() + (parts.empty() ? "" : "  parts: " + parts));
}

void add_lookup(std::string& out, View document) {
  const auto lookup = document["lookup"];
  if (lookup["allowed"].yes()) return add_line(out, "request", "looked up");
  const auto reason = lookup["reason"].text();
  add_line(out, "request", reason.empty() ? "not looked up" : "not looked up: " + reason);
}

/// `, tags products, product-1`
std::string tags_text(View of) {
  constexpr std::size_t kShown = 10;
  const auto& tags = of["tags"].list();
  std::string text;
  for (std::size_t i = 0; i < tags.size() && i < kShown; ++i)
    text += (i == 0 ? ", tags " : ", ") + View(&tags[i]).text();
  if (tags.size() > kShown) text += " and " + std::to_string(tags.size() - kShown) + " more";
  if (const auto dropped = of["tags_dropped"]; dropped.there() && dropped.number() > 0)
    text += "; " + count(dropped.number(), "further tag") + " not kept (tags.max)";
  return text;
}

/// `origin`: of the route.
std::string stored_text(View stored, const std::string& origin) {
  const auto variants = stored["variants"].number();
  if (!stored["found"].yes())
    return variants == 0 ? "no" : "no; " + count(variants, "variant") + " of the key for other requests";
  const auto state = stored["state"].text();
  const auto age = stored["age_s"].number(), ttl = stored["ttl_s"].number();
  std::string text = "yes, ";
  for (const char c : state) text += c == '_' ? ' ' : c;
  // Age and ttl are rounded separately, so their sum may be a second short.
  const auto lifetime = stored["lifetime_s"].there() ? stored["lifetime_s"].number() : age + ttl;
  text += ": age " + seconds(age) + " of " + seconds(lifetime);
  if (const auto swr = stored["swr_s"].number(); swr > 0) text += ", stale-while-revalidate " + seconds(swr);
  if (const auto sie = stored["sie_s"].number(); sie > 0) text += ", stale-if-error " + seconds(sie);
  text += ", " + size_text(stored["size"].number()) + ", " + count(stored["hits"].number(), "hit");
  std::string tier = stored["tier"].text();
  if (!tier.empty()) text += ", L" + tier.substr(1);
  const auto from = stored["origin"].text();
  if (!from.empty() && from != origin) text += ", from " + from;
  if (variants > 1) text += ", one of " + count(variants, "variant");
  return text + tags_text(stored);
}

std::string window_text(View response, const std::string& window, const char* name) {
  const auto setting = response[window + "_setting"].text();
  const auto length = response[window + "_s"].number();
  if (length <= 0) return {};
  return std::string(", ") + name + ' ' + seconds(length) + (setting.empty() ? "" : " (" + setting + ')');
}

std::string response_text(View response) {
  if (!response["storable"].yes()) {
    const auto reason = response["reason"].text();
    return "would not be stored" + (reason.empty() ? "" : ": " + reason);
  }
  std::string text = "would be stored: ttl " + seconds(response["ttl_s"].number());
  if (const auto setting = response["ttl_setting"].text(); !setting.empty()) text += " (from " + setting + ')';
  return text + window_text(response, "swr", "stale-while-revalidate") +
         window_text(response, "sie", "stale-if-error") + tags_text(response);
}

void add_pass_memory(std::string& out, View memory) {
  if (!memory.there()) return;
  add_line(out, "pass",
           "requests for this key do not wait for each other: " + memory["cause"].text("not storable") +
               ", remembered for another " + seconds(memory["left_s"].number()) + " (pass_memory)");
}

void add_answer(std::string& out, View document) {
  const auto status = document["status"];
  const auto member = document["headers"]["cache_status"];
  const auto coarse = document["headers"]["x_cache"];
  const bool error = document["result"].text() == "error";
  if (status.there())
    add_line(out, "answer",
             (error ? "Forebay's own error, " : "Forebay's own answer, ") + std::to_string(status.number()));
  else if (member.there())
    add_line(out, "answer", "Cache-Status: " + member.text());
  else if (coarse.there())
    add_line(out, "answer", "X-Cache: " + coarse.text());
  else
    add_line(out, "answer", document["result"].text());
}

bool has_members(const json::value& parsed) {
  const View view(&parsed);
  return view["request"]["url"].there() && view["lookup"]["allowed"].there() && view["result"].there();
}

}  // namespace

std::string harmless(std::string text) { return forebay::harmless(std::string_view(text)); }

bool is_explanation(std::string_view document) {
  json::error_code ec;
  const auto parsed = json::parse({document.data(), document.size()}, ec);
  return !ec && has_members(parsed);
}

std::string to_text(std::string_view document) {
  json::error_code ec;
  const auto parsed = json::parse({document.data(), document.size()}, ec);
  if (ec || !has_members(parsed)) return {};
  const View view(&parsed);
  std::string out;
  out += harmless(view["request"]["method"].text() + ' ' + view["request"]["url"].text()) + '\n';
  for (const auto& item : view["tried"].list()) {
    const View tried(&item);
    add_line(out, "not", tried["name"].text() + ": " + tried["why"].text());
  }
  add_route(out, view);
  add_key(out, view);
  add_lookup(out, view);
  if (const auto stored = view["stored"]; stored.there())
    add_line(out, "stored", stored_text(stored, view["route"]["origin"].text()));
  add_pass_memory(out, view["pass_memory"]);
  if (const auto response = view["response"]; response.there()) add_line(out, "response", response_text(response));
  add_answer(out, view);
  for (const auto& note : view["notes"].list()) add_line(out, "note", View(&note).text());
  return out;
}

}  // namespace forebay::admin
