#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "daemon.hpp"
#include "forebay/base/events.hpp"
#include "forebay/base/log.hpp"

namespace forebay::app {

proxy::RuntimePtr Daemon::runtime() const {
  const MutexLock lock(runtime_mutex_);
  return runtime_;
}

void Daemon::set_runtime(proxy::RuntimePtr runtime) {
  // Every series of a route exists from the start.
  counters_->of("_none", 0);
  for (const auto& route : runtime->config->routes) counters_->of(route.name, 0);
  const MutexLock lock(runtime_mutex_);
  if (runtime_ && runtime_->access != runtime->access) dropped_before_ += runtime_->access->dropped();
  std::swap(runtime_, runtime);
}

admin::Reloaded Daemon::reload() {
  admin::Reloaded outcome;
  // Which may find that this process is replaced.
  if (!stopping_ && handover_) handover_->interrupt("it was reloaded meanwhile");
  if (stopping_) {
    log::warn("reload ignored: the process is stopping");
    outcome.why = "the process is stopping";
    outcome.stopping = true;
    return outcome;
  }
  notifier_.reloading();
  if (file_watch_) file_watch_->before_reading();
  auto loaded = source_.load();
  follow_files(loaded);
  auto tls = read_tls(loaded, tickets_, clock_);
  for (const auto& d : loaded.diagnostics) {
    const auto text = one_line(d);
    if (d.severity == config::Severity::Error)
      log::error(text);
    else
      log::warn(text);
  }
  const auto tell = [this](log::Level level, std::string_view what, const std::string& text) {
    log::write(level, text);
    events::record(clock_.now().mono, events::Kind::Reload, text, {{"outcome", what}});
  };
  outcome.why = config::summary(loaded.diagnostics);
  if (loaded.ok()) try_reload(loaded, std::move(tls), outcome);
  status_.last_reload_successful = outcome.applied;
  if (outcome.applied) {
    ++status_.reloads_applied;
    status_.last_reload_success_at = std::chrono::duration_cast<Seconds>(clock_.now().wall.time_since_epoch()).count();
    const auto files = std::to_string(loaded.included) + (loaded.included == 1 ? " included file" : " included files");
    tell(log::Level::Info, "applied",
         source_.subject() + (loaded.included > 0 ? " and " + files : "") + " applied; the cache is kept");
  } else {
    ++status_.reloads_rejected;
    tell(log::Level::Error, "rejected",
         source_.subject() + " rejected (" + outcome.why + "); the current configuration stays in force");
  }
  notifier_.ready(outcome.applied ? "serving" : "serving; the last reload was rejected");
  outcome.diagnostics = std::move(loaded.diagnostics);
  return outcome;
}

// Also those of a configuration that is refused: correcting them is the next change.
void Daemon::follow_files(const config::LoadResult& loaded) {
  if (!file_watch_) return;
  auto files = loaded.sources;
  files.names.push_back(source_.name());
  // What is in force stays in force meanwhile, and a refused configuration may not say which certificates it has.
  if (!loaded.ok() && runtime()) config::add_tls_files(files, *runtime()->config);
  if (loaded.ok()) config::add_tls_files(files, *loaded.config);
  file_watch_->follow(std::move(files));
}

void Daemon::keep_tickets_for(const config::Config& config) {
  Duration longest{0};
  for (const auto& listener : config.listeners)
    if (listener.tls.on()) longest = std::max(longest, listener.tls.session_timeout);
  tickets_->keep_for(longest);
}

// Everything that can fail comes first and has no effect on failure.
void Daemon::try_reload(const config::LoadResult& loaded, TlsFiles tls, admin::Reloaded& outcome) {
  const auto before = runtime();
  const auto merged = std::make_shared<config::Config>(*loaded.config);
  auto restart = config::keep_until_restart(*merged, *before->config);
  auto epochs = epochs_;
  epochs.enter(*merged);
  const auto config = fitted(merged, fd_limit_, before->config->server.max_connections);
  proxy::RuntimePtr fresh;
  ListenerSet::Change listeners;
  try {
    fresh = proxy::Runtime::make(config, before.get(), workers_->size());
    listeners = listeners_->prepare(config->listeners, std::move(tls.servers));
    if (before->config->log != config->log) log::configure(config->log);
  } catch (const std::exception& e) {
    outcome.why = e.what();
    return;
  }

  fresh->use_tls(tls.clients);
  workers_->adopt(fresh);
  set_runtime(fresh);
  epochs_ = std::move(epochs);
  keep_tickets_for(*config);
  listeners_->apply(std::move(listeners));
  if (admin_) admin_->use_tls(tls.admin);
  warn_of_unused_sockets(*config, before->config.get());
  if (config->cache.memory != before->config->cache.memory) {
    governor_->configure(config->cache.memory);
    store_->set_memory(config->cache.memory);
  }
  for (const auto& key : restart)
    log::warn(key + " has changed: restart required; until then the old value stays in force");
  outcome.applied = true;
  outcome.changed = config::changed_keys(*config, *before->config);
  outcome.changed.insert(outcome.changed.end(), restart.begin(), restart.end());
  outcome.restart_required = std::move(restart);
}

}  // namespace forebay::app
