#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

#include "forebay/cache/store.hpp"
#include "forebay/content/encoder.hpp"

namespace forebay::proxy {

/// What became of a job; label `outcome` of forebay_compress_total.
enum class Compressed : std::uint8_t { Made, NotSmaller, NoMemory, QueueFull };
inline constexpr std::size_t kCompressedOutcomes = 4;
std::string_view to_string(Compressed outcome) noexcept;

/// Makes the compressed forms of stored responses, one for all requests, in a thread of low priority: no request waits
/// for it, and a worker that has something to do goes first. It shares no lock with the workers, which would otherwise
/// wait for a thread that does not get to run. Any thread may call it.
class Compressor {
 public:
  explicit Compressor(cache::Store& store);
  ~Compressor();
  Compressor(const Compressor&) = delete;

  /// Before the first `ask`: that starts a thread. Without it, `work` makes the forms.
  void use_thread() noexcept;
  /// Has this form made, unless that was done or begun before. Never waits. When the queue is full nothing happens, so
  /// that a later request asks again.
  void ask(const Ref<const cache::Entry>& entry, content::Compression coding) noexcept;
  /// A made form for which there was no free memory gets a part of it, by eviction, and all of it after a few calls.
  /// Workers call it from time to time; costs nothing when there is none.
  void settle() noexcept;
  /// Makes what was asked for on the calling thread; returns the number of jobs.
  std::size_t work();
  /// Ends the thread; what is queued is not made any more. Before the store is destroyed.
  void stop() noexcept;

  /// Of one coding.
  struct Numbers {
    std::array<std::atomic<std::uint64_t>, kCompressedOutcomes> outcomes{};
    std::atomic<std::uint64_t> bytes_in{0}, bytes_out{0}, cpu_nanoseconds{0};
  };
  const Numbers& numbers(content::Compression coding) const noexcept;
  /// About how many jobs wait.
  std::size_t queued() const noexcept;
  /// Of the forms that are held now.
  const cache::EncodedNumbers& held() const noexcept;

 private:
  struct Private;
  std::unique_ptr<Private> p_;
};

}  // namespace forebay::proxy
