# Warnings and sanitizers, as one interface target that only our own code links.
add_library(forebay_warnings INTERFACE)
target_compile_options(forebay_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Werror=return-type)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(forebay_warnings INTERFACE -Wno-psabi)
endif()

option(FOREBAY_WERROR "Warnings are errors" OFF)
if(FOREBAY_WERROR)
  target_compile_options(forebay_warnings INTERFACE -Werror)
  # Those that g++ derives from its optimisation are often wrong about code with sanitizers in it: shown, and no error.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    foreach(guess maybe-uninitialized restrict array-bounds stringop-overflow stringop-overread null-dereference)
      target_compile_options(forebay_warnings INTERFACE -Wno-error=${guess})
    endforeach()
  endif()
endif()

if(FOREBAY_SANITIZE)
  add_compile_options(-fsanitize=${FOREBAY_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${FOREBAY_SANITIZE})
  if(FOREBAY_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
  # g++ warns that it cannot instrument fences; Asio uses one per io_context.
  if(FOREBAY_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-tsan)
  endif()
endif()
