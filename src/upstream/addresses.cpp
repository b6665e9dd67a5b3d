#include "upstream/addresses.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>

#include "forebay/http/forwarding.hpp"

namespace forebay::upstream {

namespace {
std::string_view without_brackets(std::string_view host) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') return host.substr(1, host.size() - 2);
  return host;
}

Duration pause_after(unsigned failures, bool any_set) {
  const Duration longest = any_set ? Addresses::kLongestPause : Addresses::kLongestPauseWithout;
  return std::min(Addresses::kFirstPause * (1 << std::min(failures - 1, 5U)), longest);
}
}  // namespace

Address address_of(const boost::asio::ip::tcp::endpoint& endpoint) {
  const std::string ip = endpoint.address().to_string();
  const std::string port = std::to_string(endpoint.port());
  return {endpoint, endpoint.address().is_v6() ? "[" + ip + "]:" + port : ip + ":" + port};
}

bool contains(const std::vector<Address>& list, std::string_view text) noexcept {
  return std::any_of(list.begin(), list.end(), [&](const Address& address) { return address.text == text; });
}

std::vector<Address> interleaved(const std::vector<boost::asio::ip::address>& v6,
                                 const std::vector<boost::asio::ip::address>& v4, std::uint16_t port) {
  std::vector<Address> all;
  all.reserve(v6.size() + v4.size());
  for (std::size_t i = 0; i < std::max(v6.size(), v4.size()); ++i) {
    if (i < v6.size()) all.push_back(address_of({v6[i], port}));
    if (i < v4.size()) all.push_back(address_of({v4[i], port}));
  }
  return all;
}

std::vector<Address> in_turn(const std::vector<Address>& list, const std::function<unsigned(unsigned)>& random) {
  using Group = std::vector<Address>;
  std::vector<Group> groups;  // by priority, as the list is
  for (const auto& address : list) {
    if (groups.empty() || groups.back().front().target != address.target) groups.emplace_back();
    groups.back().push_back(address);
  }
  if (groups.size() < 2) return list;
  std::vector<Address> out;
  out.reserve(list.size());
  for (auto begin = groups.begin(); begin != groups.end();) {
    const auto end = std::find_if(begin, groups.end(),
                                  [&](const Group& g) { return g.front().priority != begin->front().priority; });
    // RFC 2782: those of weight 0 first, so that they are chosen only when the number is 0.
    std::stable_partition(begin, end, [](const Group& g) { return g.front().weight == 0; });
    for (; begin != end; ++begin) {
      unsigned sum = 0;
      for (auto g = begin; g != end; ++g) sum += g->front().weight;
      // Without weights all are equal.
      const bool weighted = sum != 0;
      unsigned chosen = random(weighted ? sum : static_cast<unsigned>(end - begin) - 1);
      auto at = begin;
      for (;; ++at) {
        const unsigned share = weighted ? at->front().weight : 1;
        if (weighted ? chosen <= share : chosen == 0) break;
        chosen -= share;
      }
      std::rotate(begin, at, at + 1);
      out.insert(out.end(), begin->begin(), begin->end());
    }
  }
  return out;
}

Addresses::Addresses(std::string_view host, std::uint16_t port, Duration longest)
    : host_(without_brackets(host)), port_(port), longest_(longest) {
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
  fixed_ = true;
  list_ = std::make_shared<const std::vector<Address>>(std::move(known));
  fresh_until_ = Timestamp::max();
}

void Addresses::give_back_turn() noexcept {
  {
    const MutexLock lock(mutex_);
    resolving_ = part_ = false;
  }
  changed_.notify();
}

Timestamp Addresses::due() const { return resolving_ ? Timestamp::max() : std::max(fresh_until_, next_try_); }

Addresses::Look Addresses::look(Timestamp now) {
  Look look;
  bool mine = false;
  {
    const MutexLock lock(mutex_);
    mine = now >= due();
    if (mine) resolving_ = true;
    look.list = list_;
    if (!list_) {
      look.use = resolving_ ? Use::Wait : Use::Failed;
      if (!resolving_) look.why = why_;
    } else if (fixed_ || now < fresh_until_ + kGrace) {
      look.use = Use::Now;
    } else {
      look.use = failures_ != 0 ? Use::Stale : Use::Wait;
    }
  }
  if (!mine) return look;
  try {
    look.turn = std::make_shared<Turn>(*this);
  } catch (...) {
    give_back_turn();
    throw;
  }
  return look;
}

bool Addresses::awaits_rest() const {
  const MutexLock lock(mutex_);
  return part_;
}

Addresses::Peek Addresses::peek() const {
  const MutexLock lock(mutex_);
  return {list_, due()};
}

bool Addresses::learn(std::vector<Address> fresh, Duration ttl, Timestamp now) {
  auto list = std::make_shared<const std::vector<Address>>(std::move(fresh));
  bool recovered = false;
  {
    const MutexLock lock(mutex_);
    list_.swap(list);
    fresh_until_ = now + std::min(std::max(ttl, kShortestTtl), longest_);
    next_try_ = {};
    part_ = false;
    recovered = std::exchange(failures_, 0) != 0;
  }
  changed_.notify();
  return recovered;
}

void Addresses::learn_part(std::vector<Address> part, Timestamp now) {
  const auto list = std::make_shared<const std::vector<Address>>(std::move(part));
  {
    const MutexLock lock(mutex_);
    if (list_) return;
    list_ = list;
    fresh_until_ = now;
    part_ = true;
  }
  changed_.notify();
}

bool Addresses::keep(std::string why, Timestamp now) {
  bool first = false;
  {
    const MutexLock lock(mutex_);
    first = failures_++ == 0;
    why_ = std::move(why);
    next_try_ = now + pause_after(failures_, list_ != nullptr);
  }
  changed_.notify();
  return first;
}

}  // namespace forebay::upstream
