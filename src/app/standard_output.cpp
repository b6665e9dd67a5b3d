#include "standard_output.hpp"

#include <unistd.h>

#include <cerrno>
#include <iostream>
#include <string_view>

namespace forebay::app {
namespace {
constexpr std::size_t kMostHeld = std::size_t{64} * 1024;
}

StandardOutput::StandardOutput() : by_lines_(::isatty(STDOUT_FILENO) == 1), before_(std::cout.rdbuf(this)) {}

StandardOutput::~StandardOutput() {
  std::cout.flush();
  std::cout.rdbuf(before_);
}

int StandardOutput::failure() {
  const MutexLock lock(mutex_);
  return failure_;
}

StandardOutput::int_type StandardOutput::overflow(int_type c) {
  if (traits_type::eq_int_type(c, traits_type::eof())) return traits_type::not_eof(c);
  const char one = traits_type::to_char_type(c);
  return xsputn(&one, 1) == 1 ? c : traits_type::eof();
}

std::streamsize StandardOutput::xsputn(const char* text, std::streamsize size) {
  const MutexLock lock(mutex_);
  const std::string_view piece(text, static_cast<std::size_t>(size));
  held_ += piece;
  const bool full = held_.size() >= kMostHeld || (by_lines_ && piece.find('\n') != piece.npos);
  return full && !write_out() ? 0 : size;
}

int StandardOutput::sync() {
  const MutexLock lock(mutex_);
  return write_out() ? 0 : -1;
}

bool StandardOutput::write_out() {
  std::string_view rest = held_;
  while (failure_ == 0 && !rest.empty()) {
    const auto n = ::write(STDOUT_FILENO, rest.data(), rest.size());
    if (n >= 0)
      rest.remove_prefix(static_cast<std::size_t>(n));
    else if (errno != EINTR)
      failure_ = errno;
  }
  held_.clear();
  return failure_ == 0;
}

}  // namespace forebay::app
