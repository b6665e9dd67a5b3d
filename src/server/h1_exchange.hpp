#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "forebay/base/waker.hpp"
#include "forebay/http/h1_parser.hpp"
#include "forebay/server/exchange.hpp"

namespace forebay::server {

class H1Connection;

/// One request of an HTTP/1.1 connection. It uses the connection until its response has been sent; after that calls
/// have no effect, so a task may hold it any time. Reused for a later request when nothing else holds it.
class H1Exchange final : public Exchange, public net::BodySource {
 public:
  H1Exchange(net::Worker& worker, std::unique_ptr<Notes> notes) : worker_(worker), notes_(std::move(notes)) {}

  const http::RequestView& request() const override { return view_; }
  bool has_body() const override { return has_body_; }
  net::BodySource& body() override { return *this; }
  const Peer& peer() const override { return *peer_; }
  net::Worker& worker() override { return worker_; }
  Notes& notes() override { return *notes_; }
  const Tally& tally() const override { return tally_; }
  std::shared_ptr<void>* companion() override;
  void interim(int status, http::FieldsView fields) override;
  void answer(const AnswerHead& head, http::BodyCursor body) override;
  bool upgrade(const AnswerHead& head, std::string_view protocol, Taker taker) override;
  void end_upgrade(std::uint64_t in, std::uint64_t out, bool completed) override;
  void cut() override;
  void out_of_memory() noexcept override;
  bool gone() const override { return gone_; }
  bool ended() const override;
  void on_gone(Waiter* waiter) override;

  State pull(std::string_view& out) override;
  void wait(Waiter& waiter) override;
  std::optional<std::uint64_t> length() const override { return length_; }
  bool begun() const override { return begun_; }
  const http::Fields& trailers() const override;
  bool awaits_continue() const override;

  // --- the connection's side ---
  void begin(H1Connection& connection, const http::RequestParser& parser, const Now& now);
  /// Detaches it from the connection; a consumer that waits for content sees Broken.
  void detach();
  /// The client has left, or is treated as if it had.
  void leave();
  /// The edge answers instead of the handler.
  void mark_answered() noexcept { answered_ = true; }
  void wake_body_waiter();
  /// After `finished`: makes `peer` outlive the connection.
  void keep(std::shared_ptr<const Peer> peer) { kept_peer_ = std::move(peer); }

  /// Keeps the last pulled view of content valid when the connection continues or ends.
  void keep_bytes(std::shared_ptr<const char[]> bytes) { kept_bytes_ = std::move(bytes); }

  Tally& numbers() noexcept { return tally_; }
  std::uint64_t head_at = 0;  ///< Where in the connection's output the answer begins,
  std::uint64_t end_at = 0;   ///< and ends, once it is wholly queued.

 private:
  net::Worker& worker_;
  std::unique_ptr<Notes> notes_;
  H1Connection* connection_ = nullptr;
  http::RequestView view_;
  const Peer* peer_ = nullptr;
  std::shared_ptr<const Peer> kept_peer_;
  std::shared_ptr<const char[]> kept_bytes_;
  Tally tally_;
  std::optional<std::uint64_t> length_;
  WaiterList gone_waiters_, body_waiters_;
  bool has_body_ = false, begun_ = false, gone_ = false;
};

}  // namespace forebay::server
