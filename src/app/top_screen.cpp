#include "top_screen.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <cstdio>
#include <limits>
#include <utility>

#include "forebay/base/terminal_text.hpp"
#include "forebay/base/text.hpp"

namespace forebay::app {
namespace {

namespace json = boost::json;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

std::string printed(const char* format, double n) {
  char text[64];
  std::snprintf(text, sizeof text, format, n);
  return text;
}

json::value parsed(const std::string& text) {
  json::error_code ec;
  auto value = json::parse(text, ec);
  return ec ? json::value() : value;
}

const json::value* member(const json::value& of, std::string_view name) {
  const auto* object = of.if_object();
  return object == nullptr ? nullptr : object->if_contains({name.data(), name.size()});
}
const json::value& at(const json::value& of, std::initializer_list<std::string_view> path) {
  static const json::value none;
  const auto* value = &of;
  for (const auto name : path)
    if (value != nullptr) value = member(*value, name);
  return value == nullptr ? none : *value;
}
double number(const json::value& v) { return v.is_number() ? v.to_number<double>() : kNone; }
double number(const json::value& v, std::initializer_list<std::string_view> path) { return number(at(v, path)); }
std::string text(const json::value& v) {
  const auto* s = v.if_string();
  return s == nullptr ? std::string() : harmless({s->data(), s->size()});
}

std::string count_text(double n) {
  if (!std::isfinite(n)) return "-";
  if (n >= 1e9) return printed("%.1fG", n / 1e9);
  if (n >= 1e6) return printed("%.1fM", n / 1e6);
  if (n >= 1e4) return printed("%.1fk", n / 1e3);
  if (n > 0 && n < 0.05) return "<0.1";
  return n == std::floor(n) || n >= 100 ? printed("%.0f", n) : printed("%.1f", n);
}
std::string percent_text(double ratio) { return std::isfinite(ratio) ? printed("%.1f", ratio * 100) : "-"; }
std::string ms_text(double ms) {
  if (!std::isfinite(ms)) return "-";
  return ms < 10 ? printed("%.2f", ms) : printed("%.0f", ms);
}
std::string bytes_text(double n) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  if (!std::isfinite(n)) return "-";
  std::size_t unit = 0;
  for (; n >= 1024 && unit < 4; ++unit) n /= 1024;
  return printed(unit == 0 ? "%.0f " : "%.1f ", n) + kUnits[unit];
}
std::string uptime_text(double seconds) {
  if (!std::isfinite(seconds)) return "-";
  const auto s = static_cast<long>(seconds);
  if (s >= 86'400) return std::to_string(s / 86'400) + "d " + std::to_string(s / 3600 % 24) + 'h';
  if (s >= 3600) return std::to_string(s / 3600) + "h " + std::to_string(s / 60 % 60) + 'm';
  return s >= 60 ? std::to_string(s / 60) + "m " + std::to_string(s % 60) + 's' : std::to_string(s) + 's';
}

std::string bar(double share, std::size_t width) {
  if (!std::isfinite(share)) share = 0;
  const auto full = static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(width) + 0.5);
  return '[' + std::string(full, '#') + std::string(width - full, '-') + ']';
}

constexpr std::size_t kLeastFirst = 12;

struct Column {
  std::string title;
  std::size_t width;
  int rank = 0;  ///< Where there is no room, those with the highest go first.
};
std::size_t width_of_others(const std::vector<Column>& columns) {
  std::size_t others = 0;
  for (std::size_t i = 1; i < columns.size(); ++i) others += columns[i].width + 1;
  return others;
}
/// The first column takes what the others leave.
std::string row_text(const std::vector<Column>& columns, const std::vector<std::string>& cells, std::size_t width) {
  const auto others = width_of_others(columns);
  std::size_t first = width > others + kLeastFirst ? width - others : kLeastFirst;
  first = std::min<std::size_t>(first, 60);
  auto line = in_columns(cells[0], first);
  for (std::size_t i = 1; i < columns.size(); ++i) line += ' ' + in_columns(cells[i], columns[i].width, true);
  return line;
}

struct Table {
  std::vector<Column> columns;
  std::vector<std::pair<double, std::vector<std::string>>> rows;  // what they are sorted by, the largest first
};

/// Leaves out columns until the others have room.
void fit(Table& table, std::size_t width) {
  auto& columns = table.columns;
  while (columns.size() > 2 && width_of_others(columns) + kLeastFirst > width) {
    const auto worst = std::max_element(columns.begin() + 1, columns.end(),
                                        [](const Column& a, const Column& b) { return a.rank < b.rank; });
    const auto at = worst - columns.begin();
    columns.erase(worst);
    for (auto& row : table.rows) row.second.erase(row.second.begin() + at);
  }
}

Table routes_table(const TopPage& page, const json::value& stats) {
  Table table{{{"ROUTE", 0},
               {"REQ/S", 8, 0},
               {"HIT%", 6, 1},
               {"HIT P99", 8, 5},
               {"MISS P99", 8, 3},
               {"ERR/S", 7, 2},
               {"OUT/S", 10, 4}},
              {}};
  const auto* const routes = at(stats, {"last_minute", "routes"}).if_object();
  if (routes == nullptr) return table;
  for (const auto& [name, route] : *routes) {
    const auto of = [&route = route](std::string_view what) { return number(route, {what}); };
    const double bytes = of("bytes_from_cache") + of("bytes_from_origin") + of("bytes_from_forebay");
    const double by[] = {of("requests"), of("hit_ratio"), of("miss_p99_ms"), bytes};
    const double key = by[page.sort % std::size(by)];
    table.rows.push_back(
        {std::isfinite(key) ? key : -1,
         {harmless({name.data(), name.size()}), count_text(of("requests")), percent_text(of("hit_ratio")),
          ms_text(of("hit_p99_ms")), ms_text(of("miss_p99_ms")), count_text(of("own_errors")), bytes_text(bytes)}});
  }
  return table;
}

Table keys_table(const TopPage& page) {
  Table table{{{"KEY", 0}, {"SHARE", 7, 1}, {"COUNT", 10, 0}, {"ERROR", 8, 2}}, {}};
  const auto document = parsed(page.rows);
  const auto* const keys = at(document, {"keys"}).if_array();
  if (keys == nullptr) return table;
  const bool bytes = text(at(document, {"by"})) == "bytes";
  for (const auto& key : *keys) {
    const auto amount = [&](std::string_view what) {
      const auto n = number(key, {what});
      return bytes ? bytes_text(n) : count_text(n);
    };
    table.rows.push_back(
        {number(key, {"count"}),
         {text(at(key, {"key"})), percent_text(number(key, {"share"})) + '%', amount("count"), amount("error")}});
  }
  return table;
}

Table origins_table(const TopPage& page) {
  Table table{{{"ORIGIN", 0},
               {"STATE", 5, 0},
               {"FLIGHT", 7, 3},
               {"ACTIVE", 7, 4},
               {"IDLE", 6, 5},
               {"ANSWERS", 9, 2},
               {"ERRORS", 8, 1}},
              {}};
  const auto document = parsed(page.rows);
  const auto* const origins = at(document, {"origins"}).if_array();
  if (origins == nullptr) return table;
  const auto sum = [](const json::value& of) {
    double n = 0;
    if (const auto* object = of.if_object())
      for (const auto& [name, value] : *object)
        // Of the answers: requests that got none.
        if (name != "error" && value.is_number()) n += value.to_number<double>();
    return n;
  };
  for (const auto& origin : *origins) {
    const auto* const urls = at(origin, {"urls"}).if_array();
    if (urls == nullptr) continue;
    for (const auto& url : *urls) {
      const double flight = number(url, {"in_flight"}), answers = sum(at(url, {"answers"})),
                   errors = sum(at(url, {"errors"}));
      const double by[] = {flight, answers, errors};
      const auto* const up = at(url, {"up"}).if_bool();
      table.rows.push_back(
          {by[page.sort % std::size(by)],
           {text(at(origin, {"name"})) + ' ' + text(at(url, {"url"})), up != nullptr && *up ? "up" : "DOWN",
            count_text(flight), count_text(number(url, {"connections", "active"})),
            count_text(number(url, {"connections", "idle"})), count_text(answers), count_text(errors)}});
    }
  }
  return table;
}

std::vector<std::string> header(const TopPage& page, const json::value& status, const json::value& stats) {
  const auto& minute = at(stats, {"last_minute"});
  const auto of = [&](std::string_view what) { return number(minute, {what}); };
  const auto now = [&](std::string_view what) { return number(stats, {"current", what}); };
  std::string state = upper_case(text(at(stats, {"state"})));
  if (const auto* ok = at(status, {"config", "last_reload_successful"}).if_bool(); ok != nullptr && !*ok)
    state += ", LAST RELOAD REJECTED";
  std::vector<std::string> out;
  out.push_back("forebay " + text(at(status, {"version"})) + "  " + state + "  up " +
                uptime_text(number(status, {"uptime_s"})) + "  " + page.address + (page.paused ? "  PAUSED" : ""));
  if (!page.trouble.empty()) out.push_back(harmless(page.trouble));
  out.push_back("last minute  " + count_text(of("requests")) + " req/s  hit " + percent_text(of("hit_ratio")) +
                " %  origin " + count_text(of("origin_requests")) + " req/s  errors " + count_text(of("own_errors")) +
                "/s  5xx " + count_text(of("status_5xx")) + "/s");
  out.push_back("latency      hits p50 " + ms_text(of("hit_p50_ms")) + " ms, p99 " + ms_text(of("hit_p99_ms")) +
                " ms  misses p50 " + ms_text(of("miss_p50_ms")) + " ms, p99 " + ms_text(of("miss_p99_ms")) + " ms");
  out.push_back("memory       " + bar(now("memory_bytes") / now("memory_limit_bytes"), 20) + ' ' +
                bytes_text(now("memory_bytes")) + " of " + bytes_text(now("memory_limit_bytes")) + "  " +
                count_text(now("entries")) + " entries  " + count_text(of("evicted_capacity")) + " evicted/s");
  out.push_back("now          " + count_text(now("connections")) + " connections  " + count_text(now("in_flight")) +
                " in flight  " + count_text(now("origin_in_flight")) + " at origins  " + count_text(now("waiting")) +
                " waiting");
  return out;
}

}  // namespace

std::vector<std::string> top_sorts(TopView view) {
  switch (view) {
    case TopView::Routes: return {"requests", "hit ratio", "miss p99", "bytes"};
    case TopView::Keys: return {"requests", "misses", "bytes", "uncacheable"};
    case TopView::Origins: return {"in flight", "answers", "errors"};
  }
  return {};
}

std::vector<std::string> top_lines(const TopPage& page, std::size_t columns, std::size_t lines) {
  const auto status = parsed(page.status), stats = parsed(page.stats);
  auto out = header(page, status, stats);
  const auto sorts = top_sorts(page.view);
  const char* const views[] = {"routes", "keys", "origins"};
  out.emplace_back();
  const auto title = std::string(views[static_cast<std::size_t>(page.view)]) + " by " + sorts[page.sort % sorts.size()];
  const std::string legend = "   (r routes, k keys, o origins, s sort, p pause, q quit)";
  const bool has_room = title.size() + legend.size() <= columns;
  out.push_back(title + (lines == 0 ? "" : has_room ? legend : "  (r k o s p q)"));
  auto table = page.view == TopView::Routes ? routes_table(page, stats)
               : page.view == TopView::Keys ? keys_table(page)
                                            : origins_table(page);
  fit(table, columns);
  std::vector<std::string> titles;
  for (const auto& column : table.columns) titles.push_back(column.title);
  out.push_back(row_text(table.columns, titles, columns));
  std::stable_sort(table.rows.begin(), table.rows.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  for (const auto& row : table.rows) out.push_back(row_text(table.columns, row.second, columns));
  if (lines != 0 && out.size() > lines) out.resize(lines);
  for (auto& line : out) {
    line = in_columns(line, columns);
    line.erase(line.find_last_not_of(' ') + 1);
  }
  return out;
}

}  // namespace forebay::app
