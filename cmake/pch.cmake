# Precompiled headers: one each for the pure modules, for those that wait, and for tests. The targets that use one are
# compiled with the options of the target that owns it.
option(FOREBAY_PCH "Precompile the headers of the standard library, Asio and GoogleTest" ON)

# ccache reads what g++ has preprocessed; without this it cannot tell which precompiled header was used.
if(FOREBAY_PCH AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess>)
endif()

function(forebay_pch_owner kind)
  if(FOREBAY_PCH)
    add_library(forebay_pch_${kind} OBJECT ${CMAKE_SOURCE_DIR}/cmake/pch/${kind}.cpp)
    target_link_libraries(forebay_pch_${kind} PRIVATE forebay_warnings ${ARGN})
    target_precompile_headers(forebay_pch_${kind} PRIVATE ${CMAKE_SOURCE_DIR}/cmake/pch/${kind}.hpp)
  endif()
endfunction()

function(forebay_use_pch target kind)
  if(FOREBAY_PCH)
    target_precompile_headers(${target} REUSE_FROM forebay_pch_${kind})
  endif()
endfunction()

forebay_pch_owner(std Threads::Threads)
forebay_pch_owner(io forebay_beast)
