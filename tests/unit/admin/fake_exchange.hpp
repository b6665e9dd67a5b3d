#pragma once

#include <optional>
#include <string>

#include "forebay/net/worker.hpp"
#include "forebay/server/exchange.hpp"

namespace forebay::admin {

/// One request without a connection; keeps what it was answered with.
class FakeExchange final : public server::Exchange {
 public:
  FakeExchange(net::Worker& worker, http::Method method, std::string target)
      : worker_(worker), target_(std::move(target)) {
    request_.method = method;
    request_.method_text = http::to_string(method);
    request_.target = target_;
  }
  const http::RequestView& request() const override { return request_; }
  bool has_body() const override { return false; }
  net::BodySource& body() override { return nothing_; }
  const server::Peer& peer() const override { return peer_; }
  net::Worker& worker() override { return worker_; }
  server::Notes& notes() override { std::abort(); }
  const server::Tally& tally() const override { return tally_; }
  void interim(int, std::string_view) override {}
  void answer(const server::AnswerHead& head, http::BodyCursor cursor) override {
    answered_ = true;
    status = head.status;
    lines = head.lines;
    length = head.length;
    Slice piece;
    while (cursor.next(65536, piece) == http::BodyCursor::State::Data) text += piece.bytes;
  }
  void cut() override {}
  bool gone() const override { return false; }
  void on_gone(Waiter*) override {}

  int status = 0;
  std::string lines, text;
  std::optional<std::uint64_t> length;

 private:
  struct Nothing final : net::BodySource {
    State pull(std::string_view&) override { return State::End; }
    void wait(Waiter&) override {}
    std::optional<std::uint64_t> length() const override { return 0; }
    bool begun() const override { return false; }
    const http::Fields& trailers() const override { return none; }
    http::Fields none;
  };

  net::Worker& worker_;
  std::string target_;
  http::RequestView request_;
  server::Peer peer_;
  server::Tally tally_;
  Nothing nothing_;
};

}  // namespace forebay::admin
