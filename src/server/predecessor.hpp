#pragma once

#include "forebay/server/handover.hpp"
#include "server/handover_channel.hpp"
#include "server/inheritance.hpp"

namespace forebay::server {

struct Predecessor::Private {
  Fd socket;
  PeerProcess process;
  std::string name, path;
  Inheritance sockets;
  Fd control;  ///< The socket at `path`.
  std::shared_ptr<SocketFile> file;
};

}  // namespace forebay::server
