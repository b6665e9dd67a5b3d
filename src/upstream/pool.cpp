#include "upstream/pool.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>

#include "forebay/base/guarded.hpp"

namespace forebay::upstream {

namespace asio = boost::asio;

namespace {
// How long an idle connection goes unwatched; when it is taken it is looked at in any case.
constexpr Duration kUnwatched = std::chrono::milliseconds{100};

// The system's messages for these are unclear in a log.
std::string why_unresolved(const boost::system::error_code& error) {
  if (!error || error == asio::error::no_data) return "the name has no address";
  if (error == asio::error::host_not_found) return "there is no such host name";
  if (error == asio::error::host_not_found_try_again)
    return "the name could not be resolved: there is no such name, or no name server answers";
  return error.message();
}
}  // namespace

Pool::Pool(net::Worker& worker, std::shared_ptr<SharedOrigin> origin)
    : worker_(worker), origin_(std::move(origin)), resolver_(worker.io()) {}

Pool::~Pool() { origin_->permits->remove(shelf_); }

void Pool::open() {
  shelf_->wanted.wait(worker_, wanted_);
  origin_->permits->add(shelf_);
}

ConnectionPtr Pool::take_idle() {
  while (!idle_.empty()) {
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    origin_->permits->unrest(*shelf_);
    // Events that the loop has not delivered yet: the origin has closed, or sent unexpected bytes.
    if (connection->quiet()) {
      connection->set_use(Connection::Use::Active);
      return connection;
    }
    connection->close();
  }
  return nullptr;
}

// Also the end of a fetch that memory has run out for. Without memory the connection is closed.
void Pool::put_back(ConnectionPtr connection) noexcept {
  const auto rest = retired_ ? Permits::Rest::Close : origin_->permits->rest(*shelf_);
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

void Pool::resolve(Resolved then) {
  auto look = origin_->addresses.look(worker_.now().mono);
  if (look.turn) start_resolving(std::move(look.turn));
  if (look.list) {
    then(look.list, {});
    return;
  }
  unresolved_.push_back(std::move(then));
  if (!resolving_) start_resolving(nullptr);
}

void Pool::start_resolving(std::shared_ptr<Addresses::Turn> turn) {
  // In this order: the turn goes before what it points into.
  struct Asked {
    std::shared_ptr<Pool> pool;
    std::shared_ptr<Addresses::Turn> turn;
  };
  resolving_ = true;
  const auto done = [asked = Asked{shared_from_this(), std::move(turn)}](
                        const boost::system::error_code& error, const asio::ip::tcp::resolver::results_type& found) {
    Pool* const self = asked.pool.get();
    self->resolving_ = false;
    guarded([&] { self->resolved(error, found); }, [&] { self->tell(nullptr, "no memory"); });
  };
  try {
    resolver_.async_resolve(origin_->addresses.host(), std::to_string(origin_->addresses.port()),
                            asio::ip::tcp::resolver::numeric_service, done);
  } catch (const boost::system::system_error& e) {  // it could not start its thread
    resolving_ = false;
    tell(nullptr, origin_->addresses.host() + ": " + e.what());
  } catch (...) {  // no memory: whoever asks next tries again
    resolving_ = false;
    throw;
  }
}

void Pool::resolved(const boost::system::error_code& error, const asio::ip::tcp::resolver::results_type& found) {
  const Timestamp now = worker_.tick().mono;
  Addresses& addresses = origin_->addresses;
  std::vector<Address> list;
  for (const auto& entry : found) {
    const auto same = [&](const Address& a) { return a.endpoint == entry.endpoint(); };
    if (std::none_of(list.begin(), list.end(), same)) list.push_back(address_of(entry.endpoint()));
  }
  if (error || list.empty()) {
    addresses.keep(now);
    tell(nullptr, addresses.host() + ": " + why_unresolved(error));
  } else {
    addresses.learn(std::move(list), now);
    tell(addresses.look(now).list, {});
  }
}

void Pool::tell(const AddressList& list, const std::string& why) {
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
  retire();
  unresolved_.clear();
  resolver_.cancel();
  while (!fetches_.empty()) fetches_.front().cancel();
}

}  // namespace forebay::upstream
