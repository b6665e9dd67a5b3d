#include "server/handover_channel.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "server/handover_message.hpp"

namespace forebay::server {
namespace {

constexpr std::size_t kControlRoom = CMSG_SPACE(sizeof(int) * kMostDescriptorsOfPacket);

Transfer outcome(ssize_t n) {
  if (n > 0) return Transfer::Done;
  // A peer that has closed with something unread causes ECONNRESET once; what it had sent comes after that.
  const bool waits = n < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNRESET);
  return waits ? Transfer::Again : Transfer::Over;
}

}  // namespace

Transfer send_packet(int socket, const Packet& packet) {
  alignas(cmsghdr) char control[kControlRoom] = {};
  iovec part{const_cast<char*>(packet.text.data()), packet.text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (const auto count = packet.descriptors.size(); count > 0) {
    if (count > kMostDescriptorsOfPacket) return Transfer::Over;
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
    auto* rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int) * count);
    auto* at = CMSG_DATA(rights);
    for (const auto& fd : packet.descriptors) {
      const int number = fd.get();
      std::memcpy(at, &number, sizeof number);
      at += sizeof number;
    }
  }
  return outcome(::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT));
}

Transfer receive_packet(int socket, Packet& packet) {
  alignas(cmsghdr) char control[kControlRoom];
  packet.descriptors.clear();
  packet.text.resize(HandoverMessage::kLongest);
  iovec part{packet.text.data(), packet.text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const auto n = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  const auto result = outcome(n);
  packet.text.resize(result == Transfer::Done ? static_cast<std::size_t>(n) : 0);
  if (result != Transfer::Done) return result;
  // First of all they get an owner.
  for (auto* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    for (std::size_t at = 0; CMSG_LEN(at + sizeof(int)) <= c->cmsg_len; at += sizeof(int)) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(c) + at, sizeof number);
      packet.descriptors.emplace_back(number);
    }
  }
  const bool too_many = packet.descriptors.size() == kMostDescriptorsOfPacket;
  if ((message.msg_flags & MSG_CTRUNC) != 0) return too_many ? Transfer::Over : Transfer::Full;
  return (message.msg_flags & MSG_TRUNC) != 0 ? Transfer::Over : Transfer::Done;
}

PeerProcess peer_process(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return {};
  return {peer.pid, peer.uid == ::geteuid() || peer.uid == 0};
}

std::string name_of(const PeerProcess& process) {
  return process.pid > 0 ? "process " + std::to_string(process.pid) : "a process of another container";
}

}  // namespace forebay::server
