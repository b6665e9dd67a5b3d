#pragma once

#include <condition_variable>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "support/reply.hpp"

namespace forebay::test {

/// A request as the origin saw it.
struct Received {
  std::size_t number = 0;      ///< Over all requests of the origin, from 1.
  std::size_t connection = 0;  ///< Which connection, from 1.
  std::size_t nth = 0;         ///< Which request of that connection, from 1.
  std::string head;            ///< Bytes of the head.
  std::string method, target, path;
  FieldLines fields;
  std::string body;
  FieldLines trailers;
  bool complete = false;  ///< The content came to its proper end.
  bool broken = false;    ///< The connection ended before that.
  bool chunked = false;

  bool has(std::string_view name) const { return fields.has(name); }
  std::string get(std::string_view name) const { return fields.get(name); }
};

/// An origin on a loopback port that answers from a script and remembers every request byte for byte. A thread per
/// connection, blocking. What is not scripted is answered 500.
class Origin {
 public:
  using Script = std::function<Reply(const Received&)>;
  /// Has the connection for itself from the end of a request's head on. `early`: what was read after it.
  using Takeover = std::function<void(Socket& socket, const std::string& early, const Received& request)>;

  Origin();
  ~Origin();
  Origin(const Origin&) = delete;
  Origin& operator=(const Origin&) = delete;

  std::uint16_t port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::string authority() const { return "127.0.0.1:" + std::to_string(port_); }

  /// The answer to every request for this path (the target up to `?`).
  void on(const std::string& path, Reply reply);
  /// These answers one after the other; the last one repeats.
  void on(const std::string& path, std::vector<Reply> replies);
  void on(const std::string& path, Script script);
  /// Answers as soon as the head has come, and does not read the content.
  void on_head(const std::string& path, Reply reply);
  /// Does with the connection of a request for this path whatever it likes, on that connection's thread; the connection
  /// is closed when it returns. Its reads end when the origin ends.
  void take_over(const std::string& path, Takeover takeover);
  /// Says 100 to whoever asks for it on this path, then reads the content. Without this it says nothing before the end.
  void invite(const std::string& path);
  /// For every path that has no script of its own.
  void otherwise(Script script);

  std::size_t count(const std::string& path) const;
  std::size_t count() const;
  std::vector<Received> requests(const std::string& path) const;
  /// The last one for this path; an empty one when there was none.
  Received last(const std::string& path) const;
  /// Waits until so many heads have come for this path; false when they do not.
  bool wait_for(const std::string& path, std::size_t n, Clock::duration limit = kPatience) const;
  /// Waits until a request satisfies the condition.
  bool wait_until(const std::string& path, const std::function<bool(const Received&)>& condition,
                  Clock::duration limit = kPatience) const;
  std::size_t connections() const;
  std::size_t open_connections() const;
  /// Requests that no strict reader would take: anything here is a smuggling bug of the proxy.
  std::vector<std::string> complaints() const;

  /// Ends every connection at once and refuses new ones; `resume` listens again on the same port.
  void refuse();
  void resume();

 private:
  struct Connection {
    Socket socket;
    std::jthread thread;
    bool done = false;
  };
  struct Answering {
    Script script;
    bool early = false;
    Takeover takeover = nullptr;
  };

  void accept_loop(const std::stop_token& stop);
  void serve(Connection& c, std::size_t id, const std::stop_token& stop);
  bool serve_one(Connection& c, Wire& wire, std::size_t id, std::size_t nth, const std::stop_token& stop);
  bool read_content(Wire& wire, Received& r);
  bool play(Socket& s, const Reply& reply, std::string_view method, const std::stop_token& stop);
  Answering answering(const std::string& path) const;
  bool invites(const Received& r) const;
  void complain(std::string what);
  void stop_all();

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::map<std::string, Answering> scripts_;
  std::set<std::string> inviting_;
  Script otherwise_;
  std::list<Received> received_;  // grows only; elements keep their place
  std::vector<std::string> complaints_;
  std::list<std::unique_ptr<Connection>> connections_;
  std::size_t accepted_ = 0;
  std::uint16_t port_ = 0;
  Socket listener_;
  std::jthread acceptor_;
};

}  // namespace forebay::test
