#include "own_answer.hpp"

#include "deliver.hpp"
#include "forebay/rules/validation.hpp"
#include "outgoing.hpp"

namespace forebay::proxy {
namespace {

using http::FieldId;

const OwnError kNoHost{
    400, RequestError::BadRequest, "Bad Request", "The request has no host, which the redirect needs.", {}, {}};

void redirect(PendingRequest& pending) {
  const auto& route = *pending.route->route;
  const auto location = location_for(route, pending.reading);
  if (!location) return deliver_error(pending, kNoHost);
  http::Fields fields;
  fields.add("Location", *location);
  apply(route.response_headers, fields);
  const auto status = static_cast<int>(route.redirect.status);
  pending.exchange->answer({status, fields, describe_own(pending), 0, false}, {});
}

bool is_not_modified(const PendingRequest& pending, int status, http::FieldsView fields) {
  const auto method = pending.request.method;
  return (method == http::Method::Get || method == http::Method::Head) &&
         rules::evaluate(pending.request.fields, status, fields, pending.core.now().wall) ==
             rules::Condition::NotModified;
}

void respond(PendingRequest& pending) {
  const auto& own = pending.route->route->respond;
  const auto fields = own.fields.view();
  const auto added = describe_own(pending);
  const auto status = static_cast<int>(own.status);
  if (is_not_modified(pending, status, fields)) {
    std::vector<http::Field> kept;
    for (const auto& f : fields)
      if (rules::belongs_on_304(f.id, f.name)) kept.push_back(f);
    return pending.exchange->answer({304, http::FieldsView(kept), added, std::nullopt, false}, {});
  }
  server::AnswerHead head{status, fields, added, std::nullopt, false};
  if (!http::never_has_content(status)) head.length = own.content ? own.content->bytes().size() : 0;
  pending.exchange->answer(
      head, own.content ? http::BodyCursor(Owner(own.content), own.content->bytes()) : http::BodyCursor());
}

}  // namespace

std::optional<std::string> location_for(const config::Route& route, const Reading& reading) {
  std::vector<cache::Capture> captures;
  route.path.capture(reading.target.path(), captures);
  return route.redirect.target.expand({reading.host, reading.target.path(), reading.target.query(), captures});
}

void answer_here(PendingRequest& pending, rules::Reason reason) {
  if (pending.exchange->gone() || pending.exchange->answered()) return;
  auto& notes = pending.notes();
  notes.result = rules::CacheResult::Bypass;
  notes.reason = reason;
  notes.source = Source::Forebay;
  reason == rules::Reason::Redirect ? redirect(pending) : respond(pending);
}

}  // namespace forebay::proxy
