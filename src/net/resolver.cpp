#include "forebay/net/resolver.hpp"

#include <ares.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/intrusive/list.hpp>
#include <cerrno>
#include <cstring>
#include <tuple>
#include <utility>

#include "forebay/base/guarded.hpp"
#include "forebay/net/worker.hpp"

namespace forebay::net {

namespace asio = boost::asio;

namespace {
// Of one try of one server; c-ares doubles it for each further one.
constexpr int kTryMilliseconds = 1000;
constexpr int kTries = 3;

Resolution result_of(int status) noexcept {
  switch (status) {
    case ARES_SUCCESS: return Resolution::Found;
    case ARES_ENOTFOUND:
    case ARES_EBADNAME:
    case ARES_ENONAME: return Resolution::NoName;
    case ARES_ENODATA: return Resolution::NoAddress;
    case ARES_ETIMEOUT: return Resolution::NoAnswer;
    case ARES_ECANCELLED:  // see `settle`
    case ARES_ENOMEM: return Resolution::Memory;
    default: return Resolution::ServerFailed;  // with c-ares 1.18 SERVFAIL of the last server is ARES_ECONNREFUSED
  }
}

// RFC 2181 section 8: a TTL with the highest bit set counts as 0.
Duration ttl_of(int seconds) noexcept { return std::chrono::seconds{std::max(seconds, 0)}; }

void add(std::vector<asio::ip::address>& to, const asio::ip::address& address) {
  if (to.size() < Resolver::kMostAddresses && std::find(to.begin(), to.end(), address) == to.end())
    to.push_back(address);
}

void add_all(Resolved& to, const ares_addrinfo& found) {
  for (const auto* alias = found.cnames; alias != nullptr; alias = alias->next)
    to.ttl = std::min(to.ttl, ttl_of(alias->ttl));
  for (const auto* node = found.nodes; node != nullptr; node = node->ai_next) {
    to.ttl = std::min(to.ttl, ttl_of(node->ai_ttl));
    if (node->ai_family == AF_INET) {
      sockaddr_in v4{};
      std::memcpy(&v4, node->ai_addr, sizeof v4);
      add(to.v4, asio::ip::address_v4(ntohl(v4.sin_addr.s_addr)));
    } else if (node->ai_family == AF_INET6) {
      sockaddr_in6 v6{};
      std::memcpy(&v6, node->ai_addr, sizeof v6);
      asio::ip::address_v6::bytes_type bytes;
      std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
      add(to.v6, asio::ip::address_v6(bytes, v6.sin6_scope_id));
    }
  }
}

struct FreeAddrinfo {
  void operator()(ares_addrinfo* found) const noexcept { ares_freeaddrinfo(found); }
};
using Addrinfo = std::unique_ptr<ares_addrinfo, FreeAddrinfo>;

bool can_open(const std::string& path) noexcept {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file >= 0) ::close(file);
  return file >= 0 || (errno != EMFILE && errno != ENFILE && errno != ENOMEM);
}

// A file as it was, to notice that it has been replaced or written.
using Print = std::tuple<bool, dev_t, ino_t, off_t, time_t, long>;
Print print_of(const std::string& path) noexcept {
  struct ::stat s {};
  if (::stat(path.c_str(), &s) != 0) return {};
  return {true, s.st_dev, s.st_ino, s.st_size, s.st_mtim.tv_sec, s.st_mtim.tv_nsec};
}
}  // namespace

std::string_view to_string(Resolution r) noexcept {
  switch (r) {
    case Resolution::Found: return "found";
    case Resolution::NoName: return "no_name";
    case Resolution::NoAddress: return "no_address";
    case Resolution::ServerFailed: return "server_failed";
    case Resolution::NoAnswer: return "no_answer";
    case Resolution::Memory: return "memory";
    case Resolution::kCount: break;
  }
  return "unknown";
}

/// A look-up of which c-ares knows weakly, by a query. It is in its channel's list while it has something to tell.
class Resolver::Pending
    : public Lookup,
      public std::enable_shared_from_this<Pending>,
      public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  explicit Pending(std::shared_ptr<Channel> channel) : channel_(std::move(channel)) {}
  ~Pending() override { unlink(); }
  virtual void tell() = 0;

 protected:
  void arm(Deadline& deadline, Duration in);

  const std::shared_ptr<Channel> channel_;
};

/// The addresses of a name, by a query for each family.
class Resolver::Asked final : public Pending {
 public:
  Asked(std::shared_ptr<Channel> channel, Done done);

  /// From a callback: what became of one family.
  void ended(int status, const ares_addrinfo* found) noexcept;
  /// Both are known without a question.
  void ended(Resolved known) noexcept;
  /// The owner learns what there is, as RFC 8305 section 3 says: IPv6 alone at once, IPv4 alone after a delay.
  void tell() override;

 private:
  void tell_part();
  void tell_all();
  void give_up();

  Done done_;
  Resolved so_far_;
  Resolution worst_ = Resolution::Found;
  int left_ = 2;
  bool told_ = false;
  Deadline waits_{[this] { tell_part(); }};
  Deadline longest_{[this] { give_up(); }};
};

/// The targets of a service.
class Resolver::AskedTargets final : public Pending {
 public:
  AskedTargets(std::shared_ptr<Channel> channel, TargetsDone done)
      : Pending(std::move(channel)), done_(std::move(done)) {
    arm(longest_, kLongest);
  }
  /// From a callback.
  void ended(int status, std::string_view message) noexcept;
  void tell() override;

 private:
  TargetsDone done_;
  ResolvedTargets found_{Resolution::NoAnswer};
  Deadline longest_{[this] { tell(); }};
};

/// c-ares with one state of its configuration, and its sockets in the worker's loop. c-ares is never entered from one
/// of its own callbacks, and nothing but this class runs within them: they store what came, and `settle` tells it.
class Resolver::Channel final : public std::enable_shared_from_this<Channel> {
 public:
  Channel(Worker& worker, const Settings& settings);
  Channel(const Channel&) = delete;
  ~Channel();

  Worker& worker() noexcept { return worker_; }
  /// Whether resolv.conf is still the one that was read.
  bool up_to_date(const Settings& settings) const noexcept { return print_ == print_of(settings.resolv_conf); }
  /// False: it was made without memory or descriptors.
  bool works() const noexcept { return status_ == ARES_SUCCESS; }
  /// What the hosts file has.
  Resolved in_hosts_file(const std::string& name);
  void start(const std::shared_ptr<Asked>& asked, const std::string& name);
  void start(const std::shared_ptr<AskedTargets>& asked, const std::string& name);
  /// After each entry into c-ares: arms its deadline and tells what came.
  void settle();
  /// From a callback: it has news for its owner.
  void has_news(Pending& asked) noexcept;

 private:
  using Descriptor = asio::posix::basic_stream_descriptor<Worker::Executor>;
  /// A socket of c-ares, which alone opens and closes it.
  struct Socket {
    Socket(asio::io_context& io, int fd) : descriptor(io, fd) {}
    ~Socket() {
      if (descriptor.is_open()) descriptor.release();
    }
    struct Side {
      bool wanted = false, waiting = false;
    };
    Descriptor descriptor;
    Side read, write;
  };
  using SocketPtr = std::shared_ptr<Socket>;

  static void on_state(void* self, ares_socket_t fd, int readable, int writable) noexcept;
  void state(int fd, bool readable, bool writable);
  void watch(const SocketPtr& socket, Descriptor::wait_type what);
  void ready(const SocketPtr& socket, Descriptor::wait_type what);
  void process(ares_socket_t read, ares_socket_t write);

  Worker& worker_;
  const Print print_;
  ares_channel dns_ = nullptr, hosts_ = nullptr;
  int status_ = ARES_SUCCESS;  // of their making
  bool no_memory_ = false;     // to watch a socket
  std::vector<SocketPtr> sockets_;
  Deadline due_{[this] { process(ARES_SOCKET_BAD, ARES_SOCKET_BAD); }};
  boost::intrusive::list<Pending, boost::intrusive::constant_time_size<false>> news_;
};

void Resolver::Pending::arm(Deadline& deadline, Duration in) {
  auto& worker = channel_->worker();
  worker.deadlines().arm(deadline, worker.now().mono, in);
}

void Resolver::AskedTargets::ended(int status, std::string_view message) noexcept {
  found_.result = result_of(status);
  const auto read = [&] {
    auto answer = read_srv_answer(message);
    if (!answer) {
      found_.result = Resolution::ServerFailed;
    } else if (answer->targets.empty()) {
      found_.result = Resolution::NoAddress;
    } else {
      found_.answer = std::move(*answer);
    }
  };
  if (status == ARES_SUCCESS) forebay::guarded(read, [&] { found_.result = Resolution::Memory; });
  channel_->has_news(*this);
}

void Resolver::AskedTargets::tell() {
  const auto self = shared_from_this();  // the owner may drop it
  longest_.disarm();
  if (const auto done = std::exchange(done_, nullptr)) done(found_);
}

Resolver::Asked::Asked(std::shared_ptr<Channel> channel, Done done)
    : Pending(std::move(channel)), done_(std::move(done)) {
  so_far_.ttl = Duration::max();
  arm(longest_, kLongest);
}

// What comes after `give_up` is not heard: c-ares goes on asking.
void Resolver::Asked::ended(int status, const ares_addrinfo* found) noexcept {
  if (!done_) return;
  auto result = result_of(status);
  if (found != nullptr) forebay::guarded([&] { add_all(so_far_, *found); }, [&] { result = Resolution::Memory; });
  worst_ = std::max(worst_, result);
  --left_;
  channel_->has_news(*this);
}

void Resolver::Asked::ended(Resolved known) noexcept {
  if (!done_) return;
  so_far_ = std::move(known);
  worst_ = so_far_.result;
  left_ = 0;
  channel_->has_news(*this);
}

void Resolver::Asked::tell() {
  if (!done_) return;
  if (left_ == 0) return tell_all();
  if (told_ || waits_.armed()) return;
  if (!so_far_.v6.empty()) return tell_part();
  if (!so_far_.v4.empty()) arm(waits_, kResolutionDelay);
}

void Resolver::Asked::tell_part() {
  const auto self = shared_from_this();  // the owner may drop it
  told_ = true;
  so_far_.result = Resolution::Found;
  so_far_.complete = false;
  done_(so_far_);
}

void Resolver::Asked::tell_all() {
  const auto self = shared_from_this();
  waits_.disarm();
  longest_.disarm();
  const bool any = !so_far_.v6.empty() || !so_far_.v4.empty();
  so_far_.result = any ? Resolution::Found : std::max(worst_, Resolution::NoName);
  so_far_.complete = true;
  if (const auto done = std::exchange(done_, nullptr)) done(so_far_);
}

// A family that has not come by now counts as without an answer.
void Resolver::Asked::give_up() {
  worst_ = Resolution::NoAnswer;
  left_ = 0;
  tell_all();
}

Resolver::Channel::Channel(Worker& worker, const Settings& settings)
    : worker_(worker), print_(print_of(settings.resolv_conf)) {
  static const int initialized = ares_library_init(ARES_LIB_INIT_ALL);
  std::string conf = settings.resolv_conf;
  char dns[] = "b", hosts[] = "f";
  ares_options options{};
  options.timeout = kTryMilliseconds;
  options.tries = kTries;
  options.lookups = dns;
  options.sock_state_cb = &Channel::on_state;
  options.sock_state_cb_data = this;
  options.resolvconf_path = conf.data();
  const int set = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB | ARES_OPT_RESOLVCONF;
  // c-ares takes a file that it cannot open for one that does not exist.
  const bool readable = !std::get<0>(print_) || can_open(conf);
  status_ = initialized != ARES_SUCCESS ? initialized : readable ? ares_init_options(&dns_, &options, set) : ARES_EFILE;
  options.lookups = hosts;
  if (status_ == ARES_SUCCESS) status_ = ares_init_options(&hosts_, &options, ARES_OPT_LOOKUPS | ARES_OPT_RESOLVCONF);
  if (status_ != ARES_SUCCESS || settings.servers.empty()) return;
  std::vector<ares_addr_port_node> nodes(settings.servers.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto& server = settings.servers[i];
    auto& node = nodes[i];
    node.next = i + 1 < nodes.size() ? &nodes[i + 1] : nullptr;
    node.udp_port = node.tcp_port = server.port();
    if (server.address().is_v4()) {
      node.family = AF_INET;
      node.addr.addr4.s_addr = htonl(server.address().to_v4().to_uint());
    } else {
      node.family = AF_INET6;
      const auto bytes = server.address().to_v6().to_bytes();
      std::memcpy(&node.addr.addr6, bytes.data(), bytes.size());
    }
  }
  status_ = ares_set_servers_ports(dns_, nodes.data());
}

Resolver::Channel::~Channel() {
  if (dns_ != nullptr) ares_destroy(dns_);
  if (hosts_ != nullptr) ares_destroy(hosts_);
}

// `ares_gethostbyname_file` would give the first line of one family alone; `ares_getaddrinfo` gives all lines of both.
// Without other look-ups it calls back at once.
Resolved Resolver::Channel::in_hosts_file(const std::string& name) {
  Resolved found;
  found.result = result_of(status_);
  if (status_ != ARES_SUCCESS) return found;
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_flags = ARES_AI_NOSORT | ARES_AI_ENVHOSTS;
  const auto done = [](void* to, int status, int, ares_addrinfo* info) noexcept {
    auto& out = *static_cast<Resolved*>(to);
    const Addrinfo owned(info);
    out.result = status == ARES_SUCCESS ? Resolution::Found : Resolution::NoName;
    if (info != nullptr && status == ARES_SUCCESS)
      guarded([&] { add_all(out, *info); }, [&] { out.result = Resolution::Memory; });
  };
  ares_getaddrinfo(hosts_, name.c_str(), nullptr, &hints, done, &found);
  found.ttl = Duration::max();
  if (found.result == Resolution::Found && found.v4.empty() && found.v6.empty()) found.result = Resolution::NoName;
  return found;
}

// `ares_getaddrinfo` rather than `ares_query`: it goes through the search list, follows aliases and gives every TTL.
// One call for each family, since a call for both answers only when both have come.
void Resolver::Channel::start(const std::shared_ptr<Asked>& asked, const std::string& name) {
  struct Query {
    std::weak_ptr<Asked> asked;
  };
  const auto done = [](void* query, int status, int, ares_addrinfo* info) noexcept {
    const std::unique_ptr<Query> owned(static_cast<Query*>(query));
    const Addrinfo found(info);
    if (const auto to = owned->asked.lock()) to->ended(status, status == ARES_SUCCESS ? info : nullptr);
  };
  std::array<std::unique_ptr<Query>, 2> queries;
  for (auto& query : queries) query = std::make_unique<Query>(Query{asked});
  ares_addrinfo_hints hints{};
  hints.ai_flags = ARES_AI_NOSORT;
  hints.ai_family = AF_INET6;
  ares_getaddrinfo(dns_, name.c_str(), nullptr, &hints, done, queries[0].release());
  hints.ai_family = AF_INET;
  ares_getaddrinfo(dns_, name.c_str(), nullptr, &hints, done, queries[1].release());
}

void Resolver::Channel::start(const std::shared_ptr<AskedTargets>& asked, const std::string& name) {
  struct Query {
    std::weak_ptr<AskedTargets> asked;
  };
  const auto done = [](void* query, int status, int, unsigned char* message, int size) noexcept {
    const std::unique_ptr<Query> owned(static_cast<Query*>(query));
    const auto bytes = static_cast<std::size_t>(std::max(size, 0));
    if (const auto to = owned->asked.lock()) to->ended(status, {reinterpret_cast<const char*>(message), bytes});
  };
  if (status_ != ARES_SUCCESS) return asked->ended(status_, {});
  constexpr int kInternet = 1, kSrv = 33;
  auto query = std::make_unique<Query>(Query{asked});
  ares_search(dns_, name.c_str(), kInternet, kSrv, done, query.release());
}

void Resolver::Channel::has_news(Pending& asked) noexcept {
  if (!asked.is_linked()) news_.push_back(asked);
}

void Resolver::Channel::settle() {
  const auto self = shared_from_this();
  // Without memory for a socket's wait nothing would come of what was asked.
  if (std::exchange(no_memory_, false)) ares_cancel(dns_);
  timeval left{};
  if (dns_ != nullptr && ares_timeout(dns_, nullptr, &left) != nullptr) {
    const Duration in = std::chrono::seconds{left.tv_sec} + std::chrono::microseconds{left.tv_usec};
    worker_.deadlines().arm(due_, worker_.now().mono, in + std::chrono::milliseconds{1});
  } else {
    due_.disarm();
  }
  while (!news_.empty()) {
    Pending& asked = news_.front();
    news_.pop_front();
    const auto kept = asked.shared_from_this();
    asked.tell();
  }
}

void Resolver::Channel::on_state(void* self, ares_socket_t fd, int readable, int writable) noexcept {
  auto& channel = *static_cast<Channel*>(self);
  try {
    channel.state(fd, readable != 0, writable != 0);
  } catch (...) {  // no memory, or none of the kernel's; an exception must not pass through c-ares
    channel.no_memory_ = true;
  }
}

// Neither: c-ares is about to close it.
void Resolver::Channel::state(int fd, bool readable, bool writable) {
  const auto at = std::find_if(sockets_.begin(), sockets_.end(),
                               [&](const auto& socket) { return socket->descriptor.native_handle() == fd; });
  if (!readable && !writable) {
    if (at == sockets_.end()) return;
    // Now, not with the last reference to it: c-ares may open another socket with the same number at once.
    (*at)->descriptor.release();
    sockets_.erase(at);
    return;
  }
  const SocketPtr socket =
      at != sockets_.end() ? *at : sockets_.emplace_back(std::make_shared<Socket>(worker_.io(), fd));
  socket->read.wanted = readable;
  socket->write.wanted = writable;
  watch(socket, Descriptor::wait_read);
  watch(socket, Descriptor::wait_write);
}

void Resolver::Channel::watch(const SocketPtr& socket, Descriptor::wait_type what) {
  auto& side = what == Descriptor::wait_read ? socket->read : socket->write;
  if (!side.wanted || side.waiting) return;
  socket->descriptor.async_wait(
      what, [channel = weak_from_this(), weak = std::weak_ptr(socket), what](const boost::system::error_code& error) {
        const auto self = channel.lock();
        const auto watched = weak.lock();
        if (!error && self && watched) self->ready(watched, what);
      });
  side.waiting = true;
}

void Resolver::Channel::ready(const SocketPtr& socket, Descriptor::wait_type what) {
  const auto self = shared_from_this();
  auto& side = what == Descriptor::wait_read ? socket->read : socket->write;
  side.waiting = false;
  if (!side.wanted) return;
  worker_.tick();
  const int fd = socket->descriptor.native_handle();
  const bool reads = what == Descriptor::wait_read;
  ares_process_fd(dns_, reads ? fd : ARES_SOCKET_BAD, reads ? ARES_SOCKET_BAD : fd);
  if (std::find(sockets_.begin(), sockets_.end(), socket) != sockets_.end())
    guarded([&] { watch(socket, what); }, [&] { no_memory_ = true; });
  settle();
}

void Resolver::Channel::process(ares_socket_t read, ares_socket_t write) {
  const auto self = shared_from_this();
  ares_process_fd(dns_, read, write);
  settle();
}

Resolver::Resolver(Worker& worker) : worker_(worker) {}
Resolver::~Resolver() = default;

void Resolver::use(Settings settings) {
  if (settings == settings_) return;
  settings_ = std::move(settings);
  channel_ = nullptr;
}

std::shared_ptr<Resolver::Channel> Resolver::current() {
  if (!channel_ || !channel_->works() || !channel_->up_to_date(settings_))
    channel_ = std::make_shared<Channel>(worker_, settings_);
  return channel_;
}

// What comes at once is told by the loop.
void Resolver::settle_soon(const std::shared_ptr<Channel>& channel) {
  worker_.post([weak = std::weak_ptr(channel)] {
    if (const auto self = weak.lock()) self->settle();
  });
}

Resolver::LookupPtr Resolver::ask_targets(const std::string& name, TargetsDone done) {
  const auto channel = current();
  const auto asked = std::make_shared<AskedTargets>(channel, std::move(done));
  settle_soon(channel);
  channel->start(asked, name);
  return asked;
}

Resolver::LookupPtr Resolver::ask(const std::string& name, Done done) {
  const auto channel = current();
  const auto asked = std::make_shared<Asked>(channel, std::move(done));
  auto known = channel->in_hosts_file(name);
  settle_soon(channel);
  if (known.result == Resolution::NoName)
    channel->start(asked, name);
  else
    asked->ended(std::move(known));
  return asked;
}

}  // namespace forebay::net
