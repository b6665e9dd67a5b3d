#include "support/origin.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>

namespace forebay::test {

Origin::Origin() { resume(); }

Origin::~Origin() { refuse(); }

void Origin::resume() {
  listener_ = Socket::listen(port_);
  acceptor_ = std::jthread([this](const std::stop_token& stop) { accept_loop(stop); });
}

void Origin::refuse() {
  if (!acceptor_.joinable()) return;
  acceptor_.request_stop();
  listener_.shut();  // wakes accept
  acceptor_.join();
  listener_.close();
  stop_all();
}

void Origin::stop_all() {
  std::list<std::unique_ptr<Connection>> all;
  {
    const std::lock_guard lock(mutex_);
    all.swap(connections_);
    for (auto& c : all) {
      c->thread.request_stop();
      if (!c->done) c->socket.shut();
    }
  }
  for (auto& c : all) c->thread.join();
}

void Origin::accept_loop(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const int fd = ::accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) {
      if (stop.stop_requested()) return;
      continue;
    }
    const int on = 1;  // pieces of an answer leave as they are written
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    std::list<std::unique_ptr<Connection>> over;  // joined after the lock
    const std::lock_guard lock(mutex_);
    for (auto i = connections_.begin(); i != connections_.end();) {
      const auto at = i++;
      if ((*at)->done) over.splice(over.end(), connections_, at);
    }
    const auto id = ++accepted_;
    auto& c = *connections_.emplace_back(std::make_unique<Connection>());
    c.socket = Socket(fd);
    c.thread = std::jthread([this, &c, id](const std::stop_token& s) { serve(c, id, s); });
  }
}

void Origin::serve(Connection& c, std::size_t id, const std::stop_token& stop) {
  Wire wire(c.socket);
  for (std::size_t nth = 1; serve_one(c, wire, id, nth, stop); ++nth) {
  }
  const std::lock_guard lock(mutex_);
  c.done = true;
  c.socket.close();
  changed_.notify_all();
}

// False when the connection is at its end.
bool Origin::serve_one(Connection& c, Wire& wire, std::size_t id, std::size_t nth, const std::stop_token& stop) {
  Wire::Head head;
  const auto end = wire.read_head(head, std::chrono::minutes{10});
  if (end == Ending::Malformed) complain(wire.complaint());
  if (end != Ending::Complete) return false;

  Received r;
  r.connection = id;
  r.nth = nth;
  r.head = head.bytes;
  r.fields = std::move(head.fields);
  const auto a = head.start_line.find(' ');
  const auto b = head.start_line.rfind(' ');
  if (a == std::string::npos || a == b || !head.start_line.ends_with(" HTTP/1.1")) {
    complain("a bad request line: " + head.start_line);
    return false;
  }
  r.method = head.start_line.substr(0, a);
  r.target = head.start_line.substr(a + 1, b - a - 1);
  r.path = r.target.substr(0, r.target.find('?'));

  Received* kept = nullptr;
  {
    const std::lock_guard lock(mutex_);
    r.number = received_.size() + 1;
    kept = &received_.emplace_back(std::move(r));
  }
  changed_.notify_all();

  const auto how = answering(kept->path);
  if (how.takeover) {
    how.takeover(c.socket, wire.pending(), *kept);
    return false;
  }
  if (how.early) {
    play(c.socket, how.script(*kept), kept->method, stop);
    return false;
  }
  if (invites(*kept) && !c.socket.send("HTTP/1.1 100 Continue\r\n\r\n")) return false;
  if (!read_content(wire, *kept)) return false;
  return play(c.socket, how.script(*kept), kept->method, stop);
}

bool Origin::read_content(Wire& wire, Received& r) {
  const bool coded = r.has("Transfer-Encoding");
  const bool sized = r.has("Content-Length");
  std::size_t length = 0;
  if (coded && sized) return complain("both lengths: " + r.head), false;
  if (coded && r.get("Transfer-Encoding") != "chunked") return complain("a strange coding: " + r.head), false;
  if (sized && !parse_length(r.fields, length)) return complain("a bad length: " + r.head), false;
  if (r.fields.count("Host") != 1) return complain("not one Host: " + r.head), false;

  const auto keep = [&](std::string_view piece) {
    {
      const std::lock_guard lock(mutex_);
      r.body += piece;
    }
    changed_.notify_all();
  };
  FieldLines trailers;
  auto end = Ending::Complete;
  if (coded) end = wire.read_chunked(keep, trailers, std::chrono::minutes{10});
  if (sized) end = wire.read_length(length, keep, std::chrono::minutes{10});
  if (end == Ending::Malformed) complain(wire.complaint());
  {
    const std::lock_guard lock(mutex_);
    r.chunked = coded;
    r.trailers = std::move(trailers);
    r.complete = end == Ending::Complete;
    r.broken = !r.complete;
  }
  changed_.notify_all();
  return end == Ending::Complete;
}

bool Origin::play(Socket& s, const Reply& reply, std::string_view method, const std::stop_token& stop) {
  using Kind = Reply::Move::Kind;
  for (const auto& m : reply.moves(method)) {
    if (stop.stop_requested()) return false;
    switch (m.kind) {
      case Kind::Send:
        for (std::size_t i = 0; i < m.times && !m.bytes.empty(); ++i)
          if (stop.stop_requested() || !s.send(m.bytes)) return false;
        break;
      case Kind::Wait:
        if (!m.gate->wait(stop)) return false;
        break;
      case Kind::Pause: std::this_thread::sleep_for(m.pause); break;
      case Kind::Silence: {
        std::string ignored;
        while (s.receive(ignored, std::chrono::minutes{10}) == Socket::Got::Data) ignored.clear();
        return false;
      }
      case Kind::Fin: return false;  // closed by the caller
      case Kind::Rst: {
        const std::lock_guard lock(mutex_);
        s.reset();
        return false;
      }
    }
  }
  return true;
}

Origin::Answering Origin::answering(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  if (const auto i = scripts_.find(path); i != scripts_.end()) return i->second;
  if (otherwise_) return {otherwise_, false};
  return {[](const Received&) { return Reply(500).body("unscripted"); }, false};
}

void Origin::on(const std::string& path, Reply reply) {
  on(path, [reply = std::move(reply)](const Received&) { return reply; });
}

void Origin::on(const std::string& path, std::vector<Reply> replies) {
  auto next = std::make_shared<std::size_t>(0);
  auto guard = std::make_shared<std::mutex>();
  on(path, [replies = std::move(replies), next, guard](const Received&) {
    const std::lock_guard lock(*guard);
    const auto i = std::min(*next, replies.size() - 1);
    ++*next;
    return replies[i];
  });
}

void Origin::on(const std::string& path, Script script) {
  const std::lock_guard lock(mutex_);
  scripts_[path] = {std::move(script), false};
}

void Origin::take_over(const std::string& path, Takeover takeover) {
  const std::lock_guard lock(mutex_);
  scripts_[path] = {nullptr, false, std::move(takeover)};
}

void Origin::on_head(const std::string& path, Reply reply) {
  const std::lock_guard lock(mutex_);
  scripts_[path] = {[reply = std::move(reply)](const Received&) { return reply; }, true};
}

void Origin::invite(const std::string& path) {
  const std::lock_guard lock(mutex_);
  inviting_.insert(path);
}

bool Origin::invites(const Received& r) const {
  const std::lock_guard lock(mutex_);
  return r.get("Expect") == "100-continue" && inviting_.contains(r.path);
}

void Origin::otherwise(Script script) {
  const std::lock_guard lock(mutex_);
  otherwise_ = std::move(script);
}

std::size_t Origin::count(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(received_.begin(), received_.end(), [&](const Received& r) { return r.path == path; }));
}

std::size_t Origin::count() const {
  const std::lock_guard lock(mutex_);
  return received_.size();
}

std::vector<Received> Origin::requests(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  std::vector<Received> found;
  for (const auto& r : received_)
    if (r.path == path) found.push_back(r);
  return found;
}

Received Origin::last(const std::string& path) const {
  auto all = requests(path);
  return all.empty() ? Received{} : all.back();
}

bool Origin::wait_for(const std::string& path, std::size_t n, Clock::duration limit) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, limit, [&] {
    return static_cast<std::size_t>(std::count_if(received_.begin(), received_.end(),
                                                  [&](const Received& r) { return r.path == path; })) >= n;
  });
}

bool Origin::wait_until(const std::string& path, const std::function<bool(const Received&)>& condition,
                        Clock::duration limit) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, limit, [&] {
    return std::any_of(received_.begin(), received_.end(),
                       [&](const Received& r) { return r.path == path && condition(r); });
  });
}

std::size_t Origin::connections() const {
  const std::lock_guard lock(mutex_);
  return accepted_;
}

std::size_t Origin::open_connections() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(connections_.begin(), connections_.end(), [](const auto& c) { return !c->done; }));
}

std::vector<std::string> Origin::complaints() const {
  const std::lock_guard lock(mutex_);
  return complaints_;
}

void Origin::complain(std::string what) {
  const std::lock_guard lock(mutex_);
  complaints_.push_back(std::move(what));
}

}  // namespace forebay::test
