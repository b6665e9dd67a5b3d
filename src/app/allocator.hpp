#pragma once

#include <string_view>

namespace forebay::app {

/// The malloc in use: "jemalloc" or "libc".
std::string_view allocator_name() noexcept;
/// Returns free memory to the system at once; otherwise it is returned over time.
void give_back_free_memory() noexcept;

}  // namespace forebay::app
