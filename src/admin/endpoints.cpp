#include "forebay/admin/endpoints.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <string>
#include <utility>

#include "answer.hpp"
#include "content_reader.hpp"
#include "forebay/admin/build.hpp"
#include "forebay/admin/explain.hpp"
#include "forebay/http/target.hpp"
#include "operators.hpp"

namespace forebay::admin {
namespace {

/// Maximum size of an explain document; enough for any content in a key.
constexpr std::size_t kLongestQuestion = 1024 * 1024;

struct AdminNotes final : server::Notes {
  void reset() override {
    reader.reset();
    accept.clear();
  }
  ContentReader reader;
  std::string accept;
};

Endpoint endpoint_of(std::string_view path) noexcept {
  if (path == "/livez") return Endpoint::Livez;
  if (path == "/readyz") return Endpoint::Readyz;
  if (path == "/version") return Endpoint::Version;
  if (path == "/metrics") return Endpoint::Metrics;
  if (path == "/api/v1/explain") return Endpoint::Explain;
  return Endpoint::Other;
}

bool asks_for_origins(std::string_view query) {
  bool asked = false;
  http::for_each_query_pair(query, [&](const http::QueryPair& pair) {
    if (pair.name == "origins") asked = pair.value.value_or("1") != "0";
  });
  return asked;
}

Answer readiness(const Sources& sources, bool with_origins) {
  const State state = sources.status.state.load(std::memory_order_acquire);
  boost::json::object document;
  Answer answer;
  if (state != State::Ready) answer.status = 503;
  document["status"] = state == State::Stopping ? "draining" : to_string(state);
  if (with_origins) {
    boost::json::object origins;
    bool all_up = true;
    if (const auto runtime = sources.runtime()) {
      for (const auto& [name, origin] : runtime->origins) {
        origins[name] = origin->up() ? "up" : "down";
        if (origin->urls() > 1) {
          boost::json::object urls;
          for (std::size_t i = 0; i < origin->urls(); ++i) urls[origin->url(i)] = origin->up(i) ? "up" : "down";
          origins[name] = std::move(urls);
        }
        all_up = all_up && origin->up();
      }
    }
    if (state == State::Ready && !all_up) {
      answer.status = 503;
      document["status"] = "origin_down";
    }
    document["origins"] = std::move(origins);
  }
  answer.body = boost::json::serialize(document);
  return answer;
}

/// For each url of the origin that is out of use.
void note_urls(const upstream::OriginState& origin, std::vector<std::string>& notes) {
  std::size_t down = 0;
  for (std::size_t i = 0; i < origin.urls(); ++i) {
    const auto why = origin.why_down(i);
    if (why.empty()) continue;
    ++down;
    notes.push_back(origin.url(i) + " of the origin " + origin.config().name + " is out of use: " + std::string(why));
  }
  if (down == 0 || origin.urls() == 1) return;
  notes.push_back(std::to_string(origin.urls() - down) + " of " + std::to_string(origin.urls()) + " urls of " +
                  origin.config().name + " are in use");
}

}  // namespace

std::string_view to_string(State s) noexcept {
  switch (s) {
    case State::Starting: return "starting";
    case State::Ready: return "ready";
    case State::Draining: return "draining";
    case State::Stopping: return "stopping";
  }
  return "";
}

std::string_view to_string(Endpoint e) noexcept {
  switch (e) {
    case Endpoint::Livez: return "livez";
    case Endpoint::Readyz: return "readyz";
    case Endpoint::Version: return "version";
    case Endpoint::Metrics: return "metrics";
    case Endpoint::Explain: return "explain";
    case Endpoint::Other:
    case Endpoint::kCount: break;
  }
  return "other";
}

AdminHandler::AdminHandler(Sources sources) : sources_(std::move(sources)) {
  // Idle connections must not exhaust the admin listener.
  settings_.max_connections = 256;
  settings_.request_body = kLongestQuestion;
}

AdminHandler::~AdminHandler() = default;

void AdminHandler::start(const server::ExchangePtr& exchange) {
  const auto& request = exchange->request();
  std::string joined;
  const std::string_view accept = request.fields.combined(http::FieldId::Accept, joined).value_or("");

  http::Target target;
  if (!target.read(request.method, request.target))
    return answer(*exchange, Endpoint::Other,
                  problem(400, "bad_request", "Bad request", "The request target is malformed.", accept));
  auto endpoint = endpoint_of(target.path());
  const auto runtime = sources_.runtime();
  if (endpoint == Endpoint::Metrics && runtime && !runtime->config->metrics.enabled) endpoint = Endpoint::Other;
  if (endpoint == Endpoint::Explain) return start_explaining(*exchange, accept);
  answer(*exchange, endpoint, public_answer(endpoint, request.method, target.query().value_or(""), accept));
}

/// Endpoints for everybody.
Answer AdminHandler::public_answer(Endpoint endpoint, http::Method method, std::string_view query,
                                   std::string_view accept) const {
  if (endpoint == Endpoint::Other)
    return problem(404, "not_found", "Not found",
                   "There is no such path on the admin listener; try /livez, /readyz, /metrics, /version or "
                   "/api/v1/explain.",
                   accept);
  if (method != http::Method::Get && method != http::Method::Head) return not_allowed("GET, HEAD", accept);
  Answer a;
  switch (endpoint) {
    case Endpoint::Livez: a.body = R"({"status":"alive"})"; break;
    case Endpoint::Readyz: return readiness(sources_, asks_for_origins(query));
    case Endpoint::Version: a.body = build_json(); break;
    default: a.content_type = kExpositionType; a.body = exposition(sources_, counters_);
  }
  return a;
}

void AdminHandler::start_explaining(server::Exchange& exchange, std::string_view accept) {
  const auto& request = exchange.request();
  const auto runtime = sources_.runtime();
  const auto access = may_operate(request, exchange.peer(), runtime->config->operators);
  if (access.verdict == Access::Verdict::Unauthorized) {
    auto refused = problem(401, "unauthorized", "Unauthorized", access.why, accept);
    refused.fields.add("WWW-Authenticate", "Bearer realm=\"forebay\"");
    return answer(exchange, Endpoint::Explain, refused);
  }
  if (access.verdict == Access::Verdict::Forbidden)
    return answer(exchange, Endpoint::Explain, problem(403, "forbidden", "Forbidden", access.why, accept));
  if (request.method != http::Method::Post) return answer(exchange, Endpoint::Explain, not_allowed("POST", accept));
  auto& notes = static_cast<AdminNotes&>(exchange.notes());
  notes.accept = accept;
  notes.reader.start(exchange.body(), kLongestQuestion,
                     [this, &exchange, &notes](ContentReader::Outcome outcome, const std::string& content) {
                       if (outcome == ContentReader::Outcome::Broken || exchange.gone()) return;
                       answer(exchange, Endpoint::Explain,
                              outcome == ContentReader::Outcome::Whole
                                  ? explain(content, exchange.worker().now(), notes.accept)
                                  : problem(413, "too_large", "Content too large", "The document is longer than 1 MiB.",
                                            notes.accept));
                     });
}

Answer AdminHandler::explain(const std::string& document, Now now, std::string_view accept) const {
  const auto bad = [&](std::string_view why) { return problem(400, "bad_request", "Bad request", why, accept); };
  const auto read = read_explain_request(document);
  if (const auto* fault = std::get_if<std::string>(&read)) return bad(*fault);
  const auto runtime = sources_.runtime();
  const auto& request = std::get<proxy::ExplainRequest>(read);
  if (const auto why = proxy::unsendable(request); !why.empty())
    return bad("This request cannot be sent: " + std::string(why) + '.');
  auto explained =
      proxy::explain(request, {*runtime->config, runtime->routes, &sources_.shared.store, &sources_.shared, now});
  if (!explained) return bad("This request cannot be sent.");
  const auto& name = explained->route ? explained->route->origin : runtime->config->default_origin;
  if (const auto origin = runtime->origins.find(name); origin != runtime->origins.end())
    note_urls(*origin->second, explained->notes);
  Answer a;
  a.body = to_json(*explained);
  return a;
}

void AdminHandler::answer(server::Exchange& exchange, Endpoint endpoint, const Answer& a) {
  const auto status_class = static_cast<std::size_t>(a.status / 100 - 1);
  counters_.requests[static_cast<std::size_t>(endpoint)][status_class].add();
  send(exchange, a);
}

void AdminHandler::finished(server::Exchange&) {}

std::unique_ptr<server::Notes> AdminHandler::make_notes() { return std::make_unique<AdminNotes>(); }

void AdminHandler::refused(const server::RefusedMessage& message, const server::Peer&) {
  const int status = message.status;
  if (status < 100 || status > 599) return;
  counters_.requests[static_cast<std::size_t>(Endpoint::Other)][static_cast<std::size_t>(status / 100 - 1)].add();
}

// Probes are answered during the whole drain.
bool AdminHandler::draining() const { return sources_.status.state.load(std::memory_order_acquire) == State::Stopping; }

}  // namespace forebay::admin
