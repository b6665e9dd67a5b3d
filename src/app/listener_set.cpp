#include "listener_set.hpp"

#include <algorithm>
#include <string>

#include "forebay/base/log.hpp"

namespace forebay::app {
namespace {

std::vector<std::string> unused_sockets(const config::Config& config) {
  auto names = server::handed_over();
  const auto drop = [&names](const config::Address& used) {
    if (used.kind == config::Address::Kind::Fd) std::erase(names, used.host);
  };
  for (const auto& l : config.listeners) drop(l.address);
  if (config.admin) drop(*config.admin);
  return names;
}

// Port 0 is another one each time.
bool same_address(const config::Address& a, const config::Address& b) {
  if (a.kind == config::Address::Kind::Tcp && a.port == 0) return false;
  return a.kind == b.kind && a.host == b.host && a.port == b.port && a.v6_only == b.v6_only;
}

// Whether they differ in nothing but TLS, which new connections get without another socket.
bool same_socket(config::Listener a, config::Listener b) {
  a.tls = b.tls = {};
  return a == b;
}

}  // namespace

std::string address_text(const server::Listener& listener) {
  const auto& a = listener.address();
  if (a.kind != config::Address::Kind::Tcp) return a.text;
  const auto host = a.host.empty() ? std::string("*") : a.host;
  return (host.find(':') == std::string::npos ? host : '[' + host + ']') + ':' + std::to_string(listener.port());
}

void warn_of_unused_sockets(const config::Config& config, const config::Config* before) {
  const auto known = before ? unused_sockets(*before) : std::vector<std::string>();
  for (const auto& name : unused_sockets(config))
    if (std::find(known.begin(), known.end(), name) == known.end())
      log::warn("the socket \"" + name +
                "\" was passed to this process (LISTEN_FDNAMES), but no listener has fd:" + name);
}

ListenerSet::Change ListenerSet::prepare(const std::vector<config::Listener>& wanted, TlsServers tls,
                                         const server::Neighbours& others) {
  Change change;
  change.wanted = wanted;
  change.tls = std::move(tls);
  server::Neighbours neighbours = others;
  for (const auto& o : open_) neighbours.own.push_back(o.listener->address());
  std::vector<const server::Listener*> changed;
  for (const auto& w : wanted) {
    const auto has = [&](const Open& o) { return same_socket(o.config, w); };
    if (std::any_of(open_.begin(), open_.end(), has)) {
      change.fresh.push_back(nullptr);
      continue;
    }
    const auto old = std::find_if(open_.begin(), open_.end(),
                                  [&](const Open& o) { return same_address(o.config.address, w.address); });
    neighbours.same = old == open_.end() ? nullptr : old->listener.get();
    change.fresh.push_back(std::make_unique<server::Listener>(w, parts_(), limits_, neighbours));
    neighbours.own.push_back(change.fresh.back()->address());
    // The files of a predecessor are its own until it is replaced.
    if (neighbours.same) changed.push_back(change.fresh.back().get());
  }
  // Last, since it changes files that are in use.
  for (std::size_t i = 0; i < wanted.size(); ++i)
    if (std::find(changed.begin(), changed.end(), change.fresh[i].get()) != changed.end())
      change.fresh[i]->set_access(wanted[i]);
  return change;
}

void ListenerSet::apply(Change change) {
  std::vector<Open> next;
  std::vector<Open*> closing;
  std::vector<bool> fresh;
  for (const auto& listener : change.fresh) fresh.push_back(listener != nullptr);
  {
    const MutexLock lock(mutex_);
    for (std::size_t i = 0; i < change.wanted.size(); ++i) {
      if (change.fresh[i]) {
        next.push_back({change.wanted[i], std::move(change.fresh[i]), change.tls[i]});
        continue;
      }
      const auto kept = std::find_if(open_.begin(), open_.end(),
                                     [&](const Open& o) { return same_socket(o.config, change.wanted[i]); });
      next.push_back({change.wanted[i], std::move(kept->listener), change.tls[i]});
      open_.erase(kept);
    }
    const auto first_closing = retired_.size();
    for (auto& gone : open_) retired_.push_back(std::move(gone));
    open_ = std::move(next);
    for (auto i = first_closing; i < retired_.size(); ++i) closing.push_back(&retired_[i]);
  }
  // Without the lock: this waits for the workers.
  for (std::size_t i = 0; i < open_.size(); ++i) {
    open_[i].listener->use_tls(open_[i].tls);
    if (fresh[i]) open_[i].listener->start();
  }
  for (auto* o : closing) {
    o->listener->close();
    o->listener->drain();
  }
}

void ListenerSet::close() {
  for (auto& o : open_) o.listener->close();
}

void ListenerSet::drain() {
  for (auto& o : open_) o.listener->drain();
  for (auto& o : retired_) o.listener->drain();
}

void ListenerSet::leave(const std::vector<const server::Listener*>& taken) {
  for (auto& o : open_)
    if (std::find(taken.begin(), taken.end(), o.listener.get()) != taken.end()) o.listener->leave();
}

void ListenerSet::abort() {
  for (auto& o : open_) o.listener->abort();
  for (auto& o : retired_) o.listener->abort();
}

std::uint64_t ListenerSet::open_connections() const {
  std::uint64_t n = 0;
  for (const auto& o : open_) n += o.listener->open_connections();
  for (const auto& o : retired_) n += o.listener->open_connections();
  return n;
}

void ListenerSet::tidy() {
  const MutexLock lock(mutex_);
  std::erase_if(retired_, [](const Open& o) { return o.listener->open_connections() == 0; });
}

void ListenerSet::clear() {
  const MutexLock lock(mutex_);
  open_.clear();
  retired_.clear();
}

std::vector<admin::ListenerView> ListenerSet::views() const {
  std::vector<admin::ListenerView> out;
  const MutexLock lock(mutex_);
  const auto add = [&](const Open& o) {
    const auto& n = o.listener->numbers();
    // Listeners of the same name share one series.
    auto at = std::find_if(out.begin(), out.end(), [&](const auto& v) { return v.name == o.config.name; });
    if (at == out.end()) {
      at = out.insert(out.end(), admin::ListenerView{o.config.name});
      at->address = address_text(*o.listener);
    }
    at->open += n.open.load(std::memory_order_relaxed);
    at->accepted += n.accepted.load(std::memory_order_relaxed);
    at->rejected_limit += n.rejected_limit.load(std::memory_order_relaxed);
    at->rejected_timeout += n.rejected_timeout.load(std::memory_order_relaxed);
    at->rejected_malformed += n.rejected_malformed.load(std::memory_order_relaxed);
    at->rejected_stalled += n.rejected_stalled.load(std::memory_order_relaxed);
    at->open_http2 += n.open_http2.load(std::memory_order_relaxed);
    for (std::size_t i = 0; i < at->http2_abuse.size(); ++i)
      at->http2_abuse[i] += n.http2_abuse[i].load(std::memory_order_relaxed);
    at->rejected_tls += n.rejected_tls.load(std::memory_order_relaxed);
    at->tls = at->tls || o.tls;
    for (std::size_t i = 0; i < at->handshakes.size(); ++i) {
      at->handshakes[i] += n.handshakes[i].load(std::memory_order_relaxed);
      at->tls = at->tls || at->handshakes[i] != 0;
    }
  };
  const auto add_expiry = [&](const Open& o) {
    if (!o.tls) return;
    const auto at = std::find_if(out.begin(), out.end(), [&](const auto& v) { return v.name == o.config.name; });
    const auto ends = whole_seconds(o.tls->first_expiry().time_since_epoch());
    at->certificate_expiry = std::min(ends, at->certificate_expiry.value_or(ends));
  };
  for (const auto& o : open_) add(o);
  for (const auto& o : retired_) add(o);
  for (const auto& o : open_) add_expiry(o);
  return out;
}

std::vector<std::pair<std::string, const server::Listener*>> ListenerSet::current() const {
  std::vector<std::pair<std::string, const server::Listener*>> out;
  for (const auto& o : open_) out.emplace_back(o.config.name, o.listener.get());
  return out;
}

std::vector<server::Handover::Offer> ListenerSet::offers() const {
  std::vector<server::Handover::Offer> out;
  for (const auto& o : open_) out.push_back({o.config.address, o.listener.get()});
  return out;
}

}  // namespace forebay::app
