#pragma once

#include <optional>
#include <string>

#include "exit_code.hpp"
#include "forebay/net/http_client.hpp"

// Where the running daemon is that a command asks.

namespace forebay::app {

/// `:8081`, `127.0.0.1:8081`, `[::1]:8081`, `unix:/path`, or `https://` and an address; one that means "all" is asked
/// at loopback. The certificate is checked unless the address is a loopback one; $FOREBAY_ADMIN_CA names the
/// authorities, else the system's count. Nothing, with a sentence in `fault` and the exit code in `why`, when it is no
/// address or the authorities cannot be read.
std::optional<net::Endpoint> endpoint_at(std::string address, std::string& fault, ExitCode& why);
std::optional<net::Endpoint> endpoint_at(std::string address);

struct DaemonPlace {
  std::string address;  ///< As written.
  std::string from;     ///< Who says so: `--admin`, a variable, a file or `the default`.
  net::Endpoint endpoint;
  std::string token;       ///< Empty: none is sent.
  std::string token_from;  ///< The variable.
};

/// `--admin`, $FOREBAY_ADMIN, $FOREBAY_ADMIN_LISTEN, `admin.listen` of the file, 127.0.0.1:8081; without a token.
/// Nothing, with the reason on standard error and the exit code in `why`, when they do not say it.
std::optional<DaemonPlace> find_daemon_without_token(const std::optional<std::string>& config,
                                                     const std::optional<std::string>& admin, ExitCode& why);
/// The same with $FOREBAY_ADMIN_TOKEN, or what the file of $FOREBAY_ADMIN_TOKEN_FILE holds.
std::optional<DaemonPlace> find_daemon(const std::optional<std::string>& config,
                                       const std::optional<std::string>& admin, ExitCode& why);

}  // namespace forebay::app
