// What everybody may ask.
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <string>
#include <utility>

#include "answers.hpp"
#include "forebay/admin/build.hpp"
#include "forebay/http/target.hpp"

namespace forebay::admin {
namespace {

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

std::optional<Answer> answer_livez(const Call&) {
  Answer a;
  a.body = R"({"status":"alive"})";
  return a;
}

std::optional<Answer> answer_readyz(const Call& call) {
  return readiness(call.admin.sources, asks_for_origins(call.query));
}

std::optional<Answer> answer_version(const Call&) {
  Answer a;
  a.body = build_json();
  return a;
}

std::optional<Answer> answer_metrics(const Call& call) {
  Answer a;
  a.content_type = kExpositionType;
  a.body = exposition(call.admin.sources, call.admin.counters);
  return a;
}

}  // namespace forebay::admin
