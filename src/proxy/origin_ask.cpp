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
  validated_ = false;
  auto& origin = *pending_.route->origin;
  auto* const other = pending_.route->failover;
  if (pending_.content)
    content_.emplace(pending_.content, pending_.content_whole ? nullptr : pending_.exchange, pending_.trailers);
  if (other && failed_over_) return ask(*other, Fails::Here);
  if (!other || !http::is_safe(method()) || is_bound(origin)) return ask(origin, Fails::Here);
  return upstream::fail_over(pending_.core.worker, origin, ask(origin, Fails::Over), *this);
}

net::SourcePtr OriginAsk::ask(upstream::Origin& origin, Fails how) {
  payload_.clear();
  auto request = request_for(origin);
  // The first one rests only while the other one is in use.
  request.fails_over = how == Fails::Over && pending_.route->failover->state().up();
  return pending_.core.fetch(origin, request, pending_.config().server.response_header);
}

net::SourcePtr OriginAsk::ask() {
  failed_over_ = true;
  return ask(*pending_.route->failover, Fails::Here);
}

upstream::Origin& OriginAsk::asked() const noexcept {
  return failed_over_ ? *pending_.route->failover : *pending_.route->origin;
}

bool OriginAsk::has_content() const { return pending_.content || (pending_.exchange && pending_.exchange->has_body()); }

bool OriginAsk::may_ask() {
  const auto* const sent = body();
  return !sent || !sent->begun() || sent->can_rewind();
}

net::BodySource* OriginAsk::body() {
  if (pending_.content) return &*content_;
  return has_content() ? &pending_.exchange->body() : nullptr;
}

upstream::FetchRequest OriginAsk::request_for(upstream::Origin& origin) {
  upstream::FetchRequest request;
  request.method = method();
  request.method_text = plan_.by_get ? http::to_string(request.method) : pending_.request.method_text;
  request.head = this;
  request.upgrade = pending_.reading.upgrade;
  request.body = body();
  request.for_connection = has_credentials_of_connection(origin);
  const auto& settings = origin.state().config();
  if (settings.balance == config::Balance::Hash)
    request.balance_key = pending_.keyed ? pending_.key.id().lo : digest_of(pending_.target).lo;
  request.repeatable = !settings.idempotency_key.empty() &&
                       !pending_.request.fields.value(settings.idempotency_key).value_or(std::string_view()).empty();
  // A trusted peer sends the requests of many clients over one connection, so it gets no bond. Neither does a failover:
  // sharing was decided without the client's bonds to it.
  if (pending_.exchange && !pending_.peer_trusted && &origin == pending_.route->origin)
    request.bond =
        request.for_connection ? find_or_make_bond(*pending_.exchange, origin) : find_bond(*pending_.exchange, origin);
  return request;
}

/// A client's own credentials do not go to an origin that gets a signature, nor to its failover.
bool OriginAsk::has_credentials_of_connection(upstream::Origin& origin) const {
  const auto& fields = pending_.request.fields;
  return !drops_credentials(pending_, origin.state().config()) &&
         std::any_of(fields.begin(), fields.end(), [](const http::Field& f) {
           return f.id == http::FieldId::Authorization && http::authenticates_connection(f.value);
         });
}

/// No other origin knows whom a connection to this one speaks for.
bool OriginAsk::is_bound(upstream::Origin& origin) const {
  return has_credentials_of_connection(origin) ||
         (pending_.exchange && !pending_.peer_trusted && is_authenticated(*pending_.exchange, origin));
}

/// Validators are sent to the origin alone that gave them: an ETag of another one may be about other bytes.
bool OriginAsk::validates(upstream::Origin& origin) const {
  const auto& stored = plan_.stored;
  return what_ == What::Planned && plan_.validate && plan_.refreshing() && !stored.freshness.validators_fail &&
         (stored.entry->etag() || stored.entry->last_modified()) &&
         stored.entry->origin() == origin.state().config().name;
}

std::string OriginAsk::compose(upstream::Origin& origin, const config::Url& url, std::string& target,
                               http::Fields& fields) {
  auto request = origin_request(pending_, shared(), origin.state().config());
  request.url = &url;
  std::string traceparent;
  if (const auto& trace = pending_.trace; trace.asked) {
    http::append_traceparent(traceparent, trace.context);
    request.traceparent = traceparent;
    request.tracestate = trace.state;
  }
  request.own_codings = keeps_codings();
  fields = fields_for_origin(request);
  validated_ = validates(origin);
  const auto& entry = plan_.stored.entry;
  if (validated_) rules::add_validators(fields, entry->etag(), entry->last_modified());
  if (pending_.route->route) target = origin_target(pending_.route->route->rewrite, pending_.target);
  if (target.empty()) target = pending_.target;
  set_origin_fields(request.origin, fields);
  return sign(origin, target, fields);
}

/// The last step: what is signed is what goes out. Content that is signed has been read whole (`content_to_sign`).
std::string OriginAsk::sign(upstream::Origin& origin, std::string& target, http::Fields& fields) {
  const auto& settings = origin.state().config().sign;
  if (!settings.on()) return {};
  if (payload_.empty()) {
    if (!settings.signs_content() && has_content())
      payload_ = http::kUnsignedPayload;
    else if (!has_content())
      payload_ = sha256_hex("");
    else if (pending_.content_whole)
      payload_ = sha256_hex(pending_.content->bytes());
    else
      return "the content was not read, so it cannot be signed";
  }
  const auto method = plan_.by_get ? http::to_string(http::Method::Get) : pending_.request.method_text;
  return origin.sign(method, target, fields, payload_, pending_.core.now().wall);
}

/// An answer that is hardly stored is not compressed here, so the client gets the coding that the origin makes.
bool OriginAsk::keeps_codings() const {
  const auto& facts = pending_.facts();
  return plan_.status.reason == rules::Reason::PassMemory || (facts.authorization && !facts.authorization_in_key);
}

void OriginAsk::trim(upstream::Origin& origin, http::Fields& trailers) {
  trailers_for_origin(origin_request(pending_, false, origin.state().config()), trailers);
}

}  // namespace forebay::proxy
