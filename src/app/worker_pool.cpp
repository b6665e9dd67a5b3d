#include "worker_pool.hpp"

#include <atomic>
#include <condition_variable>

#include "forebay/base/mutex.hpp"
#include "forebay/net/scheduling.hpp"
#include "forebay/server/giving_way.hpp"

namespace forebay::app {

WorkerPool::WorkerPool(unsigned threads, const Clock& clock, proxy::Shared& shared, const proxy::RuntimePtr& runtime) {
  for (unsigned i = 0; i < threads; ++i) workers_.push_back(std::make_unique<net::Worker>(i, clock));
  for (auto& w : workers_) handlers_.push_back(std::make_unique<proxy::ProxyHandler>(*w, shared, runtime));
}

WorkerPool::~WorkerPool() { stop(); }

void WorkerPool::start() {
  for (auto& w : workers_)
    threads_.emplace_back([worker = w.get()] {
      net::leave_signals_to_others();
      net::take_short_turns();
      worker->run();
    });
}

std::vector<server::Listener::Part> WorkerPool::parts() {
  std::vector<server::Listener::Part> parts;
  for (std::size_t i = 0; i < workers_.size(); ++i) parts.push_back({workers_[i].get(), handlers_[i].get()});
  return parts;
}

std::vector<net::Worker*> WorkerPool::workers() const {
  std::vector<net::Worker*> all;
  for (const auto& w : workers_) all.push_back(w.get());
  return all;
}

std::vector<server::Handler*> WorkerPool::handlers() const {
  std::vector<server::Handler*> all;
  for (const auto& handler : handlers_) all.push_back(handler.get());
  return all;
}

void WorkerPool::on_all(std::function<void(std::size_t)> task, std::function<void()> then) {
  struct Round {
    std::function<void(std::size_t)> task;
    std::function<void()> then;
    std::atomic<std::size_t> left;
  };
  auto round = std::make_shared<Round>();
  round->task = std::move(task);
  round->then = std::move(then);
  round->left = workers_.size();
  for (std::size_t i = 0; i < workers_.size(); ++i)
    workers_[i]->post([round, i] {
      round->task(i);
      if (round->left.fetch_sub(1, std::memory_order_acq_rel) == 1) round->then();
    });
}

void WorkerPool::on_all_and_wait(std::function<void(std::size_t)> task) {
  struct Gate {
    Mutex mutex;
    std::condition_variable opened;
    bool open FOREBAY_GUARDED_BY(mutex) = false;
  };
  const auto gate = std::make_shared<Gate>();
  on_all(std::move(task), [gate] {
    const MutexLock lock(gate->mutex);
    gate->open = true;
    gate->opened.notify_one();
  });
  MutexLock lock(gate->mutex);
  while (!gate->open) gate->opened.wait(lock.native());
}

void WorkerPool::adopt(const proxy::RuntimePtr& runtime) {
  on_all_and_wait([this, runtime](std::size_t i) {
    workers_[i]->tick();
    handlers_[i]->adopt(runtime);
  });
}

void WorkerPool::drain() {
  on_all(
      [this](std::size_t i) {
        workers_[i]->tick();
        handlers_[i]->drain();
      },
      [] {});
}

void WorkerPool::count_background_fetches(std::function<void(std::size_t)> then) {
  const auto sum = std::make_shared<std::atomic<std::size_t>>(0);
  on_all([this, sum](std::size_t i) { sum->fetch_add(handlers_[i]->background_fetches()); },
         [sum, then = std::move(then)] { then(sum->load()); });
}

void WorkerPool::ping_all(std::function<void()> then) {
  on_all([](std::size_t) {}, std::move(then));
}

void WorkerPool::stop() {
  if (!threads_.empty()) {
    on_all_and_wait([this](std::size_t i) {
      workers_[i]->tick();
      handlers_[i]->shut_down();
    });
    // Cancelled operations complete in the next turns; after two turns none is left.
    on_all_and_wait([](std::size_t) {});
    on_all_and_wait([](std::size_t) {});
    for (auto& w : workers_) w->stop();
    for (auto& t : threads_) t.join();
    threads_.clear();
  }
  for (auto& w : workers_) w->disable_waker();
}

void SingleWorkerServer::open(const config::Listener& config, server::Handler& handler,
                              std::shared_ptr<const net::TlsServer> tls, const server::Neighbours& others) {
  listener_ = std::make_unique<server::Listener>(config, std::vector<server::Listener::Part>{{&worker_, &handler}},
                                                 server::limits_with_giving_way(), others);
  if (tls) listener_->use_tls(tls);
  if (!others.inherited) start();
  thread_ = std::thread([this] {
    net::leave_signals_to_others();
    worker_.run();
  });
}

void SingleWorkerServer::end_in_order(const std::function<void()>& end) {
  worker_.call([this, &end] {
    worker_.tick();
    end();
  });
  // What it has woken writes in the next turns.
  for (int turns = 0; turns < 3; ++turns) worker_.call([] {});
}

void SingleWorkerServer::start() {
  if (!std::exchange(started_, true)) listener_->start();
}

void SingleWorkerServer::leave() {
  listener_->leave();
  listener_->drain();
}

void SingleWorkerServer::close() {
  if (thread_.joinable()) {
    listener_->close();
    listener_->abort();
    await_closed(*listener_, std::chrono::seconds{1});
    worker_.stop();
    thread_.join();
  }
  worker_.disable_waker();
  listener_.reset();
}

void await_closed(const server::Listener& listener, Duration patience) {
  for (Duration waited{0}; listener.open_connections() != 0 && waited < patience;
       waited += std::chrono::milliseconds{2})
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
}

}  // namespace forebay::app
