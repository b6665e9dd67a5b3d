#pragma once

#include <functional>

#include "core.hpp"
#include "forebay/http/body.hpp"
#include "forebay/net/deadlines.hpp"
#include "watch.hpp"

namespace forebay::proxy {

/// The body of a fill and those who read it. Kept whole while it may be stored; else a window, which the slowest reader
/// moves, and which makes the source wait when it is full.
class FillBody {
 public:
  /// `room` is called when a full window has room again, or nobody reads it any more.
  FillBody(Core& core, Task& owner, std::function<void()> room) : core_(core), owner_(owner), room_(std::move(room)) {}

  /// Runs a step of the loop as one of the fill.
  template <class Step>
  void guarded(Step&& step) {
    owner_.guarded(std::forward<Step>(step));
  }

  enum class Kept : std::uint8_t {
    Whole,
    Window,
    ChargedWindow,  ///< What it holds is charged, as content that its readers alone need.
  };
  void begin(Kept kept);
  /// A body that is whole already.
  void begin(const Ref<const cache::Entry>& entry);
  explicit operator bool() const noexcept { return body_ != nullptr; }
  const Ref<http::Body>& get() const noexcept { return body_; }
  std::size_t readers() const { return body_ ? body_->readers() : 0; }

  /// `charge`: of bytes that are to be stored. A window that is not charged has a charge by `take_more` alone.
  void append(std::string_view bytes, Charge charge);
  /// Whether the source may go on. If not, `room` will be called.
  bool has_room();
  /// It will not be kept whole after all; its flight is closed to joins already. From now on it has a charged window.
  void outgrow();
  /// Lets go of the slowest of several readers: whether there is room now.
  bool drop_slowest();
  /// Whether there is memory for so much beyond the window.
  bool take_more(std::size_t bytes);

  void finish(const http::Fields& trailers);
  void break_off();
  /// Calls nobody any more.
  void stop_waiting();

 private:
  void woken();
  void out_of_patience();

  Core& core_;
  Task& owner_;
  const std::function<void()> room_;
  Ref<http::Body> body_;
  Charge beyond_window_;
  bool charges_ = false;  // what the window holds
  bool narrow_ = false;   // the window, since there is no memory
  Watch<FillBody> space_{*this, &FillBody::woken};
  net::Deadline patience_{[this] { guarded([this] { out_of_patience(); }); }};
};

}  // namespace forebay::proxy
