#include "upstream/permits.hpp"

#include <algorithm>

#include "forebay/base/terminate.hpp"

namespace forebay::upstream {

void Permit::reset() noexcept {
  if (const auto permits = std::exchange(permits_, nullptr)) permits->give_back();
}

Permits::Permits(unsigned max_connections, unsigned max_idle)
    : max_connections_(std::max(max_connections, 1U)), max_idle_(max_idle) {}

Permit Permits::take(const std::shared_ptr<PermitRequest>& request) {
  std::vector<std::shared_ptr<Shelf>> rich;
  {
    const MutexLock lock(mutex_);
    // Nobody overtakes the queue.
    if (queue_.empty() && open_ < max_connections_) {
      ++open_;
      note_room();
      return Permit(shared_from_this());
    }
    request->place_ = queue_.insert(queue_.end(), request);
    note_room();
    request->state_ = PermitRequest::State::Queued;
    for (const auto& shelf : shelves_) {
      if (shelf->idle != 0) rich.push_back(shelf);
    }
  }
  // All of them, for each may lose its idle connection before it looks at the queue.
  for (const auto& shelf : rich) shelf->wanted.notify();
  return {};
}

std::optional<Grant> Permits::granted(PermitRequest& request) {
  const MutexLock lock(mutex_);
  if (request.state_ != PermitRequest::State::Granted) return std::nullopt;
  request.state_ = PermitRequest::State::Out;
  return Grant{Permit(shared_from_this()), std::move(request.connection_)};
}

void Permits::leave(PermitRequest& request) {
  std::shared_ptr<PermitRequest> left;
  {
    const MutexLock lock(mutex_);
    if (request.state_ == PermitRequest::State::Queued) {
      request.state_ = PermitRequest::State::Out;
      left = std::move(*request.place_);
      queue_.erase(request.place_);
      note_room();
      return;
    }
  }
  if (auto grant = granted(request)) hand_over(std::move(*grant));
}

void Permits::hand_over(Grant grant) {
  // The permit changes hands with the connection, or goes back with its end.
  grant.permit.permits_.reset();
  grant_next(std::move(grant.connection));
}

void Permits::give_back() noexcept { grant_next({}); }

void Permits::grant_next(ParkedConnection connection) {
  std::shared_ptr<PermitRequest> next;
  {
    const MutexLock lock(mutex_);
    ensure(open_ != 0, "a permit is given back once");
    if (queue_.empty()) {
      --open_;
      note_room();
      return;
    }
    next = std::move(queue_.front());
    queue_.pop_front();
    note_room();
    next->connection_ = std::move(connection);
    next->state_ = PermitRequest::State::Granted;
  }
  next->signal.notify();
}

void Permits::add(std::shared_ptr<Shelf> shelf) {
  const MutexLock lock(mutex_);
  shelves_.push_back(std::move(shelf));
}

void Permits::remove(const std::shared_ptr<Shelf>& shelf) {
  const MutexLock lock(mutex_);
  std::erase(shelves_, shelf);
}

Permits::Rest Permits::rest(Shelf& shelf) {
  const MutexLock lock(mutex_);
  if (!queue_.empty()) return Rest::Wanted;
  if (idle_ >= max_idle_) return Rest::Close;
  ++idle_;
  ++shelf.idle;
  note_room();
  return Rest::Idle;
}

void Permits::unrest(Shelf& shelf) {
  const MutexLock lock(mutex_);
  ensure(idle_ != 0 && shelf.idle != 0, "a connection leaves the shelf that it rests on");
  --idle_;
  --shelf.idle;
  note_room();
}

void Permits::press(Timestamp now, Duration patience, For what) {
  constexpr Duration kBetween = std::chrono::milliseconds{50};
  std::shared_ptr<Shelf> chosen;
  {
    const MutexLock lock(mutex_);
    if ((what == For::Connection && queue_.empty()) || (pressed_ != Timestamp::min() && now - pressed_ < kBetween))
      return;
    Timestamp longest = now - patience;
    for (const auto& shelf : shelves_) {
      const Timestamp since = shelf->stalled_since.load(std::memory_order_relaxed);
      if (since > longest) continue;
      longest = since;
      chosen = shelf;
    }
    if (!chosen) return;
    pressed_ = now;
    chosen->gives_way = true;
    chosen->for_place = what == For::Place;
  }
  chosen->wanted.notify();
}

bool Permits::must_give_way(Shelf& shelf) {
  const MutexLock lock(mutex_);
  return std::exchange(shelf.gives_way, false) && (shelf.for_place || !queue_.empty());
}

void Permits::note_room() noexcept {
  has_room_.store(queue_.empty() && (open_ < max_connections_ || idle_ != 0), std::memory_order_relaxed);
}

bool Permits::anyone_waits() const {
  const MutexLock lock(mutex_);
  return !queue_.empty();
}

}  // namespace forebay::upstream
