#include "support/reply.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace forebay::test {

std::string http_date(long offset_seconds) {
  const std::time_t t = std::time(nullptr) + offset_seconds;
  std::tm tm{};
  ::gmtime_r(&t, &tm);
  char text[64];
  const auto n = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
  return {text, n};
}

std::string Reply::head(bool bodiless) const {
  std::string h = version_ + ' ' + std::to_string(status_) + " Scripted\r\n";
  if (date_ && !fields_.has("Date")) h += "Date: " + http_date() + "\r\n";
  for (const auto& [n, v] : fields_) h.append(n).append(": ").append(v).append("\r\n");
  if (framing_ == Framing::Chunked) h += "Transfer-Encoding: chunked\r\n";
  if (framing_ == Framing::Length && !fields_.has("Content-Length") && (!bodiless || !body_.empty()) && status_ != 204)
    h += "Content-Length: " + std::to_string(body_.size() + times_ * repeated_.size()) + "\r\n";
  if (!trailers_.empty()) {
    h += "Trailer: ";
    for (std::size_t i = 0; i < trailers_.size(); ++i) h.append(i ? ", " : "").append(trailers_[i].first);
    h += "\r\n";
  }
  return h + "\r\n";
}

std::string Reply::framed(std::string bytes) const {
  if (framing_ != Framing::Chunked) return bytes;
  char size[32];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return size + bytes + "\r\n";
}

void Reply::add_body(std::vector<Move>& moves) const {
  std::size_t at = 0;
  const auto wait_here = [&] {
    for (const auto& [offset, g] : gates_)
      if (offset == at) moves.push_back({Move::Kind::Wait, {}, g});
  };
  wait_here();
  while (at < body_.size()) {
    std::size_t n = body_.size() - at;
    if (piece_ > 0) n = std::min(n, piece_);
    for (const auto& [offset, g] : gates_)
      if (offset > at) n = std::min(n, offset - at);
    moves.push_back({Move::Kind::Send, framed(body_.substr(at, n))});
    if (pause_.count() > 0) moves.push_back({Move::Kind::Pause, {}, {}, pause_});
    at += n;
    wait_here();
  }
  if (times_ != 0) moves.push_back({Move::Kind::Send, framed(repeated_), {}, {}, times_});
  if (framing_ != Framing::Chunked) return;
  std::string last = "0\r\n";
  for (const auto& [n, v] : trailers_) last.append(n).append(": ").append(v).append("\r\n");
  moves.push_back({Move::Kind::Send, last + "\r\n"});
}

std::vector<Reply::Move> Reply::whole(std::string_view method) const {
  std::vector<Move> moves;
  if (before_) moves.push_back({Move::Kind::Wait, {}, before_});
  if (raw_) {
    moves.push_back({Move::Kind::Send, *raw_});
    return moves;
  }
  for (const auto& [status, fields] : interim_) {
    std::string text = "HTTP/1.1 " + std::to_string(status) + " Interim\r\n";
    for (const auto& [n, v] : fields) text.append(n).append(": ").append(v).append("\r\n");
    moves.push_back({Move::Kind::Send, text + "\r\n"});
  }
  if (before_head_) moves.push_back({Move::Kind::Wait, {}, before_head_});
  const bool bodiless = method == "HEAD" || status_ == 204 || status_ == 304;
  moves.push_back({Move::Kind::Send, head(status_ == 304)});
  if (!bodiless) add_body(moves);
  if (!surplus_.empty()) moves.back().bytes += surplus_;
  return moves;
}

std::size_t Reply::size(std::string_view method) const {
  std::size_t n = 0;
  for (const auto& m : whole(method)) n += m.bytes.size() * m.times;
  return n;
}

std::vector<Reply::Move> Reply::moves(std::string_view method) const {
  auto moves = whole(method);
  if (cut_) {
    std::size_t room = *cut_;
    std::vector<Move> kept;
    for (auto& m : moves) {
      if (m.kind == Move::Kind::Send) {
        if (m.bytes.size() > room) m.bytes.resize(room);
        room -= m.bytes.size();
      }
      kept.push_back(std::move(m));
      if (room == 0 && kept.back().kind == Move::Kind::Send) break;
    }
    moves = std::move(kept);
    if (end_) moves.push_back({*end_ == End::Fin ? Move::Kind::Fin : Move::Kind::Rst});
  }
  if (silent_) moves.push_back({Move::Kind::Silence});
  if (closes_ || framing_ == Framing::UntilClose) moves.push_back({Move::Kind::Fin});
  return moves;
}

}  // namespace forebay::test
