// `forebay entries`: what is stored.
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cstdio>
#include <iostream>
#include <utility>

#include "admin_client.hpp"
#include "command_words.hpp"
#include "curl_flags.hpp"
#include "flags_shared.hpp"
#include "forebay/base/terminal_text.hpp"
#include "printed_json.hpp"

namespace forebay::app {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostOfPage = 1000, kMostRows = 1'000'000;

struct EntriesFlags {
  std::string route, prefix, glob, tag, state, sort;
  std::size_t limit = 100;
  bool json = false;
  std::optional<std::string> config, admin;
  Duration timeout = std::chrono::seconds{35};
};

std::string target_of(const EntriesFlags& flags, std::size_t rows, const std::string& cursor) {
  auto target = "/api/v1/entries?limit=" + std::to_string(rows);
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) target.append(1, '&').append(name).append(1, '=').append(url_encoded(value));
  };
  add("route", flags.route);
  add("prefix", flags.prefix);
  add("glob", flags.glob);
  add("tag", flags.tag);
  add("state", flags.state);
  add("sort", flags.sort);
  add("cursor", cursor);
  return target;
}

std::string text_of(const json::object& row, const char* name) {
  const auto* member = row.if_contains(name);
  return member != nullptr && member->is_string() ? harmless(std::string_view(member->get_string())) : std::string();
}

long long number_of(const json::object& row, const char* name) {
  const auto* member = row.if_contains(name);
  return member != nullptr && member->is_number() ? member->to_number<long long>() : 0;
}

void print_title() {
  std::cout << "ID                               STATE     AGE s   TTL s       SIZE     HITS  URL\n";
}

void print_row(const json::object& row) {
  char numbers[96];
  std::snprintf(numbers, sizeof numbers, " %-6s %8lld %7lld %10lld %8lld  ", text_of(row, "state").substr(0, 6).c_str(),
                number_of(row, "age_s"), number_of(row, "ttl_s"), number_of(row, "size"), number_of(row, "hits"));
  const auto url = text_of(row, "url"), method = text_of(row, "method");
  std::cout << text_of(row, "id") << numbers << (method == "GET" ? "" : method + ' ')
            << (url.empty() ? text_of(row, "key") : url) << '\n';
}

/// Prints pages until there are enough rows.
ExitCode entries(const EntriesFlags& flags) {
  auto why = ExitCode::Done;
  const auto daemon = find_daemon(flags.config, flags.admin, why);
  if (!daemon) return why;
  std::string cursor;
  std::size_t printed = 0;
  bool first = true;
  do {
    const auto rows = std::min(kMostOfPage, flags.limit - printed);
    const auto answer = ask_daemon(*daemon, {"GET", target_of(flags, rows, cursor), {}}, flags.timeout, why);
    if (!answer) return why;
    const auto page = granted(*answer, {"entries", "cursor"});
    const auto* list = page ? page->at("entries").if_array() : nullptr;
    if (list == nullptr) return report_refusal(*daemon, *answer);
    if (std::exchange(first, false) && flags.json) std::cout << "{\"entries\":[";
    for (const auto& row : *list) {
      if (printed == 0 && !flags.json) print_title();
      if (flags.json)
        std::cout << (printed == 0 ? "" : ",") << printed_json(json::serialize(row));
      else if (row.is_object())
        print_row(row.get_object());
      ++printed;
    }
    const auto* next = page->at("cursor").if_string();
    cursor = next != nullptr ? std::string(*next) : std::string();
  } while (!cursor.empty() && printed < flags.limit && std::cout);
  if (flags.json) std::cout << "],\"cursor\":" << (cursor.empty() ? "null" : json::serialize(cursor)) << "}\n";
  std::cout.flush();
  if (!flags.json && printed == 0) std::cerr << "forebay: nothing of this kind is stored\n";
  if (!flags.json && !cursor.empty()) std::cerr << "forebay: more is stored; --limit prints more\n";
  return ExitCode::Done;
}

class EntriesWords final : public CommandWords {
 public:
  explicit EntriesWords(CLI::App& app) : CommandWords(app) {
    auto& f = flags_;
    text("--prefix", f.prefix, "PREFIX", "Only URLs or paths that begin so.");
    text("--glob", f.glob, "GLOB", "Only URLs or paths of this form, with * for any text.");
    text("--tag", f.tag, "TAG", "Only responses with this tag.");
    text("--route", f.route, "ROUTE", "Only responses of this route.");
    text("--state", f.state, "STATE", "Only fresh, stale or purged (which is soft).")
        .one_of({"fresh", "stale", "purged"});
    text("--sort", f.sort, "WHAT", "The largest, most used or oldest first: size, hits or age.")
        .one_of({"size", "hits", "age"});
    text("--limit", limit_, "N", "How many at most (default 100).");
    flag("--json", f.json, "Print JSON.");
    add_daemon(*this, f.config, f.admin);
    text("--timeout", timeout_, "DUR", "Time limit for each answer of the daemon (default 35s).");
  }

  std::optional<std::string> advice_on_argument(const std::string& argument) const override {
    return "say what it is: --prefix " + argument + ", --glob, --tag or --route; or forebay get " + argument;
  }

  Command finish() override {
    auto& f = flags_;
    const auto* const end = limit_.data() + limit_.size();
    const auto [stop, error] = std::from_chars(limit_.data(), end, f.limit);
    const auto most = f.sort.empty() ? kMostRows : kMostOfPage;
    if (error != std::errc{} || stop != end || f.limit == 0 || f.limit > most)
      return usage("--limit needs a number from 1 to " + std::to_string(most) + (f.sort.empty() ? "" : " with --sort") +
                   ", not \"" + limit_ + '"');
    if (auto wrong = take_time("--timeout", timeout_, "5s", f.timeout)) return *wrong;
    return Command(std::move(f), entries);
  }

 private:
  EntriesFlags flags_;
  std::string limit_ = "100", timeout_ = "35s";
};

}  // namespace

std::unique_ptr<CommandWords> entries_words(CLI::App& app) { return std::make_unique<EntriesWords>(app); }

}  // namespace forebay::app
