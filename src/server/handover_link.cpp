// The channel of a handover, once the successor serves.
#include <boost/asio/posix/stream_descriptor.hpp>
#include <utility>

#include "forebay/server/handover.hpp"
#include "server/handover_channel.hpp"
#include "server/handover_message.hpp"

namespace forebay::server {

using boost::system::error_code;
using Kind = HandoverMessage::Kind;

struct HandoverLink::Private {
  Private(boost::asio::io_context& io, int descriptor, Side its_side) : socket(io), side(its_side) {
    socket.assign(descriptor);
  }

  boost::asio::posix::stream_descriptor socket;
  const Side side;
  std::function<void()> heard, ended;
};

HandoverLink::HandoverLink(boost::asio::io_context& io, int descriptor, Side side)
    : p_(std::make_unique<Private>(io, descriptor, side)) {}
HandoverLink::~HandoverLink() = default;

void HandoverLink::start(std::function<void()> heard, std::function<void()> ended) {
  p_->heard = std::move(heard);
  p_->ended = std::move(ended);
  read();
}

void HandoverLink::read() {
  p_->socket.async_wait(boost::asio::posix::stream_descriptor::wait_read, [self = shared_from_this()](error_code ec) {
    if (!ec && self->p_->socket.is_open()) self->take();
  });
}

void HandoverLink::take() {
  Packet packet;
  switch (receive_packet(p_->socket.native_handle(), packet)) {
    case Transfer::Again: return read();
    case Transfer::Full:
    case Transfer::Over: return end();
    case Transfer::Done: break;
  }
  std::string fault;
  const auto message = parse_handover_message(packet.text, fault);
  const bool asks = p_->side == Side::Predecessor;
  if (!message || message->kind != (asks ? Kind::Purged : Kind::Purge)) return end();
  // A successor reads on when it has answered, so that no more than one request waits.
  if (asks) read();
  p_->heard();
}

void HandoverLink::say() {
  if (!p_->socket.is_open()) return;
  const auto self = shared_from_this();
  HandoverMessage message;
  message.kind = p_->side == Side::Predecessor ? Kind::Purge : Kind::Purged;
  const Packet packet{to_text(message), {}};
  // An error that the peer's end has left is reported once, before the call that tells of the end. There is room: one
  // message at most is on its way.
  auto sent = Transfer::Again;
  for (int i = 0; i < 2 && sent == Transfer::Again; ++i) sent = send_packet(p_->socket.native_handle(), packet);
  if (sent != Transfer::Done) return end();
  if (p_->side == Side::Successor) read();
}

void HandoverLink::end() {
  if (!p_->socket.is_open()) return;
  const auto ended = std::exchange(p_->ended, nullptr);
  close();
  if (ended) ended();
}

void HandoverLink::close() {
  error_code ignored;
  p_->socket.close(ignored);
}

}  // namespace forebay::server
