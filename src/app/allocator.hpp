#pragma once

#include <string_view>

namespace forebay::app {

/// What malloc is here: "jemalloc" or "libc".
std::string_view allocator_name() noexcept;

}  // namespace forebay::app
