#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "forebay/base/bytes.hpp"
#include "forebay/base/clock.hpp"
#include "forebay/base/mutex.hpp"
#include "forebay/base/waker.hpp"
#include "forebay/http/fields.hpp"

namespace forebay::http {

/// A body in transfer: an append-only list of slices with one writer and many readers on any threads.
///
/// If it is kept whole, readers can join at any time. With a window, bytes that the slowest attached reader has passed
/// are dropped, nobody can join any more, and the writer must wait (`full`) while more than the window is unread.
class Body final : public RefCounted {
 public:
  enum class End : std::uint8_t { Growing, Complete, Broken };

  /// `window` 0: kept whole. A body made with a window holds everything, and may be full, until its first reader comes.
  explicit Body(std::size_t window = 0) : window_(window), awaits_reader_(window != 0) {}

  // --- the writer ---
  void append(Slice bytes);
  void finish(const Fields& trailers = {});
  /// Readers learn that the rest will not come; the body never ends as if complete.
  void break_off();
  /// From now on only what attached readers have not read is held. Joins must have been closed by the caller first.
  void set_window(std::size_t window);
  /// Whether the unread part fills the window. Once every reader has left it never does.
  bool full() const;
  /// Wakes the waiter when `full` may have become false, or a reader has left. Check `full` again after this.
  void wait_for_space(Waker& waker, Waiter& waiter) { space_.wait(waker, waiter); }
  /// Detaches readers that have delayed the others for `patience` or longer; they see `Broken`. Returns their number.
  /// Call it regularly while the body is full: the time of a reader counts from the first call that sees it behind, if
  /// it is not known better.
  std::size_t cut_off_stalled(Timestamp now, Duration patience);
  std::size_t readers() const;

  /// After the end: nothing else keeps its bytes, so they count as pinned while readers hold them.
  void leave_to_readers() const;

  // --- anyone ---
  std::uint64_t length() const noexcept { return length_.load(std::memory_order_acquire); }
  End end() const noexcept { return end_.load(std::memory_order_acquire); }
  /// The slices so far, when kept whole; for making an entry.
  std::vector<Slice> slices() const;
  /// After the end.
  const Fields& trailers() const noexcept { return trailers_; }

 private:
  friend class BodyCursor;
  struct Reader {
    std::size_t index = 0;            // of its slice, counted from the first
    std::uint64_t offset = 0;         // of that slice in the body
    std::size_t place = 0;            // in readers_
    std::optional<Timestamp> behind;  // since when it has left something unread without moving, where that is known
    bool cut = false;
  };
  struct Piece {
    Slice slice;
    std::size_t readers = 0;  // that stand in it
  };
  class Dropped;
  void attach(Reader& reader);
  void detach(Reader& reader);
  void leave_place(Reader& reader) FOREBAY_REQUIRES(mutex_);
  void step(Reader& reader) FOREBAY_REQUIRES(mutex_);
  void trim(Dropped& dropped) FOREBAY_REQUIRES(mutex_);
  std::size_t& readers_at(std::size_t index) FOREBAY_REQUIRES(mutex_);
  void end_as(End how);
  bool left() const;

  mutable Mutex mutex_;
  std::deque<Piece> pieces_ FOREBAY_GUARDED_BY(mutex_);
  std::size_t readers_at_end_ FOREBAY_GUARDED_BY(mutex_) = 0;  // that stand behind the last piece
  std::size_t dropped_ FOREBAY_GUARDED_BY(mutex_) = 0;         // slices before pieces_[0]
  std::uint64_t dropped_bytes_ FOREBAY_GUARDED_BY(mutex_) = 0;
  std::size_t window_ FOREBAY_GUARDED_BY(mutex_);
  bool awaits_reader_ FOREBAY_GUARDED_BY(mutex_);
  std::vector<Reader*> readers_ FOREBAY_GUARDED_BY(mutex_);
  std::atomic<std::uint64_t> length_{0};
  std::atomic<End> end_{End::Growing};
  Fields trailers_;
  Signal progress_;
  Signal space_;
};

/// A reader's position in a body, whole or growing. The edge pulls: `next` returns bytes, or why there are none.
/// Movable; used by one thread at a time.
class BodyCursor {
 public:
  enum class State : std::uint8_t { Data, Wait, End, Broken };

  BodyCursor() = default;  ///< No content.
  /// A complete body whose pieces live as long as `owner`. The span itself must live that long too.
  BodyCursor(Owner owner, std::span<const std::string_view> pieces);
  /// One piece.
  BodyCursor(Owner owner, std::string_view bytes);
  /// A list of its own: multipart ranges, own error documents.
  explicit BodyCursor(std::vector<Slice> parts);
  /// Attaches to a growing body at its beginning (or, windowed, at the first slice still held).
  explicit BodyCursor(Ref<Body> body);
  BodyCursor(BodyCursor&& o) noexcept = default;
  BodyCursor& operator=(BodyCursor&& o) noexcept;
  ~BodyCursor() { detach(); }

  /// Only bytes [first, first + length) are delivered. Before the first `next`. A body that is too short for it ends
  /// `Broken`.
  void limit(std::uint64_t first, std::uint64_t length);

  /// The available bytes, at most `max` and at most one slice; never empty with State::Data. The slice stays valid
  /// while its owner is held. `now` is the time of the reader's progress.
  State next(std::size_t max, Slice& out, Timestamp now = {});
  /// For a complete single-piece body: all of it at once, without touching reference counts; empty when not applicable.
  std::string_view whole() const noexcept;
  /// After `Wait`: wakes the waiter when there may be more. Check again after this.
  void wait(Waker& waker, Waiter& waiter);
  /// Remaining length, if known.
  std::optional<std::uint64_t> known_length() const noexcept;
  /// Whether it still holds bytes that nothing but their readers needs (`RefCounted::leave`).
  bool pins() const;
  /// Trailer fields of a growing body after End.
  const Fields* trailers() const noexcept;

 private:
  static constexpr std::uint64_t kNoLimit = UINT64_MAX;

  std::size_t piece_count() const noexcept;
  std::string_view piece(std::size_t i) const noexcept;
  std::uint64_t rest_of_pieces() const noexcept;
  State next_piece(std::size_t max, Slice& out);
  State next_growing(std::size_t max, Slice& out, Timestamp now);
  State conclude(Body::End how);
  void detach() noexcept;

  Owner owner_;
  std::span<const std::string_view> pieces_;
  std::string_view single_;
  std::vector<Slice> parts_;
  Ref<Body> body_;
  std::unique_ptr<Body::Reader> reader_;  // while attached
  State over_ = State::Data;              // how a growing body ended for this reader, once it has
  std::size_t index_ = 0;
  std::size_t offset_ = 0;      // within the current slice
  std::uint64_t position_ = 0;  // in the growing body
  std::uint64_t skip_ = 0;
  std::uint64_t left_ = kNoLimit;
};

}  // namespace forebay::http
