#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "answer.hpp"
#include "call.hpp"
#include "forebay/proxy/purging.hpp"

// The endpoints, as the table names them.

namespace forebay::admin {

// public_answers.cpp
std::optional<Answer> answer_livez(const Call& call);
std::optional<Answer> answer_readyz(const Call& call);
std::optional<Answer> answer_version(const Call& call);
std::optional<Answer> answer_metrics(const Call& call);

// openapi_answer.cpp
std::optional<Answer> answer_openapi(const Call& call);
/// The API in OpenAPI 3.1; openapi.json is a part of the program.
std::string_view openapi_document() noexcept;

// status_answer.cpp
std::optional<Answer> answer_status(const Call& call);
// route_answers.cpp
std::optional<Answer> answer_routes(const Call& call);
std::optional<Answer> answer_route(const Call& call);
// origin_answers.cpp
std::optional<Answer> answer_origins(const Call& call);
// explain_answer.cpp
std::optional<Answer> answer_explain(const Call& call);
// recent_answer.cpp
/// Of a document that has nothing but the id of a recent request.
std::optional<std::string> id_to_explain(std::string_view content);
std::optional<Answer> explain_recent(const Call& call, const std::string& id);
// purge_answer.cpp
std::optional<Answer> answer_purge(const Call& call);
/// Has it purged; `nothing`: the answer where it named no entry, none: the usual one.
std::optional<Answer> carry_out(const Call& call, proxy::PreparedPurge purge, cache::PurgeMode mode,
                                std::optional<Answer> nothing);
// warm_answer.cpp
std::optional<Answer> answer_warm(const Call& call);
// entries_answers.cpp
std::optional<Answer> answer_entries(const Call& call);
std::optional<Answer> answer_entry(const Call& call);
std::optional<Answer> answer_entry_removal(const Call& call);
// config_answers.cpp
std::optional<Answer> answer_config(const Call& call);
std::optional<Answer> answer_config_check(const Call& call);

// stats_answers.cpp
std::optional<Answer> answer_stats(const Call& call);
std::optional<Answer> answer_stats_stream(const Call& call);
// events_answer.cpp
std::optional<Answer> answer_events(const Call& call);
// request_answers.cpp
std::optional<Answer> answer_requests_stream(const Call& call);
// keys_answer.cpp
std::optional<Answer> answer_keys(const Call& call);

// order_answers.cpp
std::optional<Answer> answer_reload(const Call& call);
std::optional<Answer> answer_drain(const Call& call);
std::optional<Answer> answer_undrain(const Call& call);
// log_answers.cpp
std::optional<Answer> answer_log_level(const Call& call);
std::optional<Answer> answer_log_level_change(const Call& call);

}  // namespace forebay::admin
