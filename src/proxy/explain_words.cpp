#include "explain_case.hpp"

namespace forebay::proxy {

std::string_view sentence_of(rules::Reason reason) noexcept {
  using rules::Reason;
  switch (reason) {
    case Reason::CacheOff: return "the route says cache: false";
    case Reason::Method: return "no route for this path lists the method in `methods`";
    case Reason::RuleHeader: return "a header field matches `bypass.headers`";
    case Reason::RuleCookie: return "a cookie matches `bypass.cookies`";
    case Reason::RuleQuery: return "a query parameter matches `bypass.query`";
    case Reason::RuleBody: return "a member of the content matches `bypass.body`, or the content cannot be read";
    case Reason::MatchHeader:
      return "a field of `match.headers` is ambiguous (several lines, another spelling, another case), so it is not "
             "known whether the route matches";
    case Reason::MatchQuery:
      return "a parameter of `match.query` is ambiguous (given twice, another spelling, another case), so it is not "
             "known whether the route matches";
    case Reason::MatchBody:
      return "the content cannot be read, or a member of `match.body` is ambiguous, so it is not known whether the "
             "route matches";
    case Reason::Authorization:
      return "the request has Authorization: the response is not shared, unless it has public, s-maxage or "
             "must-revalidate, or the route sets `authorization`";
    case Reason::Precondition: return "a precondition on an unsafe method must reach the origin";
    case Reason::RequestNoStore: return "the request has no-store, so the response is not stored";
    case Reason::RequestBody: return "the request has content that is not in the key; `key.body` adds it";
    case Reason::BodyTooLarge: return "the content is longer than `key.body_max`, as sent or as decoded";
    case Reason::BodyUnparsable: return "the key cannot be built from the content: it is malformed or ambiguous";
    case Reason::GraphqlOperation:
      return "the document has a mutation or subscription, or is named by a hash that is not known yet";
    case Reason::PassMemory:
      return "a recent response for this key could not be stored, so requests for it do not wait for each other "
             "(`pass_memory`)";
    case Reason::Upgrade: return "the request asks for another protocol (`upgrade`)";
    case Reason::NoRoute: return "no route matches host and path";
    case Reason::Signed:
      return "the request is signed and has a Range or a condition: it is forwarded unchanged, and the response is not "
             "stored";
    case Reason::Preflight:
      return "the stored response is for requests with a field of `graphql_preflight`; the origin may refuse a GET "
             "without one (CSRF prevention), so it is asked";
    case Reason::Redirect: return "the route redirects the request; no origin is asked";
    case Reason::Respond: return "the route answers by its own `respond`; no origin is asked";
    case Reason::Replaced: return "another process replaces this one, so that nothing stored here is used";
    case Reason::Range: return "a range that is fetched on its own is not stored";
    case Reason::NoFreshness: return "neither the response nor the route sets a lifetime; `ttl.default` would";
    case Reason::NoStore: return "the response has no-store; `origin_cache_control: override` overrides it";
    case Reason::Private: return "the response has private; `origin_cache_control: override` overrides it";
    case Reason::SetCookie: return "the response sets a cookie; `set_cookie: strip` removes it and stores the rest";
    case Reason::Cookie:
      return "the request has cookies: a response whose lifetime comes from the route is neither stored for it nor "
             "served to it; list the cookies that matter in `key.cookies` or `bypass.cookies`, or set "
             "`request_cookies: share`";
    case Reason::Credential:
      return "the request has a credential that is not in the key: with a field of `credentials`, a response whose "
             "lifetime comes from the route is neither stored for it nor served to it; with a secret in the query, the "
             "response is not shared; `key.headers` or `key.query` can list it";
    case Reason::VaryStar: return "Vary: * matches no other request";
    case Reason::Status: return "a response with this status is not stored; `ttl.status` or `statuses` can list it";
    case Reason::TooLarge: return "the content is larger than `max_object`";
    case Reason::Partial: return "a partial response is not stored";
    case Reason::OriginError: return "the status counts as a failure of the origin (`stale.errors`)";
    case Reason::Unproven:
      return "the content may be incomplete, since only the end of the connection ends it; `close_delimited: store` "
             "accepts it";
    case Reason::ZeroTtl: return "its lifetime is zero, and it can be neither validated nor served stale";
    case Reason::NoCache: return "the response has no-cache: it is stored, and each use is validated";
    case Reason::TypeMismatch:
      return "the path ends like a static file, but the Content-Type is that of a page or document (`suffix_guard`)";
    case Reason::Endless:
      return "an endless stream (by its Content-Type) is stored only if the response itself sets a lifetime, and an "
             "event stream is never stored";
    case Reason::GraphqlErrors: return "the GraphQL response has errors, or cannot be read";
    default: return {};
  }
}

}  // namespace forebay::proxy
