#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "forebay/http/h1_parser.hpp"
#include "server/exchange_base.hpp"

namespace forebay::server {

class H1Connection;

/// One request of an HTTP/1.1 connection. It uses the connection until its response has been sent; after that calls
/// have no effect, so a task may hold it any time. Reused for a later request when nothing else holds it.
class H1Exchange final : public ExchangeBase {
 public:
  using ExchangeBase::ExchangeBase;

  std::shared_ptr<void>* companion() override;
  void interim(int status, http::FieldsView fields) override;
  void answer(const AnswerHead& head, http::BodyCursor body) override;
  bool upgrade(const AnswerHead& head, std::string_view protocol, Taker&& taker) override;
  void end_upgrade(std::uint64_t in, std::uint64_t out, bool completed) override;
  void cut() override;
  void out_of_memory() noexcept override;
  bool ended() const override;
  void end_is_leaving() override;

  State pull(std::string_view& out) override;
  const http::Fields& trailers() const override;
  bool awaits_continue() const override;

  // --- the connection's side ---
  void begin(H1Connection& connection, const http::RequestParser& parser, const Now& now);
  /// Detaches it from the connection; a consumer that waits for content sees Broken.
  void detach();
  /// Keeps the last pulled view of content valid when the connection continues or ends.
  void keep_bytes(std::shared_ptr<const char[]> bytes) { kept_bytes_ = std::move(bytes); }

  std::uint64_t head_at = 0;  ///< Where in the connection's output the answer begins,
  std::uint64_t end_at = 0;   ///< and ends, once it is wholly queued.

 private:
  H1Connection* connection_ = nullptr;
  std::shared_ptr<const char[]> kept_bytes_;
};

}  // namespace forebay::server
