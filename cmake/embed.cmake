# Files that are a part of the program.

# Makes the bytes of `file` a part of a module, from `forebay_NAME_begin` to `forebay_NAME_end`:
#     extern "C" const char forebay_NAME_begin[], forebay_NAME_end[];
function(forebay_embed module name file)
  set(source ${CMAKE_BINARY_DIR}/embed/${name}.cpp)
  configure_file(${CMAKE_SOURCE_DIR}/cmake/embed.cpp.in ${source} @ONLY)
  set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS ${file} SKIP_PRECOMPILE_HEADERS ON)
  target_sources(forebay_${module} PRIVATE ${source})
endfunction()
