#include "command_line.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <charconv>
#include <memory>

#include "forebay/http/fields.hpp"
#include "forebay/http/list.hpp"
#include "suggest.hpp"

namespace forebay::app {
namespace {

const std::vector<std::string> kCommands{"run", "check", "explain", "healthcheck", "demo", "version", "help"};
// Commands of the manual that this version does not have: said, rather than taken for a mistake.
const std::vector<std::string> kLater{"purge", "top",     "tail",      "get",    "warm",      "reload",
                                      "drain", "undrain", "log-level", "schema", "completion"};

constexpr std::string_view kIntroduction =
    "Forebay, a caching reverse proxy.\n\n"
    "  forebay --origin http://localhost:3000 --ttl 30s   in front of one origin, without a file\n"
    "  forebay -c forebay.yaml                            with a configuration\n"
    "  forebay demo                                       with an origin of its own, to see what it does\n\n"
    "Without --ttl, or `ttl` in the file, only answers whose origin states a lifetime are stored.\n"
    "Not in this version: TLS (clients and origins), HTTP/2 and HTTP/3, WebSocket, purging, compression, several urls\n"
    "for one origin, health checks, a shared or persistent cache.\n";

/// Every command with what its flags are written to.
struct Commands {
  CLI::App app{std::string(kIntroduction), "forebay"};
  CLI::App* run = nullptr;
  CLI::App* check = nullptr;
  CLI::App* explain = nullptr;
  CLI::App* healthcheck = nullptr;
  CLI::App* demo = nullptr;
  CLI::App* version = nullptr;
  CLI::App* help = nullptr;

  RunFlags run_flags;
  CheckFlags check_flags;
  ExplainFlags explain_flags;
  HealthcheckFlags healthcheck_flags;
  DemoFlags demo_flags;
  VersionFlags version_flags;
  ProbeFlags probe_flags;
  std::string check_format = "text", check_file, probe_timeout, timeout = "2s", duration, scenario, help_about;
  std::string explain_status, explain_timeout = "5s";
  std::string json_content;
  std::vector<std::string> set, check_set, headers, cookies, response_headers;
  bool watch = false, no_access_log = false, probe = false, head = false;

  Commands();
  static void add_settings(CLI::App* app, RunFlags& flags, std::vector<std::string>& set);
  void add_run();
  void add_check();
  void add_explain();
  void add_others();
};

template <class T>
CLI::Option* text(CLI::App* app, const char* names, T& into, const char* what, const char* help) {
  return app->add_option(names, into, help)->type_name(what)->take_last();
}

void Commands::add_settings(CLI::App* app, RunFlags& flags, std::vector<std::string>& set) {
  text(app, "-c,--config", flags.config, "FILE",
       "Configuration; - is standard input. Else $FOREBAY_CONFIG, ./forebay.yaml, /etc/forebay/forebay.yaml.");
  text(app, "--origin", flags.origin, "URL", "Where requests go; without -c no file is read.");
  text(app, "--listen", flags.listen, "ADDR", "Where clients connect (:8080).");
  text(app, "--ttl", flags.ttl, "DUR", "Lifetime of answers whose origin says none, e.g. 30s.");
  text(app, "--memory", flags.memory, "SIZE", "Memory for stored answers, e.g. 512MiB or 40%.");
  text(app, "--admin", flags.admin, "ADDR", "Where operators connect (127.0.0.1:8081), or off.");
  text(app, "--log-level", flags.log_level, "LEVEL", "trace, debug, info, warn or error.");
  text(app, "--log-format", flags.log_format, "FORMAT", "auto, json or text.");
  app->add_option("--set", set, "Sets one key of the configuration, e.g. routes.search.ttl.default=5s; repeatable.")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->take_all();
}

void Commands::add_run() {
  run = app.add_subcommand("run", "Run the proxy (also without the word).");
  add_settings(run, run_flags, set);
  run->add_flag("--watch", watch)->group("");
  text(run, "--port-file", run_flags.port_file, "PATH", "")->group("");
}

void Commands::add_check() {
  check = app.add_subcommand("check", "Check a configuration; exit code 3 when it is invalid.");
  check->add_option("file", check_file, "The same as -c FILE.")->type_name("FILE");
  add_settings(check, check_flags.run, check_set);
  check->add_flag("--print", check_flags.print, "Print the effective configuration with the help of each option.");
  text(check, "--format", check_format, "FORMAT", "text, json or github.");
  check->add_flag("--quiet", check_flags.quiet, "Print errors only.");
  check->add_flag("--strict", check_flags.strict, "Warnings count as errors.");
  check->add_flag("--probe", probe, "Ask the origins whether a header field that is not in the key shows in answers.");
  check->add_option("--probe-path", probe_flags.paths, "What to ask for; else a path made of each route's; repeatable.")
      ->type_name("PATH|URL")
      ->expected(1)
      ->take_all();
  check->add_option("--probe-header", probe_flags.headers, "One more field to ask about; repeatable.")
      ->type_name("NAME")
      ->expected(1)
      ->take_all();
  text(check, "--timeout", probe_timeout, "DUR", "How long to wait for each answer (2s).");
}

void Commands::add_explain() {
  explain = app.add_subcommand("explain", "Say what would happen to a request, and why.");
  auto& f = explain_flags;
  explain->add_option("url", f.url, "What is asked for, e.g. http://shop.example.com/api/search?q=1, or a path.")
      ->type_name("URL")
      ->required();
  text(explain, "-c,--config", f.config, "FILE", "Configuration; - is standard input.");
  text(explain, "-X,--request", f.method, "METHOD", "GET, or POST with -d.");
  explain->add_option("-H,--header", headers, "A field of the request; repeatable.")
      ->type_name("'N: V'")
      ->expected(1)
      ->take_all();
  explain
      ->add_option("-d,--data", f.content,
                   "Content of the request, as it is; @- is standard input; repeatable, joined by &.")
      ->type_name("BODY|@FILE")
      ->expected(1)
      ->take_all();
  // `--json DOCUMENT` of curl; `take_json` tells it from the flag.
  text(explain, "--json-content", json_content, "DOCUMENT", "")->group("");
  explain->add_flag("-I,--head", head, "Method HEAD.");
  explain->add_option("-b,--cookie", cookies, "Cookies of the request; repeatable.")
      ->type_name("'N=V; N=V'")
      ->expected(1)
      ->take_all();
  text(explain, "--status", explain_status, "N", "Judge a response with this status.");
  explain->add_option("--response-header", response_headers, "A field of the response to judge; repeatable.")
      ->type_name("'N: V'")
      ->expected(1)
      ->take_all();
  text(explain, "--response-body", f.response_content, "BODY|@FILE", "Content of the response to judge.");
  explain->add_flag("--live", f.live, "Ask the running daemon, which knows what is stored.");
  text(explain, "--admin", f.admin, "ADDR", "Admin address for --live; else $FOREBAY_ADMIN, the file, 127.0.0.1:8081.");
  text(explain, "--timeout", explain_timeout, "DUR", "How long to wait for the daemon (5s).");
  explain->add_flag("--json", f.json,
                    "As JSON. With a document behind it ({...}, [...] or @FILE) it is curl's: that content, as JSON.");
}

void Commands::add_others() {
  healthcheck = app.add_subcommand("healthcheck", "Ask the running daemon whether it is ready.");
  text(healthcheck, "-c,--config", healthcheck_flags.config, "FILE", "Configuration that names admin.listen.");
  text(healthcheck, "--admin", healthcheck_flags.admin, "ADDR",
       "Admin address; else $FOREBAY_ADMIN, the file, 127.0.0.1:8081.");
  text(healthcheck, "--timeout", timeout, "DUR", "How long to wait (2s).");

  demo = app.add_subcommand("demo", "Run in front of an embedded demo origin and say what to try.");
  text(demo, "--listen", demo_flags.listen, "ADDR", "Where clients connect (:8080).");
  text(demo, "--admin", demo_flags.admin, "ADDR", "Where operators connect (127.0.0.1:8081), or off.");
  text(demo, "--duration", duration, "DUR", "End after this time.");
  demo->add_flag("--no-access-log", no_access_log, "Do not print a line per request.");
  text(demo, "--scenario", scenario, "NAME", "")->group("");
  text(demo, "--port-file", demo_flags.port_file, "PATH", "")->group("");

  version = app.add_subcommand("version", "Print the version.");
  version->add_flag("--json", version_flags.json, "As JSON.");

  help = app.add_subcommand("help", "Print help, or that of one command.");
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
  std::string message = "there is no command \"" + word + '"';
  const auto meant = nearest(word, all);
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

/// A flag of one value that is given more than once: whichever counted, the other would be passed over in silence.
std::optional<Said> repeated(const CLI::App& command) {
  for (const auto* option : command.get_options())
    if (option->get_multi_option_policy() == CLI::MultiOptionPolicy::TakeLast && option->count() > 1 &&
        option->get_expected_max() > 0)
      return usage(option->get_name() + " is given " + std::to_string(option->count()) + " times; give it once");
  return std::nullopt;
}

/// `--json DOCUMENT` as curl takes it, told from the flag by what a document begins with.
void take_json(std::vector<std::string>& words) {
  for (std::size_t i = 1; i < words.size(); ++i) {
    constexpr std::string_view kEquals = "--json=";
    if (words[i] == "--") return;
    if (words[i].starts_with(kEquals)) {
      words[i] = "--json-content=" + words[i].substr(kEquals.size());
    } else if (words[i] == "--json" && i + 1 < words.size() && !words[i + 1].empty() &&
               std::string_view("{[\"@").find(words[i + 1].front()) != std::string_view::npos) {
      words[i] = "--json-content";
      ++i;
    }
  }
}

/// CLI11 says that something was left over; this says what was probably meant.
Said left_over(const CLI::App& command) {
  for (const auto& argument : command.remaining(true)) {
    if (argument.rfind("--", 0) != 0) continue;
    const auto flag = argument.substr(0, argument.find('='));
    std::vector<std::string> known;
    for (const auto* option : command.get_options()) {
      if (option->get_group().empty()) continue;
      for (const auto& name : option->get_lnames()) known.push_back("--" + name);
    }
    std::string message = "there is no flag " + flag;
    if (const auto meant = nearest(flag, known))
      message += "; did you mean " + *meant + '?';
    else
      message += "; see forebay help " + command.get_name();
    return usage(std::move(message));
  }
  const auto rest = command.remaining(true);
  return usage("unexpected argument \"" + (rest.empty() ? std::string() : rest.front()) + "\"; see forebay help " +
               command.get_name());
}

/// `KEY=VALUE` as a pair. The error does not repeat what is written: it may be `admin.token SECRET`.
std::optional<Said> split_settings(const std::vector<std::string>& written, RunFlags& flags) {
  for (const auto& pair : written) {
    const auto eq = pair.find('=');
    if (eq == std::string::npos || eq == 0) return usage("--set wants KEY=VALUE, such as routes.search.ttl.default=5s");
    auto key = pair.substr(0, eq);
    if (std::any_of(flags.set.begin(), flags.set.end(), [&](const auto& said) { return said.first == key; }))
      return usage("--set " + key + " is given twice; give it once");
    flags.set.emplace_back(std::move(key), pair.substr(eq + 1));
  }
  return std::nullopt;
}

Command finish_run(Commands& c) {
  if (c.watch) return usage("--watch is not in this version; send HUP to reload");
  if (auto wrong = split_settings(c.set, c.run_flags)) return *wrong;
  return std::move(c.run_flags);
}

/// Fields that every request has its own of, or that are for the connection.
bool can_be_probed(const std::string& name) {
  const auto id = http::field_id(name);
  return http::is_token(name) && !http::is_hop_by_hop(id) && id != http::FieldId::Host &&
         id != http::FieldId::ContentLength && id != http::FieldId::Expect;
}

Command finish_probe(Commands& c) {
  auto& probe = c.probe_flags;
  for (const auto& name : probe.headers)
    if (!can_be_probed(name)) return usage("--probe-header wants a header field of requests, not \"" + name + '"');
  if (!c.probe_timeout.empty()) {
    const auto timeout = parse_duration(c.probe_timeout);
    if (!timeout || *timeout <= Duration{0})
      return usage("--timeout wants a duration such as 2s, not \"" + c.probe_timeout + '"');
    probe.timeout = *timeout;
  }
  c.check_flags.probe = std::move(probe);
  return std::move(c.check_flags);
}

Command finish_check(Commands& c) {
  if (auto wrong = split_settings(c.check_set, c.check_flags.run)) return *wrong;
  if (!c.check_file.empty()) {
    if (c.check_flags.run.config) return usage("the file is named twice, by -c and without it; name it once");
    c.check_flags.run.config = c.check_file;
  }
  if (c.check_format == "json")
    c.check_flags.format = CheckFormat::Json;
  else if (c.check_format == "github")
    c.check_flags.format = CheckFormat::Github;
  else if (c.check_format != "text")
    return usage("--format is text, json or github, not \"" + c.check_format + '"');
  if (c.probe) return finish_probe(c);
  if (!c.probe_flags.paths.empty()) return usage("--probe-path goes with --probe");
  if (!c.probe_flags.headers.empty()) return usage("--probe-header goes with --probe");
  if (!c.probe_timeout.empty()) return usage("--timeout goes with --probe");
  return std::move(c.check_flags);
}

/// `Name: value` as curl takes it; false for what is no field.
bool split_fields(const std::vector<std::string>& lines, std::vector<std::pair<std::string, std::string>>& into) {
  for (const auto& line : lines) {
    const auto colon = line.find(':');
    if (colon == std::string::npos || !http::is_token(line.substr(0, colon))) return false;
    const auto value = http::trim(std::string_view(line).substr(colon + 1));
    if (!http::is_field_value(value)) return false;
    into.emplace_back(line.substr(0, colon), value);
  }
  return true;
}

Command finish_explain(Commands& c) {
  auto& f = c.explain_flags;
  if (!split_fields(c.headers, f.headers)) return usage("-H wants 'Name: value'");
  if (!split_fields(c.response_headers, f.response_headers)) return usage("--response-header wants 'Name: value'");
  if (!c.cookies.empty()) {
    std::string all;
    for (const auto& cookie : c.cookies) {
      if (cookie.find('=') == std::string::npos || !http::is_field_value(cookie))
        return usage("-b wants 'name=value; name=value'");
      all += (all.empty() ? "" : "; ") + cookie;
    }
    f.headers.emplace_back("Cookie", all);
  }
  if (!c.json_content.empty()) {
    if (!f.content.empty()) return usage("--json with a document and -d both give the content; give one");
    f.content = {c.json_content};
    const auto given = [&](const char* name) {
      return std::any_of(f.headers.begin(), f.headers.end(),
                         [&](const auto& field) { return http::iequals(field.first, name); });
    };
    for (const auto* name : {"Content-Type", "Accept"})  // As curl does.
      if (!given(name)) f.headers.emplace_back(name, "application/json");
  }
  if (c.head && !f.method.empty() && f.method != "HEAD")
    return usage("-I is HEAD, and -X is " + f.method + "; give one");
  if (c.head && !f.content.empty()) return usage("-I has no content; leave -d out, or write -X");
  if (c.head) f.method = "HEAD";
  if (f.method.empty()) f.method = !f.content.empty() ? "POST" : "GET";
  if (!http::is_token(f.method)) return usage("-X wants a method, not \"" + f.method + '"');
  if (!c.explain_status.empty()) {
    std::uint64_t status = 0;
    if (!http::parse_decimal(c.explain_status, 1000, status) || status < 200 || status > 599)
      return usage("--status wants a number from 200 to 599, not \"" + c.explain_status + '"');
    f.status = static_cast<int>(status);
  }
  f.has_response = f.status || !f.response_headers.empty() || f.response_content;
  if (f.admin && !f.live) return usage("--admin goes with --live");
  const auto timeout = parse_duration(c.explain_timeout);
  if (!timeout || *timeout <= Duration{0})
    return usage("--timeout wants a duration such as 5s, not \"" + c.explain_timeout + '"');
  f.timeout = *timeout;
  return std::move(f);
}

Command finish_healthcheck(Commands& c) {
  const auto timeout = parse_duration(c.timeout);
  if (!timeout || *timeout <= Duration{0})
    return usage("--timeout wants a duration such as 2s, not \"" + c.timeout + '"');
  c.healthcheck_flags.timeout = *timeout;
  return std::move(c.healthcheck_flags);
}

Command finish_demo(Commands& c) {
  if (!c.scenario.empty()) return usage("--scenario is not in this version");
  if (!c.duration.empty()) {
    const auto duration = parse_duration(c.duration);
    if (!duration) return usage("--duration wants a duration such as 60s, not \"" + c.duration + '"');
    c.demo_flags.duration = *duration;
  }
  c.demo_flags.access_log = !c.no_access_log;
  return std::move(c.demo_flags);
}

Command finish_help(Commands& c) {
  Said said;
  if (c.help_about.empty()) {
    said.out = Commands().app.help();  // anew: CLI11 would give the help of `help`, which was parsed
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
  if (words.empty() ||
      (words[0].rfind('-', 0) == 0 && words[0] != "-h" && words[0] != "--help" && words[0] != "--version"))
    words.insert(words.begin(), "run");
  if (words[0] == "--version") words[0] = "version";
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
    return usage(e.what());
  }
  for (const auto* given : c.app.get_subcommands())
    if (auto wrong = repeated(*given)) return *wrong;
  if (c.run->parsed()) return finish_run(c);
  if (c.check->parsed()) return finish_check(c);
  if (c.explain->parsed()) return finish_explain(c);
  if (c.healthcheck->parsed()) return finish_healthcheck(c);
  if (c.demo->parsed()) return finish_demo(c);
  if (c.version->parsed()) return c.version_flags;
  return finish_help(c);
}

std::optional<Duration> parse_duration(std::string_view text) {
  if (text == "0") return Duration{0};
  using Unit = std::pair<std::string_view, std::int64_t>;
  static constexpr Unit kUnits[] = {{"ns", 1},
                                    {"us", 1'000},
                                    {"ms", 1'000'000},
                                    {"s", 1'000'000'000},
                                    {"m", 60'000'000'000},
                                    {"h", 3'600'000'000'000}};
  if (text.empty()) return std::nullopt;
  double total = 0;
  while (!text.empty()) {
    double n = 0;
    const auto number = std::from_chars(text.data(), text.data() + text.size(), n, std::chars_format::fixed);
    if (number.ec != std::errc{} || n < 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(number.ptr - text.data()));
    const auto unit = text.substr(0, text.find_first_of("0123456789."));
    const auto* known =
        std::find_if(std::begin(kUnits), std::end(kUnits), [&](const Unit& u) { return u.first == unit; });
    if (known == std::end(kUnits)) return std::nullopt;
    text.remove_prefix(unit.size());
    total += n * static_cast<double>(known->second);
  }
  if (total > 9e18) return std::nullopt;
  return Duration{static_cast<std::int64_t>(total)};
}

}  // namespace forebay::app
