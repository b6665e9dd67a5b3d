#pragma once

#include <string_view>

#include "forebay/server/exchange.hpp"
#include "forebay/server/problem.hpp"
#include "server/edge_error.hpp"

namespace forebay::server {

/// An error of the edge's own, as an answer.
struct EdgeDocument {
  EdgeDocument(const EdgeError& why, std::string_view detail, const RefusalNote& note, std::string_view accept)
      : status(why.status), body(render({why.status, why.code, why.title, detail, note.request_id, {}}, accept)) {
    using http::FieldId;
    fields.add(FieldId::ContentType, body.content_type);
    fields.add(FieldId::CacheControl, "no-store");
    fields.add(FieldId::XCache, "ERROR");
    if (!note.request_id.empty()) fields.add(note.field, note.request_id);
    if (!why.retry_after.empty()) fields.add(FieldId::RetryAfter, why.retry_after);
  }
  AnswerHead head() const {
    AnswerHead head;
    head.status = status;
    head.fields = fields;
    head.length = body.body.size();
    head.has_date = false;
    head.close = true;
    return head;
  }
  int status;
  ProblemBody body;
  http::Fields fields;
};

}  // namespace forebay::server
