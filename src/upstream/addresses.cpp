#include "upstream/addresses.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>

#include "forebay/http/forwarding.hpp"

namespace forebay::upstream {

namespace {
// After a failure the next attempt comes sooner than the usual refresh.
constexpr Duration kRetryAfterFailure = std::chrono::seconds{5};

std::string_view without_brackets(std::string_view host) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') return host.substr(1, host.size() - 2);
  return host;
}
}  // namespace

Address address_of(const boost::asio::ip::tcp::endpoint& endpoint) {
  const std::string ip = endpoint.address().to_string();
  const std::string port = std::to_string(endpoint.port());
  return {endpoint, endpoint.address().is_v6() ? "[" + ip + "]:" + port : ip + ":" + port};
}

Addresses::Addresses(std::string_view host, std::uint16_t port, Duration refresh)
    : host_(without_brackets(host)), port_(port), refresh_(refresh) {
  boost::system::error_code not_numeric;
  const auto numeric = boost::asio::ip::make_address(host_, not_numeric);
  std::vector<Address> known;
  if (!not_numeric)
    known.push_back(address_of({numeric, port_}));
  else if (http::is_localhost(host_))
    known = {address_of({boost::asio::ip::address_v4::loopback(), port_}),
             address_of({boost::asio::ip::address_v6::loopback(), port_})};
  else
    return;
  list_ = std::make_shared<const std::vector<Address>>(std::move(known));
  fresh_until_ = Timestamp::max();
}

Addresses::Turn::~Turn() {
  const MutexLock lock(addresses_->mutex_);
  addresses_->resolving_ = false;
}

Addresses::Look Addresses::look(Timestamp now) {
  {
    const MutexLock lock(mutex_);
    if (!list_ || now < fresh_until_ || resolving_) return {list_, nullptr};
    resolving_ = true;
  }
  std::shared_ptr<Turn> turn;
  try {
    turn = std::make_shared<Turn>(*this);
  } catch (...) {
    const MutexLock lock(mutex_);
    resolving_ = false;
    throw;
  }
  const MutexLock lock(mutex_);
  return {list_, std::move(turn)};
}

void Addresses::learn(std::vector<Address> fresh, Timestamp now) {
  if (fresh.empty()) return keep(now);
  auto list = std::make_shared<const std::vector<Address>>(std::move(fresh));
  const MutexLock lock(mutex_);
  list_.swap(list);
  fresh_until_ = now + refresh_;
}

void Addresses::keep(Timestamp now) {
  const MutexLock lock(mutex_);
  fresh_until_ = now + std::min(refresh_, kRetryAfterFailure);
}

}  // namespace forebay::upstream
