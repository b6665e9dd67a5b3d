#include "server/inheritance.hpp"

#include <fcntl.h>

#include <algorithm>

#include "forebay/http/forwarding.hpp"

namespace forebay::server {
namespace {

using Kind = config::Address::Kind;

constexpr std::size_t kMostDescriptors = 65536;

bool same_host(const std::string& a, const std::string& b) {
  if (a == b) return true;
  const auto left = http::parse_ip(a), right = http::parse_ip(b);
  return left && right && *left == *right;
}

// As configured: port 0 is the port that was free then.
bool same(const config::Address& a, const config::Address& b) {
  return a.kind == b.kind && a.port == b.port && a.v6_only == b.v6_only &&
         (a.kind == Kind::Tcp ? same_host(a.host, b.host) : a.host == b.host);
}

}  // namespace

bool Inheritance::add(unsigned listener, const config::Address& address, std::vector<Fd> descriptors) {
  descriptors_ += descriptors.size();
  const bool first = items_.empty() || items_.back().listener != listener;
  if (descriptors.empty() || descriptors_ > kMostDescriptors) return false;
  if (first) {
    if (!items_.empty() && items_.back().listener > listener) return false;
    items_.push_back({listener, {{}, address, {}}});
  }
  auto& listening = items_.back().listening;
  if (address.kind == Kind::Unix) {
    if (!first || descriptors.size() != 2) return false;
    listening.file = std::make_shared<SocketFile>(address, std::move(descriptors.back()));
    descriptors.pop_back();
  }
  for (auto& fd : descriptors) {
    check_listening(fd.get(), address);
    (void)::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
    listening.sockets.push_back(std::move(fd));
  }
  return true;
}

std::optional<Listening> Inheritance::take(const config::Address& wanted) {
  for (auto& item : items_) {
    auto& found = item.listening;
    if (item.taken || !same(found.address, wanted) || (found.file && !found.file->is_in_place())) continue;
    item.taken = true;
    Listening out{std::move(found.sockets), wanted, found.file};
    if (out.address.port == 0) out.address.port = port_of(out.sockets.front().get());
    return out;
  }
  return std::nullopt;
}

std::vector<config::Address> Inheritance::addresses() const {
  std::vector<config::Address> out;
  for (const auto& item : items_) {
    out.push_back(item.listening.address);
    if (out.back().port == 0 && !item.listening.sockets.empty())
      out.back().port = port_of(item.listening.sockets.front().get());
  }
  return out;
}

std::vector<unsigned> Inheritance::taken() const {
  std::vector<unsigned> out;
  for (const auto& item : items_)
    if (item.taken) out.push_back(item.listener);
  return out;
}

std::string Inheritance::missing_file() const {
  for (const auto& item : items_)
    if (item.taken && item.listening.file && !item.listening.file->is_in_place()) return item.listening.address.host;
  return {};
}

void Inheritance::keep() {
  std::erase_if(items_, [](const Item& item) { return !item.taken; });
  for (auto& item : items_)
    if (item.listening.file) item.listening.file->own();
}

}  // namespace forebay::server
