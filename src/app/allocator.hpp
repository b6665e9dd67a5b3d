#pragma once

#include <string_view>

namespace forebay::app {

/// What malloc is here: "jemalloc" or "libc".
std::string_view allocator_name() noexcept;
/// Gives the system back at once what is free; else that happens by and by.
void give_back_free_memory() noexcept;

}  // namespace forebay::app
