#include "server/stalled_readers.hpp"

#include <algorithm>
#include <string>

#include "forebay/base/duration_text.hpp"
#include "forebay/base/events.hpp"
#include "forebay/base/guarded.hpp"
#include "forebay/base/log.hpp"
#include "server/worker_listener.hpp"

namespace forebay::server {

namespace {
// A client that reads at all is not stalled.
constexpr Duration kLeast = std::chrono::seconds{1};
// Resets, and connections looked at, per round of a worker.
constexpr unsigned kMostResets = 16;
constexpr unsigned kMostSeen = 16384;
constexpr Duration kLogEvery = std::chrono::minutes{1};
}  // namespace

StallBoard::Told StallBoard::tell(const void* who, Timestamp since, Timestamp now) {
  const MutexLock lock(mutex_);
  std::erase_if(reports_, [now](const auto& r) { return now - r.second.at > 2 * kRound; });
  Told told;
  told.before = reports_.contains(who);
  reports_[who] = {since, now};
  for (const auto& [other, report] : reports_)
    if (other != who) told.others = std::min(told.others, report.since);
  return told;
}

bool StallBoard::may_log(Timestamp now) {
  const MutexLock lock(mutex_);
  if (now < log_again_) return false;
  log_again_ = now + kLogEvery;
  return true;
}

StalledReaders::StalledReaders(WorkerListener& listener, StallBoard& board)
    : listener_(listener), board_(board), round_([this] { on_round(); }) {}

void StalledReaders::enter(Connection& connection) {
  const auto now = listener_.worker.now().mono;
  connection.stalled_since = now;
  connection.stall.unlink();
  all_.push_back(connection);
  if (!round_.armed()) listener_.worker.deadlines().arm(round_, now, StallBoard::kRound);
}

// The deadline goes with the last one, so that it never outlives the connections.
void StalledReaders::leave(Connection& connection) noexcept {
  connection.stall.unlink();
  if (all_.empty()) round_.disarm();
}

void StalledReaders::on_round() {
  const auto now = listener_.worker.now().mono;
  guarded([&] { relieve(now); }, [] {});
  if (!all_.empty()) listener_.worker.deadlines().arm(round_, now, StallBoard::kRound);
}

void StalledReaders::relieve(Timestamp now) {
  if (!listener_.handler.overpinned()) return;
  Connection* worst = oldest(now);
  if (worst == nullptr) return;
  const auto told = board_.tell(this, worst->stalled_since, now);
  if (!told.before || !board_.begin()) return;
  const struct Turn {
    StallBoard& board;
    ~Turn() { board.end(); }
  } turn{board_};
  for (unsigned i = 0; i < kMostResets && worst != nullptr && worst->stalled_since <= told.others; ++i) {
    if (!listener_.handler.overpinned()) break;
    reset(*worst, now);
    worst = oldest(now);
  }
}

// Those that read what is stored do no harm.
Connection* StalledReaders::oldest(Timestamp now) {
  unsigned seen = 0;
  for (Connection& c : all_) {
    if (now - c.stalled_since < kLeast || ++seen > kMostSeen) break;
    if (c.pins()) return &c;
  }
  return nullptr;
}

void StalledReaders::reset(Connection& connection, Timestamp now) {
  if (board_.may_log(now)) {
    const auto text = "a client that has not read for " +
                      duration_text(std::chrono::floor<Seconds>(now - connection.stalled_since)) +
                      " is disconnected: such clients hold more than a quarter of cache.memory in responses that the "
                      "cache has dropped (logged once a minute)";
    log::warn(text);
    events::record(now, events::Kind::Limit, text, {{"listener", listener_.numbers->name}});
  }
  listener_.numbers->rejected_stalled.fetch_add(1, std::memory_order_relaxed);
  connection.abort();
}

}  // namespace forebay::server
