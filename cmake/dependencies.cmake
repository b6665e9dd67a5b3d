find_package(Threads REQUIRED)
# RE2 asks for this flag, and all targets that share a precompiled header need the same.
add_compile_options(-pthread)
find_package(Boost 1.81 REQUIRED COMPONENTS headers json)
find_package(OpenSSL REQUIRED)
find_package(spdlog REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)
find_package(CLI11 CONFIG REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(BROTLI REQUIRED IMPORTED_TARGET libbrotlidec libbrotlienc)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)

# yaml-cpp 0.7 names its target without a namespace, 0.8 with one.
if(NOT TARGET yaml-cpp::yaml-cpp)
  add_library(yaml-cpp::yaml-cpp INTERFACE IMPORTED)
  target_link_libraries(yaml-cpp::yaml-cpp INTERFACE yaml-cpp)
endif()

# Asio and Beast are compiled once, in files of their own: 10 s per including file become 4.
add_library(forebay_asio STATIC cmake/asio.cpp)
target_compile_definitions(forebay_asio PUBLIC BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
target_link_libraries(forebay_asio PUBLIC Boost::headers Threads::Threads)
add_library(forebay_beast STATIC cmake/beast.cpp)
target_compile_definitions(forebay_beast PUBLIC BOOST_BEAST_SEPARATE_COMPILATION)
target_link_libraries(forebay_beast PUBLIC forebay_asio)

# jemalloc keeps fragmentation low under cache churn; sanitizers bring allocators of their own.
add_library(forebay_allocator INTERFACE)
if(FOREBAY_JEMALLOC AND NOT FOREBAY_SANITIZE)
  pkg_check_modules(JEMALLOC IMPORTED_TARGET jemalloc)
  if(JEMALLOC_FOUND)
    target_link_libraries(forebay_allocator INTERFACE PkgConfig::JEMALLOC)
    target_compile_definitions(forebay_allocator INTERFACE FOREBAY_HAS_JEMALLOC=1)
  endif()
endif()
