#pragma once

#include <functional>
#include <optional>
#include <string>

#include "exit_code.hpp"
#include "forebay/net/http_client.hpp"

// The client of the commands that use a running daemon.

namespace forebay::app {

struct AdminRequest {
  std::string method, target;
  std::string token;    ///< Empty: none is sent.
  std::string content;  ///< JSON.
};
struct AdminAnswer {
  int status = 0;
  std::string body;
};
/// `:8081`, `127.0.0.1:8081`, `[::1]:8081`, `unix:/path`, or `https://` and an address; one that means "all" is asked
/// at loopback. The certificate is checked unless the address is a loopback one; $FOREBAY_ADMIN_CA names the
/// authorities, else the system's count.
std::optional<net::Endpoint> endpoint_at(std::string address);
/// Nothing without a valid HTTP response in time. `address` is one of `admin.listen`.
std::optional<AdminAnswer> ask_admin(const std::string& address, const AdminRequest& request,
                                     net::SteadyClock::time_point deadline);

/// The same for a stream: `piece` gets its content as it comes, if the status is 200, until it gives false or nothing
/// comes for `silence`. The body of the answer is empty then.
std::optional<AdminAnswer> follow_admin(const std::string& address, const AdminRequest& request,
                                        net::SteadyClock::time_point deadline, Duration silence,
                                        const std::function<bool(std::string_view)>& piece);

/// Where the daemon is, and the token to show it.
struct DaemonPlace {
  std::string address, token;
};
/// By the flags, the environment and the file. Nothing, with the reason on standard error and the exit code in `why`,
/// when they do not say it.
std::optional<DaemonPlace> find_daemon(const std::optional<std::string>& config,
                                       const std::optional<std::string>& admin, ExitCode& why);
/// Asks it within this time, with its token; the same when it does not answer.
std::optional<AdminAnswer> ask_daemon(const DaemonPlace& daemon, AdminRequest request, Duration timeout, ExitCode& why);
/// The detail of an admin listener's refusal; nothing if the answer is none, or not from an admin listener.
std::optional<std::string> refusal_of(const AdminAnswer& answer);
ExitCode code_of_refusal(int status);

/// `--admin`, $FOREBAY_ADMIN, $FOREBAY_ADMIN_LISTEN, `admin.listen` of the file, 127.0.0.1:8081. Nothing, with the
/// reason on standard error and the exit code in `why`, when the given file does not set it.
std::optional<std::string> admin_address(const std::optional<std::string>& config,
                                         const std::optional<std::string>& admin, ExitCode& why);
/// $FOREBAY_ADMIN_TOKEN, or what $FOREBAY_ADMIN_TOKEN_FILE holds; empty without either. Nothing, with a sentence in
/// `fault`, when that file cannot be read.
std::optional<std::string> admin_token(std::string& fault);

}  // namespace forebay::app
