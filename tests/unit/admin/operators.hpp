#pragma once

#include <memory>
#include <string>

#include "fake_exchange.hpp"
#include "forebay/admin/endpoints.hpp"
#include "forebay/net/worker.hpp"

namespace forebay::admin {

/// What the admin listener looks at, without threads or sockets.
struct Operators {
  Operators() {
    auto c = std::make_shared<config::Config>();
    c->origins["web"].name = "web";
    c->access.output = "off";
    c->metrics.buckets = {std::chrono::milliseconds{1}, std::chrono::seconds{1}};
    c->cache.memory = 1 << 20;
    config = c;
    runtime = proxy::Runtime::make(config, nullptr, 2);
  }
  Sources sources() {
    return {status,
            store,
            counters,
            [this] { return runtime; },
            [] {
              return std::vector<ListenerView>{{"web", 3, 10, 1, 2, 4}};
            },
            {&worker},
            [] { return std::uint64_t{7}; },
            shared};
  }
  /// Changes the configuration before it is used.
  template <class F>
  void change(F&& f) {
    auto c = std::make_shared<config::Config>(*config);
    f(*c);
    config = c;
    runtime = proxy::Runtime::make(config, nullptr, 2);
  }

  ManualClock clock;
  net::Worker worker{0, clock};
  Status status;
  cache::Store store{{1 << 20, 2}};
  proxy::CounterRegistry counters{2, {1'000'000, 1'000'000'000}, 10};
  proxy::Shared shared{store, counters, "0123", false, cache::PersistedQueries(), cache::SearchRules()};
  config::ConfigPtr config;
  proxy::RuntimePtr runtime;
};

}  // namespace forebay::admin
