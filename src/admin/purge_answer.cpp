// `POST /api/v1/purge`.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <utility>

#include "answers.hpp"
#include "forebay/base/suggest.hpp"
#include "forebay/base/text.hpp"
#include "forebay/proxy/purger.hpp"
#include "json_text.hpp"

namespace forebay::admin {
namespace {

namespace json = boost::json;
using cache::PurgeMode;

struct Order {
  proxy::PurgeNames names;
  PurgeMode mode = PurgeMode::Hard;
  bool dry_run = false;
};

constexpr std::pair<std::string_view, std::vector<std::string> proxy::PurgeNames::*> kLists[] = {
    {"url", &proxy::PurgeNames::urls}, {"prefix", &proxy::PurgeNames::prefixes}, {"glob", &proxy::PurgeNames::globs},
    {"tag", &proxy::PurgeNames::tags}, {"route", &proxy::PurgeNames::routes},    {"id", &proxy::PurgeNames::ids}};

std::string unknown(std::string_view name) {
  std::vector<std::string_view> known;
  for (const auto& [word, member] : kLists) known.push_back(word);
  known.insert(known.end(), {"all", "mode", "dry_run"});
  std::string list;
  for (const auto word : known) list.append(list.empty() ? "" : ", ").append(word);
  const auto meant = nearest(name, known);
  return "Unknown member \"" + as_utf8(name) + "\"; " +
         (meant ? "did you mean \"" + *meant + "\"?" : "known members are " + list + '.');
}

/// A text or a list of texts; false when it is neither.
bool read_list(const json::value& value, std::vector<std::string>& into) {
  if (value.is_null()) return true;
  if (value.is_string()) return into.emplace_back(value.get_string()), true;
  if (!value.is_array()) return false;
  for (const auto& item : value.get_array()) {
    if (!item.is_string()) return false;
    into.emplace_back(item.get_string());
  }
  return true;
}

/// Empty, or what is wrong.
std::string read_member(std::string_view name, const json::value& value, Order& order) {
  for (const auto& [word, member] : kLists)
    if (word == name)
      return read_list(value, order.names.*member)
                 ? std::string()
                 : '"' + std::string(name) + "\" must be a string or a list of strings.";
  if (name == "mode") {
    if (value.is_null()) return {};
    const bool soft = value.is_string() && value.get_string() == "soft";
    if (!soft && !(value.is_string() && value.get_string() == "hard")) return "\"mode\" must be \"hard\" or \"soft\".";
    order.mode = soft ? PurgeMode::Soft : PurgeMode::Hard;
    return {};
  }
  if (name != "all" && name != "dry_run") return unknown(name);
  if (!value.is_bool()) return '"' + std::string(name) + "\" must be true or false.";
  (name == "all" ? order.names.all : order.dry_run) = value.get_bool();
  return {};
}

std::string read_order(std::string_view content, Order& order) {
  std::string fault;
  const auto object = read_object(content, fault);
  if (!object) return fault + " It is, for example, {\"url\": [\"/p/42\"]}.";
  for (const auto& [key, value] : *object)
    if (fault = read_member(key, value, order); !fault.empty()) return fault;
  return {};
}

Answer busy(const Call& call) {
  auto refused = call.refuse(503, "busy", "Too many purges", "Too many purges wait; try again in a second.");
  refused.fields.add("Retry-After", "1");
  return refused;
}

}  // namespace

std::optional<Answer> carry_out(const Call& call, proxy::PreparedPurge purge, cache::PurgeMode mode,
                                std::optional<Answer> nothing) {
  if (call.admin.sources.shared.replaced.load(std::memory_order_acquire)) {
    auto refused = call.refuse(503, "replaced", "This process is replaced",
                               "Another process serves by now, and has stored other responses; ask again, on another "
                               "connection.");
    refused.fields.add("Retry-After", "1");
    return refused;
  }
  purge.order.mode = mode;
  purge.order.now = call.now().mono;
  const auto later = call.later();
  const auto no_memory = call.refuse(503, "no_memory", "Out of memory", "There was no memory for all of the purge.");
  const bool asked = call.admin.sources.shared.purger.ask(
      std::move(purge), [later, no_memory, nothing](const proxy::PreparedPurge& what, const proxy::PurgeDone& done) {
        Answer answer;
        if (done.failed)
          answer = no_memory;
        else if (nothing && done.purged.total == 0)
          answer = *nothing;
        else
          answer.body = to_json(what, done);
        answer.outcome = outcome_text(what, done);
        later.answer(std::move(answer));
      });
  if (!asked) later.answer(busy(call));
  return std::nullopt;
}

std::optional<Answer> answer_purge(const Call& call) {
  const auto runtime = call.admin.sources.runtime();
  Order order;
  order.mode = runtime->config->purging.mode;
  if (const auto fault = read_order(call.content, order); !fault.empty()) return call.bad(fault);
  auto prepared = proxy::prepare_purge(order.names, *runtime);
  if (const auto* fault = std::get_if<proxy::PurgeFault>(&prepared))
    return fault->no_such_route ? call.refuse(422, "no_such_route", "No such route", fault->why) : call.bad(fault->why);
  auto& purge = std::get<proxy::PreparedPurge>(prepared);
  purge.order.dry_run = order.dry_run;
  return carry_out(call, std::move(purge), order.mode, std::nullopt);
}

}  // namespace forebay::admin
