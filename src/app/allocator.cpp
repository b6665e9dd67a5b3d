#include "allocator.hpp"

#ifdef FOREBAY_HAS_JEMALLOC
// Read by jemalloc before main. A cache that is full frees as much as it takes: few arenas, and what is free goes back
// to the system within half a second, so that resident memory follows `cache.memory` closely.
extern "C" {
const char* malloc_conf = "narenas:2,background_thread:true,dirty_decay_ms:500,muzzy_decay_ms:0";
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

}  // namespace forebay::app
