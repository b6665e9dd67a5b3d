#include "forebay/admin/endpoints.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <string>
#include <utility>
#include <vector>

#include "forebay/admin/build.hpp"
#include "forebay/http/target.hpp"
#include "forebay/server/problem.hpp"

namespace forebay::admin {
namespace {

struct Nothing final : server::Notes {
  void reset() override {}
};

struct Answer {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  bool allow = false;  ///< 405 names what is allowed.
};

Answer problem(int status, std::string_view code, std::string_view title, std::string_view detail,
               std::string_view accept) {
  server::Problem p;
  p.status = status;
  p.code = code;
  p.title = title;
  p.detail = detail;
  auto made = server::render(p, accept);
  Answer answer;
  answer.status = status;
  answer.content_type = std::move(made.content_type);
  answer.body = std::move(made.body);
  answer.allow = status == 405;
  return answer;
}

Endpoint endpoint_of(std::string_view path) noexcept {
  if (path == "/livez") return Endpoint::Livez;
  if (path == "/readyz") return Endpoint::Readyz;
  if (path == "/version") return Endpoint::Version;
  if (path == "/metrics") return Endpoint::Metrics;
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

}  // namespace

std::string_view to_string(State s) noexcept {
  switch (s) {
    case State::Starting:
      return "starting";
    case State::Ready:
      return "ready";
    case State::Draining:
      return "draining";
    case State::Stopping:
      return "stopping";
  }
  return "";
}

std::string_view to_string(Endpoint e) noexcept {
  switch (e) {
    case Endpoint::Livez:
      return "livez";
    case Endpoint::Readyz:
      return "readyz";
    case Endpoint::Version:
      return "version";
    case Endpoint::Metrics:
      return "metrics";
    case Endpoint::Other:
    case Endpoint::kCount:
      break;
  }
  return "other";
}

AdminHandler::AdminHandler(Sources sources) : sources_(std::move(sources)) {
  // Operators ask short questions; whoever holds connections open here must not keep them from doing so.
  settings_.max_connections = 256;
  settings_.request_body = 64 * 1024;
}

AdminHandler::~AdminHandler() = default;

void AdminHandler::start(const server::ExchangePtr& exchange) {
  const auto& request = exchange->request();
  std::string joined;
  const std::string_view accept = request.fields.combined(http::FieldId::Accept, joined).value_or("");

  http::Target target;
  Endpoint endpoint = Endpoint::Other;
  Answer answer;
  if (!target.read(request.method, request.target)) {
    answer = problem(400, "bad_request", "Bad request", "The request target is malformed.", accept);
  } else {
    endpoint = endpoint_of(target.path());
    const auto runtime = sources_.runtime();
    if (endpoint == Endpoint::Metrics && runtime && !runtime->config->metrics.enabled) endpoint = Endpoint::Other;
    if (endpoint == Endpoint::Other) {
      answer =
          problem(404, "not_found", "Not found",
                  "There is no such path on the admin listener; try /livez, /readyz, /metrics or /version.", accept);
    } else if (request.method != http::Method::Get && request.method != http::Method::Head) {
      answer = problem(405, "method_not_allowed", "Method not allowed", "This path answers GET and HEAD.", accept);
    } else if (endpoint == Endpoint::Livez) {
      answer.body = R"({"status":"alive"})";
    } else if (endpoint == Endpoint::Readyz) {
      answer = readiness(sources_, asks_for_origins(target.query().value_or("")));
    } else if (endpoint == Endpoint::Version) {
      answer.body = build_json();
    } else {
      answer.content_type = kExpositionType;
      answer.body = exposition(sources_, counters_);
    }
  }

  const auto status_class = static_cast<std::size_t>(answer.status / 100 - 1);
  counters_.requests[static_cast<std::size_t>(endpoint)][status_class].add();

  std::string lines;
  http::append_line(lines, "Content-Type", answer.content_type);
  http::append_line(lines, "Cache-Control", "no-store");
  http::append_line(lines, "X-Content-Type-Options", "nosniff");
  if (answer.allow) http::append_line(lines, "Allow", "GET, HEAD");
  server::AnswerHead head;
  head.status = answer.status;
  head.lines = lines;
  head.length = answer.body.size();
  head.has_date = false;
  std::vector<Slice> parts;
  if (!answer.body.empty()) parts.push_back(Chunk::copy_of(answer.body)->slice());
  exchange->answer(head, http::BodyCursor(std::move(parts)));
}

void AdminHandler::finished(server::Exchange&) {}

std::unique_ptr<server::Notes> AdminHandler::make_notes() { return std::make_unique<Nothing>(); }

void AdminHandler::refused(server::Refusal, int status, const server::Peer&) {
  if (status < 100 || status > 599) return;
  counters_.requests[static_cast<std::size_t>(Endpoint::Other)][static_cast<std::size_t>(status / 100 - 1)].add();
}

// Through a whole drain probes go on to be answered.
bool AdminHandler::draining() const { return sources_.status.state.load(std::memory_order_acquire) == State::Stopping; }

}  // namespace forebay::admin
