#include "admin_client.hpp"

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <cerrno>
#include <iostream>
#include <utility>

#include "forebay/base/terminal_text.hpp"
#include "forebay/http/fields.hpp"

namespace forebay::app {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostContent = 64 * 1024 * 1024;

std::string message_of(const DaemonPlace& daemon, const AdminRequest& request) {
  std::string text = request.method + ' ' + request.target + " HTTP/1.1\r\n";
  http::append_line(text, "Host", "localhost");
  http::append_line(text, "User-Agent", "forebay");
  http::append_line(text, "Connection", "close");
  if (!daemon.token.empty()) http::append_line(text, "Authorization", "Bearer " + daemon.token);
  if (!request.content.empty()) {
    http::append_line(text, "Content-Type", "application/json");
    http::append_line(text, "Content-Length", std::to_string(request.content.size()));
  }
  return text + "\r\n" + request.content;
}

std::string about_silence(const DaemonPlace& daemon, const net::Asked& asked) {
  const auto from = "the address is from " + daemon.from;
  switch (asked.system) {
    case EACCES:
    case EPERM:
      return daemon.address + ": permission denied" +
             (daemon.endpoint.socket.empty() ? "" : "; run this as the owner of the socket or in its group");
    case ECONNREFUSED: return "no daemon answers at " + daemon.address + ": connection refused; is it running? " + from;
    case ENOENT: return "no daemon answers at " + daemon.address + ": no such socket; is it running? " + from;
    default: return "no daemon answers at " + daemon.address + ": " + harmless(asked.why) + "; " + from;
  }
}

std::string_view text_of(const json::object& problem, const char* name) {
  const auto* member = problem.if_contains(name);
  return member != nullptr && member->is_string() ? std::string_view(member->get_string()) : std::string_view();
}

std::optional<json::object> object_of(const AdminAnswer& answer) {
  json::error_code ec;
  auto document = json::parse(answer.body, ec);
  if (ec || !document.is_object()) return std::nullopt;
  return std::move(document.get_object());
}

}  // namespace

std::optional<AdminAnswer> ask_admin(const DaemonPlace& daemon, const AdminRequest& request,
                                     net::SteadyClock::time_point deadline, std::string& trouble) {
  auto asked = net::ask(daemon.endpoint, request.method, message_of(daemon, request), kMostContent, deadline);
  if (asked.answer && asked.answer->whole)
    return AdminAnswer{asked.answer->status, std::move(asked.answer->body), false};
  if (asked.answer) asked.why = "its answer broke off";
  trouble = about_silence(daemon, asked);
  return std::nullopt;
}

std::optional<AdminAnswer> follow_admin(const DaemonPlace& daemon, const AdminRequest& request,
                                        net::SteadyClock::time_point deadline, Duration silence,
                                        const std::function<bool(std::string_view)>& piece, std::string& trouble) {
  auto asked =
      net::follow(daemon.endpoint, request.method, message_of(daemon, request), kMostContent, deadline, silence, piece);
  if (asked.answer) {
    const http::FieldsView fields = asked.answer->fields;
    const bool is_stream = fields.value(http::FieldId::ContentType).value_or("").starts_with("text/event-stream");
    return AdminAnswer{asked.answer->status, std::move(asked.answer->body), is_stream};
  }
  trouble = about_silence(daemon, asked);
  return std::nullopt;
}

std::optional<AdminAnswer> ask_daemon(const DaemonPlace& daemon, const AdminRequest& request, Duration timeout,
                                      ExitCode& why) {
  std::string trouble;
  auto answer = ask_admin(daemon, request, net::SteadyClock::now() + timeout, trouble);
  if (!answer) {
    std::cerr << "forebay: " << trouble << '\n';
    why = ExitCode::NotReached;
  }
  return answer;
}

std::optional<json::object> granted(const AdminAnswer& answer, std::initializer_list<const char*> members) {
  if (answer.status != 200 && answer.status != 202) return std::nullopt;
  auto document = object_of(answer);
  if (document && !std::all_of(members.begin(), members.end(),
                               [&](const char* name) { return document->if_contains(name) != nullptr; }))
    return std::nullopt;
  return document;
}

std::optional<std::string> refusal_of(const AdminAnswer& answer) {
  if (answer.status < 400) return std::nullopt;
  const auto document = object_of(answer);
  if (!document) return std::nullopt;
  constexpr std::array<std::string_view, 18> kRefusals{
      "unauthorized", "forbidden",        "method_not_allowed",     "bad_request",
      "too_large",    "stopping",         "configuration_rejected", "too_many_changes",
      "timeout",      "too_many_streams", "no_such_route",          "not_stored",
      "busy",         "no_memory",        "no_such_request",        "check_too_long",
      "warming",      "replaced"};
  const auto word = text_of(*document, "code");
  if (std::find(kRefusals.begin(), kRefusals.end(), word) == kRefusals.end()) return std::nullopt;
  const auto* detail = document->if_contains("detail");
  if (detail != nullptr && detail->is_string()) return std::string(detail->get_string());
  return "status " + std::to_string(answer.status);
}

std::string about_refusal(const DaemonPlace& daemon, const AdminAnswer& answer) {
  const auto begin = daemon.address + ": ";
  const auto refusal = refusal_of(answer);
  const auto document = object_of(answer);
  if (!refusal && document && text_of(*document, "type") == "urn:forebay:error:plain_http")
    return begin + "it speaks TLS; write --admin https://" + daemon.address;
  if (!refusal) return begin + "not a Forebay admin listener";
  if (answer.status != 401) return begin + harmless(*refusal);
  if (!daemon.token.empty()) return begin + "the token of " + daemon.token_from + " is wrong";
  return begin + "A token is required; set $FOREBAY_ADMIN_TOKEN or $FOREBAY_ADMIN_TOKEN_FILE";
}

ExitCode code_of_refusal(const AdminAnswer& answer) {
  if (!refusal_of(answer)) return ExitCode::NotReached;
  switch (answer.status) {
    case 400: return ExitCode::Usage;
    case 409:
    case 413:
    case 429:
    case 503:
    case 504: return ExitCode::Failed;
    case 422: return ExitCode::Configuration;
    default: return ExitCode::NotReached;
  }
}

ExitCode report_refusal(const DaemonPlace& daemon, const AdminAnswer& answer) {
  std::cerr << "forebay: " << about_refusal(daemon, answer) << '\n';
  return code_of_refusal(answer);
}

}  // namespace forebay::app
