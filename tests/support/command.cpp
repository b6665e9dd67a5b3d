#include "support/command.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "support/daemon.hpp"

namespace forebay::test {
namespace {

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (auto& t : texts) all.push_back(t.data());
  all.push_back(nullptr);
  return all;
}

}  // namespace

Outcome run_forebay(const std::vector<std::string>& arguments,
                    const std::vector<std::pair<std::string, std::string>>& environment, const std::string& input) {
  std::vector<std::string> words{forebay_binary()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return run_program(std::move(words), environment, input);
}

Outcome run_program(std::vector<std::string> words, const std::vector<std::pair<std::string, std::string>>& environment,
                    const std::string& input) {
  const TempDir dir;
  write_file(dir.file("in"), input);
  std::vector<std::string> variables{"PATH=/usr/bin:/bin"};
  for (const auto* kept : {"ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS"})
    if (const char* value = std::getenv(kept)) variables.push_back(std::string(kept) + '=' + value);
  for (const auto& [name, value] : environment) variables.push_back(name + '=' + value);
  auto argv = pointers(words);
  auto envp = pointers(variables);
  const auto in = dir.file("in"), out = dir.file("out"), err = dir.file("err"), folder = dir.path();

  const pid_t pid = ::fork();
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(::open(in.c_str(), O_RDONLY), 0);
    ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT, 0600), 1);
    ::dup2(::open(err.c_str(), O_WRONLY | O_CREAT, 0600), 2);
    if (::chdir(folder.c_str()) != 0) ::_exit(126);
    ::execve(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }
  Outcome o;
  const auto until = Clock::now() + kPatience;
  int status = 0;
  while (::waitpid(pid, &status, WNOHANG) == 0) {
    if (Clock::now() >= until) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, &status, 0);
      break;
    }
    std::this_thread::sleep_for(milliseconds{2});
  }
  if (WIFEXITED(status)) o.exit = WEXITSTATUS(status);
  o.out = read_file(out);
  o.err = read_file(err);
  return o;
}

}  // namespace forebay::test
