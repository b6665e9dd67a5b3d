#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/certificates.hpp"
#include "support/client.hpp"
#include "support/metrics.hpp"

namespace forebay::test {

/// The daemon under test: that of this build, or what FOREBAY_TEST_BINARY names (another build's).
const char* forebay_binary();
/// The daemon with faults that a request can ask for by its field Forebay-Fault (tests/faulty/faults.hpp).
const char* faulty_binary();

/// A folder that goes with the test.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  std::string file(std::string_view name) const { return path_ + '/' + std::string(name); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string read_file(const std::string& path);
/// Replaces the file in one step, as an editor or a ConfigMap would.
void write_file(const std::string& path, std::string_view text);

/// The same for a key: nobody else can read it.
void write_secret(const std::string& path, std::string_view text);
/// The certificate for shop.test of listeners that the fixture makes over TLS.
const Identity& own_identity();

/// The real daemon, as a process of its own: `forebay run -c FILE --port-file PATH`.
class Daemon {
 public:
  /// Starts it and waits until it is ready. Throws std::runtime_error, with the daemon's log, when it is not. It
  /// inherits the sockets as from systemd; each name may be there more than once.
  using Inherited = std::vector<std::pair<std::string, int>>;
  explicit Daemon(std::string_view yaml, const char* binary = forebay_binary(), const Inherited& sockets = {},
                  const std::vector<std::string>& flags = {});
  /// Kills what is left.
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  /// Port of a client listener by its name; of the first one without.
  std::uint16_t port(std::string_view name = {}) const;
  std::uint16_t admin_port() const { return port("admin"); }
  pid_t pid() const { return pid_; }
  bool running();

  /// Sends a signal. After SIGSTOP all threads have stopped.
  void signal(int number) const;
  /// Writes another configuration and sends HUP.
  void reload(std::string_view yaml);
  /// The exit code once the process has ended by itself (128 + N for a signal); nothing when it has not within the
  /// limit.
  std::optional<int> wait_exit(Clock::duration limit = kPatience);
  /// SIGTERM, and the exit code.
  std::optional<int> stop();

  /// Standard error: the operational log.
  std::string log() const { return read_file(dir_.file("stderr")); }
  /// Lines of the access log that are complete. Where the configuration writes it to `access_path`.
  std::vector<std::map<std::string, std::string>> access() const;
  std::string access_text() const { return read_file(access_path()); }
  std::string access_path() const { return dir_.file("access.log"); }
  std::string config_path() const { return dir_.file("forebay.yaml"); }
  const TempDir& dir() const { return dir_; }

  Answer admin(std::string_view method, std::string_view path) const;
  Metrics metrics() const;

 private:
  void spawn(const std::vector<std::string>& settings, const Inherited& sockets, const std::vector<std::string>& flags);
  void await_ready();
  std::string completed(std::string_view yaml) const;
  static std::vector<std::string> patient(std::string_view yaml);

  const char* binary_;
  bool tls_;  // of the listener that was filled in
  TempDir dir_;
  pid_t pid_ = -1;
  std::optional<int> exit_;
  std::vector<std::pair<std::string, std::uint16_t>> ports_;
};

}  // namespace forebay::test
