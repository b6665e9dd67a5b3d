#include "explain_case.hpp"

namespace forebay::proxy {

std::string_view sentence_of(rules::Reason reason) noexcept {
  using rules::Reason;
  switch (reason) {
    case Reason::CacheOff:
      return "the route says cache: false";
    case Reason::Method:
      return "no route for this path lists the method in `methods`";
    case Reason::RuleHeader:
      return "`bypass.headers` keeps it from the cache, by what a field is or says";
    case Reason::RuleCookie:
      return "`bypass.cookies` keeps it from the cache, by what a cookie is or says";
    case Reason::RuleQuery:
      return "`bypass.query` keeps it from the cache, by what a parameter is or says";
    case Reason::RuleBody:
      return "the content has a member that `bypass.body` asks for, or nobody can say whether it has";
    case Reason::MatchHeader:
      return "a field that `match.headers` asks for can be read in more than one way (several lines, another spelling, "
             "another case), so nobody can say whether this is the route's request";
    case Reason::MatchQuery:
      return "a parameter that `match.query` asks for can be read in more than one way (given twice, another spelling, "
             "another case), so nobody can say whether this is the route's request";
    case Reason::MatchBody:
      return "content that `match.body` asks about cannot be read, or a member of it can be read in more than one way, "
             "so nobody can say whether this is the route's request";
    case Reason::Authorization:
      return "the request carries Authorization: its answer is for it alone, unless public, s-maxage or "
             "must-revalidate says otherwise or the route sets `authorization`";
    case Reason::Precondition:
      return "a precondition on a method that is not safe has to reach the origin";
    case Reason::RequestNoStore:
      return "the request says no-store, so its answer is kept from the store";
    case Reason::RequestBody:
      return "the request has content that is no part of the key; `key.body` would make it one";
    case Reason::BodyTooLarge:
      return "the content is longer than `key.body_max`, as it was sent or decoded";
    case Reason::BodyUnparsable:
      return "the content cannot be read as what the key wants of it, or could be read in two ways";
    case Reason::GraphqlOperation:
      return "the document holds a mutation or subscription, or is named by a hash that nobody has shown yet";
    case Reason::PassMemory:
      return "an answer for this key could not be stored lately, so nobody queues on it (`pass_memory`)";
    case Reason::NoRoute:
      return "no route matches host and path";
    case Reason::Signed:
      return "the request is signed and has a Range or a condition: it goes forward as it came, and its answer is not "
             "stored";
    case Reason::Preflight:
      return "what is stored was made by a request with a field of `graphql_preflight`; a GET without one may be "
             "refused "
             "by the origin (CSRF prevention), so the origin is asked";
    case Reason::Range:
      return "a range that is fetched for itself is not stored";
    case Reason::NoFreshness:
      return "neither the response nor the route gives it a lifetime; `ttl.default` would";
    case Reason::NoStore:
      return "the response says no-store; `origin_cache_control: override` would overrule that";
    case Reason::Private:
      return "the response says private; `origin_cache_control: override` would overrule that";
    case Reason::SetCookie:
      return "the response sets a cookie; `set_cookie: strip` would take it off and store the rest";
    case Reason::Cookie:
      return "the request has cookies, so it neither makes nor gets an answer that lives by the route's own lifetime; "
             "name those that matter in `key.cookies` or `bypass.cookies`, or say `request_cookies: share`";
    case Reason::Credential:
      return "the request brings a credential that is no part of the key: a field of `credentials`, so that it neither "
             "makes nor gets an answer that lives by the route's own lifetime, or a secret in its query, whose answer "
             "is "
             "for it alone; `key.headers` or `key.query` could name it";
    case Reason::VaryStar:
      return "Vary: * fits no other request";
    case Reason::Status:
      return "a response of this status is not stored; `ttl.status` or `statuses` could name it";
    case Reason::TooLarge:
      return "the content is larger than `max_object`";
    case Reason::Partial:
      return "a partial response is passed on";
    case Reason::OriginError:
      return "the status counts as a failure of the origin (`stale.errors`)";
    case Reason::Unproven:
      return "nobody can tell whether the content is whole; `close_delimited: store` would trust it";
    case Reason::ZeroTtl:
      return "its lifetime is zero, and nothing would make it useful later";
    case Reason::NoCache:
      return "the response says no-cache: it is stored, and each use is validated";
    case Reason::TypeMismatch:
      return "the path ends like a static file and the type is a page's or a document's (`suffix_guard`)";
    case Reason::Endless:
      return "a stream without an end (its Content-Type) is stored only with a lifetime that the response itself "
             "states";
    case Reason::GraphqlErrors:
      return "the GraphQL response has errors, or cannot be read";
    default:
      return {};
  }
}

}  // namespace forebay::proxy
