#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "forebay/base/clock.hpp"
#include "forebay/config/config.hpp"
#include "forebay/server/listener.hpp"

namespace forebay::server {

/// Replacing the binary: the process that is started, the successor, gets the listening sockets of the one that runs,
/// the predecessor, over a Unix socket. They share the sockets from then on, so that no connection in a queue is lost,
/// whoever of them ends. docs/operations.md has the whole of it.

/// What is left of a handover until the predecessor has ended: it asks the successor to drop what that has fetched so
/// far, since writes on connections of its own have made it stale. On the main thread.
class HandoverLink : public std::enable_shared_from_this<HandoverLink> {
 public:
  enum class Side : std::uint8_t { Predecessor, Successor };
  /// `side`: what this process is. Takes the descriptor.
  HandoverLink(boost::asio::io_context& io, int descriptor, Side side);
  ~HandoverLink();
  HandoverLink(const HandoverLink&) = delete;

  /// `heard`: a predecessor hears that what it has asked for is done; a successor is asked, and hears the next when it
  /// has said that it is done. `ended`, once and last: the other process is gone, or understands no such thing.
  void start(std::function<void()> heard, std::function<void()> ended);
  /// A predecessor asks; a successor has done it.
  void say();
  /// Ends it without a call.
  void close();

 private:
  void read();
  void take();
  void end();

  struct Private;
  const std::unique_ptr<Private> p_;
};

/// What a successor has of its predecessor. Its calls wait, with a limit: it has nothing else to do yet.
class Predecessor {
 public:
  /// This process was told to stop before it took over; the predecessor goes on.
  struct Stopped : std::runtime_error {
    using std::runtime_error::runtime_error;
  };
  /// Gets the sockets of the process that listens at `path`; null if nobody does. Throws std::runtime_error, with what
  /// to do, if that process does not hand them over within `patience`. While `find` and `ready` wait, they ask `stop`
  /// often, and throw `Stopped` if it is true.
  static std::unique_ptr<Predecessor> find(const std::string& path, const std::string& program, Duration patience,
                                           std::function<bool()> stop = {});
  ~Predecessor();
  Predecessor(const Predecessor&) = delete;

  /// For `Neighbours::inherited`.
  Inheritance& sockets() noexcept;
  /// What it listens on.
  std::vector<config::Address> addresses() const;
  /// "process 123 (version 1.0.0)"
  const std::string& name() const noexcept;

  /// `Replaced`: it accepts no more. `Gone`: it has ended. `Silent`: it has not answered within `patience`, and accepts
  /// no more as soon as it runs again. This process has the sockets in each case. The files of Unix sockets stay the
  /// predecessor's while it is silent.
  enum class Reply : std::uint8_t { Replaced, Gone, Silent };
  /// Tells it that this process can accept from now on. Throws std::runtime_error if it goes on serving; nothing has
  /// changed then. Also if it has ended, and files of sockets with it.
  Reply ready(Duration patience);
  /// What has come since `ready` returned `Silent`, without waiting. The predecessor leaves only if this is still there
  /// to be answered. Throws as `ready` does.
  Reply late_reply();
  /// What is left of it when it is replaced. The last call.
  std::shared_ptr<HandoverLink> link(boost::asio::io_context& io);

 private:
  friend class Handover;
  struct Private;
  explicit Predecessor(std::unique_ptr<Private> p);
  std::unique_ptr<Private> p_;
};

/// What a predecessor has for its successor: the Unix socket, on the loop of the main thread. The file is readable and
/// writable for its owner alone, and peers of other users than this one and root are refused.
class Handover {
 public:
  struct Offer {
    config::Address address;  ///< As configured.
    const Listener* listener;
  };
  struct Calls {
    std::function<std::vector<Offer>()> offers;
    /// The successor is about to be told that it may accept (true), and was gone (false). May be empty.
    std::function<void(bool)> replacing;
    /// The successor has the sockets of these, and accepts; this process is to accept no more. Not of other listeners.
    std::function<void(const std::vector<const Listener*>& taken, const std::string& by,
                       const std::shared_ptr<HandoverLink>& link)>
        replaced;
  };
  /// Takes the predecessor's socket over, or binds its own; throws std::runtime_error when it cannot. A successor that
  /// comes before `start` waits.
  Handover(boost::asio::io_context& io, const std::string& path, const std::string& program, Predecessor* predecessor);
  ~Handover();
  Handover(const Handover&) = delete;

  void start(Calls calls);
  /// Whether a successor has got the sockets and is about to say that it is ready.
  bool busy() const noexcept;
  /// Refuses the successor of which `busy` tells, unless it has said already that it is ready: `replaced` is called
  /// then.
  void interrupt(const std::string& why);
  /// For the end of this process: the same, but a successor that has the sockets is not refused. It takes over when it
  /// finds that this process is gone. Returns the listeners that it has; they are to be left, not closed.
  std::vector<const Listener*> conclude();

 private:
  struct Private;
  std::shared_ptr<Private> p_;
};

}  // namespace forebay::server
