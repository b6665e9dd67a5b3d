#include "upstream/pool.hpp"

#include <algorithm>

#include "forebay/base/guarded.hpp"
#include "forebay/base/log.hpp"

namespace forebay::upstream {

namespace {
// How long an idle connection goes unwatched; when it is taken it is looked at in any case.
constexpr Duration kUnwatched = std::chrono::milliseconds{100};

// How long a request waits for a new set while there is an old one (RFC 8767 section 5 has 1.8 s).
constexpr Duration kPatience = std::chrono::milliseconds{500};
// A look-up that has ended without memory is made again after this.
constexpr Duration kLookAgain = std::chrono::seconds{1};

std::string_view why_unresolved(net::Resolution result) noexcept {
  switch (result) {
    case net::Resolution::NoName: return "there is no such name";
    case net::Resolution::NoAddress: return "the name has no addresses";
    case net::Resolution::ServerFailed: return "the name servers fail, refuse, or cannot be reached";
    case net::Resolution::NoAnswer: return "no name server answers";
    default: return "no memory";
  }
}
}  // namespace

Pool::Pool(net::Worker& worker, std::shared_ptr<SharedOrigin> origin)
    : worker_(worker), origin_(std::move(origin)), list_(origin_->addresses.peek().list) {}

Pool::~Pool() { origin_->permits->remove(shelf_); }

void Pool::open() {
  shelf_->wanted.wait(worker_, wanted_);
  origin_->permits->add(shelf_);
  await_change();
}

ConnectionPtr Pool::take_idle() {
  while (!idle_.empty()) {
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    origin_->permits->unrest(*shelf_);
    // Events that the loop has not delivered yet: the origin has closed, or sent unexpected bytes.
    if (is_current(*connection) && connection->quiet()) {
      connection->set_use(Connection::Use::Active);
      return connection;
    }
    connection->close();
  }
  return nullptr;
}

// Also the end of a fetch that memory has run out for. Without memory the connection is closed.
void Pool::put_back(ConnectionPtr connection) noexcept {
  const bool unwanted = retired_ || !is_current(*connection);
  const auto rest = unwanted ? Permits::Rest::Close : origin_->permits->rest(*shelf_);
  switch (rest) {
    case Permits::Rest::Close: connection->close(); return;
    case Permits::Rest::Wanted: origin_->permits->hand_over(connection->park()); return;
    case Permits::Rest::Idle: break;
  }
  guarded([&] { keep(connection); },
          [&] {
            origin_->permits->unrest(*shelf_);
            connection->close();
          });
}

void Pool::keep(const ConnectionPtr& connection) {
  if (!wanted_.waiting()) shelf_->wanted.wait(worker_, wanted_);  // it had no memory for that
  idle_.push_back(connection);
  const Timestamp now = worker_.now().mono;
  connection->set_use(Connection::Use::Idle);
  connection->rest(now);
  if (!check_.armed()) worker_.deadlines().arm(check_, now, std::min(kUnwatched, origin_->config.pool.idle_timeout));
}

// Most connections are used again before this, so only those that are not are watched. The oldest is first.
void Pool::check() {
  const Timestamp now = worker_.now().mono;
  const auto rested = [&](const auto& connection) { return now - connection->rests_since(); };
  const Duration timeout = origin_->config.pool.idle_timeout;
  while (!idle_.empty() && rested(idle_.front()) >= timeout) drop(*idle_.front());
  std::size_t watched = 0;
  while (watched < idle_.size() && rested(idle_[watched]) >= kUnwatched) {
    if (idle_[watched]->watched() || watch(idle_[watched]))
      ++watched;
    else
      drop(*idle_[watched]);
  }
  if (idle_.empty()) return;
  const Timestamp end = idle_.front()->rests_since() + timeout;
  worker_.deadlines().arm(check_, watched == idle_.size() ? end : std::min(end, now + kUnwatched));
}

// Readiness, not a read: whatever would be read belongs to nobody, and the next fetch must find the connection without
// a read under way that could take its answer's first bytes for ours. False without memory for it.
bool Pool::watch(const ConnectionPtr& connection) {
  bool done = false;
  auto on_readable = [pool = weak_from_this(), watched = std::weak_ptr(connection),
                      rest = connection->watch()](net::Io state) {
    const auto self = pool.lock();
    const auto readable = watched.lock();
    if (state != net::Io::Done || !self || !readable || readable->rests() != rest) return;
    self->worker_.tick();
    if (!readable->quiet() || !self->watch(readable)) self->drop(*readable);
  };
  guarded(
      [&] {
        connection->stream().wait(net::Direction::Read, std::move(on_readable));
        done = true;
      },
      [] {});
  return done;
}

void Pool::drop(Connection& connection) {
  const auto at = std::find_if(idle_.begin(), idle_.end(), [&](const auto& c) { return c.get() == &connection; });
  if (at == idle_.end()) return;
  const auto dropped = std::move(*at);
  idle_.erase(at);
  origin_->permits->unrest(*shelf_);
  dropped->close();
}

void Pool::give_to_queue() {
  guarded([&] { shelf_->wanted.wait(worker_, wanted_); }, [] {});  // else `keep` does
  while (!idle_.empty() && origin_->permits->anyone_waits()) {
    // The one that was idle longest: the others are more likely to be alive.
    const auto connection = std::move(idle_.front());
    idle_.erase(idle_.begin());
    origin_->permits->unrest(*shelf_);
    origin_->permits->hand_over(connection->park());
  }
  if (origin_->permits->must_give_way(*shelf_) && !stalled_.empty()) stalled_.begin()->second->give_way();
}

void Pool::stalls(Cancellable& fetch, Timestamp since) {
  stalled_.emplace(since, &fetch);
  show_stalled();
}

void Pool::moves(Cancellable& fetch, Timestamp since) {
  stalled_.erase({since, &fetch});
  show_stalled();
}

void Pool::show_stalled() noexcept {
  shelf_->stalled_since.store(stalled_.empty() ? Timestamp::max() : stalled_.begin()->first, std::memory_order_relaxed);
}

bool Pool::is_current(Connection& connection) const noexcept {
  if (connection.address_set == sets_) return true;
  if (!contains(*list_, connection.address())) return false;
  connection.address_set = sets_;
  return true;
}

void Pool::await_change() {
  if (!origin_->addresses.fixed()) origin_->addresses.changed().wait(worker_, changed_);
}

void Pool::resolve(Known then) {
  if (origin_->addresses.fixed()) return then(list_, {});
  await_change();
  auto look = origin_->addresses.look(worker_.now().mono);
  if (look.list) adopt(look.list);
  unresolved_.push_back(std::move(then));
  if (look.turn) ask(std::move(look.turn));
  tell(look);
}

void Pool::addresses_changed() {
  const auto self = shared_from_this();
  worker_.tick();
  guarded(
      [this] {
        await_change();
        if (const auto known = origin_->addresses.peek(); known.list) {
          adopt(known.list);
          // In the past: the look-up has ended without memory. Requests do not wait for this one.
          const Timestamp now = worker_.now().mono;
          const Timestamp due = known.due > now ? known.due : now + kLookAgain;
          if (known.due != Timestamp::max()) worker_.deadlines().arm(refresh_, due);
        }
        if (unresolved_.empty()) return;
        auto look = origin_->addresses.look(worker_.now().mono);
        if (look.turn) ask(std::move(look.turn));
        tell(look);
      },
      [this] { tell(nullptr, "no memory"); });
}

// Idle connections to addresses that have left the set are closed. Those in use are closed by `put_back`.
void Pool::adopt(const AddressList& list) {
  const auto before = std::exchange(list_, list);
  if (!before || before == list) return;
  const auto stays = [&](const Address& address) { return contains(*list, address.text); };
  if (std::all_of(before->begin(), before->end(), stays)) return;
  ++sets_;
  const auto resting = idle_;
  for (const auto& connection : resting)
    if (!is_current(*connection)) drop(*connection);
}

// While the origin is in use its name is resolved as each TTL ends, by whichever worker comes first.
void Pool::refresh() {
  if (retired_ || (idle_.empty() && fetches_.empty())) return;
  guarded(
      [this] {
        auto look = origin_->addresses.look(worker_.now().mono);
        if (look.turn) ask(std::move(look.turn));
      },
      [] {});  // the next request does it
}

void Pool::ask(std::shared_ptr<Addresses::Turn> turn) {
  const auto done = [this](NameLookup::Found&& found) {
    const auto self = shared_from_this();
    guarded([&] { answered(std::move(found)); }, [&] { could_not(net::Resolution::Memory); });
  };
  const auto& addresses = origin_->addresses;
  lookup_ = std::make_unique<NameLookup>(worker_.resolver(), done);
  if (origin_->config.srv)
    lookup_->targets_of(addresses.host());
  else
    lookup_->addresses_of(addresses.host(), addresses.port());
  turn_ = std::move(turn);
}

void Pool::answered(NameLookup::Found&& found) {
  const Timestamp now = worker_.now().mono;
  Addresses& addresses = origin_->addresses;
  if (found.result != net::Resolution::Found) return could_not(found.result);
  if (!found.complete) return addresses.learn_part(std::move(found.addresses), now);
  if (addresses.learn(std::move(found.addresses), found.ttl, now))
    log::info("origin " + origin_->config.name + ": " + addresses.host() + " is resolved again");
  origin_->count_resolution(found.result);
  turn_.reset();
}

void Pool::could_not(net::Resolution result) {
  origin_->count_resolution(result);
  const auto turn = std::move(turn_);
  // The next request asks again: another worker, or a later moment, may have memory.
  if (result == net::Resolution::Memory) return tell(list_, "no memory");
  guarded(
      [&] {
        Addresses& addresses = origin_->addresses;
        const std::string why = addresses.host() + ": " + std::string(why_unresolved(result));
        if (addresses.keep(why, worker_.now().mono))
          log::warn("origin " + origin_->config.name + ": " + why + "; it is asked for again, and " +
                    (list_ ? "its last addresses stay in use" : "requests fail until then"));
      },
      [&] { tell(nullptr, "no memory"); });
}

void Pool::tell(const Addresses::Look& look) {
  if (look.use != Addresses::Use::Wait) {
    if (look.use == Addresses::Use::Stale)
      origin_->numbers.stale_addresses.fetch_add(unresolved_.size(), std::memory_order_relaxed);
    return tell(look.list, look.why);
  }
  if (look.list && !patience_.armed()) worker_.deadlines().arm(patience_, worker_.now().mono, kPatience);
}

void Pool::tell(const AddressList& list, const std::string& why) {
  patience_.disarm();
  for (const auto& then : std::exchange(unresolved_, {})) then(list, why);
}

void Pool::retire() {
  retired_ = true;
  for (const auto& connection : std::exchange(idle_, {})) {
    origin_->permits->unrest(*shelf_);
    connection->close();
  }
}

void Pool::shut() {
  wanted_.stop_waiting();
  changed_.stop_waiting();
  retire();
  unresolved_.clear();
  lookup_.reset();
  turn_.reset();
  refresh_.disarm();
  patience_.disarm();
  while (!fetches_.empty()) fetches_.front().cancel();
}

}  // namespace forebay::upstream
