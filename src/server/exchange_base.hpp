#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "forebay/base/waker.hpp"
#include "forebay/server/exchange.hpp"

namespace forebay::server {

/// What the exchanges of all protocols share: the handler's notes, the numbers, who waits for what, and the peer.
class ExchangeBase : public Exchange, public net::BodySource {
 public:
  ExchangeBase(net::Worker& worker, std::unique_ptr<Notes> notes) : worker_(worker), notes_(std::move(notes)) {}

  const http::RequestView& request() const override { return view_; }
  bool has_body() const override { return has_body_; }
  net::BodySource& body() override { return *this; }
  const Peer& peer() const override { return *peer_; }
  net::Worker& worker() override { return worker_; }
  Notes& notes() override { return *notes_; }
  const Tally& tally() const override { return tally_; }
  bool gone() const override { return gone_; }
  void on_gone(Waiter* waiter) override;

  void wait(Waiter& waiter) override;
  std::optional<std::uint64_t> length() const override { return length_; }
  bool begun() const override { return begun_; }

  // --- the connection's side ---
  /// The client has left, or is treated as if it had.
  void leave();
  /// The edge answers instead of the handler.
  void mark_answered() noexcept { answered_ = true; }
  void wake_body_waiter();
  /// After `finished`: makes `peer` outlive the connection.
  void keep(std::shared_ptr<const Peer> peer) { kept_peer_ = std::move(peer); }
  Tally& numbers() noexcept { return tally_; }

 protected:
  /// For another request. `length` is that of the content, or nothing if it is not stated.
  void begin_request(const http::RequestView& view, const Peer& peer, const Now& now, bool has_body,
                     std::optional<std::uint64_t> length);
  bool begun_ = false, gone_ = false;

 private:
  net::Worker& worker_;
  std::unique_ptr<Notes> notes_;
  http::RequestView view_;
  const Peer* peer_ = nullptr;
  std::shared_ptr<const Peer> kept_peer_;
  Tally tally_;
  std::optional<std::uint64_t> length_;
  WaiterList gone_waiters_, body_waiters_;
  bool has_body_ = false;
};

}  // namespace forebay::server
