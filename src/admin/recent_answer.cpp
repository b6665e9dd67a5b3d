// `POST /api/v1/explain` with the id of a recent request: what was decided about it.
#include <algorithm>
#include <boost/json/object.hpp>
#include <utility>
#include <vector>

#include "answers.hpp"
#include "forebay/base/guarded.hpp"
#include "forebay/base/mutex.hpp"
#include "forebay/base/text.hpp"
#include "forebay/http/list.hpp"
#include "forebay/proxy/explain.hpp"
#include "json_text.hpp"

namespace forebay::admin {
namespace {

using proxy::RecentRequests;

/// Requests with the same id that are told, the latest first.
constexpr std::size_t kMostTold = 20;
/// The document has nothing but the id.
constexpr std::size_t kLongest = 4096;

/// What the workers have given so far.
struct Collected {
  Mutex mutex;
  std::vector<RecentRequests::Found> found FOREBAY_GUARDED_BY(mutex);
  std::size_t left FOREBAY_GUARDED_BY(mutex) = 0;    ///< Workers that have not.
  bool no_memory FOREBAY_GUARDED_BY(mutex) = false;  ///< Some worker had none.
};

std::string to_json(std::vector<RecentRequests::Found> found) {
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.at > b.at; });
  if (found.size() > kMostTold) found.resize(kMostTold);
  std::string out = "{\"requests\":[";
  for (const auto& request : found) {
    out += &request == &found.front() ? "{\"record\":" : ",{\"record\":";
    out += request.json + ",\"why\":";
    if (const auto why = proxy::sentence_of(request.reason); why.empty())
      out += "null";
    else
      append_json_string(out, why);
    out += '}';
  }
  return out + "]}";
}

Answer not_kept(const config::AccessLog& log, std::string_view accept) {
  auto detail = "No such id is among those of the last " + std::to_string(proxy::RecentRequestsOfAll::kMost) +
                " requests with one.";
  if (log.output == "off") detail += " Requests are not kept while log.access.output is off.";
  return problem(404, "no_such_request", "No such request", detail, accept);
}

}  // namespace

std::optional<std::string> id_to_explain(std::string_view content) {
  if (content.size() > kLongest) return std::nullopt;
  std::string fault;
  const auto object = read_object(content, fault);
  const auto* id = object ? object->if_contains("id") : nullptr;
  if (!id || object->size() != 1 || !id->is_string()) return std::nullopt;
  return std::string(id->get_string());
}

std::optional<Answer> explain_recent(const Call& call, const std::string& id) {
  if (!http::is_token(id) || id.size() > proxy::kLongestRequestId)
    return call.bad("\"id\" must be the id of a request: up to " + std::to_string(proxy::kLongestRequestId) +
                    " characters of a token.");
  auto& shared = call.admin.sources.shared;
  const auto& workers = call.admin.sources.workers;
  const auto runtime = call.admin.sources.runtime();
  const auto collected = std::make_shared<Collected>();
  {
    const MutexLock lock(collected->mutex);
    collected->left = workers.size();
  }
  const auto conclude = [later = call.later(), collected, runtime, accept = std::string(call.accept)] {
    later.answer_by([collected, runtime, accept](const Now&) {
      const MutexLock lock(collected->mutex);
      if (collected->no_memory)
        return problem(503, "no_memory", "Out of memory", "There was no memory for the answer.", accept);
      if (collected->found.empty()) return not_kept(runtime->config->access, accept);
      Answer answer;
      answer.body = to_json(std::move(collected->found));
      return answer;
    });
  };
  // Each worker searches its own, so that keeping them needs no lock; the last one hands all to this thread.
  for (auto* const worker : workers)
    worker->post([&shared, worker, id, collected, runtime, conclude] {
      std::optional<std::vector<RecentRequests::Found>> found;
      guarded([&] { found = shared.recent.of(worker->index()).find(id, kMostTold, runtime->config->access); }, [] {});
      {
        const MutexLock lock(collected->mutex);
        bool kept = false;
        if (found)
          guarded(
              [&] {
                collected->found.insert(collected->found.end(), found->begin(), found->end());
                kept = true;
              },
              [] {});
        collected->no_memory = collected->no_memory || !kept;
        if (--collected->left != 0) return;
      }
      // Without memory even for this the client's deadline answers.
      guarded(conclude, [] {});
    });
  return std::nullopt;
}

}  // namespace forebay::admin
