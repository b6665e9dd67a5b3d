// `forebay get`: what is stored for a request, or under an id.
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <iostream>

#include "admin_client.hpp"
#include "commands.hpp"
#include "forebay/admin/explain.hpp"
#include "forebay/base/text.hpp"
#include "printed_json.hpp"

namespace forebay::app {
namespace {

namespace json = boost::json;

/// What the admin API is asked for.
struct Wanted {
  std::string id, variant;
};

std::string shown(std::string_view text) { return admin::harmless(std::string(text)); }

std::string text_at(const json::value& document, const char* pointer) {
  json::error_code ec;
  const auto* found = document.find_pointer(pointer, ec);
  return found != nullptr && found->is_string() ? shown(std::string_view(found->get_string())) : std::string();
}
std::int64_t number_at(const json::value& document, const char* pointer) {
  json::error_code ec;
  const auto* found = document.find_pointer(pointer, ec);
  return found != nullptr && found->is_number() ? found->to_number<std::int64_t>() : 0;
}

ExitCode refused(const DaemonPlace& daemon, const AdminAnswer& answer) {
  const auto code = report_refusal(daemon, answer);
  return answer.status == 404 && refusal_of(answer) ? ExitCode::NothingMatched : code;
}

/// The host and the port of a URL count.
void note_host(const GetFlags& flags) {
  const auto scheme = flags.target.find("://");
  const auto from = flags.target.find('/', scheme == std::string::npos ? 0 : scheme + 3);
  const auto path =
      from == std::string::npos ? "/" : flags.target.substr(from, flags.target.find_first_of("?#") - from);
  std::cerr << "forebay: see what is stored for every host and port: forebay entries --prefix " << shown(path) << '\n';
}

/// Has the daemon find the key and the variant for a request.
ExitCode find(const GetFlags& flags, const DaemonPlace& daemon, Wanted& wanted) {
  proxy::ExplainRequest request;
  request.method = flags.method;
  request.url = flags.target;
  for (const auto& [name, value] : flags.headers) request.fields.add(name, value);
  auto why = ExitCode::Done;
  const auto answer =
      ask_daemon(daemon, {"POST", "/api/v1/explain", admin::write_explain_request(request)}, flags.timeout, why);
  if (!answer) return why;
  if (answer->status != 200 || !admin::is_explanation(answer->body)) return refused(daemon, *answer);
  json::error_code ec;
  const auto document = json::parse(answer->body, ec);
  wanted.id = text_at(document, "/key/id");
  if (wanted.id.empty()) {
    const auto reason = text_at(document, "/lookup/reason");
    std::cerr << "forebay: such a request is not looked up" << (reason.empty() ? "" : " (" + reason + ")")
              << "; see forebay explain\n";
    return ExitCode::NothingMatched;
  }
  const auto* found = document.find_pointer("/stored/found", ec);
  if (found == nullptr || *found != true) {
    std::cerr << "forebay: nothing is stored for this request; its key has the id " << wanted.id << '\n';
    note_host(flags);
    return ExitCode::NothingMatched;
  }
  wanted.variant = text_at(document, "/stored/variant_id");
  return ExitCode::Done;
}

void print_variant(const json::value& v) {
  std::cout << "variant    " << text_at(v, "/variant_id");
  if (const auto* names = v.get_object().if_contains("variant"); names != nullptr && names->is_object())
    for (const auto& [name, value] : names->get_object())
      std::cout << "  " << shown(std::string_view(name)) << ": "
                << (value.is_string() ? shown(std::string_view(value.get_string())) : "(absent)");
  std::cout << "\nstored     " << text_at(v, "/state") << ", age " << number_at(v, "/age_s") << " s, ttl "
            << number_at(v, "/ttl_s") << " s, " << number_at(v, "/hits") << " hits, " << number_at(v, "/size")
            << " bytes from " << text_at(v, "/origin");
  const auto* tags = v.get_object().if_contains("tags");
  if (tags != nullptr && tags->is_array() && !tags->get_array().empty()) {
    std::cout << ", tags";
    for (const auto& tag : tags->get_array())
      if (tag.is_string()) std::cout << ' ' << shown(std::string_view(tag.get_string()));
  }
  std::cout << "\nstatus     " << number_at(v, "/status") << '\n';
  const auto* headers = v.get_object().if_contains("headers");
  if (headers == nullptr || !headers->is_array()) return;
  for (const auto& header : headers->get_array())
    std::cout << "  " << text_at(header, "/0") << ": " << text_at(header, "/1") << '\n';
}

void print_text(const json::value& document) {
  std::cout << "key        " << text_at(document, "/key") << "\nid         " << text_at(document, "/id")
            << "\nroute      " << text_at(document, "/route") << '\n';
  if (const auto url = text_at(document, "/url"); !url.empty()) std::cout << "url        " << url << '\n';
  json::error_code ec;
  const auto* variants = document.find_pointer("/variants", ec);
  if (variants == nullptr || !variants->is_array()) return;
  for (const auto& variant : variants->get_array())
    if (variant.is_object()) print_variant(variant);
}

}  // namespace

ExitCode get(const GetFlags& flags) {
  auto why = ExitCode::Done;
  const auto daemon = find_daemon(flags.config, flags.admin, why);
  if (!daemon) return why;
  Wanted wanted{flags.target, {}};
  const bool is_id = flags.target.size() == 32 && std::all_of(flags.target.begin(), flags.target.end(), is_hex);
  if (!is_id)
    if (const auto code = find(flags, *daemon, wanted); code != ExitCode::Done) return code;
  if (!flags.variant.empty()) wanted.variant = flags.variant;
  std::string target = "/api/v1/entries/" + wanted.id;
  const char* separator = "?";
  if (flags.body) target += "?body=raw", separator = "&";
  if (!wanted.variant.empty()) target += separator + ("variant=" + wanted.variant);
  const auto answer = ask_daemon(*daemon, {"GET", target, {}}, flags.timeout, why);
  if (!answer) return why;
  if (flags.body) {
    if (answer->status != 200) return refused(*daemon, *answer);
    std::cout << answer->body;
  } else {
    const auto document = granted(*answer, {"id", "variants"});
    if (!document) return refused(*daemon, *answer);
    if (flags.json)
      std::cout << printed_line(answer->body);
    else
      print_text(*document);
  }
  std::cout.flush();
  return ExitCode::Done;
}

}  // namespace forebay::app
