#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>

namespace forebay::bench {

/// Calls of `operator new` by this thread so far.
std::uint64_t allocations() noexcept;

/// Reports the allocations of one iteration as the counter `allocs`. Made after the set-up, ends with the loop.
class AllocationsPerIteration {
 public:
  explicit AllocationsPerIteration(benchmark::State& state) : state_(state), before_(allocations()) {}
  AllocationsPerIteration(const AllocationsPerIteration&) = delete;
  ~AllocationsPerIteration() {
    const auto made = static_cast<double>(allocations() - before_);
    state_.counters["allocs"] =
        benchmark::Counter(made / static_cast<double>(state_.iterations()), benchmark::Counter::kAvgThreads);
  }

 private:
  benchmark::State& state_;
  std::uint64_t before_;
};

}  // namespace forebay::bench
