#include "origin_ask.hpp"

#include <algorithm>

#include "bonds.hpp"
#include "forebay/base/hash.hpp"
#include "forebay/http/aws_sigv4.hpp"
#include "forebay/http/list.hpp"
#include "forebay/rules/validation.hpp"
#include "outgoing.hpp"

namespace forebay::proxy {

net::SourcePtr OriginAsk::ask(What what) {
  what_ = what;
  upstream::FetchRequest request;
  const auto& view = pending_.request;
  auto& origin = *pending_.route->origin;
  request.method = method();
  request.method_text = plan_.by_get ? http::to_string(request.method) : view.method_text;
  request.head = this;
  request.upgrade = pending_.reading.upgrade;
  if (pending_.content)
    request.body =
        &content_.emplace(pending_.content, pending_.content_whole ? nullptr : pending_.exchange, pending_.trailers);
  else if (pending_.exchange && pending_.exchange->has_body())
    request.body = &pending_.exchange->body();
  // A client's own credentials do not go to an origin that gets a signature.
  request.for_connection = !origin.state().config().sign.on() &&
                           std::any_of(view.fields.begin(), view.fields.end(), [](const http::Field& f) {
                             return f.id == http::FieldId::Authorization && http::authenticates_connection(f.value);
                           });
  const auto& settings = origin.state().config();
  if (settings.balance == config::Balance::Hash)
    request.balance_key = pending_.keyed ? pending_.key.id().lo : digest_of(pending_.target).lo;
  request.repeatable = !settings.idempotency_key.empty() && view.fields.value(settings.idempotency_key).has_value();
  // A trusted peer sends the requests of many clients over one connection, so it gets no bond.
  if (pending_.exchange && !pending_.peer_trusted)
    request.bond =
        request.for_connection ? find_or_make_bond(*pending_.exchange, origin) : find_bond(*pending_.exchange, origin);
  return pending_.core.fetch(origin, request, pending_.config().server.response_header);
}

std::string OriginAsk::compose(std::string& target, http::Fields& fields) {
  auto request = origin_request(pending_, shared());
  std::string traceparent;
  if (const auto& trace = pending_.trace; trace.asked) {
    http::append_traceparent(traceparent, trace.context);
    request.traceparent = traceparent;
    request.tracestate = trace.state;
  }
  request.own_codings = keeps_codings();
  fields = fields_for_origin(request);
  const auto& stored = plan_.stored;
  validated_ = what_ == What::Planned && plan_.validate && plan_.refreshing() && !stored.freshness.validators_fail &&
               (stored.entry->etag() || stored.entry->last_modified());
  if (validated_) rules::add_validators(fields, stored.entry->etag(), stored.entry->last_modified());
  if (pending_.route->route) target = origin_target(pending_.route->route->rewrite, pending_.target);
  if (target.empty()) target = pending_.target;
  set_origin_fields(request.origin, fields);
  return sign(target, fields);
}

/// The last step: what is signed is what goes out. Content that is signed has been read whole (`content_to_sign`).
std::string OriginAsk::sign(std::string& target, http::Fields& fields) {
  const auto& settings = pending_.route->origin->state().config().sign;
  if (!settings.on()) return {};
  if (payload_.empty()) {
    const bool has_content = pending_.content || (pending_.exchange && pending_.exchange->has_body());
    if (!settings.signs_content() && has_content)
      payload_ = http::kUnsignedPayload;
    else if (!has_content)
      payload_ = sha256_hex("");
    else if (pending_.content_whole)
      payload_ = sha256_hex(pending_.content->bytes());
    else
      return "the content was not read, so it cannot be signed";
  }
  const auto method = plan_.by_get ? http::to_string(http::Method::Get) : pending_.request.method_text;
  return pending_.route->origin->sign(method, target, fields, payload_, pending_.core.now().wall);
}

/// An answer that is hardly stored is not compressed here, so the client gets the coding that the origin makes.
bool OriginAsk::keeps_codings() const {
  const auto& facts = pending_.facts();
  return plan_.status.reason == rules::Reason::PassMemory || (facts.authorization && !facts.authorization_in_key);
}

void OriginAsk::trim(http::Fields& trailers) { trailers_for_origin(origin_request(pending_, false), trailers); }

}  // namespace forebay::proxy
