#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "forebay/proxy/explain.hpp"

// The documents of `POST /api/v1/explain` and `forebay explain`. Both use the same format.

namespace forebay::admin {

/// Parses the request document; on failure, an error message. `{method, url, headers, body | body_base64, response:
/// {status, headers, body | body_base64}}`; `headers` is an object whose values are texts or lists of texts, or a list
/// of `[name, value]`. Unknown members are refused, so that a misspelt name is an error.
std::variant<proxy::ExplainRequest, std::string> read_explain_request(std::string_view document);
/// The inverse, for clients of a daemon.
std::string write_explain_request(const proxy::ExplainRequest& request);

/// One JSON document in one line. Absent values are null; bytes that are not UTF-8 become U+FFFD.
std::string to_json(const proxy::Explanation& explanation);
/// Whether a document is an explanation: JSON with the required members. Other servers may also respond with JSON.
bool is_explanation(std::string_view document);
/// Control characters become question marks, so that a terminal does not act on what strangers have sent.
std::string harmless(std::string text);
/// The document as text for people: lines that begin with a keyword. Control characters are replaced. Empty when the
/// document is not an explanation.
std::string to_text(std::string_view document);

}  // namespace forebay::admin
