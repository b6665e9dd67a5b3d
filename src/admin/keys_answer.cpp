// The keys that are asked for most, and so on.
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>

#include "answers.hpp"
#include "entry_json.hpp"
#include "forebay/base/guarded.hpp"
#include "forebay/base/mutex.hpp"
#include "forebay/base/text.hpp"
#include "json_text.hpp"
#include "query.hpp"

namespace forebay::admin {
namespace {

namespace json = boost::json;
using proxy::HotBy;

constexpr unsigned kMostKeys = 500;
/// Rows that are sorted, of all workers.
constexpr std::size_t kMostRows = 32768;
/// After that another collection may begin, whatever has become of the one before.
constexpr auto kPatience = std::chrono::seconds{30};

/// What the workers have given so far.
struct Collected {
  Mutex mutex;
  std::vector<proxy::HotKeys::Copy> copies FOREBAY_GUARDED_BY(mutex);
  std::size_t left FOREBAY_GUARDED_BY(mutex) = 0;    ///< Workers that have not.
  bool no_memory FOREBAY_GUARDED_BY(mutex) = false;  ///< Some worker had none for its copy.
};

json::value hot_keys_json(const std::vector<proxy::HotKeys::Copy>& copies, HotBy by, unsigned limit, Timestamp now,
                          const config::AccessLog& access) {
  struct Row {
    Digest id;
    std::string_view text;
    bool cut;
    proxy::HeavyHitters::Sum sum;
  };
  std::map<Digest, Row> rows;
  std::uint64_t total = 0;
  auto since = now;
  const auto enough = 4 * std::size_t{limit} + 100;
  const auto of_each = std::max<std::size_t>(limit, std::min(enough, kMostRows / (2 * copies.size() + 1)));
  for (const auto& copy : copies) {
    if (copy.since != Timestamp{}) since = std::min(since, copy.since);
    for (const auto& period : copy.periods) {
      total += period.total();
      auto here = period.keys();
      // Who is among the first of all is among the first of some.
      const auto first = std::min(here.size(), of_each);
      std::nth_element(here.begin(), here.begin() + static_cast<std::ptrdiff_t>(first), here.end(),
                       [](const auto& a, const auto& b) { return a.sum.sum > b.sum.sum; });
      here.resize(first);
      for (const auto& key : here)
        rows.try_emplace(key.id, Row{key.id, key.text, key.cut, {}}).first->second.sum.sum += key.sum.sum;
    }
  }
  std::vector<Row> sorted;
  for (const auto& [id, row] : rows) sorted.push_back(row);
  // Exact sums for those alone that may be among the first: each asks all workers.
  if (sorted.size() > enough) {
    std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(enough), sorted.end(),
                     [](const Row& a, const Row& b) { return a.sum.sum > b.sum.sum; });
    sorted.resize(enough);
  }
  for (auto& row : sorted) {
    row.sum = {};
    for (const auto& copy : copies)
      for (const auto& period : copy.periods) {
        const auto here = period.of(row.id);
        row.sum.sum += here.sum;
        row.sum.error += here.error;
      }
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
                     {"key", shown_key(row.text, {}, access)},
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

  // The copies of all workers take memory, and the sums the time of this thread: one collection at a time.
  if (call.now().mono < call.admin.keys_until) {
    auto refused = call.refuse(503, "busy", "Busy", "The hot keys are being collected for another request; try again.");
    refused.fields.add("Retry-After", "1");
    return refused;
  }
  auto& shared = call.admin.sources.shared;
  const auto& workers = call.admin.sources.workers;
  const auto collected = std::make_shared<Collected>();
  {
    const MutexLock lock(collected->mutex);
    collected->copies.reserve(workers.size());
    collected->left = workers.size();
  }
  const auto later = call.later();
  const auto conclude = [&admin = call.admin, later, collected, by, limit = *limit, accept = std::string(call.accept)] {
    later.answer_by([&admin, later, collected, by, limit, accept](const Now& now) {
      admin.keys_until = {};
      if (!later.awaited()) return Answer{};
      const MutexLock lock(collected->mutex);
      if (collected->no_memory)
        return problem(503, "no_memory", "Out of memory", "There was no memory for the hot keys.", accept);
      const auto runtime = admin.sources.runtime();
      return json_answer(hot_keys_json(collected->copies, by, limit, now.mono, runtime->config->access));
    });
  };
  call.admin.keys_until = call.now().mono + kPatience;
  // Each worker copies its own, so that counting needs no lock; the last one hands all to this thread.
  for (auto* const worker : workers)
    worker->post([&shared, worker, by, collected, conclude] {
      std::optional<proxy::HotKeys::Copy> copy;
      guarded([&] { copy = shared.hot_keys.of(worker->index()).copy(by, worker->tick().mono); }, [] {});
      {
        const MutexLock lock(collected->mutex);
        if (copy)
          collected->copies.push_back(std::move(*copy));  // there is room
        else
          collected->no_memory = true;
        if (--collected->left != 0) return;
      }
      // Without memory even for this the client's deadline answers.
      guarded(conclude, [] {});
    });
  return std::nullopt;
}

}  // namespace forebay::admin
