#pragma once

#include "forebay/base/waker.hpp"

namespace forebay::proxy {

/// Waits for a signal for a task: calls one of its member functions when woken.
template <class T>
class Watch final : public Waiter {
 public:
  Watch(T& task, void (T::*then)()) : task_(task), then_(then) {}
  void woken() override {
    task_.guarded([&task = task_, then = then_] { (task.*then)(); });
  }

 private:
  T& task_;
  void (T::*then_)();
};

}  // namespace forebay::proxy
