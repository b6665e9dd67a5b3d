#include "forebay/net/tls_tickets.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>

namespace forebay::net {

TicketKeys::Key::~Key() {
  OPENSSL_cleanse(cipher.data(), cipher.size());
  OPENSSL_cleanse(mac.data(), mac.size());
}

void TicketKeys::keep_for(Duration lifetime) {
  const MutexLock lock(mutex_);
  lifetime_ = lifetime;
  drop_old(clock_.now().mono);
}

// A key seals tickets for a period; the last of them can be used for the lifetime of a session.
void TicketKeys::drop_old(Timestamp now) {
  const auto oldest = now - kPeriod - lifetime_;
  std::erase_if(keys_, [oldest](const Key& key) { return key.made < oldest; });
}

void TicketKeys::rotate() {
  const MutexLock lock(mutex_);
  drop_old(clock_.now().mono);
}

std::optional<TicketKeys::Key> TicketKeys::newest() {
  const MutexLock lock(mutex_);
  const auto now = clock_.now().mono;
  if (!keys_.empty() && now - keys_.back().made < kPeriod) return keys_.back();
  drop_old(now);
  Key fresh;
  fresh.made = now;
  if (RAND_bytes(fresh.name.data(), static_cast<int>(fresh.name.size())) != 1 ||
      RAND_priv_bytes(fresh.cipher.data(), static_cast<int>(fresh.cipher.size())) != 1 ||
      RAND_priv_bytes(fresh.mac.data(), static_cast<int>(fresh.mac.size())) != 1)
    return std::nullopt;
  keys_.push_back(fresh);
  return fresh;
}

std::optional<TicketKeys::Found> TicketKeys::find(std::span<const unsigned char> name) {
  const MutexLock lock(mutex_);
  const auto now = clock_.now().mono;
  for (auto key = keys_.rbegin(); key != keys_.rend(); ++key) {
    if (!std::equal(name.begin(), name.end(), key->name.begin(), key->name.end())) continue;
    if (now - key->made > kPeriod + lifetime_) return std::nullopt;
    return Found{*key, key == keys_.rbegin() && now - key->made < kPeriod};
  }
  return std::nullopt;
}

std::size_t TicketKeys::size() {
  const MutexLock lock(mutex_);
  return keys_.size();
}

}  // namespace forebay::net
