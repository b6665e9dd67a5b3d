#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "forebay/base/waker.hpp"
#include "forebay/http/h2_session.hpp"
#include "server/body_reader.hpp"
#include "server/edge_error.hpp"
#include "server/exchange_base.hpp"
#include "server/min_rate.hpp"

namespace forebay::server {

class H2Connection;

/// One request of an HTTP/2 connection, and the stream that carries it. It uses the connection until its response has
/// been sent, or the stream has ended; after that calls have no effect, so a task may hold it any time. Reused for a
/// later request when nothing else holds it.
class H2Exchange final : public ExchangeBase, public http::H2Stream {
 public:
  using ExchangeBase::ExchangeBase;

  void interim(int status, http::FieldsView fields) override;
  void answer(const AnswerHead& head, http::BodyCursor body) override;
  void cut() override;
  void out_of_memory() noexcept override;
  bool ended() const override;
  void end_is_leaving() override;

  State pull(std::string_view& out) override;
  const http::Fields& trailers() const override { return request_trailers; }
  bool awaits_continue() const override;

  // --- the connection's side ---
  void begin(H2Connection& connection, const http::H2HeadReader& head, const Now& now, bool ended);
  /// Detaches it from the connection; a consumer that waits for content sees Broken.
  void detach();
  bool attached() const noexcept { return connection_ != nullptr; }
  /// From now on it is known when more of the answer's content can be had.
  struct ContentReady final : Waiter {
    explicit ContentReady(H2Exchange& exchange) : owner(exchange) {}
    void woken() override;
    H2Exchange& owner;
  };
  /// Content of the request: the last view that was handed out is `lent`; what has come since is `incoming`.
  void add_content(std::string_view bytes);
  /// Content that was not used: for so much the client has no credit in this stream.
  std::size_t held() const noexcept { return incoming.size() + lent.size(); }
  /// Drops content that is held, and frees large buffers of it.
  void free_content();

  std::size_t place = 0;  ///< In the connection's list.
  unsigned marks = 0;     ///< Of it, in the output that was not sent.
  std::string incoming, lent;
  std::size_t shared = 0;  ///< Of what is held, what counts in `WaitingContent`.
  std::uint64_t received = 0;
  http::Fields request_trailers;
  BodyReader content;  ///< Of the answer.
  ContentReady content_ready{*this};
  const EdgeError* failure = nullptr;  ///< Content that is malformed, late or cut short; or no memory.
  Timestamp body_due = Timestamp::max(), write_due = Timestamp::max();
  MinRate sending{MinRate::kWindow};     ///< Of the request's content.
  MinRate taking{2 * MinRate::kWindow};  ///< Of the answer's.
  bool own = false;                      ///< An answer of the edge: the handler does not know it.
  bool over_limit = false, expects_continue = false, continued = false;
  bool unsized = false;       ///< The answer's length is not stated.
  bool waits = false;         ///< The answer's content is awaited.
  bool end_produced = false;  ///< The answer's end is in the output.
  bool closed = false;        ///< The session has forgotten the stream.
  bool was_cut = false;
  bool leaves_by_end = false;  ///< The client leaves by its last byte.

 private:
  H2Connection* connection_ = nullptr;
};

}  // namespace forebay::server
