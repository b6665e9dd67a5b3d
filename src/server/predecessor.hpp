#pragma once

#include "forebay/server/handover.hpp"
#include "server/handover_channel.hpp"
#include "server/inheritance.hpp"

namespace forebay::server {

/// `Full` as of `Transfer`. `Stopped`: this process is to stop.
enum class Got : std::uint8_t { Message, End, Late, Full, Stopped };

struct Predecessor::Private {
  /// What the answer says, or its absence. Throws as `ready` does.
  Reply heed(Got got, const Packet& packet);
  /// What this process has of it is this process's own from now on.
  void keep();

  Fd socket;
  std::function<bool()> stop;
  PeerProcess process;
  std::string name, path;
  Inheritance sockets;
  Fd control;  ///< The socket at `path`.
  std::shared_ptr<SocketFile> file;
};

}  // namespace forebay::server
