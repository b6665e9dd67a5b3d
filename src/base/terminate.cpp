#include "forebay/base/terminate.hpp"

#include <cxxabi.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <typeinfo>

#include "forebay/base/log.hpp"

namespace forebay {
namespace {

constexpr int kMostFrames = 64;
constexpr std::size_t kMostOfName = 120;

std::string demangled(const char* name) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(abi::__cxa_demangle(name, nullptr, nullptr, &status), &std::free);
  std::string out = text ? text.get() : name;
  if (out.size() > kMostOfName) out.replace(kMostOfName, std::string::npos, "...");
  return out;
}

std::string hex(std::uintptr_t n) {
  std::string out;
  do out.insert(out.begin(), "0123456789abcdef"[n & 15]);
  while (n >>= 4);
  return "0x" + out;
}

/// "forebay+0x12ab name": the file and the offset are what addr2line takes.
std::string frame_text(void* address) {
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  Dl_info info{};
  if (::dladdr(address, &info) == 0 || !info.dli_fname) return hex(at);
  const std::string_view file(info.dli_fname);
  std::string out(file.substr(file.rfind('/') + 1));
  out += '+' + hex(at - reinterpret_cast<std::uintptr_t>(info.dli_fbase));
  if (info.dli_sname) out += ' ' + demangled(info.dli_sname);
  return out;
}

std::string current_exception_text() {
  const auto current = std::current_exception();
  if (!current) return "std::terminate was called";
  try {
    std::rethrow_exception(current);
  } catch (const std::exception& e) {
    return "uncaught " + demangled(typeid(e).name()) + ": " + e.what();
  } catch (...) {
    return "uncaught exception of an unknown type";
  }
}

/// The first thread to come here writes and ends the process; one that comes meanwhile waits for that end.
template <class Reason>
[[noreturn]] void die(Reason&& reason) noexcept {
  static std::atomic_flag taken;
  thread_local bool inside = false;
  if (inside) std::abort();  // it has failed in here
  inside = true;
  while (taken.test_and_set()) ::pause();
  void* frames[kMostFrames];
  const int count = ::backtrace(frames, kMostFrames);
  try {
    std::string line = "the process ends: " + reason() + "; backtrace:";
    for (int i = 0; i < count; ++i) line += (i == 0 ? " " : " | ") + frame_text(frames[i]);
    log::write_last(line);
  } catch (...) {
    ::backtrace_symbols_fd(frames, count, STDERR_FILENO);
  }
  std::abort();
}

}  // namespace

void install_terminate_handler() {
  void* first[1];
  ::backtrace(first, 1);  // loads what it needs while there is memory
  std::set_terminate([] { die(current_exception_text); });
}

void fail_invariant(const char* what) noexcept {
  die([what] { return std::string("an invariant does not hold: ") + what; });
}

}  // namespace forebay
