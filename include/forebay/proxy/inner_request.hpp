#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "forebay/http/body.hpp"
#include "forebay/net/deadlines.hpp"
#include "forebay/rules/vocabulary.hpp"
#include "forebay/server/exchange.hpp"

namespace forebay::proxy {

/// What came of an inner request.
struct InnerOutcome {
  int status = 0;          ///< 0: no answer in time.
  bool completed = false;  ///< The whole response came.
  bool stored = false;     ///< It was fetched and stored.
  rules::CacheResult result = rules::CacheResult::Error;
  rules::Reason reason = rules::Reason::None;
};

/// A GET that the process asks its own proxy handler, without a connection: by its routes, rules and limits, as that of
/// a client that reads as fast as it can and keeps nothing. Its peer is 127.0.0.1, which is never trusted. Used on the
/// thread of its worker.
class InnerRequest final : public server::Exchange, private net::BodySource {
 public:
  struct Url {
    std::string scheme, authority, target;
  };
  using Done = std::function<void(const InnerOutcome&)>;
  /// `handler` is the proxy's of this worker. `done` is called once, not from within this call: when the response was
  /// read, at `until`, or at `leave`.
  static std::shared_ptr<InnerRequest> ask(net::Worker& worker, server::Handler& handler, const Url& url,
                                           Timestamp until, Done done);
  /// The client leaves. Afterwards nothing is held of the handler. Not from within a call of the handler.
  void leave();
  bool over() const noexcept { return over_; }

  // --- as the handler sees it ---
  const http::RequestView& request() const override { return view_; }
  bool has_body() const override { return false; }
  net::BodySource& body() override { return *this; }
  const server::Peer& peer() const override { return peer_; }
  net::Worker& worker() override { return worker_; }
  server::Notes& notes() override { return *notes_; }
  const server::Tally& tally() const override { return tally_; }
  void interim(int, http::FieldsView) override {}
  void answer(const server::AnswerHead& head, http::BodyCursor body) override;
  void cut() override { end_soon(false); }
  bool gone() const override { return gone_; }
  void on_gone(Waiter* waiter) override;

 private:
  struct Reading final : Waiter {
    explicit Reading(InnerRequest& r) : request(r) {}
    void woken() override;
    InnerRequest& request;
  };

  InnerRequest(net::Worker& worker, server::Handler& handler, const Url& url, Done done);
  void read();
  void end_soon(bool completed);
  void end(bool completed);

  State pull(std::string_view&) override { return State::End; }
  void wait(Waiter&) override {}
  std::optional<std::uint64_t> length() const override { return 0; }
  bool begun() const override { return false; }
  const http::Fields& trailers() const override { return no_fields_; }

  net::Worker& worker_;
  server::Handler& handler_;
  std::unique_ptr<server::Notes> notes_;
  http::Request request_;
  http::RequestView view_;
  server::Peer peer_;
  server::Tally tally_;
  http::Fields no_fields_;
  http::BodyCursor cursor_;
  Reading reading_{*this};
  WaiterList gone_waiters_;
  net::Deadline deadline_{[this] { leave(); }};
  Done done_;
  bool gone_ = false, over_ = false;
};

}  // namespace forebay::proxy
