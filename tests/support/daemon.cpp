#include "support/daemon.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "support/json.hpp"
#include "support/tls_layer.hpp"

namespace forebay::test {

const char* forebay_binary() {
  const char* other = std::getenv("FOREBAY_TEST_BINARY");
  return other && *other ? other : FOREBAY_BINARY;
}
const char* faulty_binary() { return FOREBAY_FAULTY_BINARY; }

namespace {

bool has_key(std::string_view yaml, std::string_view key) {
  const std::string line = std::string(key) + ':';
  return yaml.starts_with(line) || yaml.find('\n' + line) != std::string_view::npos;
}

// In the child, between fork and exec: only what is safe there.
[[noreturn]] void become(char* const* arguments, const char* out, const char* err, const std::vector<int>& sockets) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int null = ::open("/dev/null", O_RDONLY);
  const int o = ::open(out, O_WRONLY | O_CREAT | O_APPEND, 0600);
  const int e = ::open(err, O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(null, 0);
  ::dup2(o, 1);
  ::dup2(e, 2);
  // First out of each other's way.
  constexpr int kFree = 200;
  for (std::size_t i = 0; i < sockets.size(); ++i) ::dup2(sockets[i], kFree + static_cast<int>(i));
  for (std::size_t i = 0; i < sockets.size(); ++i) ::dup2(kFree + static_cast<int>(i), 3 + static_cast<int>(i));
  for (std::size_t i = 0; i < sockets.size(); ++i) ::close(kFree + static_cast<int>(i));
  ::execv(arguments[0], arguments);
  ::_exit(127);
}

}  // namespace

TempDir::TempDir() {
  std::string name = (std::filesystem::temp_directory_path() / "forebay-test-XXXXXX").string();
  if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
  path_ = name;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void write_file(const std::string& path, std::string_view text) {
  const auto fresh = path + ".new";
  {
    std::ofstream out(fresh, std::ios::binary | std::ios::trunc);
    out << text;
  }
  std::filesystem::rename(fresh, path);
}

void write_secret(const std::string& path, std::string_view text) {
  write_file(path, text);
  std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

const Identity& own_identity() {
  static const Identity made = make_identity({.names = {"shop.test"}, .common_name = "forebay"});
  return made;
}

// A test states what it is about; the rest is filled in here.
std::string Daemon::completed(std::string_view yaml) const {
  std::string all(yaml);
  if (!all.ends_with('\n')) all += '\n';
  if (!has_key(all, "listen")) {
    if (over_tls()) {
      const auto& who = own_identity();
      write_file(dir_.file("tls.crt"), who.cert_pem);
      write_secret(dir_.file("tls.key"), who.key_pem);
      all += "listen: {address: \"127.0.0.1:0\", tls: {cert: " + dir_.file("tls.crt") +
             ", key: " + dir_.file("tls.key") + "}}\n";
    } else {
      all += "listen: 127.0.0.1:0\n";
    }
  }
  if (!has_key(all, "admin")) all += "admin: {listen: 127.0.0.1:0}\n";
  if (!has_key(all, "log"))
    all += "log: {level: info, format: text, access: {output: " + access_path() + ", format: json, flush: 10ms}}\n";
  if (!has_key(all, "server")) all += "server: {threads: 2}\n";
  if (!has_key(all, "shutdown")) all += "shutdown: {drain: 30s}\n";
  return all;
}

// Where a test is not about a time-out, none may run out because the machine is slow.
std::vector<std::string> Daemon::patient(std::string_view yaml) {
  std::vector<std::string> settings;
  if (yaml.find("coalesce:") == std::string_view::npos) settings.emplace_back("defaults.coalesce.wait=5m");
  if (yaml.find("timeouts:") == std::string_view::npos)
    for (const auto* which : {"header", "body", "idle", "write"})
      settings.push_back(std::string("server.timeouts.") + which + "=5m");
  return settings;
}

Daemon::Daemon(std::string_view yaml, const char* binary, const Inherited& sockets,
               const std::vector<std::string>& flags)
    : binary_(binary), tls_(over_tls() && !has_key(yaml, "listen")) {
  write_file(config_path(), completed(yaml));
  spawn(patient(yaml), sockets, flags);
  try {
    await_ready();
  } catch (...) {
    ::kill(pid_, SIGKILL);
    wait_exit();
    throw;
  }
}

Daemon::~Daemon() {
  for (const auto& [name, port] : ports_) speak_tls(port, false);
  if (pid_ < 0 || exit_) return;
  ::kill(pid_, SIGKILL);
  wait_exit();
}

void Daemon::spawn(const std::vector<std::string>& settings, const Inherited& sockets,
                   const std::vector<std::string>& flags) {
  const auto out = dir_.file("stdout"), err = dir_.file("stderr");
  std::vector<std::string> words{binary_, "run", "-c", config_path(), "--port-file", dir_.file("ports")};
  for (const auto& s : settings) words.insert(words.end(), {"--set", s});
  words.insert(words.end(), flags.begin(), flags.end());
  std::vector<int> descriptors;
  if (!sockets.empty()) {
    // LISTEN_PID is the daemon's own: the shell becomes it.
    std::string names;
    for (const auto& [name, fd] : sockets) {
      names += (names.empty() ? "" : ":") + name;
      descriptors.push_back(fd);
    }
    const std::string script = "LISTEN_PID=$$ LISTEN_FDS=" + std::to_string(sockets.size()) +
                               " LISTEN_FDNAMES=" + names +
                               "; export LISTEN_PID LISTEN_FDS LISTEN_FDNAMES; exec \"$@\"";
    words.insert(words.begin(), {"/bin/sh", "-c", script, "sh"});
  }
  std::vector<char*> arguments;
  for (auto& w : words) arguments.push_back(w.data());
  arguments.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ == 0) become(arguments.data(), out.c_str(), err.c_str(), descriptors);
  if (pid_ < 0) throw std::runtime_error("fork failed");
}

void Daemon::await_ready() {
  const auto until = Clock::now() + kPatience;
  const auto path = dir_.file("ports");
  while (Clock::now() < until) {
    const auto text = read_file(path);
    if (!text.empty() && text.back() == '\n') {
      std::istringstream lines(text);
      for (std::string line; std::getline(lines, line);) {
        const auto space = line.rfind(' ');
        ports_.emplace_back(line.substr(0, space), static_cast<std::uint16_t>(std::atoi(line.c_str() + space + 1)));
        speak_tls(ports_.back().second, tls_ && ports_.back().first != "admin");
      }
      return;
    }
    if (!running())
      throw std::runtime_error("the daemon ended with " + std::to_string(exit_.value_or(-1)) + ":\n" + log());
    std::this_thread::sleep_for(milliseconds{3});
  }
  throw std::runtime_error("the daemon is not ready in time:\n" + log());
}

std::uint16_t Daemon::port(std::string_view name) const {
  for (const auto& [n, p] : ports_)
    if (name.empty() ? n != "admin" : n == name) return p;
  throw std::runtime_error("no listener named " + std::string(name) + " in the port file");
}

bool Daemon::running() { return !wait_exit(Clock::duration::zero()); }

void Daemon::signal(int number) const {
  ::kill(pid_, number);
  // Until the last thread has stopped, which may take some time on a busy machine, the others go on.
  siginfo_t stopped{};
  if (number == SIGSTOP) ::waitid(P_PID, static_cast<id_t>(pid_), &stopped, WSTOPPED | WEXITED | WNOWAIT);
}

void Daemon::reload(std::string_view yaml) {
  write_file(config_path(), completed(yaml));
  signal(SIGHUP);
}

std::optional<int> Daemon::wait_exit(Clock::duration limit) {
  const auto until = Clock::now() + limit;
  while (!exit_) {
    int status = 0;
    const auto got = ::waitpid(pid_, &status, WNOHANG);
    if (got == pid_) {
      exit_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    } else {
      if (Clock::now() >= until) break;
      std::this_thread::sleep_for(milliseconds{2});
    }
  }
  return exit_;
}

std::optional<int> Daemon::stop() {
  if (!exit_) signal(SIGTERM);
  return wait_exit();
}

std::vector<std::map<std::string, std::string>> Daemon::access() const {
  std::vector<std::map<std::string, std::string>> all;
  const auto text = access_text();
  std::size_t at = 0;
  for (auto lf = text.find('\n'); lf != std::string::npos; at = lf + 1, lf = text.find('\n', at)) {
    auto line = flatten_json(std::string_view(text).substr(at, lf - at));
    all.push_back(line ? std::move(*line) : std::map<std::string, std::string>{{"not json", text.substr(at, lf - at)}});
  }
  return all;
}

Answer Daemon::admin(std::string_view method, std::string_view path) const {
  Client c(admin_port());
  return c.ask(method, path, {{"Host", "127.0.0.1"}});
}

Metrics Daemon::metrics() const { return Metrics(admin("GET", "/metrics").body); }

}  // namespace forebay::test
