#include "allocator.hpp"

#ifdef FOREBAY_HAS_JEMALLOC
#include <jemalloc/jemalloc.h>

#include <string>

// Read by jemalloc before main. A cache that is full frees as much as it takes: few arenas, and what is free goes back
// to the system within half a second, so that resident memory follows `cache.memory` closely. No caches per thread:
// they hand out what was freed last, so that where large objects take the place of small ones each old slab keeps a few
// new neighbours, and half of its pages are never free (measured: 190 MiB for 130). A hit allocates nothing anyway.
extern "C" {
const char* malloc_conf = "narenas:2,tcache:false,background_thread:true,dirty_decay_ms:500,muzzy_decay_ms:0";
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
