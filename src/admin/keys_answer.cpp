// The keys that are asked for most, and so on.
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>

#include "answers.hpp"
#include "forebay/base/mutex.hpp"
#include "forebay/base/text.hpp"
#include "json_text.hpp"
#include "query.hpp"

namespace forebay::admin {
namespace {

namespace json = boost::json;
using proxy::HotBy;

constexpr unsigned kMostKeys = 500;

/// What the workers have given so far.
struct Collected {
  Mutex mutex;
  std::vector<proxy::HotKeys::Copy> copies FOREBAY_GUARDED_BY(mutex);
};

json::value hot_keys_json(const std::vector<proxy::HotKeys::Copy>& copies, HotBy by, unsigned limit, Timestamp now) {
  struct Row {
    Digest id;
    std::string_view text;
    bool cut;
    proxy::HeavyHitters::Sum sum;
  };
  std::map<Digest, Row> rows;
  std::uint64_t total = 0;
  auto since = now;
  for (const auto& copy : copies) {
    if (copy.since != Timestamp{}) since = std::min(since, copy.since);
    for (const auto& period : copy.periods) {
      total += period.total();
      auto here = period.keys();
      // Who is among the first of all is among the first of some.
      const auto first = std::min<std::size_t>(here.size(), 4 * std::size_t{limit} + 100);
      std::nth_element(here.begin(), here.begin() + static_cast<std::ptrdiff_t>(first), here.end(),
                       [](const auto& a, const auto& b) { return a.sum.sum > b.sum.sum; });
      here.resize(first);
      for (const auto& key : here) rows.try_emplace(key.id, Row{key.id, key.text, key.cut, {}});
    }
  }
  std::vector<Row> sorted;
  for (auto& [id, row] : rows) {
    for (const auto& copy : copies)
      for (const auto& period : copy.periods) {
        const auto here = period.of(id);
        row.sum.sum += here.sum;
        row.sum.error += here.error;
      }
    sorted.push_back(row);
  }
  const auto shown = std::min<std::size_t>(limit, sorted.size());
  std::partial_sort(
      sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(shown), sorted.end(),
      [](const Row& a, const Row& b) { return a.sum.sum != b.sum.sum ? a.sum.sum > b.sum.sum : a.id < b.id; });
  json::array keys;
  for (std::size_t i = 0; i < shown; ++i) {
    const auto& row = sorted[i];
    keys.push_back(
        json::object{{"id", to_hex(row.id)},
                     {"key", as_utf8(row.text)},
                     {"cut", row.cut},
                     {"count", row.sum.sum},
                     {"error", row.sum.error},
                     {"share", total == 0 ? 0.0 : static_cast<double>(row.sum.sum) / static_cast<double>(total)}});
  }
  return json::object{
      {"by", to_string(by)}, {"seconds", whole_seconds(now - since)}, {"total", total}, {"keys", std::move(keys)}};
}

}  // namespace

std::optional<Answer> answer_keys(const Call& call) {
  std::string fault;
  const auto query = read_query(call.query, {"by", "limit"}, fault);
  if (!query) return call.bad(fault);
  auto by = HotBy::Requests;
  if (const auto asked = query->find("by"); asked != query->end()) {
    for (by = HotBy{}; by != HotBy::kCount && to_string(by) != asked->second;)
      by = static_cast<HotBy>(static_cast<unsigned>(by) + 1);
    if (by == HotBy::kCount) return call.bad("\"by\" must be requests, misses, bytes or uncacheable.");
  }
  const auto written = query->find("limit");
  const auto limit = written == query->end() ? std::optional(20U) : read_count(written->second, 1, kMostKeys);
  if (!limit) return call.bad("\"limit\" must be a number between 1 and " + std::to_string(kMostKeys) + '.');

  auto& shared = call.admin.sources.shared;
  const auto& workers = call.admin.sources.workers;
  const auto collected = std::make_shared<Collected>();
  const auto later = call.later();
  // Each worker copies its own, so that counting needs no lock; the last one hands all to this thread.
  for (std::size_t i = 0; i < workers.size(); ++i)
    workers[i]->post([&shared, worker = workers[i], by, limit = *limit, collected, later, all = workers.size()] {
      auto copy = shared.hot_keys.of(worker->index()).copy(by, worker->tick().mono);
      const MutexLock lock(collected->mutex);
      collected->copies.push_back(std::move(copy));
      if (collected->copies.size() < all) return;
      later.answer_by([collected, by, limit](const Now& now) {
        const MutexLock all_of_them(collected->mutex);
        return json_answer(hot_keys_json(collected->copies, by, limit, now.mono));
      });
    });
  return std::nullopt;
}

}  // namespace forebay::admin
