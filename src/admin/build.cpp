#include "forebay/admin/build.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/version.hpp>

// Defined by the build for this file only, so that a new commit recompiles one file.
#ifndef FOREBAY_VERSION
#define FOREBAY_VERSION "0.0.0"
#endif
#ifndef FOREBAY_REVISION
#define FOREBAY_REVISION "unknown"
#endif

namespace forebay::admin {

const Build& build() {
  static const Build made = [] {
    Build b;
    b.version = FOREBAY_VERSION;
    b.revision = FOREBAY_REVISION;
#if defined(__clang__)
    b.compiler = "clang " + std::to_string(__clang_major__) + '.' + std::to_string(__clang_minor__) + '.' +
                 std::to_string(__clang_patchlevel__);
#else
    b.compiler = "g++ " + std::to_string(__GNUC__) + '.' + std::to_string(__GNUC_MINOR__) + '.' +
                 std::to_string(__GNUC_PATCHLEVEL__);
#endif
    b.boost = std::to_string(BOOST_VERSION / 100000) + '.' + std::to_string(BOOST_VERSION / 100 % 1000) + '.' +
              std::to_string(BOOST_VERSION % 100);
    return b;
  }();
  return made;
}

std::string build_json() {
  const auto& b = build();
  return boost::json::serialize(boost::json::object{
      {"version", b.version}, {"revision", b.revision}, {"compiler", b.compiler}, {"boost", b.boost}});
}

}  // namespace forebay::admin
