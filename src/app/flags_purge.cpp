// The flags of `purge` and `get`.
#include "commands.hpp"
#include "curl_flags.hpp"
#include "flags_shared.hpp"
#include "forebay/http/list.hpp"

namespace forebay::app {
namespace {

class PurgeWords final : public CommandWords {
 public:
  explicit PurgeWords(CLI::App& app) : CommandWords(app) {
    auto& f = flags_;
    list("--url", f.urls, "URL",
         "URL, with all its variants; a path alone is for every host. Repeatable, as the next.");
    list("--prefix", f.prefixes, "PREFIX", "Beginning of a URL or path.");
    list("--glob", f.globs, "GLOB", "URL or path with * for any text.");
    list("--tag", f.tags, "TAG", "Tag of the responses.");
    list("--route", f.routes, "ROUTE", "All responses of a route.");
    list("--id", f.ids, "ID", "Id of a key, as explain and the log show it.");
    flag("--all", f.all, "Everything; requires --yes.");
    flag("--yes", yes_, "Confirm --all.");
    flag("--soft", soft_, "Make it stale: it is served by the stale rules while it is validated.");
    flag("--hard", hard_, "Remove it. Default: purge.default of the daemon.");
    flag("--dry-run", f.dry_run, "Only count.");
    flag("--fail-if-none", f.fail_if_none, "Exit with 5 if nothing was purged.");
    flag("--json", f.json, "Print JSON.");
    add_daemon(*this, f.config, f.admin);
    text("--timeout", timeout_, "DUR", "Time limit for the daemon (default 35s).");
  }

  std::optional<std::string> advice_on_argument(const std::string& argument) const override {
    if (argument.empty()) return std::nullopt;
    return "say what it is: --url " + argument + ", --prefix, --glob, --tag, --route or --id";
  }

  Command finish() override {
    auto& f = flags_;
    const auto names =
        f.urls.size() + f.prefixes.size() + f.globs.size() + f.tags.size() + f.routes.size() + f.ids.size();
    if (names == 0 && !f.all)
      return usage(
          "purge needs --url, --prefix, --glob, --tag, --route, --id or --all, such as forebay purge --url "
          "/p/42");
    if (f.all && names != 0) return usage("--all purges everything; leave out what else is named");
    if (f.all && !yes_ && !f.dry_run) return usage("--all purges everything that is stored; add --yes to confirm");
    if (yes_ && !f.all) return usage("--yes confirms --all; leave it out");
    if (soft_ && hard_) return usage("--soft and --hard cannot be used together");
    if (soft_ || hard_) f.mode = soft_ ? "soft" : "hard";
    if (auto wrong = take_time("--timeout", timeout_, "5s", f.timeout)) return *wrong;
    return Command(std::move(f), purge);
  }

 private:
  PurgeFlags flags_;
  bool yes_ = false, soft_ = false, hard_ = false;
  std::string timeout_ = "35s";
};

class GetWords final : public CommandWords {
 public:
  explicit GetWords(CLI::App& app) : CommandWords(app) {
    auto& f = flags_;
    word("url", f.target, "URL|ID", "URL or path of a request, or the id of a key.").required();
    text("-X,--request", f.method, "METHOD", "Method of the request (default GET).");
    list("-H,--header", headers_, "'N: V'", "Header field of the request; repeatable.");
    text("--variant", f.variant, "ID", "One of several variants, by its id.");
    flag("--body", f.body, "Write the body to standard output, and nothing else.");
    flag("--json", f.json, "Print JSON.");
    add_daemon(*this, f.config, f.admin);
    text("--timeout", timeout_, "DUR", "Time limit for each answer of the daemon (default 35s).");
  }

  std::optional<std::string> advice_on_missing(std::string_view name) const override {
    if (name != "url") return std::nullopt;
    return "get needs a URL, a path or an id, for example forebay get /p/42";
  }

  Command finish() override {
    auto& f = flags_;
    if (f.body && f.json) return usage("--body and --json cannot be used together");
    if (!split_fields(headers_, f.headers)) return usage("-H needs 'Name: value'");
    if (f.method.empty()) f.method = "GET";
    if (!http::is_token(f.method)) return usage('"' + f.method + "\" is not a method");
    if (auto wrong = take_time("--timeout", timeout_, "5s", f.timeout)) return *wrong;
    return Command(std::move(f), get);
  }

 private:
  GetFlags flags_;
  std::vector<std::string> headers_;
  std::string timeout_ = "35s";
};

}  // namespace

std::unique_ptr<CommandWords> purge_words(CLI::App& app) { return std::make_unique<PurgeWords>(app); }
std::unique_ptr<CommandWords> get_words(CLI::App& app) { return std::make_unique<GetWords>(app); }

}  // namespace forebay::app
