#pragma once

#include <streambuf>
#include <string>

#include "forebay/base/mutex.hpp"

namespace forebay::app {

/// While it lives, std::cout writes to standard output through it, from any thread. It keeps why a write has failed.
class StandardOutput final : public std::streambuf {
 public:
  StandardOutput();
  ~StandardOutput() override;
  StandardOutput(const StandardOutput&) = delete;
  StandardOutput& operator=(const StandardOutput&) = delete;

  /// The `errno` of the first write that has failed; 0: none has.
  int failure();

 protected:
  int_type overflow(int_type c) override;
  std::streamsize xsputn(const char* text, std::streamsize size) override;
  int sync() override;

 private:
  bool write_out() FOREBAY_REQUIRES(mutex_);

  Mutex mutex_;
  std::string held_ FOREBAY_GUARDED_BY(mutex_);
  int failure_ FOREBAY_GUARDED_BY(mutex_) = 0;
  const bool by_lines_;
  std::streambuf* const before_;
};

}  // namespace forebay::app
