#pragma once

#include <functional>
#include <initializer_list>
#include <optional>
#include <string>

#include "daemon_place.hpp"

namespace boost::json {
class object;
}

// The client of the commands that use a running daemon.

namespace forebay::app {

struct AdminRequest {
  std::string method, target;
  std::string content;  ///< JSON.
};
struct AdminAnswer {
  int status = 0;
  std::string body;
  bool is_stream = false;  ///< Of events, by its Content-Type.
};
/// Asks with the daemon's token. Nothing, with a sentence in `trouble`, without a valid HTTP response in time.
std::optional<AdminAnswer> ask_admin(const DaemonPlace& daemon, const AdminRequest& request,
                                     net::SteadyClock::time_point deadline, std::string& trouble);

/// The same for a stream: `piece` gets its content as it comes, if the status is 200, until it gives false or nothing
/// comes for `silence`. The body of the answer is empty then.
std::optional<AdminAnswer> follow_admin(const DaemonPlace& daemon, const AdminRequest& request,
                                        net::SteadyClock::time_point deadline, Duration silence,
                                        const std::function<bool(std::string_view)>& piece, std::string& trouble);

/// The same as `ask_admin`, with the trouble on standard error and the exit code in `why`.
std::optional<AdminAnswer> ask_daemon(const DaemonPlace& daemon, const AdminRequest& request, Duration timeout,
                                      ExitCode& why);

/// The document of an answer that grants what was asked for. Other servers answer too: nothing unless it has all these
/// members.
std::optional<boost::json::object> granted(const AdminAnswer& answer, std::initializer_list<const char*> members);
/// The detail of an admin listener's refusal; nothing if the answer is none, or not from an admin listener.
std::optional<std::string> refusal_of(const AdminAnswer& answer);
/// A sentence on an answer that is not granted, with the daemon's address and, where there is one, the remedy.
std::string about_refusal(const DaemonPlace& daemon, const AdminAnswer& answer);
ExitCode code_of_refusal(const AdminAnswer& answer);
/// Prints that sentence, and gives that exit code.
ExitCode report_refusal(const DaemonPlace& daemon, const AdminAnswer& answer);

}  // namespace forebay::app
