// `forebay purge`.
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <iostream>

#include "admin_client.hpp"
#include "commands.hpp"
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

/// A URL with a host is for that host and port alone.
void note_host(const PurgeFlags& flags) {
  const auto has_host = [](const std::string& url) { return !url.starts_with('/'); };
  if (std::any_of(flags.urls.begin(), flags.urls.end(), has_host))
    std::cerr << "forebay: a path alone, such as --url /p/1, is for every host and port\n";
}

/// The daemon counts globs and prefixes together.
std::string_view name_of(std::string_view kind, const PurgeFlags& flags) {
  if (kind != "prefix" || flags.globs.empty()) return kind;
  return flags.prefixes.empty() ? "glob" : "prefix and glob";
}

void print_text(const PurgeFlags& flags, const json::object& answer, std::int64_t purged) {
  const auto* mode = answer.if_contains("mode");
  const bool soft = mode != nullptr && *mode == "soft";
  const auto* dry = answer.if_contains("dry_run");
  std::cout << count_text(purged) << (dry != nullptr && *dry == true ? " would be" : "")
            << (soft ? " made stale" : " removed");
  const auto* by = answer.if_contains("by");
  if (by != nullptr && by->is_object()) {
    const char* separator = ": ";
    for (const auto& [kind, n] : by->get_object()) {
      std::cout << separator << name_of(kind, flags) << ' ' << number_of(n);
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
  const auto answer = ask_daemon(*daemon, {"POST", "/api/v1/purge", document_of(flags)}, flags.timeout, why);
  if (!answer) return why;
  const auto document = granted(*answer, {"purged"});
  if (!document) {
    const auto code = report_refusal(*daemon, *answer);
    // A name that the daemon does not know is a mistake on the command line.
    return code == ExitCode::Configuration ? ExitCode::Usage : code;
  }
  const auto purged = number_of(document->at("purged"));
  if (flags.json)
    std::cout << printed_line(answer->body);
  else
    print_text(flags, *document, purged);
  std::cout.flush();
  if (purged == 0) note_host(flags);
  if (purged > 0 || !flags.fail_if_none) return ExitCode::Done;
  std::cerr << "forebay: nothing was purged\n";
  return ExitCode::NothingMatched;
}

}  // namespace forebay::app
