#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace forebay::test {

/// A name server on loopback, by UDP and TCP, whose answers the test sets and changes at any time. Names that it was
/// not told of do not exist.
class DnsServer {
 public:
  enum class How {
    Answer,
    NoName,        ///< NXDOMAIN
    ServerFailed,  ///< SERVFAIL
    Silent,
    Garbage,    ///< Not a message of DNS, but for its id.
    WrongId,    ///< The answer, with another id.
    Truncated,  ///< By UDP an empty answer with TC, by TCP the answer.
  };
  struct Target {
    std::uint16_t priority, weight, port;
    std::string host;
  };
  struct Records {
    std::vector<std::string> v4{}, v6{};
    std::uint32_t ttl = 1;
    std::string alias{};  ///< A CNAME, which is followed as far as this server knows it.
    std::uint32_t alias_ttl = 3600;
    How how = How::Answer;
    How how6 = How::Answer;  ///< Of AAAA, where `how` is Answer.
    std::vector<Target> targets{};
  };

  DnsServer() {
    // TCP first: its port is free for UDP but for an unlikely accident, which tries again.
    for (int i = 0; i < 100 && udp_ < 0; ++i) open();
    thread_ = std::thread([this] { serve(); });
  }
  DnsServer(const DnsServer&) = delete;
  ~DnsServer() {
    stop_ = true;
    thread_.join();
    ::close(udp_);
    ::close(tcp_);
  }

  std::uint16_t port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  void set(const std::string& name, Records records) {
    const std::lock_guard lock(mutex_);
    zone_[name] = std::move(records);
  }
  /// All names from now on, whatever was set; nothing: as set.
  void everything(std::optional<How> how) {
    const std::lock_guard lock(mutex_);
    everything_ = how;
  }
  /// Questions for A of this name (SRV where it has targets); each try counts.
  unsigned asked(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto at = asked_.find(name);
    return at == asked_.end() ? 0 : at->second;
  }
  unsigned by_tcp() const { return by_tcp_; }

 private:
  using Bytes = std::string;
  static constexpr std::uint16_t kA = 1, kAlias = 5, kAaaa = 28, kSrv = 33;

  void open() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    tcp_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ::bind(tcp_, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(tcp_, 16);
    ::getsockname(tcp_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    udp_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (::bind(udp_, reinterpret_cast<sockaddr*>(&address), size) == 0) return;
    ::close(udp_);
    ::close(tcp_);
    udp_ = -1;
  }

  void serve() {
    while (!stop_) {
      std::array<pollfd, 2> ready{pollfd{udp_, POLLIN, 0}, pollfd{tcp_, POLLIN, 0}};
      if (::poll(ready.data(), ready.size(), 20) <= 0) continue;
      if ((ready[0].revents & POLLIN) != 0) answer_datagram();
      if ((ready[1].revents & POLLIN) != 0) answer_connection();
    }
  }
  void answer_datagram() {
    char bytes[2048];
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const auto n = ::recvfrom(udp_, bytes, sizeof bytes, 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (n <= 0) return;
    const auto answer = answer_to({bytes, static_cast<std::size_t>(n)}, false);
    if (!answer.empty()) ::sendto(udp_, answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
  }
  // Several questions may come by one connection; it ends when the client closes it.
  void answer_connection() {
    const int fd = ::accept4(tcp_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const timeval limit{5, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ++by_tcp_;
    for (;;) {
      unsigned char length[2];
      if (::recv(fd, length, 2, MSG_WAITALL) != 2) break;
      Bytes question(static_cast<std::size_t>(length[0] << 8 | length[1]), '\0');
      const auto wanted = static_cast<ssize_t>(question.size());
      if (::recv(fd, question.data(), question.size(), MSG_WAITALL) != wanted) break;
      const auto answer = answer_to(question, true);
      const auto whole = word(static_cast<std::uint16_t>(answer.size())) + answer;
      if (answer.empty() || ::send(fd, whole.data(), whole.size(), MSG_NOSIGNAL) < 0) break;
    }
    ::close(fd);
  }

  static Bytes word(std::uint16_t n) { return {static_cast<char>(n >> 8), static_cast<char>(n & 255)}; }
  static Bytes wide(std::uint32_t n) {
    return word(static_cast<std::uint16_t>(n >> 16)) + word(static_cast<std::uint16_t>(n & 65535));
  }
  static Bytes encoded(std::string_view name) {
    Bytes out;
    while (!name.empty()) {
      const auto label = name.substr(0, name.find('.'));
      out += static_cast<char>(label.size());
      out += label;
      name.remove_prefix(std::min(name.size(), label.size() + 1));
    }
    return out + '\0';
  }
  static Bytes record(const std::string& name, std::uint16_t type, std::uint32_t ttl, const Bytes& content) {
    return encoded(name) + word(type) + word(1) + wide(ttl) + word(static_cast<std::uint16_t>(content.size())) +
           content;
  }
  static Bytes binary(int family, const std::string& text) {
    Bytes out(family == AF_INET ? 4 : 16, '\0');
    ::inet_pton(family, text.c_str(), out.data());
    return out;
  }

  Bytes answer_to(const Bytes& question, bool by_tcp) {
    std::size_t at = 12;
    std::string name;
    while (at < question.size() && question[at] != '\0') {
      const auto length = static_cast<std::size_t>(static_cast<unsigned char>(question[at]));
      name += (name.empty() ? "" : ".") + question.substr(at + 1, length);
      at += length + 1;
    }
    if (at + 5 > question.size()) return {};
    const auto type = static_cast<std::uint16_t>(static_cast<unsigned char>(question[at + 1]) << 8 |
                                                 static_cast<unsigned char>(question[at + 2]));
    const Bytes asked = question.substr(12, at + 5 - 12);
    const std::lock_guard lock(mutex_);
    if (type == kA || type == kSrv) ++asked_[name];
    auto known = zone_.find(name);
    How how = known == zone_.end() ? How::NoName : known->second.how;
    if (how == How::Answer && type == kAaaa) how = known->second.how6;
    if (everything_) how = *everything_;
    const auto reply = [&](std::uint16_t flags, std::uint16_t count, const Bytes& records,
                           std::uint16_t id_change = 0) {
      Bytes id = question.substr(0, 2);
      id[1] = static_cast<char>(id[1] ^ static_cast<char>(id_change));
      return id + word(static_cast<std::uint16_t>(0x8180 | flags)) + word(1) + word(count) + word(0) + word(0) + asked +
             records;
    };
    if (how == How::Silent) return {};
    if (how == How::Garbage) return question.substr(0, 2) + "\x81\x80\xff\xff\xff\xff\xc0\xff\xee";
    if (how == How::ServerFailed) return reply(2, 0, {});
    if (how == How::NoName || known == zone_.end()) return reply(3, 0, {});
    if (how == How::Truncated && !by_tcp) return reply(0x0200, 0, {});
    Bytes records;
    std::uint16_t count = 0;
    for (int aliases = 0; aliases < 8 && !known->second.alias.empty(); ++aliases) {
      records += record(known->first, kAlias, known->second.alias_ttl, encoded(known->second.alias));
      ++count;
      const auto next = zone_.find(known->second.alias);
      if (next == zone_.end()) break;
      known = next;
    }
    const auto& r = known->second;
    if (r.alias.empty()) {
      if (type == kA)
        for (const auto& ip : r.v4) ++count, records += record(known->first, kA, r.ttl, binary(AF_INET, ip));
      if (type == kAaaa)
        for (const auto& ip : r.v6) ++count, records += record(known->first, kAaaa, r.ttl, binary(AF_INET6, ip));
      if (type == kSrv)
        for (const auto& t : r.targets)
          ++count, records += record(known->first, kSrv, r.ttl,
                                     word(t.priority) + word(t.weight) + word(t.port) + encoded(t.host));
    }
    const auto whole = reply(0, count, records, how == How::WrongId ? 1 : 0);
    return by_tcp || whole.size() <= 512 ? whole : reply(0x0200, 0, {});
  }

  int udp_ = -1, tcp_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stop_{false};
  std::atomic<unsigned> by_tcp_{0};
  mutable std::mutex mutex_;
  std::map<std::string, Records> zone_;
  std::map<std::string, unsigned> asked_;
  std::optional<How> everything_;
  std::thread thread_;
};

}  // namespace forebay::test
