#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "forebay/proxy/explain.hpp"

// The documents of `POST /api/v1/explain` and of `forebay explain`: one form for both, so that an answer reads the same
// whoever gave it.

namespace forebay::admin {

/// What the document asks, or a sentence that says what is wrong with it. `{method, url, headers, body | body_base64,
/// response: {status, headers, body | body_base64}}`; `headers` is an object whose values are texts or lists of texts,
/// or a list of `[name, value]`. Members of other names are refused, so that a misspelt one is not taken for absent.
std::variant<proxy::ExplainRequest, std::string> read_explain_request(std::string_view document);
/// The same the other way round, for those who ask a daemon.
std::string write_explain_request(const proxy::ExplainRequest& request);

/// One JSON document in one line. What is absent is null; bytes that are no UTF-8 stand as U+FFFD.
std::string to_json(const proxy::Explanation& explanation);
/// Whether a document is an explanation: JSON with the members that each has. Others answer in JSON, too.
bool is_explanation(std::string_view document);
/// The same for people, made of the document, in lines that begin with a word and end with a line end. Nothing in it
/// can steer a terminal. Empty when the document is no explanation.
std::string to_text(std::string_view document);

}  // namespace forebay::admin
