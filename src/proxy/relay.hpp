#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "forebay/base/budget.hpp"
#include "forebay/http/websocket.hpp"
#include "forebay/net/deadlines.hpp"
#include "forebay/net/stream.hpp"
#include "forebay/net/worker.hpp"
#include "forebay/proxy/counters.hpp"

namespace forebay::proxy {

/// Carries bytes between two connections, both ways, until both sides have sent their last byte. What one side does not
/// take is kept, up to the size of one read, and nothing more is read of the other side until it has gone; a side
/// without traffic has no buffer. When one side has gone, the other one is waited for only as long as it takes
/// something. Used by one worker.
class Relay final : public std::enable_shared_from_this<Relay> {
 public:
  struct Limits {
    Duration idle;     ///< How long nothing may move.
    Duration stalled;  ///< How long a side may take nothing of what is there for it.
  };
  /// Hears of it. Calls are made on the worker, none before `start` returns, and none after `ended`.
  class Owner {
   public:
    virtual void moved(TunnelWay way, std::size_t bytes) = 0;
    /// Memory for what one side does not take now; empty if there is none.
    virtual Charge reserve(std::size_t bytes) = 0;
    /// Both connections are closed.
    virtual void ended(TunnelEnd how) = 0;
    /// Runs a step of the loop; ends the relay where memory runs out.
    virtual void run(const std::function<void()>& step) = 0;

   protected:
    ~Owner() = default;
  };

  Relay(net::Worker& worker, Limits limits) : worker_(worker), limits_(limits) {}
  Relay(const Relay&) = delete;

  /// `client_early`, `origin_early`: bytes that were read of each already. `owner` outlives the relay, or calls `stop`.
  void start(Owner& owner, net::Stream client, std::string client_early, net::Stream origin, std::string origin_early);
  /// Sends the client a WebSocket Close frame with this code at the next boundary between two frames, and nothing after
  /// it. The client then answers with a Close frame, which ends the tunnel in order: the origin takes it for the
  /// client's wish. Only of a tunnel that carries WebSocket frames.
  void close_websocket(unsigned code);
  /// Ends it at once; `ended` is not called.
  void stop() noexcept;

  std::uint64_t bytes(TunnelWay way) const noexcept { return ways_[static_cast<std::size_t>(way)].bytes; }

 private:
  /// One direction.
  struct Way {
    net::Stream* from = nullptr;
    net::Stream* to = nullptr;
    std::string held;                         // read, and not taken by `to`
    Charge charge;                            // its memory
    std::size_t taken = 0;                    // of `held`
    std::uint64_t bytes = 0;                  // that `to` has taken
    std::size_t backlog = 0;                  // what the kernel held for `to` when it was full, or when we last asked
    Timestamp stalled_at = Timestamp::max();  // when `to` must have taken something; max: it is not waited for
    Timestamp look_at = Timestamp::max();     // when we ask the kernel how it goes
    bool reading = false, writing = false;    // waits that are under way
    bool from_ended = false, to_told = false;
    bool from_gone = false;  // it has left without its end; there may still be bytes of it to read
    bool discards = false;   // what still comes is dropped
  };
  enum class Step : std::uint8_t { Again, Wait, Over };

  Way& way(TunnelWay w) noexcept { return ways_[static_cast<std::size_t>(w)]; }
  TunnelWay which(const Way& w) const noexcept { return static_cast<TunnelWay>(&w - ways_.data()); }
  Way& back(const Way& w) noexcept { return ways_[1 - static_cast<std::size_t>(which(w))]; }
  TunnelEnd reset_by(const Way& w) const noexcept {
    return which(w) == TunnelWay::FromClient ? TunnelEnd::ClientReset : TunnelEnd::OriginReset;
  }
  void pump(Way& w);
  Step step(Way& w);
  Step write_held(Way& w);
  Step write(Way& w, std::string_view bytes);
  Step read(Way& w);
  void give_up(Way& w, int error);
  bool hold(Way& w, std::string_view bytes);
  static void release(Way& w) noexcept;
  std::string_view cut_at_close(std::string_view bytes);
  void await_read(Way& w, net::Direction direction);
  void await_write(Way& w, net::Direction direction);
  void wait_for(Way& w);
  void note_moved(Way& w, std::size_t bytes);
  Timestamp idle_at() const noexcept;
  void arm();
  void expired();
  std::optional<TunnelEnd> look(Way& w);
  bool abandoned(Way& w);
  void end(TunnelEnd how);

  net::Worker& worker_;
  const Limits limits_;
  Owner* owner_ = nullptr;  // null: over
  std::unique_ptr<std::array<net::Stream, 2>> streams_;
  std::array<Way, 2> ways_;
  http::WebSocketFrames frames_;  // from the origin
  std::string close_frame_;       // to be sent at a boundary; empty: none
  Timestamp moved_at_{}, armed_for_{};
  net::Deadline deadline_{[this] { expired(); }};
};

}  // namespace forebay::proxy
