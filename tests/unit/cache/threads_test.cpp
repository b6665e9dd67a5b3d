#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "fixture.hpp"

// What several threads do to one store. These tests are for ThreadSanitizer as much as for their own assertions.

namespace forebay::cache {
namespace {

using Kind = LookupKind;

// The loop of one thread: waits until something is delivered, and wakes who waits.
class Loop final : public Waker {
 public:
  void deliver(Ref<WaitGroup> group) noexcept override {
    const std::lock_guard lock(mutex_);
    groups_.push_back(std::move(group));
    some_.notify_one();
  }
  bool run_once() {
    std::vector<Ref<WaitGroup>> groups;
    {
      std::unique_lock lock(mutex_);
      if (!some_.wait_for(lock, std::chrono::seconds(120), [&] { return !groups_.empty(); })) return false;
      groups.swap(groups_);
    }
    for (auto& g : groups)
      while (!g->waiters.empty()) {
        auto& w = g->waiters.front();
        w.stop_waiting();
        w.woken();
      }
    return true;
  }

 private:
  std::mutex mutex_;
  std::condition_variable some_;
  std::vector<Ref<WaitGroup>> groups_;
};

struct Sleeper final : Waiter {
  void woken() override {}
};

class Threads : public StoreTest {
 protected:
  static constexpr int kThreads = 4;

  // Requests of one thread; each has facts and fields of its own.
  struct Client {
    Store& store;
    const rules::Policy& policy;
    Loop& loop;
    rules::RequestFacts facts{};
    Sleeper sleeper{};

    Looked look(const Key& key, http::FieldsView fields = {}) {
      const Unchanged selecting(fields);
      return store.lookup({key, selecting, facts, policy, 1, t0, true});
    }
    // False when no wake-up came though the flight has ended.
    bool wait(Flight& flight) {
      while (flight.state() == Flight::State::Waiting) {
        flight.wait(loop, sleeper);
        if (flight.state() != Flight::State::Waiting) {
          sleeper.stop_waiting();
          break;
        }
        if (!loop.run_once()) return false;
      }
      return true;
    }
  };

  template <class F>
  static void in_parallel(F&& f) {
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) threads.emplace_back([&f, t] { f(t); });
    for (auto& t : threads) t.join();
  }
  std::array<Loop, kThreads> loops;  // as permanent as wakers have to be

  static EntryParts parts(const PublishedHead& head, std::vector<Slice> body) {
    EntryParts p;
    p.head = head.head();
    p.body = std::move(body);
    return p;
  }
};

// Each key has one leader at any time; whoever waits is woken; what is served was committed under that very key.
TEST_F(Threads, OneLeaderAKeyAndNoLostWakeUp) {
  constexpr int kKeys = 3, kRounds = 1500;
  std::array<std::atomic<int>, kKeys> leading{};
  std::atomic<int> twice{0}, lost{0}, wrong{0}, stored{0}, refused{0};
  std::vector<Key> keys;
  for (int k = 0; k < kKeys; ++k) keys.push_back(key_of("/" + std::to_string(k)));
  std::vector<std::string> texts;
  for (const auto& k : keys) texts.emplace_back(k.text());

  in_parallel([&](int t) {
    Client me{store, policy, loops[static_cast<std::size_t>(t)]};
    std::mt19937 random(static_cast<unsigned>(t));
    for (int i = 0; i < kRounds; ++i) {
      const auto k = random() % kKeys;
      // A purge detaches a flight, and then a second leader is right; the first key is never purged.
      if (k != 0 && random() % 16 == 0) store.invalidate({keys[k].resource()});
      auto found = me.look(keys[k]);
      if (found.kind == Kind::Fresh) {
        if (found.entry->key_text() != texts[k] || text_of(*found.entry) != texts[k]) ++wrong;
      } else if (found.kind == Kind::Join) {
        if (!me.wait(*found.flight)) ++lost;
        found.place.leave();
        if (found.flight->state() == Flight::State::Landed && found.flight->joinable()) {
          http::BodyCursor cursor(found.flight->body());
          Slice s;
          if (cursor.next(1000, s) != http::BodyCursor::State::Data || s.bytes != texts[k]) ++wrong;
        }
      } else if (found.kind == Kind::Lead) {
        if (leading[k].fetch_add(1) != 0 && k == 0) ++twice;
        const auto head = PublishedHead::make(200, fields_of({{"X", "y"}}));
        Ref<http::Body> body(new http::Body);
        body->append(slice(texts[k]));
        const auto how = random() % 5;
        if (how >= 2) found.ticket.land({head, body, fresh_for(60s), {}, {}}, Unchanged({}), policy);
        leading[k].fetch_sub(1);
        if (how == 0) found.ticket.fail({});
        if (how >= 2) {
          const auto freshness = fresh_for(k == 0 ? 0s : 60s);  // the first key is fetched again and again
          const bool ok =
              found.ticket.commit(parts(*head, body->slices()), freshness, {}, Unchanged({}), policy, 1, t0);
          ++(ok ? stored : refused);
        }
        // how == 1: dropped here, so one of the followers takes over
      }
    }
  });
  EXPECT_EQ(twice.load(), 0);
  EXPECT_EQ(lost.load(), 0);
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_GT(stored.load(), 0);
  EXPECT_EQ(store.numbers().waiting, 0u);
  store.invalidate({keys[0].resource(), keys[1].resource(), keys[2].resource()});
  EXPECT_EQ(store.numbers().slots, 0u);
}

TEST_F(Threads, ColdRequestsOfManyThreadsMakeOneFetchEachTime) {
  for (int round = 0; round < 300; ++round) {
    const auto key = key_of("/cold" + std::to_string(round));
    std::atomic<int> leaders{0}, served{0}, ready{0};
    in_parallel([&](int t) {
      Client me{store, policy, loops[static_cast<std::size_t>(t)]};
      ++ready;
      while (ready.load() < kThreads) std::this_thread::yield();
      auto found = me.look(key);
      if (found.kind == Kind::Lead) {
        ++leaders;
        const auto head = PublishedHead::make(200, {});
        Ref<http::Body> body(new http::Body);
        found.ticket.land({head, body, fresh_for(60s), {}, {}}, Unchanged({}), policy);
        body->append(slice("x"));
        body->finish();
        if (found.ticket.commit(parts(*head, body->slices()), fresh_for(60s), {}, Unchanged({}), policy, 1, t0))
          ++served;
      } else if (found.kind == Kind::Join) {
        if (me.wait(*found.flight) && found.flight->state() == Flight::State::Landed) ++served;
        found.place.leave();
      } else if (found.kind == Kind::Fresh) {
        ++served;
      }
    });
    ASSERT_EQ(leaders.load(), 1);
    ASSERT_EQ(served.load(), kThreads);
  }
}

// After an invalidation has returned, nothing that was fetched before it is ever served.
TEST_F(Threads, NothingFetchedBeforeAnInvalidationIsServedAfterIt) {
  const auto key = key_of("/versioned");
  std::atomic<int> version{0}, old{0}, hits{0};
  std::atomic<bool> stop{false};
  in_parallel([&](int t) {
    if (t == 0) {
      for (int i = 0; i < 2000; ++i) {
        ++version;  // the origin has changed
        store.invalidate({key.resource()});
      }
      stop = true;
      return;
    }
    Client me{store, policy, loops[static_cast<std::size_t>(t)]};
    while (!stop) {
      const int before = version.load();
      const bool walked = version.load() == before;
      auto found = me.look(key);
      if (found.kind == Kind::Fresh) {
        ++hits;
        // `before - 1` is certain to have been purged by now; `before` may still be on its way.
        if (walked && std::stoi(text_of(*found.entry)) < before - 1) ++old;
      } else if (found.kind == Kind::Lead) {
        const auto head = PublishedHead::make(200, {});
        const auto body = slice(std::to_string(version.load()));
        found.ticket.commit(parts(*head, {body}), fresh_for(60s), {}, Unchanged({}), policy, 1, t0);
      } else if (found.kind == Kind::Join) {
        found.place.leave();
      }
    }
  });
  EXPECT_EQ(old.load(), 0);
}

class CrowdedThreads : public Threads {};

TEST_F(CrowdedThreads, TheLimitHoldsAtEveryInstant) {
  store.set_memory(300 * 1024);
  std::atomic<bool> exceeded{false};
  in_parallel([&](int t) {
    Client me{store, policy, loops[static_cast<std::size_t>(t)]};
    std::mt19937 random(static_cast<unsigned>(100 + t));
    std::vector<Ref<const Entry>> held;
    for (int i = 0; i < 3000; ++i) {
      const auto n = random() % 200;
      const auto key = key_of("/" + std::to_string(n));
      const auto fields = fields_of({{"X-A", std::to_string(random() % 4)}});
      auto found = me.look(key, fields.view());
      if (store.budget().used() > 300 * 1024) exceeded = true;
      if (found.entry && random() % 8 == 0) held.push_back(found.entry);
      if (held.size() > 4) held.clear();
      found.place.leave();
      if (found.ticket) {
        const std::size_t size = random() % 8000;
        const auto cost = Chunk::cost(size);
        auto charge = store.reserve(cost);
        if (charge.bytes() == 0) continue;
        const auto body = Chunk::copy_of(std::string(size, 'x'), std::move(charge))->slice();
        rules::VaryList vary;
        if (n % 3 == 0) vary.names = {"x-a"};
        if (n % 6 == 0 && random() % 16 == 0) vary.names = {"x-a", "x-b"};
        if (n % 9 == 0 && random() % 2 == 0) vary.names.clear();
        const auto head = PublishedHead::make(200, {});
        found.ticket.commit(parts(*head, {body}), fresh_for(60s), vary, Unchanged(fields.view()), policy, 1, t0);
      }
      if (store.budget().used() > 300 * 1024) exceeded = true;
      if (random() % 64 == 0) store.sweep(t0);
      if (random() % 64 == 0) store.invalidate({key.resource()});
      if (random() % 64 == 0) (void)store.numbers();
    }
  });
  EXPECT_FALSE(exceeded);
  EXPECT_GT(store.numbers().evicted_capacity, 0u);
}

}  // namespace
}  // namespace forebay::cache
