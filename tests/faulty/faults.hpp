#pragma once

#include <string_view>

namespace forebay::test {

/// Does what the field Forebay-Fault of a request asks for; only in `forebay_faulty`, which tests start, and in unit
/// tests of what happens without memory.
///
/// - `logic`: throws std::logic_error
/// - `logic-later`: the same in the next allocation of 1 KiB or more
/// - `memory`: throws std::bad_alloc
/// - `memory-later=N`: of the allocations of 1 KiB or more that this thread makes from here on, the Nth fails (from 1;
///   0: none)
/// - `any-later=N`: the same of all its allocations
/// - `invariant`: an invariant that does not hold
/// Returns whether an allocation has failed by an earlier order that counts them.
bool inject_fault(std::string_view order);

}  // namespace forebay::test
