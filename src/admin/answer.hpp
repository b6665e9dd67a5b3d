#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "forebay/server/exchange.hpp"

namespace forebay::admin {

/// A response of the admin listener.
struct Answer {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  http::Fields fields{};     ///< Further ones.
  std::string outcome{};     ///< Of a change, for the audit; empty: the status says it.
  Ref<http::Body> stream{};  ///< In place of `body`: content that grows.
};
/// A document in JSON.
Answer json_answer(const boost::json::value& document, int status = 200);

/// Problem details (RFC 9457) with a `code`, or the HTML or text that the client prefers.
Answer problem(int status, std::string_view code, std::string_view title, std::string_view detail,
               std::string_view accept);
/// 405, saying what is allowed.
Answer not_allowed(std::string_view allowed, std::string_view accept);

/// With the fields of every response of this listener. `gzip`: the client accepts that coding; long contents get it.
void send(server::Exchange& exchange, const Answer& answer, bool gzip);

}  // namespace forebay::admin
