# What makes a memory error harder to use, in every build: a position-independent executable, read-only relocations with
# all symbols bound at start, no executable stack, stack canaries and probes. In optimised builds without sanitizers
# also checked calls of libc, and on x86 what CET needs. tests/hardening checks the binary.
include(CheckCXXCompilerFlag)

set(FOREBAY_HARDENING_EXPECTED "")  # for the test: what this build has beyond what all have

add_compile_options(-fPIE -fstack-protector-strong)
add_link_options(-pie -Wl,-z,relro,-z,now,-z,noexecstack)

check_cxx_compiler_flag(-fstack-clash-protection FOREBAY_HAS_STACK_CLASH_PROTECTION)
if(FOREBAY_HAS_STACK_CLASH_PROTECTION)
  add_compile_options(-fstack-clash-protection)
endif()

if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|i.86")
  add_compile_options(-fcf-protection)
  list(APPEND FOREBAY_HARDENING_EXPECTED --cet)
endif()

# Sanitizers check the same calls by themselves; without optimisation there is nothing to check them with.
if(NOT FOREBAY_SANITIZE AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  list(APPEND FOREBAY_HARDENING_EXPECTED --fortify)
endif()
