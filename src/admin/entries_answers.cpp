// `/api/v1/entries`: what is stored.
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <memory>
#include <utility>
#include <vector>

#include "answers.hpp"
#include "entry_json.hpp"
#include "forebay/base/suggest.hpp"
#include "forebay/base/text.hpp"
#include "forebay/proxy/purger.hpp"
#include "query.hpp"

namespace forebay::admin {
namespace {

namespace json = boost::json;

constexpr unsigned kUsualRows = 100, kMostRows = 1000;
/// Keys that are looked at in one turn of the admin worker's loop: between two of them it serves other requests.
constexpr std::size_t kVisitsInTurn = 20'000;
/// Listings at a time that take more than one turn.
constexpr unsigned kMostWalks = 8;
constexpr std::size_t kMostBody = 1024 * 1024;
/// Where a page ends, whatever `limit` is: keys may be long.
constexpr std::size_t kMostOfPage = 1024 * 1024;
/// Rows that are taken before it is known how long they are.
constexpr std::size_t kFirstRows = 16;

enum class Sort : std::uint8_t { None, Size, Hits, Age };

/// About the length of a row in the answer: its key is in it twice.
std::size_t length_of(const cache::Listed& row) {
  std::size_t length = 512 + 2 * row.entry->key_text().size() + row.secondary.size();
  for (const auto& tag : row.tags) length += tag.size() + 3;
  return length;
}

/// One listing, over as many turns as it needs.
class Walk : public std::enable_shared_from_this<Walk> {
 public:
  Walk(AdminState& admin, net::Worker& worker, cache::ListQuery query, Sort sort)
      : admin_(admin), worker_(worker), query_(std::move(query)), most_(query_.rows), sort_(sort) {
    query_.visits = kVisitsInTurn;
  }
  ~Walk() {
    if (later_) --admin_.walks;
  }
  /// True when the answer is known.
  bool step();
  void go_on(Later later) {
    ++admin_.walks;
    later_ = std::move(later);
    next_turn();
  }
  Answer answer() const;

 private:
  void next_turn() {
    worker_.post([self = shared_from_this()] {
      self->worker_.tick();
      if (!self->later_->awaited()) return;
      self->step() ? self->later_->answer(self->answer()) : self->next_turn();
    });
  }
  /// Whether `a` is listed before `b`.
  bool before(const cache::Listed& a, const cache::Listed& b) const {
    switch (sort_) {
      case Sort::Size: return a.bytes > b.bytes;
      case Sort::Hits: return a.hits > b.hits;
      default: return a.freshness.received < b.freshness.received;
    }
  }
  /// The same, in the order of the store.
  bool step_in_order();
  void keep(cache::Listed row);

  AdminState& admin_;
  net::Worker& worker_;
  cache::ListQuery query_;
  const std::size_t most_;
  const Sort sort_;
  std::vector<cache::Listed> rows_;  // sorted: a heap, the last of them first
  std::size_t length_ = 0;           // of rows_, in order
  std::optional<cache::ListCursor> next_;
  std::optional<Later> later_;
};

bool Walk::step() {
  query_.now = worker_.now().mono;
  if (sort_ == Sort::None) return step_in_order();
  auto page = admin_.sources.store.list(query_);
  for (auto& row : page.rows) keep(std::move(row));
  if (page.next) query_.from = *page.next;
  return !page.next;
}

bool Walk::step_in_order() {
  for (query_.visits = kVisitsInTurn;;) {
    // As many as may fit, if they are like those before.
    const auto average = rows_.empty() ? kMostOfPage / kFirstRows : length_ / rows_.size();
    const auto fit = (kMostOfPage - std::min(length_, kMostOfPage)) / std::max<std::size_t>(average, 1) + 1;
    query_.rows = std::min(most_ - rows_.size(), fit);
    auto page = admin_.sources.store.list(query_);
    for (auto& row : page.rows) {
      length_ += length_of(row);
      rows_.push_back(std::move(row));
    }
    if (!page.next) return true;
    query_.from = *page.next;
    if (rows_.size() >= most_ || length_ >= kMostOfPage) {
      next_ = page.next;
      return true;
    }
    if (page.visited >= query_.visits) return false;
    query_.visits -= page.visited;
  }
}

/// The best of all rows are kept, and no worse ones are asked for any more.
void Walk::keep(cache::Listed row) {
  const auto order = [this](const cache::Listed& a, const cache::Listed& b) { return before(a, b); };
  rows_.push_back(std::move(row));
  std::push_heap(rows_.begin(), rows_.end(), order);
  if (rows_.size() <= most_) return;
  std::pop_heap(rows_.begin(), rows_.end(), order);
  rows_.pop_back();
  const auto& last = rows_.front();
  if (sort_ == Sort::Size) query_.least_bytes = last.bytes + 1;
  if (sort_ == Sort::Hits) query_.least_hits = last.hits + 1;
  if (sort_ == Sort::Age) query_.received_to = last.freshness.received - Duration{1};
}

Answer Walk::answer() const {
  const auto config = admin_.sources.runtime()->config;
  std::size_t length = 0;
  auto rows = std::vector<const cache::Listed*>();
  for (const auto& row : rows_) rows.push_back(&row);
  if (sort_ != Sort::None)
    std::stable_sort(rows.begin(), rows.end(), [this](const auto* a, const auto* b) { return before(*a, *b); });
  json::array entries;
  for (const auto* row : rows) {
    // In order the page has ended already.
    if (sort_ != Sort::None && length >= kMostOfPage) break;
    length += length_of(*row);
    entries.push_back(entry_json(*row, *config, worker_.now()));
  }
  return json_answer(json::object{{"entries", std::move(entries)},
                                  {"cursor", next_ ? json::value(next_->text()) : json::value(nullptr)}});
}

/// The index of a word, or a sentence about it.
std::optional<std::size_t> read_word(std::string_view name, const std::string& word,
                                     const std::vector<std::string_view>& words, std::string& fault) {
  const auto at = std::find(words.begin(), words.end(), word);
  if (at != words.end()) return static_cast<std::size_t>(at - words.begin());
  std::string list;
  for (const auto w : words) list.append(list.empty() ? "" : ", ").append(w);
  const auto meant = nearest(word, words);
  fault = '"' + std::string(name) + "\" must be one of " + list + (meant ? "; did you mean " + *meant + "?" : ".");
  return std::nullopt;
}

struct Listing {
  cache::ListQuery query;
  Sort sort = Sort::None;
};

/// False, with a sentence in `fault`, for parameters that make no listing.
bool read_listing(const Call& call, Listing& listing, std::string& fault) {
  const auto read =
      read_query(call.query, {"route", "prefix", "glob", "tag", "state", "sort", "limit", "cursor"}, fault);
  if (!read) return false;
  const auto given = [&](std::string_view name) -> const std::string* {
    const auto at = read->find(name);
    return at == read->end() ? nullptr : &at->second;
  };
  auto& query = listing.query;
  query.rows = kUsualRows;
  proxy::PurgeNames names;
  if (const auto* route = given("route")) names.routes.push_back(*route);
  if (const auto* prefix = given("prefix")) names.prefixes.push_back(*prefix);
  if (const auto* glob = given("glob")) names.globs.push_back(*glob);
  if (!names.prefixes.empty() && !names.globs.empty())
    return fault = "\"prefix\" and \"glob\" cannot be used together.", false;
  if (names.count() > 0) {
    const auto prepared = proxy::prepare_purge(names, *call.admin.sources.runtime());
    if (const auto* wrong = std::get_if<proxy::PurgeFault>(&prepared)) return fault = wrong->why, false;
    const auto& order = std::get<proxy::PreparedPurge>(prepared).order;
    if (!order.urls.empty()) query.url = order.urls.front();
    if (!order.routes.empty()) query.route = order.routes.front();
  }
  if (const auto* tag = given("tag")) query.tag = cache::tag_digest(*tag);
  if (const auto* state = given("state")) {
    const auto word = read_word("state", *state, {"fresh", "stale", "purged"}, fault);
    if (!word) return false;
    query.state = static_cast<cache::EntryState>(*word);
  }
  if (const auto* sort = given("sort")) {
    const auto word = read_word("sort", *sort, {"size", "hits", "age"}, fault);
    if (!word) return false;
    listing.sort = static_cast<Sort>(*word + 1);
  }
  if (const auto* limit = given("limit")) {
    const auto rows = read_count(*limit, 1, kMostRows);
    if (!rows) return fault = "\"limit\" must be a number from 1 to " + std::to_string(kMostRows) + '.', false;
    query.rows = *rows;
  }
  if (const auto* cursor = given("cursor")) {
    const auto from = cache::ListCursor::parse(*cursor);
    if (!from) return fault = "\"cursor\" must be one that an answer has given.", false;
    if (listing.sort != Sort::None)
      return fault = "\"cursor\" cannot be used with \"sort\": a sorted listing has one page.", false;
    query.from = *from;
  }
  return true;
}

std::optional<Digest> read_id(std::string_view text) {
  proxy::PurgeNames names;
  if (text.size() != 32 || !std::all_of(text.begin(), text.end(), is_hex)) return std::nullopt;
  Digest id;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto& half = i < 16 ? id.hi : id.lo;
    half = half << 4 | static_cast<std::uint64_t>(hex_value(text[i]));
  }
  return id;
}

Answer not_stored(const Call& call) {
  return call.refuse(404, "not_stored", "Not stored", "Nothing is stored under this id.");
}
Answer bad_id(const Call& call) { return call.bad("Ids have 32 hex digits, as explain and the log show them."); }

/// The body alone, of one response.
Answer raw_body(const Call& call, const std::vector<cache::Listed>& rows, const std::string* variant) {
  const cache::Listed* chosen = rows.size() == 1 && variant == nullptr ? &rows.front() : nullptr;
  for (const auto& row : rows)
    if (variant != nullptr && variant_id(row) == *variant) chosen = &row;
  if (chosen == nullptr && variant != nullptr) return not_stored(call);
  if (chosen == nullptr)
    return call.bad("The key has " + std::to_string(rows.size()) + " variants; name one: variant=VARIANT_ID.");
  Answer answer;
  // Whatever it is, a browser must not show it as a page of this listener.
  answer.content_type = "application/octet-stream";
  answer.fields.add("Content-Disposition", "attachment");
  answer.body = whole_body(*chosen->entry);
  return answer;
}

}  // namespace

std::optional<Answer> answer_entries(const Call& call) {
  Listing listing;
  std::string fault;
  if (!read_listing(call, listing, fault)) return call.bad(fault);
  const auto walk = std::make_shared<Walk>(call.admin, call.worker, std::move(listing.query), listing.sort);
  if (walk->step()) return walk->answer();
  if (call.admin.walks >= kMostWalks) {
    auto refused = call.refuse(503, "busy", "Too many listings", "Too many long listings at a time; try again.");
    refused.fields.add("Retry-After", "1");
    return refused;
  }
  walk->go_on(call.later());
  return std::nullopt;
}

std::optional<Answer> answer_entry(const Call& call) {
  const auto id = read_id(call.captured);
  if (!id) return bad_id(call);
  std::string fault;
  const auto read = read_query(call.query, {"body", "variant"}, fault);
  if (!read) return call.bad(fault);
  const auto body = read->find("body"), variant = read->find("variant");
  const bool wants_body = body != read->end() && body->second != "0";
  if (wants_body && body->second != "1" && body->second != "raw") return call.bad("\"body\" must be 1 or raw.");
  if (wants_body && !call.may_change)
    return call.refuse(403, "forbidden", "Forbidden", "Bodies may be private: they are for admin.token alone.");
  const auto rows = call.admin.sources.store.find(*id, call.now().mono);
  if (rows.empty()) return not_stored(call);
  if (wants_body && body->second == "raw")
    return raw_body(call, rows, variant == read->end() ? nullptr : &variant->second);
  const auto config = call.admin.sources.runtime()->config;
  json::array variants;
  for (const auto& row : rows) {
    if (variant != read->end() && variant_id(row) != variant->second) continue;
    auto one = entry_json(row, *config, call.now());
    for (const auto* of_key : {"id", "url", "route", "method", "key"}) one.erase(of_key);
    one["headers"] = fields_json(row, config->access);
    if (wants_body) add_body(one, *row.entry, kMostBody);
    variants.push_back(std::move(one));
  }
  if (variants.empty()) return not_stored(call);
  auto document = entry_json(rows.front(), *config, call.now());
  json::object out;
  for (const auto* of_key : {"id", "url", "route", "method", "key"}) out[of_key] = document[of_key];
  out["variants"] = std::move(variants);
  return json_answer(out);
}

std::optional<Answer> answer_entry_removal(const Call& call) {
  proxy::PurgeNames names;
  names.ids.emplace_back(call.captured);
  const auto runtime = call.admin.sources.runtime();
  auto prepared = proxy::prepare_purge(names, *runtime);
  auto* const purge = std::get_if<proxy::PreparedPurge>(&prepared);
  if (purge == nullptr) return bad_id(call);
  return carry_out(call, std::move(*purge), runtime->config->purging.mode, not_stored(call));
}

}  // namespace forebay::admin
