#include "forebay/proxy/access_log.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <random>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <vector>

#include "access_format.hpp"
#include "forebay/base/log.hpp"
#include "forebay/base/mutex.hpp"
#include "forebay/base/output_file.hpp"
#include "forebay/net/worker.hpp"
#include "forebay/proxy/counters.hpp"

namespace forebay::proxy {
namespace {

using namespace std::chrono_literals;

// Lines of one worker on their way to the writer. Worker and writer hold the lock only to copy or swap.
struct alignas(64) LogBuffer {
  Mutex mutex;
  std::condition_variable room;
  std::string text FOREBAY_GUARDED_BY(mutex);
  std::string scratch;      // the worker's: a line is made outside the lock
  std::minstd_rand random;  // the worker's: for `sample`
};

// How long a stopping process waits for a reader that does not read.
constexpr auto kLastWrite = 1s;

int open_output(const std::string& output) {
  if (output == "stdout") return STDOUT_FILENO;
  const int fd = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (fd < 0) throw std::runtime_error("cannot open the access log " + output + ": " + why_not_opened(output, errno));
  return fd;
}

bool regular(int fd) {
  struct stat st {};
  return ::fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

}  // namespace

struct AccessLog::Private {
  config::AccessLog config;
  config::AccessFormat format = config::AccessFormat::Json;
  bool off = false;
  bool filtered = false;
  std::vector<std::unique_ptr<LogBuffer>> buffers;
  std::atomic<std::uint64_t> dropped{0};

  Mutex mutex;  // never taken inside a buffer's lock
  std::condition_variable wake;
  bool pending FOREBAY_GUARDED_BY(mutex) = false, urgent FOREBAY_GUARDED_BY(mutex) = false,
               stopping FOREBAY_GUARDED_BY(mutex) = false;
  std::atomic<bool> announced{false};  // `pending` is set, or about to be
  std::atomic<bool> urged{false};      // likewise `urgent`

  Mutex output_mutex;  // held while writing
  int fd FOREBAY_GUARDED_BY(output_mutex) = -1;
  bool is_file FOREBAY_GUARDED_BY(output_mutex) = false;
  bool failing FOREBAY_GUARDED_BY(output_mutex) = false;

  std::thread writer;

  void announce(bool full) {
    if (announced.load(std::memory_order_relaxed) && (!full || urged.load(std::memory_order_relaxed))) return;
    {
      const MutexLock lock(mutex);
      announced = pending = true;
      if (full) urged = urgent = true;
    }
    wake.notify_one();
  }

  void run();
  bool sleep();
  void collect();
  void put(std::string_view text);
  bool write_some(std::string_view& text) FOREBAY_REQUIRES(output_mutex);
};

// False when the log ends. Sleeps without a timer while there is nothing to write.
bool AccessLog::Private::sleep() {
  MutexLock lock(mutex);
  while (!pending && !stopping) wake.wait(lock.native());
  const auto until = std::chrono::steady_clock::now() + config.flush;
  while (!urgent && !stopping && wake.wait_until(lock.native(), until) == std::cv_status::no_timeout) {
  }
  pending = urgent = false;
  announced = urged = false;
  return !stopping;
}

void AccessLog::Private::run() {
  while (sleep()) collect();
  collect();
}

void AccessLog::Private::collect() {
  std::string taken;
  for (const auto& buffer : buffers) {
    taken.clear();
    {
      const MutexLock lock(buffer->mutex);
      taken.swap(buffer->text);
    }
    if (config.block_when_full) buffer->room.notify_one();
    if (!taken.empty()) put(taken);
  }
}

// False when nothing could be written. Writes whole lines of at most 4 KiB (PIPE_BUF) to a pipe or terminal, so that
// other writers do not interleave and a stopped reader delays only the wait here.
bool AccessLog::Private::write_some(std::string_view& text) {
  auto piece = text;
  if (!is_file) {
    pollfd ready{fd, POLLOUT, 0};
    const int n = ::poll(&ready, 1, static_cast<int>(std::chrono::milliseconds(kLastWrite).count()));
    if (n < 0) return errno == EINTR;
    if (n == 0) {
      errno = ETIMEDOUT;
      const MutexLock lock(mutex);
      return !stopping;
    }
    if (piece.size() > 4096) {
      const auto last = piece.rfind('\n', 4095);
      piece = piece.substr(0, (last != std::string_view::npos ? last : piece.find('\n')) + 1);
    }
  }
  const auto n = ::write(fd, piece.data(), piece.size());
  if (n < 0) return errno == EINTR || errno == EAGAIN;
  text.remove_prefix(static_cast<std::size_t>(n));
  return true;
}

void AccessLog::Private::put(std::string_view text) {
  const MutexLock lock(output_mutex);
  while (!text.empty()) {
    if (write_some(text)) continue;
    dropped.fetch_add(static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n')),
                      std::memory_order_relaxed);
    if (!failing)
      log::error("cannot write the access log " + config.output + ": " + std::generic_category().message(errno) +
                 "; lines are dropped and counted until it can be written again");
    failing = true;
    return;
  }
  failing = false;
}

AccessLog::AccessLog(const config::AccessLog& config, std::size_t workers) : p_(std::make_unique<Private>()) {
  auto& p = *p_;
  p.config = config;
  p.off = config.output == "off";
  p.filtered = config.errors || config.slow || config.miss || config.bypass;
  if (p.off) return;
  const MutexLock lock(p.output_mutex);
  p.fd = open_output(config.output);
  p.is_file = regular(p.fd);
  p.format = config.format;
  // As in the operational log: text on a terminal, JSON otherwise.
  if (p.format == config::AccessFormat::Auto)
    p.format = ::isatty(p.fd) == 1 ? config::AccessFormat::Console : config::AccessFormat::Json;
  std::random_device seed;
  for (std::size_t i = 0; i < workers; ++i) {
    p.buffers.push_back(std::make_unique<LogBuffer>());
    p.buffers.back()->random.seed(seed());
  }
  p.writer = std::thread([&p] {
    net::leave_signals_to_others();
    p.run();
  });
}

AccessLog::~AccessLog() {
  auto& p = *p_;
  if (p.off) return;
  {
    const MutexLock lock(p.mutex);
    p.stopping = true;
  }
  p.wake.notify_one();
  p.writer.join();
  const MutexLock lock(p.output_mutex);
  if (p.fd > STDERR_FILENO) ::close(p.fd);
}

bool AccessLog::wants(std::size_t worker, int status, rules::CacheResult result, double total_ms) noexcept {
  auto& p = *p_;
  if (p.off) return false;
  // No response, Forebay's own error, or an error of the origin.
  const bool error = status == 0 || status >= 500 || result == rules::CacheResult::Error;
  if (p.filtered) {
    const auto& c = p.config;
    const bool chosen = (c.errors && error) ||
                        (c.slow && total_ms >= std::chrono::duration<double, std::milli>(c.slow_after).count()) ||
                        (c.miss && latency_class(result) == latency_class(rules::CacheResult::Miss)) ||
                        (c.bypass && result == rules::CacheResult::Bypass);
    if (!chosen) return false;
  }
  if (error || p.config.sample >= 1.0) return true;
  auto& random = p.buffers[worker]->random;
  return static_cast<double>(random()) < p.config.sample * static_cast<double>(std::minstd_rand::max());
}

void AccessLog::write(std::size_t worker, const AccessRecord& record) {
  auto& p = *p_;
  if (p.off) return;
  auto& buffer = *p.buffers[worker];
  auto& line = buffer.scratch;
  line.clear();
  switch (p.format) {
    case config::AccessFormat::Console: append_console(line, record, p.config); break;
    case config::AccessFormat::Combined: append_combined(line, record, p.config); break;
    case config::AccessFormat::Template: append_template(line, record, p.config); break;
    case config::AccessFormat::Auto:
    case config::AccessFormat::Json: append_json(line, record, p.config); break;
  }
  line += '\n';

  MutexLock lock(buffer.mutex);
  const auto fits = [&] {
    buffer.mutex.held();
    return buffer.text.empty() || buffer.text.size() + line.size() <= p.config.buffer;
  };
  if (!fits()) {
    if (!p.config.block_when_full) {
      lock.unlock();
      p.dropped.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    while (!fits()) {
      lock.unlock();
      p.announce(true);
      lock.lock();
      if (!fits()) buffer.room.wait_for(lock.native(), 100ms);
    }
  }
  buffer.text += line;
  const bool full = buffer.text.size() * 2 >= p.config.buffer;
  lock.unlock();
  p.announce(full);
}

void AccessLog::reopen() {
  auto& p = *p_;
  if (p.off || p.config.output == "stdout") return;
  try {
    const int fresh = open_output(p.config.output);
    const MutexLock lock(p.output_mutex);
    ::close(p.fd);
    p.fd = fresh;
    p.is_file = regular(fresh);
  } catch (const std::runtime_error& e) {
    log::error(std::string(e.what()) + "; the open file stays in use");
  }
}

std::uint64_t AccessLog::dropped() const noexcept { return p_->dropped.load(std::memory_order_relaxed); }

}  // namespace forebay::proxy
