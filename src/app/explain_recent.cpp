// `forebay explain ID`: what the running daemon has decided about a recent request.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <iomanip>
#include <iostream>

#include "admin_client.hpp"
#include "commands.hpp"
#include "forebay/admin/explain.hpp"
#include "printed_json.hpp"

namespace forebay::app {
namespace {

namespace json = boost::json;

/// The scalar at a JSON pointer as text for a terminal; empty where there is none.
std::string at(const json::value& document, const char* pointer) {
  json::error_code ec;
  const auto* found = document.find_pointer(pointer, ec);
  if (found == nullptr || found->is_null()) return {};
  if (found->is_string()) return admin::harmless(std::string(found->get_string()));
  if (const auto* number = found->if_double()) {
    char text[32];
    std::snprintf(text, sizeof text, "%.6g", *number);
    return text;
  }
  return admin::harmless(json::serialize(*found));
}

void line(const char* word, const std::string& text) {
  if (!text.empty()) std::cout << std::left << std::setw(10) << word << ' ' << text << '\n';
}

/// `before`, what is there and `behind`; nothing where it is not there.
std::string part(const json::value& document, const char* pointer, const char* before, const char* behind = "") {
  const auto text = at(document, pointer);
  return text.empty() ? text : before + text + behind;
}

void print_request(const json::value& request) {
  const auto& r = request.at("record");
  line("request",
       at(r, "/method") + ' ' + at(r, "/scheme") + "://" + at(r, "/host") + at(r, "/path") + part(r, "/query", "?"));
  line("at", at(r, "/ts") + part(r, "/client", ", from ") + part(r, "/time/total_ms", ", took ", " ms"));
  line("answer", (at(r, "/status").empty() ? "none" : at(r, "/status")) + part(r, "/cache/result", ", ") +
                     part(r, "/cache/reason", ", ") + part(r, "/error/code", ", error "));
  line("why", at(request, "/why"));
  line("route", at(r, "/route"));
  line("key", part(r, "/cache/key_id", "id "));
  auto stored = part(r, "/cache/age_s", "age ", " s");
  if (const auto ttl = part(r, "/cache/ttl_s", "ttl ", " s"); !ttl.empty())
    stored += (stored.empty() ? "" : ", ") + ttl;
  stored += part(r, "/cache/ttl_source", " (", ")");
  if (at(r, "/cache/stored") == "true") stored += stored.empty() ? "was stored" : ", was stored";
  line("response", stored);
  line("origin", at(r, "/origin/name") + part(r, "/origin/address", " at ") + part(r, "/origin/status", ", status ") +
                     part(r, "/origin/attempts", ", attempts ") + part(r, "/origin/error", ", error "));
  line("trace", at(r, "/trace_id"));
}

}  // namespace

ExitCode explain_recent(const ExplainFlags& flags) {
  auto why = ExitCode::Done;
  const auto daemon = find_daemon(flags.run.config, flags.admin, why);
  if (!daemon) return why;
  const auto content = json::serialize(json::object{{"id", flags.url}});
  const auto answer = ask_daemon(*daemon, {"POST", "/api/v1/explain", content}, flags.timeout, why);
  if (!answer) return why;
  const auto document = granted(*answer, {"requests"});
  const auto* requests = document ? document->if_contains("requests") : nullptr;
  if (requests == nullptr || !requests->is_array()) {
    const auto code = report_refusal(*daemon, *answer);
    if (answer->status != 404 || !refusal_of(*answer)) return code;
    std::cerr << "forebay: a request that is to be explained begins with http://, https:// or /\n";
    return ExitCode::NothingMatched;
  }
  if (flags.json) {
    std::cout << printed_line(answer->body);
    return ExitCode::Done;
  }
  for (const auto& request : requests->get_array()) {
    if (&request != &requests->get_array().front()) std::cout << '\n';
    if (request.is_object() && request.get_object().contains("record")) print_request(request);
  }
  return ExitCode::Done;
}

}  // namespace forebay::app
