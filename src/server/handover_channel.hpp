#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "server/sockets.hpp"

namespace forebay::server {

/// One message with its descriptors.
struct Packet {
  std::string text;
  std::vector<Fd> descriptors;
};
/// Most descriptors of a message; the kernel takes 253.
inline constexpr std::size_t kMostDescriptorsOfPacket = 64;

/// `Again`: it would have to wait. `Over`: the peer has ended the connection, or cannot be understood. `Full`: this
/// process may open no more files, so that descriptors of the message are lost.
enum class Transfer : std::uint8_t { Done, Again, Over, Full };
/// Neither waits. Descriptors that are more or longer than may be are closed, and the transfer is over.
Transfer send_packet(int socket, const Packet& packet);
Transfer receive_packet(int socket, Packet& packet);

/// The process at the other end of a Unix socket.
struct PeerProcess {
  pid_t pid = 0;         ///< 0: of another container.
  bool trusted = false;  ///< This process's user, or root.
};
PeerProcess peer_process(int socket);
/// "process 123"
std::string name_of(const PeerProcess& process);

}  // namespace forebay::server
