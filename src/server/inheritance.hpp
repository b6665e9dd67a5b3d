#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/sockets.hpp"

namespace forebay::server {

/// Listening sockets that the predecessor has handed over. Each listener's are taken once.
class Inheritance {
 public:
  /// Adds descriptors of a listener: its sockets and, last for a Unix socket, its file. False if they are more than
  /// there may be. Throws std::runtime_error if they are not what they should be.
  bool add(unsigned listener, const config::Address& address, std::vector<Fd> descriptors);

  /// Nothing if no such listener was handed over, or its sockets were taken, or the file of a Unix socket is gone.
  std::optional<Listening> take(const config::Address& wanted);
  std::vector<config::Address> addresses() const;
  /// By their numbers, ascending.
  std::vector<unsigned> taken() const;
  /// The path of a Unix socket that was taken and whose file is no longer in place; empty if there is none.
  std::string missing_file() const;
  /// The files of the Unix sockets that were taken are this process's from now on; what was not taken is closed.
  void keep();

 private:
  struct Item {
    unsigned listener;
    Listening listening;
    bool taken = false;
  };
  std::vector<Item> items_;
  std::size_t descriptors_ = 0;
};

}  // namespace forebay::server
