#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/gate.hpp"
#include "support/wire.hpp"

namespace forebay::test {

enum class End { Fin, Rst };

/// What an origin does with one request: an answer written down field by field, and the ways in which it goes wrong.
class Reply {
 public:
  explicit Reply(int status = 200) : status_(status) {}
  /// A fresh answer: `Cache-Control: max-age=60` with this body.
  static Reply fresh(std::string body = "fresh") {
    return Reply().field("Cache-Control", "max-age=60").body(std::move(body));
  }
  /// An answer with this Cache-Control.
  static Reply with(std::string cache_control, std::string body = "body") {
    return Reply().field("Cache-Control", std::move(cache_control)).body(std::move(body));
  }
  /// These bytes and nothing else, then the connection stays open (or see `cut`, `close`).
  static Reply raw(std::string bytes) { return Reply().set_raw(std::move(bytes)); }
  /// Never answers; the connection stays open.
  static Reply silence() { return Reply().set_raw("").never_end(); }
  /// Ends the connection without a byte.
  static Reply hang_up(End how) { return Reply().set_raw("").cut(0, how); }

  Reply& field(std::string name, std::string value) {
    fields_.emplace_back(std::move(name), std::move(value));
    return *this;
  }
  Reply& body(std::string text) {
    body_ = std::move(text);
    return *this;
  }
  /// A body of this piece so many times over, which takes no more memory than the piece. Not with `cut` or `gate_at`.
  Reply& repeat(std::string piece, std::size_t times) {
    repeated_ = std::move(piece);
    times_ = times;
    return *this;
  }
  Reply& without_date() {
    date_ = false;
    return *this;
  }

  // Framing; by Content-Length unless one of these is said.
  Reply& chunked(std::size_t chunk = 0) {
    framing_ = Framing::Chunked;
    piece_ = chunk;
    return *this;
  }
  Reply& trailer(std::string name, std::string value) {
    trailers_.emplace_back(std::move(name), std::move(value));
    return *this;
  }
  Reply& until_close() {
    framing_ = Framing::UntilClose;
    return *this;
  }
  Reply& http10() {
    version_ = "HTTP/1.0";
    return *this;
  }

  // Before the answer.
  Reply& interim(int status, FieldLines fields = {}) {
    interim_.emplace_back(status, std::move(fields));
    return *this;
  }

  // Time, by latches.
  Reply& after(GatePtr g) {  ///< Nothing at all before this gate is open.
    before_ = std::move(g);
    return *this;
  }
  Reply& head_after(GatePtr g) {  ///< Interim answers, then wait, then the head.
    before_head_ = std::move(g);
    return *this;
  }
  Reply& gate_at(std::size_t body_byte, GatePtr g) {  ///< So many bytes of the body, then wait.
    gates_.emplace_back(body_byte, std::move(g));
    return *this;
  }
  Reply& drip(std::size_t bytes, milliseconds pause) {  ///< The body in small pieces.
    piece_ = bytes;
    pause_ = pause;
    return *this;
  }

  // The end.
  Reply& cut(std::size_t after_bytes, End how) {  ///< Only so many bytes of the message (interim ones included).
    cut_ = after_bytes;
    end_ = how;
    return *this;
  }
  Reply& stall(std::size_t after_bytes) {  ///< Only so many bytes, then silence on an open connection.
    cut_ = after_bytes;
    end_.reset();
    return never_end();
  }
  Reply& close() {  ///< Says `Connection: close` and does it.
    field("Connection", "close");
    closes_ = true;
    return *this;
  }
  Reply& close_silently() {  ///< Promises keep-alive and closes.
    closes_ = true;
    return *this;
  }
  Reply& surplus(std::string bytes) {  ///< Sent behind the end of the message, in one piece with it.
    surplus_ = std::move(bytes);
    return *this;
  }

  struct Move {
    enum class Kind { Send, Wait, Pause, Silence, Fin, Rst } kind;
    std::string bytes{};
    GatePtr gate{};
    milliseconds pause{0};
    std::size_t times = 1;  ///< Of a Send.
  };
  /// What to do, in order.
  std::vector<Move> moves(std::string_view method) const;
  /// Bytes of the whole message, framing included.
  std::size_t size(std::string_view method = "GET") const;
  int status() const { return status_; }

 private:
  enum class Framing { Length, Chunked, UntilClose };
  Reply& set_raw(std::string bytes) {
    raw_ = std::move(bytes);
    return *this;
  }
  Reply& never_end() {
    silent_ = true;
    return *this;
  }
  std::string head(bool bodiless) const;
  void add_body(std::vector<Move>& moves) const;
  std::string framed(std::string bytes) const;
  std::vector<Move> whole(std::string_view method) const;

  int status_;
  std::string version_ = "HTTP/1.1";
  FieldLines fields_;
  std::string body_;
  std::string repeated_;
  std::size_t times_ = 0;
  Framing framing_ = Framing::Length;
  FieldLines trailers_;
  std::vector<std::pair<int, FieldLines>> interim_;
  GatePtr before_, before_head_;
  std::vector<std::pair<std::size_t, GatePtr>> gates_;
  std::size_t piece_ = 0;
  milliseconds pause_{0};
  std::optional<std::size_t> cut_;
  std::optional<End> end_;
  std::optional<std::string> raw_;
  std::string surplus_;
  bool date_ = true, closes_ = false, silent_ = false;
};

/// IMF-fixdate of now plus so many seconds.
std::string http_date(long offset_seconds = 0);

}  // namespace forebay::test
