#include "forebay/http/body.hpp"

#include <algorithm>
#include <boost/container/small_vector.hpp>

#include "forebay/base/terminate.hpp"

namespace forebay::http {

// Dropped slices are released after the lock: the last reference to a chunk frees memory.
class Body::Dropped {
 public:
  void take(Slice s) { slices_.push_back(std::move(s)); }
  bool empty() const noexcept { return slices_.empty(); }

 private:
  boost::container::small_vector<Slice, 4> slices_;
};

void Body::append(Slice bytes) {
  if (bytes.bytes.empty()) return;
  Dropped dropped;
  {
    const MutexLock lock(mutex_);
    ensure(end() == End::Growing, "nothing is appended to a body that has ended");
    const auto length = length_.load(std::memory_order_relaxed) + bytes.bytes.size();
    pieces_.push_back({std::move(bytes)});
    pieces_.back().readers = std::exchange(readers_at_end_, 0);
    trim(dropped);
    length_.store(length, std::memory_order_release);
  }
  progress_.notify();
}

void Body::finish(const Fields& trailers) {
  trailers_ = trailers;  // published by the store of end_
  end_as(End::Complete);
}

void Body::break_off() { end_as(End::Broken); }

void Body::end_as(End how) {
  if (end() != End::Growing) return;
  end_.store(how, std::memory_order_release);
  progress_.notify();
}

void Body::set_window(std::size_t window) {
  Dropped dropped;
  const MutexLock lock(mutex_);
  window_ = window;
  awaits_reader_ = false;
  trim(dropped);
}

bool Body::full() const {
  const MutexLock lock(mutex_);
  if (window_ == 0 || (readers_.empty() && !awaits_reader_)) return false;
  return length_.load(std::memory_order_relaxed) - dropped_bytes_ >= window_;
}

std::size_t Body::readers() const {
  const MutexLock lock(mutex_);
  return readers_.size();
}

std::vector<Slice> Body::slices() const {
  const MutexLock lock(mutex_);
  std::vector<Slice> all;
  all.reserve(pieces_.size());
  for (const auto& p : pieces_) all.push_back(p.slice);
  return all;
}

void Body::leave_to_readers() const {
  const MutexLock lock(mutex_);
  for (const auto& p : pieces_) p.slice.owner->leave();
}

bool Body::left() const {
  const MutexLock lock(mutex_);
  return !pieces_.empty() && pieces_.back().slice.owner->left();
}

std::size_t Body::cut_off_stalled(Timestamp now, Duration patience) {
  Dropped dropped;
  std::size_t count = 0;
  {
    const MutexLock lock(mutex_);
    if (window_ == 0) return 0;
    const auto length = length_.load(std::memory_order_relaxed);
    const auto in_the_way = [length, window = window_](const Reader& r) { return length - r.offset >= window; };
    // If all readers are behind, nobody delays another.
    if (std::all_of(readers_.begin(), readers_.end(), [&](const Reader* r) { return in_the_way(*r); })) return 0;
    for (std::size_t i = 0; i < readers_.size();) {
      Reader& r = *readers_[i];
      if (in_the_way(r) && !r.behind) r.behind = now;
      if (!in_the_way(r) || now - *r.behind < patience) {
        ++i;
        continue;
      }
      r.cut = true;
      leave_place(r);  // another reader takes place i
      ++count;
    }
    trim(dropped);
  }
  if (count != 0) {
    progress_.notify();
    space_.notify();
  }
  return count;
}

void Body::attach(Reader& reader) {
  const MutexLock lock(mutex_);
  awaits_reader_ = false;
  reader.index = dropped_;
  reader.offset = dropped_bytes_;
  reader.place = readers_.size();
  readers_.push_back(&reader);
  ++readers_at(reader.index);
}

void Body::detach(Reader& reader) {
  Dropped dropped;
  {
    const MutexLock lock(mutex_);
    if (reader.cut) return;
    leave_place(reader);
    trim(dropped);
  }
  space_.notify();
}

void Body::leave_place(Reader& reader) {
  --readers_at(reader.index);
  readers_.back()->place = reader.place;
  readers_[reader.place] = readers_.back();
  readers_.pop_back();
}

// The reader has had all of its slice.
void Body::step(Reader& reader) {
  --readers_at(reader.index);
  reader.offset += pieces_[reader.index - dropped_].slice.bytes.size();
  ++reader.index;
  ++readers_at(reader.index);
}

std::size_t& Body::readers_at(std::size_t index) {
  const auto i = index - dropped_;
  return i < pieces_.size() ? pieces_[i].readers : readers_at_end_;
}

void Body::trim(Dropped& dropped) {
  if (window_ == 0 || awaits_reader_) return;
  while (!pieces_.empty() && pieces_.front().readers == 0) {
    ++dropped_;
    dropped_bytes_ += pieces_.front().slice.bytes.size();
    dropped.take(std::move(pieces_.front().slice));
    pieces_.pop_front();
  }
}

BodyCursor::BodyCursor(Owner owner, std::span<const std::string_view> pieces)
    : owner_(std::move(owner)), pieces_(pieces) {}

BodyCursor::BodyCursor(Owner owner, std::string_view bytes) : owner_(std::move(owner)), single_(bytes) {}

BodyCursor::BodyCursor(std::vector<Slice> parts) : parts_(std::move(parts)) {}

BodyCursor::BodyCursor(Ref<Body> body) : body_(std::move(body)) {
  if (!body_) return;
  reader_ = std::make_unique<Body::Reader>();
  body_->attach(*reader_);
  position_ = reader_->offset;
}

BodyCursor& BodyCursor::operator=(BodyCursor&& o) noexcept {
  if (this == &o) return *this;
  detach();
  owner_ = std::move(o.owner_);
  pieces_ = std::exchange(o.pieces_, {});
  single_ = std::exchange(o.single_, {});
  parts_ = std::exchange(o.parts_, {});
  body_ = std::move(o.body_);
  reader_ = std::move(o.reader_);
  over_ = o.over_;
  index_ = o.index_;
  offset_ = o.offset_;
  position_ = o.position_;
  skip_ = o.skip_;
  left_ = o.left_;
  return *this;
}

void BodyCursor::limit(std::uint64_t first, std::uint64_t length) {
  skip_ = first;
  left_ = length;
}

void BodyCursor::detach() noexcept {
  if (!reader_) return;
  body_->detach(*reader_);
  reader_.reset();
}

BodyCursor::State BodyCursor::next(std::size_t max, Slice& out, Timestamp now) {
  return body_ ? next_growing(max, out, now) : next_piece(max, out);
}

std::size_t BodyCursor::piece_count() const noexcept {
  if (!parts_.empty()) return parts_.size();
  return pieces_.empty() ? 1 : pieces_.size();
}

std::string_view BodyCursor::piece(std::size_t i) const noexcept {
  if (!parts_.empty()) return parts_[i].bytes;
  return pieces_.empty() ? single_ : pieces_[i];
}

BodyCursor::State BodyCursor::next_piece(std::size_t max, Slice& out) {
  if (left_ == 0) return State::End;
  for (; index_ < piece_count(); ++index_, offset_ = 0) {
    auto rest = piece(index_).substr(offset_);
    const auto skipped = static_cast<std::size_t>(std::min<std::uint64_t>(skip_, rest.size()));
    skip_ -= skipped;
    offset_ += skipped;
    rest.remove_prefix(skipped);
    if (rest.empty()) continue;
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>({rest.size(), max, left_}));
    out.owner = parts_.empty() ? owner_ : parts_[index_].owner;
    out.bytes = rest.substr(0, n);
    offset_ += n;
    if (left_ != kNoLimit) left_ -= n;
    return State::Data;
  }
  return left_ == kNoLimit ? State::End : State::Broken;
}

BodyCursor::State BodyCursor::conclude(Body::End how) {
  if (how == Body::End::Growing) return State::Wait;
  detach();
  const bool short_of_limit = left_ != 0 && left_ != kNoLimit;
  over_ = how == Body::End::Broken || short_of_limit ? State::Broken : State::End;
  return over_;
}

BodyCursor::State BodyCursor::next_growing(std::size_t max, Slice& out, Timestamp now) {
  if (over_ != State::Data) return over_;
  if (left_ == 0) return conclude(Body::End::Complete);
  // Reads the end before the length: a length read after the end is final.
  const auto end = body_->end();
  if (position_ == body_->length()) return conclude(end);

  Slice slice;  // `out` may hold the last reference to something: not released under the lock
  Body::Dropped dropped;
  bool cut = false;
  {
    const MutexLock lock(body_->mutex_);
    auto& reader = *reader_;
    cut = reader.cut;
    while (!cut && reader.index - body_->dropped_ < body_->pieces_.size()) {
      const auto& piece = body_->pieces_[reader.index - body_->dropped_].slice;
      const auto skipped = static_cast<std::size_t>(std::min<std::uint64_t>(skip_, piece.bytes.size() - offset_));
      skip_ -= skipped;
      offset_ += skipped;
      position_ += skipped;
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>({piece.bytes.size() - offset_, max, left_}));
      if (n != 0) slice = {piece.owner, piece.bytes.substr(offset_, n)};
      offset_ += n;
      position_ += n;
      if (left_ != kNoLimit) left_ -= n;
      if (offset_ == piece.bytes.size()) {
        offset_ = 0;
        body_->step(reader);
      }
      if (n != 0) break;
    }
    if (!cut) {
      // At the end of the available bytes the reader waits for the origin, so its time starts when more bytes arrive.
      const bool waits_for_origin = reader.index - body_->dropped_ == body_->pieces_.size();
      reader.behind = waits_for_origin || now == Timestamp{} ? std::nullopt : std::optional(now);
    }
    body_->trim(dropped);
  }
  if (!dropped.empty()) body_->space_.notify();
  if (cut) return conclude(Body::End::Broken);
  if (slice.bytes.empty()) return conclude(position_ == body_->length() ? end : Body::End::Growing);
  out = std::move(slice);
  if (left_ == 0) conclude(Body::End::Complete);  // delays nobody any more
  return State::Data;
}

std::string_view BodyCursor::whole() const noexcept {
  if (body_ || piece_count() != 1 || offset_ != 0 || index_ != 0) return {};
  const auto all = piece(0);
  if (skip_ > all.size() || (left_ != kNoLimit && left_ > all.size() - skip_)) return {};
  return all.substr(static_cast<std::size_t>(skip_),
                    static_cast<std::size_t>(std::min<std::uint64_t>(left_, all.size())));
}

void BodyCursor::wait(Waker& waker, Waiter& waiter) {
  if (body_) body_->progress_.wait(waker, waiter);
}

std::uint64_t BodyCursor::rest_of_pieces() const noexcept {
  std::uint64_t n = 0;
  for (std::size_t i = index_; i < piece_count(); ++i) n += piece(i).size();
  return n - offset_;
}

std::optional<std::uint64_t> BodyCursor::known_length() const noexcept {
  if (left_ != kNoLimit) return left_;
  if (!body_) {
    const auto rest = index_ < piece_count() ? rest_of_pieces() : 0;
    return rest - std::min(rest, skip_);
  }
  if (over_ == State::End) return 0;
  if (over_ == State::Broken || body_->end() != Body::End::Complete) return std::nullopt;
  const auto rest = body_->length() - position_;
  return rest - std::min(rest, skip_);
}

bool BodyCursor::pins() const {
  if (body_) return body_->left();
  if (owner_) return owner_->left();
  return std::any_of(parts_.begin(), parts_.end(), [](const Slice& s) { return s.owner && s.owner->left(); });
}

const Fields* BodyCursor::trailers() const noexcept {
  return body_ && body_->end() == Body::End::Complete ? &body_->trailers() : nullptr;
}

}  // namespace forebay::http
