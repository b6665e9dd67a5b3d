#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "forebay/base/clock.hpp"
#include "forebay/probe/probe.hpp"

// What each command is given. A command whose flags no other file needs has them in its own file.

namespace forebay::app {

/// `forebay [run]`
struct RunFlags {
  std::optional<std::string> config;
  std::optional<std::string> origin, listen, ttl, memory, admin, log_level, log_format;
  std::vector<std::pair<std::string, std::string>> set;  ///< `--set KEY=VALUE`, in order.
  std::string port_file;  ///< File for the ports in use; for tests and scripts that listen on port 0.
  bool watch = false;     ///< Reload when a file of the configuration changes.
};

enum class CheckFormat { Text, Json, Github };
using ProbeFlags = probe::Questions;
struct CheckFlags {
  RunFlags run;  ///< What `run` would be given.
  CheckFormat format = CheckFormat::Text;
  bool print = false, source = false, quiet = false, strict = false;
  std::optional<ProbeFlags> probe;
};

/// `forebay explain`
struct ExplainFlags {
  RunFlags run;                      ///< What `run` would be given, but for `admin`.
  std::optional<std::string> admin;  ///< Of the daemon that --live asks.
  std::string method, url;
  std::vector<std::pair<std::string, std::string>> headers;
  /// A piece of the content, by the flag of curl that gives it: `-d` and `--json` (a text or `@FILE`), `--data-raw`,
  /// `--data-urlencode` (`TEXT`, `=TEXT`, `NAME=TEXT`, `@FILE`, `NAME@FILE`). As with curl, documents of `--json` are
  /// put one behind the other, and all others are joined by `&`.
  struct Content {
    enum class Kind { Plain, Raw, Encoded, Json };
    std::string text;
    Kind kind = Kind::Plain;
  };
  std::vector<Content> content;
  bool content_in_query = false;  ///< `-G`: it is a part of the URL.
  /// A response to be judged; without a status it is 200.
  std::optional<int> status;
  std::vector<std::pair<std::string, std::string>> response_headers;
  std::optional<std::string> response_content;
  bool has_response = false;
  bool live = false, json = false;
  Duration timeout = std::chrono::seconds{5};
};

struct HealthcheckFlags {
  std::optional<std::string> config, admin;
  Duration timeout = std::chrono::seconds{2};
};

/// What `forebay demo --scenario` shows.
enum class Scenario { Hits, Stampede, OriginDown, Post };
struct DemoFlags {
  std::string listen = ":8080";
  std::string admin = "127.0.0.1:8081";
  Duration duration{0};  ///< 0: until a signal.
  bool access_log = true;
  std::optional<Scenario> scenario;
  std::string port_file;
};

/// `forebay reload`, `drain`, `undrain` and `log-level`: an order for the running daemon.
struct OrderFlags {
  enum class What { Reload, Drain, Undrain, LogLevel };
  What what = What::Reload;
  std::optional<std::string> config, admin;
  bool json = false;
  Duration timeout = std::chrono::seconds{35};  ///< For each answer; the daemon itself gives an order 30 s.
  std::optional<Duration> delay, wait;          ///< Of `drain`.
  std::string level;                            ///< Of `log-level`; empty: it is only shown.
  std::optional<Duration> time;                 ///< `--for`
  std::string delay_text, time_text;            ///< As written, for the daemon.
};

/// `forebay purge`
struct PurgeFlags {
  std::vector<std::string> urls, prefixes, globs, tags, routes, ids;
  bool all = false;
  std::string mode;  ///< Empty: as the daemon's configuration says.
  bool dry_run = false, fail_if_none = false, json = false;
  std::optional<std::string> config, admin;
  Duration timeout = std::chrono::seconds{35};
};

/// `forebay get`
struct GetFlags {
  std::string target;  ///< A URL, a path or an id.
  std::string method, variant;
  std::vector<std::pair<std::string, std::string>> headers;
  bool body = false, json = false;
  std::optional<std::string> config, admin;
  Duration timeout = std::chrono::seconds{35};
};

struct VersionFlags {
  bool json = false;
};

}  // namespace forebay::app
