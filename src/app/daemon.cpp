#include "daemon.hpp"

#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <system_error>
#include <utility>

#include "allocator.hpp"
#include "forebay/admin/build.hpp"
#include "forebay/base/events.hpp"
#include "forebay/base/hash.hpp"
#include "forebay/base/log.hpp"
#include "signals.hpp"

namespace forebay::app {
namespace {

using namespace std::chrono_literals;
using boost::system::error_code;

constexpr auto kSweepEvery = 100ms;
constexpr auto kReclaimEvery = 1ms;  // after a purge, until its memory is free; a call takes a fraction of that
constexpr auto kWeighEvery = 40ms;

std::vector<std::uint64_t> nanoseconds(const std::vector<Duration>& bounds) {
  std::vector<std::uint64_t> out;
  out.reserve(bounds.size());
  for (const auto b : bounds) out.push_back(static_cast<std::uint64_t>(b.count()));
  return out;
}

// Sanitizers double the resident memory, so it is not compared with the limit.
constexpr bool kGoverned =
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    false;
#else
    true;
#endif

}  // namespace

config::Listener operators_listener(const config::Config& config) {
  auto listener = config.admin_listener;
  listener.address = *config.admin;
  listener.name = "admin";
  listener.http2 = false;
  // Who may connect is an operator.
  if (!listener.mode) listener.mode = 0600;
  return listener;
}

Daemon::Daemon(ConfigSource& source, config::LoadResult loaded, Options options)
    : source_(source), loaded_(std::move(loaded)), options_(std::move(options)) {}

Daemon::~Daemon() { dismantle(); }

ExitCode Daemon::run() {
  // Signals that arrive before the daemon is ready wait.
  hold_signals();
  if (options_.watch_files)
    file_watch_ = std::make_unique<FileWatch>(control_, [this] {
      if (stopping_) return;
      log::info("a file of the configuration has changed");
      reload();
    });
  follow_files(loaded_);
  tls_ = read_tls(loaded_, tickets_, clock_);
  if (!loaded_.ok()) return refuse_configuration(loaded_);
  try {
    log::configure(loaded_.config->log);
    build();
    find_predecessor();  // after the limit of descriptors was raised
    open();
  } catch (const server::Predecessor::Stopped& e) {
    log::info(e.what());
    dismantle();
    return ExitCode::Done;
  } catch (const std::system_error& e) {
    std::cerr << "forebay: " << e.what() << '\n';
    if (e.code() == std::errc::address_in_use)
      std::cerr << "forebay: stop that process, or choose another address (--listen :9080, --admin 127.0.0.1:9081)\n";
    dismantle();
    return ExitCode::Failed;
  } catch (const std::exception& e) {
    // A failed start is also reported on standard error, whatever the output of the log is.
    std::cerr << "forebay: " << e.what() << '\n';
    dismantle();
    return ExitCode::Failed;
  }
  watch(stop_signals_);
  watch(orders_);
  take_signals();
  announce();
  second_.expires_after(1s);
  if (kGoverned) weigh();
  each_second();
  watch_dog();
  if (options_.stop_after > Duration{0}) {
    duration_timer_.expires_after(options_.stop_after);
    duration_timer_.async_wait([this](error_code ec) {
      if (!ec) begin_stop("--duration has passed");
    });
  }
  if (options_.ready) options_.ready(*this);
  control_.run();
  // For the rest of the process: without the signal sets, the default actions would apply and change the exit code that
  // the first signal decided.
  hold_signals();
  dismantle();
  log::info("stopped");
  return ExitCode::Done;
}

void Daemon::build() {
  for (const auto& d : loaded_.diagnostics) log::warn(one_line(d));
  fd_limit_ = raise_fd_limit();
  const auto marked = std::make_shared<config::Config>(*loaded_.config);
  epochs_.enter(*marked);
  const auto config = fitted(marked, fd_limit_, 0);
  loaded_.config = config;

  store_ = std::make_unique<cache::Store>(cache::StoreOptions{config->cache.memory, config->cache.shards});
  counters_ = std::make_unique<proxy::CounterRegistry>(config->server.threads, nanoseconds(config->metrics.buckets),
                                                       config->metrics.per_route ? config->metrics.max_routes : 0);
  shared_.reset(
      new proxy::Shared{*store_, *counters_, random_hex(8), false, cache::PersistedQueries(), cache::SearchRules()});
  shared_->compressor.use_thread();
  governor_ = std::make_unique<MemoryGovernor>(config->cache.memory);
  const auto first = proxy::Runtime::make(config, nullptr, config->server.threads);
  first->use_tls(std::exchange(tls_.clients, {}));
  set_runtime(first);
  workers_ = std::make_unique<WorkerPool>(config->server.threads, clock_, *shared_, runtime());
  listeners_ = std::make_unique<ListenerSet>([this] { return workers_->parts(); });
}

void Daemon::open() {
  const auto config = runtime()->config;
  auto listeners = listeners_->prepare(config->listeners, std::exchange(tls_.servers, {}), others());
  keep_tickets_for(*config);
  warn_of_unused_sockets(*config, nullptr);
  if (config->admin) {
    admin::Sources sources{status_,
                           *store_,
                           *counters_,
                           [this] { return runtime(); },
                           [this] { return listeners_->views(); },
                           workers_->workers(),
                           [this] {
                             const MutexLock lock(runtime_mutex_);
                             return dropped_before_ + runtime_->access->dropped();
                           },
                           *shared_,
                           orders()};
    status_.started_at = clock_.now().mono;
    admin_handler_ = std::make_unique<admin::AdminHandler>(std::move(sources));
    admin_ = std::make_unique<SingleWorkerServer>(config->server.threads, clock_);
    admin_->open(operators_listener(*config), *admin_handler_, std::exchange(tls_.admin, {}), others());
    admin_->worker().post([this] { admin_handler_->begin(admin_->worker()); });
  }
  workers_->start();
  take_over();
  set_access(listeners);
  listeners_->apply(std::move(listeners));
  sweep_timer_ = std::make_unique<boost::asio::steady_timer>(workers_->first().io());
  workers_->first().post([this] { sweep(kSweepEvery); });
}

// On the first worker.
void Daemon::sweep(Duration wait) {
  sweep_timer_->expires_after(wait);
  sweep_timer_->async_wait([this](error_code ec) {
    if (ec) return;
    const bool more = store_->sweep(workers_->first().tick().mono);
    shared_->compressor.settle();
    sweep(more ? kReclaimEvery : kSweepEvery);
  });
}

void Daemon::announce() {
  status_.last_reload_success_at = std::chrono::duration_cast<Seconds>(clock_.now().wall.time_since_epoch()).count();
  status_.state.store(admin::State::Ready, std::memory_order_release);
  if (admin_) admin_->start();
  std::string line = "ready version=" + admin::build().version + " config=\"" + source_.name() + '"';
  if (loaded_.included > 0) line += " included=" + std::to_string(loaded_.included);
  for (const auto& [name, listener] : listeners_->current())
    line += " listener=" + name + " address=" + address_text(*listener);
  if (admin_) line += " admin=" + address_text(admin_->listener());
  for (const auto& [name, origin] : runtime()->config->origins) {
    line += " origin=" + name;
    for (const auto& member : origin.urls) line += " url=" + member.url.text;
  }
  line += " threads=" + std::to_string(workers_->size());
  line += " memory=" + std::to_string(runtime()->config->cache.memory);
  log::info(line);
  events::record(clock_.now().mono, events::Kind::Start, "ready",
                 {{"version", admin::build().version}, {"config", source_.name()}});
  write_port_file();
  if (predecessor_)
    notifier_.ready_as_main("serving");
  else
    notifier_.ready("serving");
  offer_sockets();
}

void Daemon::write_port_file() {
  if (options_.port_file.empty()) return;
  // Written atomically, since readers poll for it.
  const auto draft = options_.port_file + ".new";
  {
    std::ofstream out(draft);
    for (const auto& [name, listener] : listeners_->current()) out << name << ' ' << listener->port() << '\n';
    if (admin_) out << "admin " << admin_->listener().port() << '\n';
  }
  if (std::rename(draft.c_str(), options_.port_file.c_str()) != 0)
    log::error("cannot write the port file " + options_.port_file);
}

void Daemon::watch(boost::asio::signal_set& signals) {
  signals.async_wait([this, &signals](error_code ec, int signal) {
    if (ec) return;
    on_signal(signal);
    if (!ended_) watch(signals);
  });
}

void Daemon::on_signal(int signal) {
  switch (signal) {
    case SIGHUP: reload(); break;
    case SIGUSR1:
      log::reopen();
      runtime()->access->reopen();
      log::info("logs reopened");
      break;
    case SIGUSR2: dump(); break;
    default:
      if (stopping_ && !replaced_)
        stop_now("a second signal");
      else
        begin_stop(signal == SIGINT ? "SIGINT" : signal == SIGQUIT ? "SIGQUIT" : "SIGTERM");
  }
}

void Daemon::each_second() {
  second_.async_wait([this](error_code ec) {
    if (ec) return;
    listeners_->tidy();
    hear_predecessor();
    tickets_->rotate();
    if (kGoverned) {
      const auto before = governor_->limit();
      const auto limit = governor_->limit_for(resident_bytes());
      if (limit != before) {
        log::debug("the store is limited to " + std::to_string(limit) + " bytes");
        store_->set_memory(limit);
      }
    }
    second_.expires_at(second_.expiry() + 1s);
    each_second();
  });
}

// Between the runs of the governor: free memory can be returned at no cost.
void Daemon::weigh() {
  memory_timer_.expires_after(kWeighEvery);
  memory_timer_.async_wait([this](error_code ec) {
    if (ec) return;
    if (governor_->presses(resident_bytes())) give_back_free_memory();
    weigh();
  });
}

// The watchdog is notified only if all workers reply.
void Daemon::watch_dog() {
  if (!notifier_.watchdog_interval()) return;
  if (all_alive_.exchange(false)) {
    notifier_.watchdog();
    workers_->ping_all([this] { all_alive_ = true; });
  }
  watchdog_timer_.expires_after(*notifier_.watchdog_interval());
  watchdog_timer_.async_wait([this](error_code ec) {
    if (!ec) watch_dog();
  });
}

void Daemon::dump() const {
  const auto now = runtime();
  const auto n = store_->numbers();
  log::info("state: " + std::string(admin::to_string(status_.state.load())) + " version=" + admin::build().version +
            " config=\"" + source_.name() + "\" reloads=" + std::to_string(status_.reloads_applied.load()) +
            " rejected=" + std::to_string(status_.reloads_rejected.load()) +
            " threads=" + std::to_string(workers_->size()) + " resident=" + std::to_string(resident_bytes()));
  log::info("store: entries=" + std::to_string(n.entries) + " slots=" + std::to_string(n.slots) + " bytes=" +
            std::to_string(n.bytes) + " limit=" + std::to_string(n.limit) + " waiting=" + std::to_string(n.waiting) +
            " stored=" + std::to_string(n.stored) + " evicted=" + std::to_string(n.evicted_capacity));
  for (const auto& l : listeners_->views())
    log::info("listener " + l.name + ": open=" + std::to_string(l.open) + " accepted=" + std::to_string(l.accepted));
  for (const auto& [name, origin] : now->origins) {
    for (std::size_t i = 0; i < origin->urls(); ++i) {
      const auto& o = origin->numbers(i);
      log::info("origin " + name + ": url=" + origin->url(i) + " up=" + (origin->up(i) ? "yes" : "no") +
                " in_flight=" + std::to_string(o.in_flight.load()) + " active=" + std::to_string(o.active.load()) +
                " idle=" + std::to_string(o.idle.load()) + " failed=" + std::to_string(o.failed.load()));
    }
  }
}

}  // namespace forebay::app
