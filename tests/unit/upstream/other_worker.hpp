#pragma once

#include <future>

#include "unit/upstream/upstream_fixture.hpp"

namespace forebay::upstream {

/// A second worker with a thread of its own.
class OtherWorker {
 public:
  OtherWorker(const Clock& clock, std::shared_ptr<OriginState> state)
      : worker_(1, clock),
        origin_(std::make_unique<Origin>(worker_, std::move(state))),
        thread_([this] { worker_.run(); }) {}
  ~OtherWorker() {
    on_worker([this] { origin_.reset(); });
    worker_.stop();
    thread_.join();
  }
  template <class F>
  void on_worker(F f) {
    std::promise<void> done;
    worker_.post([&] {
      f();
      done.set_value();
    });
    done.get_future().get();
  }
  Origin& origin() { return *origin_; }

 private:
  net::Worker worker_;
  std::unique_ptr<Origin> origin_;
  std::thread thread_;
};

}  // namespace forebay::upstream
