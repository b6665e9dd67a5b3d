#pragma once

#include <string_view>

namespace forebay::test {

/// Does what the field Forebay-Fault of a request asks for; only in `forebay_faulty`, which tests start.
///
/// - `logic`: throws std::logic_error
/// - `logic-later`: the same in the next allocation of 1 KiB or more
/// - `memory`: throws std::bad_alloc
/// - `memory-later=N`: of the allocations of 1 KiB or more that this thread makes from here on, the Nth fails (from 1;
/// 0 for
///   none)
/// - `invariant`: an invariant that does not hold
void inject_fault(std::string_view order);

}  // namespace forebay::test
