#include "forebay/proxy/compressor.hpp"

#include <time.h>

#include <algorithm>
#include <new>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "bounded_queue.hpp"
#include "forebay/base/guarded.hpp"
#include "forebay/base/mutex.hpp"
#include "forebay/net/scheduling.hpp"
#include "forebay/net/worker.hpp"

namespace forebay::proxy {
namespace {

using content::Compression;

/// Jobs that may wait; each keeps its entry alive.
constexpr std::size_t kMostQueued = 256;
/// Content per step. After it the thread looks whether it must end.
constexpr std::size_t kStep = 16 * 1024;
constexpr std::size_t kChunk = 64 * 1024;
/// Memory that one call of `settle` may evict for, so that it delays no request.
constexpr std::size_t kEvictedAtOnce = 128 * 1024;
/// A form must be smaller by this part of the content to be worth its memory.
constexpr std::uint64_t kLeastSaved = 16;

constexpr std::array<std::string_view, kCompressedOutcomes> kWords{"made", "not_smaller", "no_memory", "queue_full"};

std::uint64_t thread_nanoseconds() noexcept {
  ::timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<std::uint64_t>(used.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(used.tv_nsec);
}

struct Job {
  Ref<const cache::Entry> entry;
  Compression coding{};
  Ref<cache::EncodedBody> form;  // once it is made
  Charge gathered;               // for it, while it waits for memory

  cache::Encodings& forms() const noexcept { return *entry->encodings(); }
};

/// One form in the making, in uncharged memory.
class Making {
 public:
  Making(const Job& job, const std::atomic<bool>& stopping)
      : job_(job),
        stopping_(stopping),
        length_(job.entry->body_length()),
        most_(length_ - length_ / kLeastSaved),
        buffer_(kChunk, '\0') {}

  enum class End : std::uint8_t { Done, NotSmaller, NoMemory, Stopped };
  End run() {
    const auto encoder = content::Encoder::make(job_.coding, length_);
    if (!encoder) return End::NoMemory;
    for (auto piece : job_.entry->body()) {
      while (!piece.empty()) {
        if (stopping_.load(std::memory_order_relaxed)) return End::Stopped;
        auto step = piece.substr(0, kStep);
        piece.remove_prefix(step.size());
        while (!step.empty())
          if (const auto end = keep(encoder->take(step, next(), room())); end != End::Done) return end;
      }
    }
    for (bool more = true; more;) {
      const auto given = room();
      const auto made = encoder->finish(next(), given);
      more = made && *made == given;
      if (const auto end = keep(made); end != End::Done) return end;
    }
    cut();
    return End::Done;
  }
  Ref<cache::EncodedBody> form() {
    if (total_ <= cache::Entry::kOneBlock) join();
    chunks_.shrink_to_fit();
    return Ref<cache::EncodedBody>(new cache::EncodedBody(std::move(chunks_)));
  }

 private:
  char* next() noexcept { return buffer_.data() + filled_; }
  std::size_t room() const noexcept { return buffer_.size() - filled_; }
  End keep(const Result<std::size_t>& made) {
    if (!made) return End::NoMemory;
    total_ += *made;
    filled_ += *made;
    if (total_ >= most_) return End::NotSmaller;
    if (room() == 0) cut();
    return End::Done;
  }
  void cut() {
    if (filled_ != 0) chunks_.push_back(Chunk::copy_of({buffer_.data(), filled_}));
    filled_ = 0;
  }
  /// A small body is sent faster in one piece.
  void join() {
    if (chunks_.size() < 2) return;
    std::string whole;
    whole.reserve(total_);
    for (const auto& chunk : chunks_) whole += chunk->bytes();
    chunks_.assign(1, Chunk::copy_of(whole));
  }

  const Job& job_;
  const std::atomic<bool>& stopping_;
  const std::uint64_t length_, most_;
  std::uint64_t total_ = 0;
  std::string buffer_;
  std::size_t filled_ = 0;
  std::vector<Ref<const Chunk>> chunks_;
};

}  // namespace

std::string_view to_string(Compressed outcome) noexcept { return kWords[static_cast<std::size_t>(outcome)]; }

struct Compressor::Private {
  explicit Private(cache::Store& s) : store(s) {}

  bool begin_thread() noexcept;
  void run() noexcept;
  void make(Job& job) noexcept;
  void hand_over(Job& job) noexcept;
  void publish(Job& job, Charge charge) noexcept;
  void give_up(const Job& job, Compressed why) noexcept;
  void wake() noexcept {
    signal.fetch_add(1, std::memory_order_release);
    signal.notify_all();
  }
  bool stops() const noexcept { return stopping.load(std::memory_order_acquire); }
  void count(Compression coding, Compressed outcome) noexcept {
    auto& cell = numbers[static_cast<std::size_t>(coding)].outcomes[static_cast<std::size_t>(outcome)];
    cell.fetch_add(1, std::memory_order_relaxed);
  }

  cache::Store& store;
  const Ref<cache::EncodedNumbers> held{new cache::EncodedNumbers};
  std::array<Numbers, content::kCompressions> numbers;
  BoundedQueue<Job, kMostQueued> queue;
  std::atomic<Job*> homeless{nullptr};  // made, without memory; its thread waits until somebody takes it
  std::atomic<int> signal{0};           // changes when there may be something to do for the thread
  std::atomic<bool> stopping{false};
  bool threaded = false;
  std::atomic<bool> begun{false};
  Mutex mutex;  // of workers alone
  std::thread thread FOREBAY_GUARDED_BY(mutex);
};

bool Compressor::Private::begin_thread() noexcept {
  if (begun.load(std::memory_order_acquire)) return true;
  const MutexLock lock(mutex);
  if (begun.load(std::memory_order_relaxed)) return true;
  if (stops()) return false;
  try {
    thread = std::thread([this] { run(); });
  } catch (const std::system_error&) {
    return false;  // no more threads for this process: a later request tries again
  } catch (const std::bad_alloc&) {
    return false;  // likewise without memory for one
  }
  begun.store(true, std::memory_order_release);
  return true;
}

void Compressor::Private::run() noexcept {
  net::leave_signals_to_others();
  net::take_low_priority();
  while (!stops()) {
    const int seen = signal.load(std::memory_order_acquire);
    Job job;
    if (queue.pop(job))
      make(job);
    else if (!stops())
      signal.wait(seen, std::memory_order_acquire);
  }
}

void Compressor::Private::make(Job& job) noexcept {
  auto& mine = numbers[static_cast<std::size_t>(job.coding)];
  const auto began = thread_nanoseconds();
  auto end = Making::End::NoMemory;
  guarded(
      [&] {
        std::optional<net::ShortTurns> turns;
        if (threaded) turns.emplace();
        Making making(job, stopping);
        const auto how = making.run();
        if (how == Making::End::Done) job.form = making.form();
        end = how;
      },
      [] {});
  mine.cpu_nanoseconds.fetch_add(thread_nanoseconds() - began, std::memory_order_relaxed);
  switch (end) {
    case Making::End::Stopped: return job.forms().put_off(job.coding);
    case Making::End::NotSmaller: return give_up(job, Compressed::NotSmaller);
    case Making::End::NoMemory: return give_up(job, Compressed::NoMemory);
    case Making::End::Done: break;
  }
  const auto cost = job.form->cost();
  auto& budget = store.budget();
  if (budget.try_take(cost)) return publish(job, Charge(budget, cost));
  hand_over(job);
}

/// To evict takes locks of the store, which is for a worker to do. It is one form at a time that waits for memory.
void Compressor::Private::hand_over(Job& job) noexcept {
  if (!threaded) return publish(job, store.reserve(job.form->cost()));
  homeless.store(&job, std::memory_order_release);
  for (;;) {
    const int seen = signal.load(std::memory_order_acquire);
    if (homeless.load(std::memory_order_acquire) == nullptr) return;
    if (stops()) break;
    signal.wait(seen, std::memory_order_acquire);
  }
  // A worker that took it meanwhile is done: workers are stopped first.
  if (homeless.exchange(nullptr, std::memory_order_acq_rel)) job.forms().put_off(job.coding);
}

void Compressor::Private::publish(Job& job, Charge charge) noexcept {
  if (charge.bytes() == 0) return give_up(job, Compressed::NoMemory);
  auto& mine = numbers[static_cast<std::size_t>(job.coding)];
  mine.bytes_in.fetch_add(job.entry->body_length(), std::memory_order_relaxed);
  mine.bytes_out.fetch_add(job.form->length(), std::memory_order_relaxed);
  job.form->take_charge(std::move(charge), held);
  job.forms().publish(job.coding, std::move(job.form));
  count(job.coding, Compressed::Made);
}

void Compressor::Private::give_up(const Job& job, Compressed why) noexcept {
  job.forms().refuse(job.coding);
  count(job.coding, why);
}

Compressor::Compressor(cache::Store& store) : p_(std::make_unique<Private>(store)) {}
Compressor::~Compressor() { stop(); }

void Compressor::use_thread() noexcept { p_->threaded = true; }

void Compressor::ask(const Ref<const cache::Entry>& entry, Compression coding) noexcept {
  auto& p = *p_;
  if (p.threaded && !p.begin_thread()) return;
  auto* forms = entry->encodings();
  if (!forms) {
    auto charge = p.store.reserve(cache::Encodings::cost());
    if (charge.bytes() == 0) return;
    guarded([&] { forms = &entry->encodings_or(Ref<cache::Encodings>(new cache::Encodings(std::move(charge)))); },
            [] {});
    if (!forms) return;
  }
  if (!forms->begin(coding)) return;
  Job job{entry, coding, {}, {}};
  if (p.queue.push(job)) return p.wake();
  forms->put_off(coding);
  p.count(coding, Compressed::QueueFull);
}

void Compressor::settle() noexcept {
  auto& p = *p_;
  if (p.homeless.load(std::memory_order_relaxed) == nullptr) return;
  const MutexLock lock(p.mutex);  // one worker at a time
  auto* const job = p.homeless.load(std::memory_order_acquire);
  if (!job) return;
  const auto cost = job->form->cost();
  auto more = p.store.reserve(std::min(cost - job->gathered.bytes(), kEvictedAtOnce));
  const bool none = more.bytes() == 0;
  job->gathered.merge(std::move(more));
  if (!none && job->gathered.bytes() < cost) return;
  p.publish(*job, none ? Charge() : std::move(job->gathered));
  p.homeless.store(nullptr, std::memory_order_release);
  p.wake();
}

std::size_t Compressor::work() {
  std::size_t jobs = 0;
  for (Job job; p_->queue.pop(job); job = {}, ++jobs) p_->make(job);
  return jobs;
}

void Compressor::stop() noexcept {
  auto& p = *p_;
  std::thread ending;
  {
    const MutexLock lock(p.mutex);
    p.stopping.store(true, std::memory_order_release);
    ending.swap(p.thread);
  }
  p.wake();
  if (ending.joinable()) ending.join();
  for (Job job; p.queue.pop(job);) job.forms().put_off(job.coding);
}

const Compressor::Numbers& Compressor::numbers(Compression coding) const noexcept {
  return p_->numbers[static_cast<std::size_t>(coding)];
}
std::size_t Compressor::queued() const noexcept { return p_->queue.size(); }
const cache::EncodedNumbers& Compressor::held() const noexcept { return *p_->held; }

}  // namespace forebay::proxy
