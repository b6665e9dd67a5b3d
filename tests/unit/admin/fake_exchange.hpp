#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "forebay/net/worker.hpp"
#include "forebay/server/exchange.hpp"

namespace forebay::admin {

/// One request without a connection; keeps what it was answered with. It comes from 127.0.0.1.
class FakeExchange final : public server::Exchange {
 public:
  FakeExchange(net::Worker& worker, http::Method method, std::string target)
      : worker_(worker), target_(std::move(target)) {
    request_.method = method;
    request_.method_text = http::to_string(method);
    request_.target = target_;
    from.address = "127.0.0.1";
    from.has_ip = true;
    from.ip = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 127, 0, 0, 1};
    field("Host", "127.0.0.1:8081");
  }
  void field(std::string_view name, std::string_view value) {
    fields_.set(name, value);
    show_fields();
  }
  void without(std::string_view name) {
    fields_.remove(name);
    show_fields();
  }
  const http::RequestView& request() const override { return request_; }
  bool has_body() const override { return !content.pieces.empty(); }
  net::BodySource& body() override { return content; }
  const server::Peer& peer() const override { return from; }
  net::Worker& worker() override { return worker_; }
  server::Notes& notes() override { return *made_notes; }
  const server::Tally& tally() const override { return tally_; }
  void interim(int, http::FieldsView) override {}
  void answer(const server::AnswerHead& head, http::BodyCursor cursor) override {
    answered_ = true;
    status = head.status;
    http::append_lines(lines, head.fields);
    http::append_lines(lines, head.added);
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

  /// Content that comes piece by piece; an empty piece is a wait.
  struct Content final : net::BodySource {
    State pull(std::string_view& out) override {
      if (next < pieces.size() && pieces[next].empty()) return State::Wait;
      if (next == pieces.size()) return last;
      out = pieces[next++];
      return State::Data;
    }
    void wait(Waiter& w) override { waiters.push_back(w); }
    /// More has come.
    void go_on() {
      ++next;
      auto& waiter = waiters.front();
      waiters.pop_front();
      waiter.woken();
    }
    std::optional<std::uint64_t> length() const override { return std::nullopt; }
    bool begun() const override { return next > 0; }
    const http::Fields& trailers() const override { return none; }

    std::vector<std::string> pieces;
    State last = State::End;
    std::size_t next = 0;
    WaiterList waiters;
    http::Fields none;
  } content;
  server::Peer from;
  std::unique_ptr<server::Notes> made_notes;

 private:
  /// As whoever reads the wire does.
  void show_fields() {
    request_.fields = fields_;
    request_.authority = request_.fields.value(http::FieldId::Host).value_or("");
  }

  net::Worker& worker_;
  std::string target_;
  http::Fields fields_;
  http::RequestView request_;
  server::Tally tally_;
};

}  // namespace forebay::admin
