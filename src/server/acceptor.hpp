#pragma once

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <functional>
#include <memory>

#include "forebay/net/deadlines.hpp"
#include "forebay/net/stream.hpp"
#include "forebay/net/worker.hpp"
#include "server/sockets.hpp"

namespace forebay::server {

/// Takes connections from one listening socket, on one worker's thread.
class Acceptor : public std::enable_shared_from_this<Acceptor> {
 public:
  using Accepted = std::function<void(net::ParkedStream)>;
  /// `shared`: another acceptor has the socket until this one starts.
  Acceptor(net::Worker& worker, Fd socket, Accepted accepted, bool shared = false);

  void start();
  /// Another descriptor of its socket. Not after `close`.
  Fd share();
  /// Accepts the queued connections, which would be reset with the socket, then closes it.
  void close();
  /// Closes it without: another process has the socket too.
  void leave();

 private:
  enum class Outcome : std::uint8_t { Empty, More, Exhausted, Dead };
  Outcome accept_some(unsigned most);
  void wait();
  void on_ready(const boost::system::error_code& error);

  net::Worker& worker_;
  boost::asio::posix::basic_stream_descriptor<net::Worker::Executor> socket_;
  Accepted accepted_;
  net::Deadline pause_;
  const bool shared_;
  bool started_ = false, warned_ = false;
};

}  // namespace forebay::server
