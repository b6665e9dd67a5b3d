// `forebay purge`.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <iostream>

#include "admin_client.hpp"
#include "commands.hpp"
#include "forebay/base/terminal_text.hpp"
#include "printed_json.hpp"

namespace forebay::app {
namespace {

namespace json = boost::json;

std::string document_of(const PurgeFlags& flags) {
  json::object document;
  const auto add = [&](const char* name, const std::vector<std::string>& list) {
    if (!list.empty()) document[name] = json::array(list.begin(), list.end());
  };
  add("url", flags.urls);
  add("prefix", flags.prefixes);
  add("glob", flags.globs);
  add("tag", flags.tags);
  add("route", flags.routes);
  add("id", flags.ids);
  if (flags.all) document["all"] = true;
  if (!flags.mode.empty()) document["mode"] = flags.mode;
  if (flags.dry_run) document["dry_run"] = true;
  return json::serialize(document);
}

std::string count_text(std::int64_t n) { return std::to_string(n) + (n == 1 ? " entry" : " entries"); }

std::int64_t number_of(const json::value& value) { return value.is_number() ? value.to_number<std::int64_t>() : 0; }

void print_text(const json::object& answer, std::int64_t purged) {
  const auto* mode = answer.if_contains("mode");
  const bool soft = mode != nullptr && *mode == "soft";
  const auto* dry = answer.if_contains("dry_run");
  std::cout << count_text(purged) << (dry != nullptr && *dry == true ? " would be" : "")
            << (soft ? " made stale" : " removed");
  const auto* by = answer.if_contains("by");
  if (by != nullptr && by->is_object()) {
    const char* separator = ": ";
    for (const auto& [kind, n] : by->get_object()) {
      std::cout << separator << harmless(std::string_view(kind)) << ' ' << number_of(n);
      separator = ", ";
    }
  }
  std::cout << '\n';
}

}  // namespace

ExitCode purge(const PurgeFlags& flags) {
  auto why = ExitCode::Done;
  const auto daemon = find_daemon(flags.config, flags.admin, why);
  if (!daemon) return why;
  const auto answer = ask_daemon(*daemon, {"POST", "/api/v1/purge", {}, document_of(flags)}, flags.timeout, why);
  if (!answer) return why;
  if (const auto refusal = refusal_of(*answer)) {
    std::cerr << "forebay: " << daemon->address << ": " << *refusal << '\n';
    // A name that the daemon does not know is a mistake on the command line.
    return answer->status == 422 ? ExitCode::Usage : code_of_refusal(answer->status);
  }
  json::error_code ec;
  const auto document = json::parse(answer->body, ec);
  const auto* purged = ec || !document.is_object() ? nullptr : document.get_object().if_contains("purged");
  if (answer->status != 200 || purged == nullptr || !purged->is_number()) {
    std::cerr << "forebay: " << daemon->address << ": not a Forebay admin listener\n";
    return ExitCode::NotReached;
  }
  if (flags.json)
    std::cout << printed_line(answer->body);
  else
    print_text(document.get_object(), number_of(*purged));
  std::cout.flush();
  if (number_of(*purged) > 0 || !flags.fail_if_none) return ExitCode::Done;
  std::cerr << "forebay: nothing was purged\n";
  return ExitCode::NothingMatched;
}

}  // namespace forebay::app
