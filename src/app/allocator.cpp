#include "allocator.hpp"

#ifdef FOREBAY_HAS_JEMALLOC
#include <jemalloc/jemalloc.h>

#include <string>

// Read by jemalloc before main. A full cache frees as much as it allocates: with few arenas, and free memory returned
// within half a second, resident memory stays close to `cache.memory`. Thread caches reuse the memory freed last, so
// that old slabs keep a few new objects each and half of their pages are never free (measured with the usual ones: 190
// MiB for 130). So only sizes that a request allocates for itself are cached, and few of each: that takes a third off
// the instructions of a miss, and leaves resident memory as it is.
extern "C" {
const char* malloc_conf =
    "narenas:2,tcache_max:256,tcache_nslots_small_max:16,background_thread:true,"
    "dirty_decay_ms:500,muzzy_decay_ms:0";
}
#endif

namespace forebay::app {

std::string_view allocator_name() noexcept {
#ifdef FOREBAY_HAS_JEMALLOC
  return malloc_conf != nullptr ? "jemalloc" : "libc";
#else
  return "libc";
#endif
}

void give_back_free_memory() noexcept {
#ifdef FOREBAY_HAS_JEMALLOC
  static const std::string kPurgeAll = "arena." + std::to_string(MALLCTL_ARENAS_ALL) + ".purge";
  ::mallctl(kPurgeAll.c_str(), nullptr, nullptr, nullptr, 0);
#endif
}

}  // namespace forebay::app
