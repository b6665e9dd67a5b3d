#include "command_line.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>

#include "curl_flags.hpp"
#include "forebay/base/suggest.hpp"
#include "forebay/config/duration.hpp"
#include "forebay/http/fields.hpp"
#include "forebay/http/list.hpp"
#include "order_words.hpp"

namespace forebay::app {
namespace {

const std::vector<std::string> kCommands{"run",     "check",     "explain", "healthcheck", "reload", "drain",
                                         "undrain", "log-level", "demo",    "version",     "help"};
// Commands of later versions: named as such rather than as unknown.
const std::vector<std::string> kLater{"purge", "top", "tail", "get", "warm", "schema", "completion"};

constexpr std::string_view kIntroduction =
    "Forebay, a caching reverse proxy.\n\n"
    "  forebay --origin http://localhost:3000 --ttl 30s   one origin, without a configuration file\n"
    "  forebay -c forebay.yaml                            with a configuration file\n"
    "  forebay demo                                       with a built-in demo origin\n\n"
    "Without --ttl, or `ttl` in the file, only responses with a lifetime from the origin are stored.\n"
    "Not in this version: HTTP/3, purging, a shared or persistent cache.\n";

/// All commands with the variables of their flags.
struct Commands {
  CLI::App app{std::string(kIntroduction), "forebay"};
  CLI::App* run = nullptr;
  CLI::App* check = nullptr;
  CLI::App* explain = nullptr;
  CLI::App* healthcheck = nullptr;
  CLI::App* reload = nullptr;
  CLI::App* drain = nullptr;
  CLI::App* undrain = nullptr;
  CLI::App* log_level = nullptr;
  CLI::App* demo = nullptr;
  CLI::App* version = nullptr;
  CLI::App* help = nullptr;

  RunFlags run_flags;
  CheckFlags check_flags;
  ExplainFlags explain_flags;
  HealthcheckFlags healthcheck_flags;
  DemoFlags demo_flags;
  OrderWords orders;
  VersionFlags version_flags;
  ProbeFlags probe_flags;
  std::string check_format = "text", check_file, probe_timeout, timeout = "2s", duration, scenario, help_about;
  std::string explain_status, explain_timeout = "5s";
  std::string run_file;
  CurlWords curl;
  std::vector<std::string> data, raw_data, encoded_data, json_data;
  std::vector<std::string> set, check_set, explain_set, response_headers;
  bool watch = false, no_access_log = false, probe = false, unheeded = false;

  Commands();
  static void add_settings(CLI::App* app, RunFlags& flags, std::vector<std::string>& set);
  static void add_admin_setting(CLI::App* app, RunFlags& flags);
  void add_run();
  void add_check();
  void add_explain();
  void add_explain_request();
  CLI::App* add_order(const char* name, const char* what_it_does);
  void add_orders();
  void add_others();
};

template <class T>
CLI::Option* text(CLI::App* app, const char* names, T& into, const char* what, const char* help) {
  return app->add_option(names, into, help)->type_name(what)->take_last();
}

void Commands::add_settings(CLI::App* app, RunFlags& flags, std::vector<std::string>& set) {
  text(
      app, "-c,--config", flags.config, "FILE",
      "Configuration file, - for standard input. Default: $FOREBAY_CONFIG, ./forebay.yaml, /etc/forebay/forebay.yaml.");
  text(app, "--origin", flags.origin, "URL", "Origin URL. Without -c, no file is read.");
  text(app, "--listen", flags.listen, "ADDR", "Address for clients (default :8080).");
  text(app, "--ttl", flags.ttl, "DUR", "Lifetime of responses without one from the origin, e.g. 30s.");
  text(app, "--memory", flags.memory, "SIZE", "Memory for stored responses, e.g. 512MiB or 40%.");
  text(app, "--log-level", flags.log_level, "LEVEL", "trace, debug, info, warn or error.");
  text(app, "--log-format", flags.log_format, "FORMAT", "auto, json or text.");
  app->add_option("--set", set, "Set one key of the configuration, e.g. routes.search.ttl.default=5s; repeatable.")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->take_all();
}

void Commands::add_admin_setting(CLI::App* app, RunFlags& flags) {
  text(app, "--admin", flags.admin, "ADDR", "Address of the admin listener (default 127.0.0.1:8081), or off.");
}

/// An option that may be repeated, with one value each time.
CLI::Option* list(CLI::App* app, const char* names, std::vector<std::string>& into, const char* what,
                  const char* help) {
  return app->add_option(names, into, help)->type_name(what)->expected(1)->allow_extra_args(false)->take_all();
}

void Commands::add_run() {
  run = app.add_subcommand("run", "Run the proxy. This is the default command.");
  run->add_option("file", run_file, "The same as -c FILE.")->type_name("FILE");
  add_settings(run, run_flags, set);
  add_admin_setting(run, run_flags);
  run->add_flag("--watch", watch)->group("");
  text(run, "--port-file", run_flags.port_file, "PATH", "")->group("");
}

void Commands::add_check() {
  check = app.add_subcommand("check", "Check a configuration; exit code 3 when it is invalid.");
  check->add_option("file", check_file, "The same as -c FILE.")->type_name("FILE");
  add_settings(check, check_flags.run, check_set);
  add_admin_setting(check, check_flags.run);
  check->add_flag("--print", check_flags.print, "Print the effective configuration with the help of each option.");
  text(check, "--format", check_format, "FORMAT", "text, json or github.");
  check->add_flag("--quiet", check_flags.quiet, "Print errors only.");
  check->add_flag("--strict", check_flags.strict, "Warnings count as errors.");
  check->add_flag("--probe", probe,
                  "Ask the origins whether header fields that are not in the key change their responses.");
  list(check, "--probe-path", probe_flags.paths, "PATH|URL",
       "Path or URL to request; default: one path per route; repeatable.");
  list(check, "--probe-header", probe_flags.headers, "NAME", "One more header field to try; repeatable.");
  text(check, "--timeout", probe_timeout, "DUR", "Time limit for each response (default 2s).");
}

void Commands::add_explain() {
  explain = app.add_subcommand("explain", "Explain what would happen to a request, and why.");
  auto& f = explain_flags;
  explain->add_option("url", f.url, "URL of the request, e.g. http://shop.example.com/api/search?q=1, or a path.")
      ->type_name("URL")
      ->required();
  add_settings(explain, f.run, explain_set);
  add_explain_request();
  text(explain, "--status", explain_status, "N", "Also judge a response with this status.");
  list(explain, "--response-header", response_headers, "'N: V'", "Header field of the response to judge; repeatable.");
  text(explain, "--response-body", f.response_content, "BODY|@FILE", "Content of the response to judge.");
  explain->add_flag("--live", f.live, "Ask the running daemon, which knows what is stored.");
  text(explain, "--admin", f.admin, "ADDR",
       "Admin address for --live. Default: $FOREBAY_ADMIN, the file, 127.0.0.1:8081.");
  text(explain, "--timeout", explain_timeout, "DUR", "Time limit for the daemon (default 5s).");
  explain->add_flag(
      "--json", f.json,
      "Print JSON. Followed by a document ({...}, [...] or @FILE), it is curl's --json: content, as JSON; repeatable.");
}

/// The request, with the flags of curl.
void Commands::add_explain_request() {
  text(explain, "-X,--request", explain_flags.method, "METHOD", "Method; default GET, or POST with -d.");
  list(explain, "-H,--header", curl.headers, "'N: V'", "Header field of the request; repeatable.");
  list(explain, "-d,--data,--data-binary,--data-ascii", data, "BODY|@FILE",
       "Content of the request, unchanged; @- is standard input; repeatable, joined by &.");
  list(explain, "--data-raw", raw_data, "BODY", "Like -d, but @ has no special meaning.");
  list(explain, "--data-urlencode", encoded_data, "[NAME=]TEXT", "Like -d, percent-encoded; NAME@FILE reads a file.");
  explain->add_flag("-G,--get", explain_flags.content_in_query, "Send the content of -d as the query of a GET.");
  // `--json DOCUMENT` of curl; `take_json` tells it from the flag.
  list(explain, "--json-content", json_data, "DOCUMENT", "")->group("");
  explain->add_flag("-I,--head", curl.head, "Use the method HEAD.");
  list(explain, "-b,--cookie", curl.cookies, "'N=V; N=V'", "Cookies of the request; repeatable.");
  text(explain, "-A,--user-agent", curl.user_agent, "TEXT", "The User-Agent field.");
  text(explain, "-e,--referer", curl.referer, "URL", "The Referer field.");
  text(explain, "-u,--user", curl.user, "NAME:PASSWORD", "The Authorization field, with the Basic scheme.");
  // Flags that only change the output of curl.
  explain->add_flag("-s,--silent,-S,--show-error,-i,--include,-v,--verbose", unheeded)->group("");
}

/// A command for the running daemon.
CLI::App* Commands::add_order(const char* name, const char* what_it_does) {
  auto* command = app.add_subcommand(name, what_it_does);
  command->add_flag("--json", orders.flags.json, "Print JSON.");
  text(command, "-c,--config", orders.flags.config, "FILE", "Configuration file with admin.listen.");
  text(command, "--admin", orders.flags.admin, "ADDR",
       "Admin address. Default: $FOREBAY_ADMIN, the file, 127.0.0.1:8081.");
  text(command, "--timeout", orders.timeout, "DUR", "Time limit for each answer of the daemon (default 35s).");
  return command;
}

void Commands::add_orders() {
  reload = add_order("reload", "Have the running daemon read its configuration again; exit code 3 when it refuses it.");
  drain =
      add_order("drain", "Take the running daemon out of load balancing: /readyz answers 503; requests are served.");
  text(drain, "--delay", orders.delay, "DUR",
       "Close connections of clients with their next answer after this time, and wait for it. Default: shutdown.delay, "
       "without waiting.");
  text(drain, "--wait", orders.wait, "DUR", "Then wait until no client is connected, for so long at most.");
  undrain = add_order("undrain", "Undo `drain`.");
  log_level = add_order("log-level", "Show or set the level of the running daemon's log.");
  log_level->add_option("level", orders.level, "trace, debug, info, warn or error. Without it: show the level.")
      ->type_name("LEVEL");
  text(log_level, "--for", orders.time, "DUR", "Go back to the configured level after this time.");
}

void Commands::add_others() {
  healthcheck = app.add_subcommand("healthcheck", "Ask the running daemon whether it is ready.");
  text(healthcheck, "-c,--config", healthcheck_flags.config, "FILE", "Configuration file with admin.listen.");
  text(healthcheck, "--admin", healthcheck_flags.admin, "ADDR",
       "Admin address. Default: $FOREBAY_ADMIN, the file, 127.0.0.1:8081.");
  text(healthcheck, "--timeout", timeout, "DUR", "Time limit (default 2s).");

  add_orders();

  demo = app.add_subcommand("demo", "Run with a built-in demo origin and show what to try.");
  text(demo, "--listen", demo_flags.listen, "ADDR", "Address for clients (default :8080).");
  text(demo, "--admin", demo_flags.admin, "ADDR", "Address of the admin listener (default 127.0.0.1:8081), or off.");
  text(demo, "--duration", duration, "DUR", "Stop after this time.");
  demo->add_flag("--no-access-log", no_access_log, "Do not print a line per request.");
  text(demo, "--scenario", scenario, "NAME", "")->group("");
  text(demo, "--port-file", demo_flags.port_file, "PATH", "")->group("");

  version = app.add_subcommand("version", "Print the version.");
  version->add_flag("--json", version_flags.json, "Print JSON.");

  help = app.add_subcommand("help", "Print help, or the help of one command.");
  help->add_option("command", help_about, "A command.")->type_name("COMMAND");
}

Commands::Commands() {
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  add_run();
  add_check();
  add_explain();
  add_others();
}

Said usage(std::string message) {
  Said said;
  said.code = ExitCode::Usage;
  said.err = "forebay: " + std::move(message) + '\n';
  return said;
}

Said unknown_command(const std::string& word) {
  auto all = kCommands;
  all.insert(all.end(), kLater.begin(), kLater.end());
  std::string message = "unknown command \"" + word + '"';
  const auto meant = nearest(word, {all.begin(), all.end()});
  if (word.ends_with(".yaml") || word.ends_with(".yml"))
    message += "; did you mean forebay -c " + word + '?';
  else if (word.find("://") != std::string::npos)
    message += "; did you mean forebay --origin " + word + '?';
  else if (meant && std::find(kLater.begin(), kLater.end(), *meant) != kLater.end())
    message += "; \"" + *meant + "\" is not in this version";
  else if (meant)
    message += "; did you mean \"" + *meant + "\"?";
  else
    message += "; see forebay help";
  return usage(std::move(message));
}

/// `-c, --config`
std::string all_names(const CLI::Option& option) {
  std::string names;
  for (const auto& name : option.get_snames()) names += (names.empty() ? "-" : ", -") + name;
  for (const auto& name : option.get_lnames()) names += (names.empty() ? "--" : ", --") + name;
  return names.empty() ? option.get_name() : names;
}

/// An option followed by another option: its value is missing, but CLI11 takes the next word.
std::optional<Said> valueless(const CLI::App& command) {
  for (const auto* option : command.get_options())
    for (const auto& value : option->results())
      if (option->get_expected_max() > 0 && value.starts_with("--") && command.get_option_no_throw(value) != nullptr)
        return usage(all_names(*option) + " needs a value, but is followed by " + value);
  return std::nullopt;
}

/// An option of one value that is given more than once: one of the values would be ignored silently.
std::optional<Said> repeated(const CLI::App& command) {
  for (const auto* option : command.get_options())
    if (option->get_multi_option_policy() == CLI::MultiOptionPolicy::TakeLast && option->count() > 1 &&
        option->get_expected_max() > 0)
      return usage(all_names(*option) + " is given " + std::to_string(option->count()) + " times; give it once");
  return std::nullopt;
}

/// CLI11 reports extra words; this suggests what was probably meant.
Said left_over(const CLI::App& command) {
  const auto rest = command.remaining(true);
  const auto see = "; see forebay help " + command.get_name();
  for (const auto& argument : rest) {
    if (argument.size() < 2 || argument.front() != '-') continue;
    const bool brief = argument[1] != '-';
    const auto flag = brief ? argument.substr(0, 2) : argument.substr(0, argument.find('='));
    if (command.get_name() == "explain")
      if (auto advice = curl_flag_advice(flag)) return usage(std::move(*advice));
    std::vector<std::string> known;
    for (const auto* option : command.get_options()) {
      if (option->get_group().empty()) continue;
      for (const auto& name : option->get_lnames()) known.push_back("--" + name);
    }
    const auto meant = brief ? std::nullopt : nearest(flag, {known.begin(), known.end()});
    return usage("unknown flag " + flag + (meant ? "; did you mean " + *meant + '?' : see));
  }
  const auto* json = command.get_option_no_throw("--json");
  if (command.get_name() == "explain" && json != nullptr && json->count() > 0 && !rest.empty())
    return usage("unexpected argument \"" + rest.front() +
                 "\"; --json alone prints JSON; use --json='...' for content that does not start like JSON");
  return usage("unexpected argument \"" + (rest.empty() ? std::string() : rest.front()) + '"' + see);
}

/// CLI11 says `--origin: 1 required URL missing`, or `url is required`.
Said incomplete(const CLI::App& command, const std::string& words) {
  const auto name = words.substr(0, words.find_first_of(": "));
  if (const auto* option = command.get_option_no_throw(name); option != nullptr && name.starts_with('-'))
    return usage(all_names(*option) + " needs a value: " + name + ' ' + option->get_type_name());
  if (name == "url") return usage("explain needs a URL or a path, for example forebay explain /api/search");
  return usage(words);
}

/// `KEY=VALUE` as a pair. The error does not repeat what is written: it may be `admin.token SECRET`.
std::optional<Said> split_settings(const std::vector<std::string>& written, RunFlags& flags) {
  for (const auto& pair : written) {
    const auto eq = pair.find('=');
    if (eq == std::string::npos || eq == 0) return usage("--set needs KEY=VALUE, such as routes.search.ttl.default=5s");
    auto key = pair.substr(0, eq);
    if (std::any_of(flags.set.begin(), flags.set.end(), [&](const auto& said) { return said.first == key; }))
      return usage("--set " + key + " is given twice; give it once");
    flags.set.emplace_back(std::move(key), pair.substr(eq + 1));
  }
  return std::nullopt;
}

/// The file that is named without -c.
std::optional<Said> take_file(const std::string& file, RunFlags& flags) {
  if (file.empty()) return std::nullopt;
  if (flags.config) return usage("the configuration file is given twice, with -c and without; give it once");
  flags.config = file;
  return std::nullopt;
}

Command finish_run(Commands& c) {
  if (c.watch) return usage("--watch is not in this version; send HUP to reload");
  if (auto wrong = split_settings(c.set, c.run_flags)) return *wrong;
  if (auto wrong = take_file(c.run_file, c.run_flags)) return *wrong;
  return std::move(c.run_flags);
}

/// Not fields that every request has, nor those of the connection.
bool can_be_probed(const std::string& name) {
  const auto id = http::field_id(name);
  return http::is_token(name) && !http::is_hop_by_hop(id) && id != http::FieldId::Host &&
         id != http::FieldId::ContentLength && id != http::FieldId::Expect;
}

Command finish_probe(Commands& c) {
  auto& probe = c.probe_flags;
  for (const auto& name : probe.headers)
    if (!can_be_probed(name)) return usage("--probe-header needs a request header field, not \"" + name + '"');
  if (!c.probe_timeout.empty()) {
    const auto timeout = config::read_duration(c.probe_timeout);
    if (!timeout || *timeout <= Duration{0})
      return usage("--timeout needs a duration such as 2s, not \"" + c.probe_timeout + '"');
    probe.timeout = *timeout;
  }
  c.check_flags.probe = std::move(probe);
  return std::move(c.check_flags);
}

Command finish_check(Commands& c) {
  if (auto wrong = split_settings(c.check_set, c.check_flags.run)) return *wrong;
  if (auto wrong = take_file(c.check_file, c.check_flags.run)) return *wrong;
  if (c.check_format == "json")
    c.check_flags.format = CheckFormat::Json;
  else if (c.check_format == "github")
    c.check_flags.format = CheckFormat::Github;
  else if (c.check_format != "text")
    return usage("--format must be text, json or github, not \"" + c.check_format + '"');
  if (c.probe) return finish_probe(c);
  if (!c.probe_flags.paths.empty()) return usage("--probe-path requires --probe");
  if (!c.probe_flags.headers.empty()) return usage("--probe-header requires --probe");
  if (!c.probe_timeout.empty()) return usage("--timeout requires --probe");
  return std::move(c.check_flags);
}

/// The pieces of the content in the order of the command line.
std::vector<ExplainFlags::Content> content_of(const Commands& c) {
  using Kind = ExplainFlags::Content::Kind;
  struct Source {
    const char* flag;
    Kind kind;
    const std::vector<std::string>& pieces;
    std::size_t taken = 0;
  };
  Source sources[] = {{"--data", Kind::Plain, c.data},
                      {"--data-raw", Kind::Raw, c.raw_data},
                      {"--data-urlencode", Kind::Encoded, c.encoded_data},
                      {"--json-content", Kind::Json, c.json_data}};
  std::vector<ExplainFlags::Content> content;
  for (const auto* option : c.explain->parse_order())
    for (auto& source : sources)
      if (option->check_name(source.flag) && source.taken < source.pieces.size())
        content.push_back({source.pieces[source.taken++], source.kind});
  return content;
}

/// The running daemon has a configuration; `-c` only says where it is.
std::optional<Said> settings_beside_live(const Commands& c) {
  for (const auto* flag : {"--origin", "--listen", "--ttl", "--memory", "--log-level", "--log-format", "--set"})
    if (c.explain->count(flag) > 0)
      return usage(std::string(flag) + " cannot be used with --live: the daemon has its own configuration");
  return std::nullopt;
}

Command finish_explain(Commands& c) {
  auto& f = c.explain_flags;
  if (auto wrong = split_settings(c.explain_set, f.run)) return *wrong;
  if (f.live)
    if (auto wrong = settings_beside_live(c)) return *wrong;
  f.content = content_of(c);
  if (auto wrong = take_curl_words(c.curl, f)) return usage(std::move(*wrong));
  if (!split_fields(c.response_headers, f.response_headers)) return usage("--response-header needs 'Name: value'");
  if (!c.explain_status.empty()) {
    std::uint64_t status = 0;
    if (!http::parse_decimal(c.explain_status, 1000, status) || status < 200 || status > 599)
      return usage("--status needs a number from 200 to 599, not \"" + c.explain_status + '"');
    f.status = static_cast<int>(status);
  }
  f.has_response = f.status || !f.response_headers.empty() || f.response_content;
  if (f.admin && !f.live) return usage("--admin requires --live");
  const auto timeout = config::read_duration(c.explain_timeout);
  if (!timeout || *timeout <= Duration{0})
    return usage("--timeout needs a duration such as 5s, not \"" + c.explain_timeout + '"');
  f.timeout = *timeout;
  return std::move(f);
}

Command finish_healthcheck(Commands& c) {
  const auto timeout = config::read_duration(c.timeout);
  if (!timeout || *timeout <= Duration{0})
    return usage("--timeout needs a duration such as 2s, not \"" + c.timeout + '"');
  c.healthcheck_flags.timeout = *timeout;
  return std::move(c.healthcheck_flags);
}

Command finish_orders(OrderFlags::What what, OrderWords& words) {
  auto finished = finish_order(what, words);
  if (auto* wrong = std::get_if<std::string>(&finished)) return usage(std::move(*wrong));
  return std::get<OrderFlags>(std::move(finished));
}

Command finish_demo(Commands& c) {
  if (!c.scenario.empty()) return usage("--scenario is not in this version");
  if (!c.duration.empty()) {
    const auto duration = config::read_duration(c.duration);
    if (!duration) return usage("--duration needs a duration such as 60s, not \"" + c.duration + '"');
    c.demo_flags.duration = *duration;
  }
  c.demo_flags.access_log = !c.no_access_log;
  return std::move(c.demo_flags);
}

Command finish_help(Commands& c) {
  Said said;
  if (c.help_about.empty()) {
    said.out = Commands().app.help();  // a new object: CLI11 would print the help of `help`, which was parsed
    return said;
  }
  if (std::find(kLater.begin(), kLater.end(), c.help_about) != kLater.end())
    return usage(c.help_about + " is not in this version");
  if (std::find(kCommands.begin(), kCommands.end(), c.help_about) == kCommands.end())
    return unknown_command(c.help_about);
  said.out = c.app.get_subcommand(c.help_about)->help("forebay");
  return said;
}

}  // namespace

Command parse_command_line(const std::vector<std::string>& args) {
  std::vector<std::string> words = args;
  if (words.empty() || (words[0].rfind('-', 0) == 0 && words[0] != "-h" && words[0] != "--help" &&
                        words[0] != "--version" && words[0] != "-v" && words[0] != "-V"))
    words.insert(words.begin(), "run");
  if (words[0] == "--version" || words[0] == "-v" || words[0] == "-V") words[0] = "version";
  if (words[0].rfind('-', 0) != 0) {
    if (std::find(kLater.begin(), kLater.end(), words[0]) != kLater.end())
      return usage(words[0] + " is not in this version");
    if (std::find(kCommands.begin(), kCommands.end(), words[0]) == kCommands.end()) return unknown_command(words[0]);
  }

  if (words[0] == "explain") take_json(words);
  Commands c;
  std::reverse(words.begin(), words.end());  // CLI11 takes them from the back
  try {
    c.app.parse(std::move(words));
  } catch (const CLI::CallForHelp&) {
    Said said;
    const auto given = c.app.get_subcommands();
    said.out = given.empty() ? c.app.help() : given.front()->help("forebay");
    return said;
  } catch (const CLI::ExtrasError&) {
    const auto given = c.app.get_subcommands();
    return left_over(given.empty() ? c.app : *given.front());
  } catch (const CLI::ParseError& e) {
    const auto given = c.app.get_subcommands();
    return incomplete(given.empty() ? c.app : *given.front(), e.what());
  }
  for (const auto* given : c.app.get_subcommands()) {
    if (auto wrong = valueless(*given)) return *wrong;
    if (auto wrong = repeated(*given)) return *wrong;
  }
  if (c.run->parsed()) return finish_run(c);
  if (c.check->parsed()) return finish_check(c);
  if (c.explain->parsed()) return finish_explain(c);
  if (c.healthcheck->parsed()) return finish_healthcheck(c);
  if (c.demo->parsed()) return finish_demo(c);
  if (c.version->parsed()) return c.version_flags;
  using What = OrderFlags::What;
  for (const auto& [command, what] : {std::pair{c.reload, What::Reload}, std::pair{c.drain, What::Drain},
                                      std::pair{c.undrain, What::Undrain}, std::pair{c.log_level, What::LogLevel}})
    if (command->parsed()) return finish_orders(what, c.orders);
  return finish_help(c);
}

}  // namespace forebay::app
