#include "upstream/dialler.hpp"

#include <algorithm>
#include <random>
#include <utility>

#include "forebay/base/duration_text.hpp"

namespace forebay::upstream {

namespace {
// A name may have very many addresses; a line of the log shows some of them.
constexpr std::size_t kMostUnreached = 400;

unsigned random_up_to(unsigned most) {
  thread_local std::minstd_rand random{std::random_device{}()};
  return std::uniform_int_distribution<unsigned>(0, most)(random);
}
}  // namespace

std::string out_of_time(const std::string& where, std::string_view what, std::string_view setting, Duration limit) {
  return where + ": " + std::string(what) + " within " + std::string(setting) + " (" + duration_text(limit) + ')';
}

Dialler::Dialler(std::shared_ptr<Pool> pool, Permit permit, Done done)
    : pool_(std::move(pool)), permit_(std::move(permit)), done_(std::move(done)) {}

Duration Dialler::left() { return started_ + settings().timeouts.connect - worker().now().mono; }

void Dialler::start() {
  started_ = worker().now().mono;
  const auto& timeouts = settings().timeouts;
  worker().deadlines().arm(limit_, started_, std::min(timeouts.dns, timeouts.connect));
  pool_->resolve([weak = weak_from_this()](const AddressList& list, const std::string& why) {
    if (const auto self = weak.lock()) self->guarded([&] { self->resolved(list, why); });
  });
}

void Dialler::resolved(const AddressList& list, const std::string& why) {
  if (!list) return fail(FetchError::Dns, why);
  list_ = list;
  addresses_ = in_turn(*list, random_up_to);
  worker().deadlines().arm(limit_, started_, settings().timeouts.connect);
  try_next();
}

// RFC 8305 section 3: addresses that come while others are tried take part.
void Dialler::add_newer() {
  const auto newest = pool_->origin().addresses.peek().list;
  if (!newest || newest == list_) return;
  list_ = newest;
  for (const auto& address : *newest)
    if (!contains(addresses_, address.text)) addresses_.push_back(address);
}

void Dialler::try_next() {
  const bool more_may_come = pool_->origin().addresses.awaits_rest();
  add_newer();
  if (next_ == addresses_.size()) {
    if (!attempts_.empty()) return;
    if (!more_may_come) return fail(FetchError::Connect, unreached_);
    return worker().deadlines().arm(delay_, worker().now().mono, kShortestDelay);
  }
  if (attempts_.size() == kMostAtOnce) {
    note_no_connection(*attempts_.front());
    attempts_.front()->stream.close();
    attempts_.erase(attempts_.begin());
  }
  const auto attempt = std::make_shared<Attempt>(worker().io(), addresses_[next_++]);
  address_ = attempt->address.text;
  attempts_.push_back(attempt);
  attempt->stream.connect(attempt->address.endpoint,
                          [self = shared_from_this(), attempt](const boost::system::error_code& error) {
                            self->guarded([&] { self->connected(attempt, error); });
                          });
  // Each gets a share of the time that is left, if that is less.
  const Duration share = left() / static_cast<int>(addresses_.size() - next_ + 1);
  worker().deadlines().arm(delay_, worker().now().mono, std::clamp(share, kShortestDelay, kAttemptDelay));
}

void Dialler::connected(const AttemptPtr& attempt, const boost::system::error_code& error) {
  const auto at = std::find(attempts_.begin(), attempts_.end(), attempt);
  if (at == attempts_.end()) return;
  attempts_.erase(at);
  if (error) {
    note_unreached(attempt->address.text + ": " + error.message());
    return try_next();
  }
  auto connection = std::make_shared<Connection>(std::move(attempt->stream), pool_->shared(), std::move(permit_));
  connection->opened(attempt->address.text);
  Outcome outcome{std::move(connection), {}, {}, attempt->address.text, {}};
  const auto done = std::exchange(done_, nullptr);
  cancel();
  done(std::move(outcome));
}

void Dialler::expired() {
  const auto& timeouts = settings().timeouts;
  if (!list_) {
    const bool own = timeouts.dns <= timeouts.connect;
    return fail(FetchError::DnsTimeout,
                out_of_time(pool_->origin().addresses.host(), "the resolver did not answer",
                            own ? "timeouts.dns" : "timeouts.connect", own ? timeouts.dns : timeouts.connect));
  }
  for (const auto& attempt : attempts_) note_no_connection(*attempt);
  fail(FetchError::ConnectTimeout, unreached_);
}

void Dialler::note_no_connection(const Attempt& attempt) {
  note_unreached(out_of_time(attempt.address.text, "no connection", "timeouts.connect", settings().timeouts.connect));
}

void Dialler::note_unreached(const std::string& why) {
  if (unreached_.size() > kMostUnreached) return;
  if (!unreached_.empty()) unreached_ += "; ";
  unreached_ += why;
  if (unreached_.size() > kMostUnreached && next_ < addresses_.size())
    unreached_ += "; and " + std::to_string(addresses_.size() - next_) + " more addresses";
}

void Dialler::fail(FetchError error, std::string detail) {
  const auto done = std::exchange(done_, nullptr);
  Outcome outcome{nullptr, error, std::move(detail), std::move(address_), std::move(permit_)};
  cancel();
  done(std::move(outcome));
}

void Dialler::cancel() noexcept {
  done_ = nullptr;
  delay_.disarm();
  limit_.disarm();
  for (const auto& attempt : std::exchange(attempts_, {})) attempt->stream.close();
  permit_.reset();
}

}  // namespace forebay::upstream
