// `forebay reload`, `drain`, `undrain` and `log-level`.
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <filesystem>
#include <iostream>
#include <thread>

#include "admin_client.hpp"
#include "commands.hpp"
#include "forebay/base/duration_text.hpp"
#include "forebay/base/terminal_text.hpp"
#include "printed_json.hpp"

namespace forebay::app {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using What = OrderFlags::What;

constexpr auto kLookAgain = 200ms;

AdminRequest request_of(const OrderFlags& flags) {
  json::object document;
  switch (flags.what) {
    case What::Reload: return {"POST", "/api/v1/reload", {}};
    case What::Undrain: return {"POST", "/api/v1/undrain", {}};
    case What::Drain:
      if (flags.delay) document["delay"] = flags.delay_text;
      return {"POST", "/api/v1/drain", json::serialize(document)};
    case What::LogLevel:
      if (flags.level.empty()) return {"GET", "/api/v1/log/level", {}};
      document["level"] = flags.level;
      if (flags.time) document["for"] = flags.time_text;
      return {"PUT", "/api/v1/log/level", json::serialize(document)};
  }
  return {};
}

std::string text_of(const json::object& object, std::string_view name) {
  const auto* member = object.if_contains(name);
  return member != nullptr && member->is_string() ? std::string(member->get_string()) : std::string();
}
std::int64_t number_of(const json::value& document, const char* pointer) {
  json::error_code ec;
  const auto* found = document.find_pointer(pointer, ec);
  return found != nullptr && found->is_number() ? found->to_number<std::int64_t>() : 0;
}

std::string list_of(const json::object& object, std::string_view name) {
  std::string out;
  if (const auto* list = object.if_contains(name); list != nullptr && list->is_array())
    for (const auto& item : list->get_array())
      if (item.is_string()) out.append(out.empty() ? "" : ", ").append(item.get_string());
  return out;
}

/// The findings of a reload, a line each.
void print_diagnostics(const json::object& document) {
  const auto* list = document.if_contains("diagnostics");
  if (list == nullptr || !list->is_array()) return;
  for (const auto& item : list->get_array()) {
    if (!item.is_object()) continue;
    const auto& d = item.get_object();
    std::string place = text_of(d, "file");
    if (const auto line = number_of(item, "/line"); line > 0)
      place += ':' + std::to_string(line) + ':' + std::to_string(number_of(item, "/column"));
    auto line = place + (place.empty() ? "" : ": ") + text_of(d, "severity") + ' ' + text_of(d, "code") + ": " +
                text_of(d, "message");
    if (const auto hint = text_of(d, "hint"); !hint.empty()) line += " (" + hint + ')';
    std::cerr << harmless(line) << '\n';
  }
}

/// What only an answer of Forebay to this order has.
const char* member_of(What what) {
  switch (what) {
    case What::Reload: return "applied";
    case What::Drain:
    case What::Undrain: return "state";
    case What::LogLevel: break;
  }
  return "level";
}

/// The file of the configuration that is in force; nothing when there is none, or it cannot be told.
std::optional<std::string> loaded_file(const DaemonPlace& daemon, const OrderFlags& flags) {
  std::string trouble;
  const auto answer =
      ask_admin(daemon, {"GET", "/api/v1/status", {}}, net::SteadyClock::now() + flags.timeout, trouble);
  const auto status = answer ? granted(*answer, {"config"}) : std::nullopt;
  const auto* config = status ? status->at("config").if_object() : nullptr;
  auto file = config != nullptr ? text_of(*config, "file") : std::string();
  if (file.empty()) return std::nullopt;
  return harmless(file);
}

/// By their names alone where the daemon has a relative path: it may run in another directory.
bool is_same_file(const std::filesystem::path& ours, const std::filesystem::path& its) {
  std::error_code ec;
  if (its.is_relative()) return ours.filename() == its.filename();
  return std::filesystem::weakly_canonical(ours, ec) == std::filesystem::weakly_canonical(its, ec);
}

void print_text(const OrderFlags& flags, const json::object& document, const std::optional<std::string>& file) {
  if (flags.what == What::Reload) {
    const auto changed = list_of(document, "changed"), restart = list_of(document, "restart_required");
    std::cout << "applied" << (file ? ' ' + *file : "") << "; "
              << (changed.empty() ? "nothing has changed" : "changed: " + harmless(changed)) << '\n';
    if (!restart.empty()) std::cout << "restart required: " << harmless(restart) << '\n';
  } else if (flags.what == What::LogLevel) {
    std::cout << harmless(text_of(document, "level")) << " (configured: " << harmless(text_of(document, "configured"))
              << ')';
    if (const auto left = number_of(document, "/for_s"); left > 0) std::cout << ", for " << left << " s";
    std::cout << '\n';
  } else {
    std::cout << harmless(text_of(document, "state")) << '\n';
  }
}

/// Until no client is connected, within the time of --wait.
ExitCode await_drained(const OrderFlags& flags, const DaemonPlace& daemon) {
  const auto end = net::SteadyClock::now() + *flags.wait;
  for (;;) {
    auto why = ExitCode::Done;
    const auto answer = ask_daemon(daemon, {"GET", "/api/v1/status", {}}, flags.timeout, why);
    if (!answer) return why;
    const auto status = granted(*answer, {"listeners"});
    const auto* listeners = status ? status->at("listeners").if_array() : nullptr;
    if (listeners == nullptr) return report_refusal(daemon, *answer);
    std::int64_t open = number_of(*status, "/totals/in_flight");
    for (const auto& listener : *listeners) open += number_of(listener, "/open");
    if (open <= 0) {
      std::cerr << "forebay: no client is connected\n";
      return ExitCode::Done;
    }
    if (net::SteadyClock::now() + kLookAgain > end) {
      std::cerr << "forebay: clients are still connected after " << duration_text(*flags.wait) << '\n';
      return ExitCode::Failed;
    }
    std::this_thread::sleep_for(kLookAgain);
  }
}

}  // namespace

ExitCode order(const OrderFlags& flags) {
  auto why = ExitCode::Done;
  const auto daemon = find_daemon(flags.config, flags.admin, why);
  if (!daemon) return why;
  const auto answer = ask_daemon(*daemon, request_of(flags), flags.timeout, why);
  if (!answer) return why;
  const auto document = granted(*answer, {member_of(flags.what)});
  if (!document) {
    if (refusal_of(*answer)) {
      if (flags.json) std::cout << printed_line(answer->body);
      json::error_code ec;
      print_diagnostics(json::parse(answer->body, ec).get_object());
    }
    return report_refusal(*daemon, *answer);
  }
  const auto file = flags.what == What::Reload ? loaded_file(*daemon, flags) : std::nullopt;
  if (flags.json)
    std::cout << printed_line(answer->body);
  else
    print_text(flags, *document, file);
  std::cout.flush();
  if (flags.what == What::Reload) print_diagnostics(*document);
  if (file && flags.config && !is_same_file(*flags.config, *file))
    std::cerr << "forebay: the daemon has read " << *file << ", not " << *flags.config
              << ": -c says only where the admin listener is\n";
  if (flags.what != What::Drain) return ExitCode::Done;
  if (flags.delay) std::this_thread::sleep_for(*flags.delay);
  return flags.wait ? await_drained(flags, *daemon) : ExitCode::Done;
}

}  // namespace forebay::app
