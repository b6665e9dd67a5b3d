#include "forebay/rules/vocabulary.hpp"

#include <array>

namespace forebay::rules {
namespace {

// Each table in the order of its enumeration.
constexpr std::array<std::string_view, kCacheResults> kResults{"hit",         "stale", "stale_error", "coalesced",
                                                               "revalidated", "miss",  "bypass",      "error"};
constexpr std::array<std::string_view, kCacheResults> kXCache{"HIT",         "STALE", "STALE",  "COALESCED",
                                                              "REVALIDATED", "MISS",  "BYPASS", "ERROR"};
constexpr auto kReasons = std::to_array<std::string_view>(
    {"", "cache_off", "method", "rule_header", "rule_cookie", "rule_query", "rule_body", "match_header", "match_query",
     "match_body", "authorization", "precondition", "request_no_store", "request_body", "body_too_large",
     "body_unparsable", "graphql_operation", "pass_memory", "no_route", "upgrade", "range", "signed", "preflight",
     "redirect", "respond", "replaced",
     //
     "no_freshness", "no_store", "private", "set_cookie", "cookie", "credential", "vary_star", "status", "too_large",
     "partial", "origin_error", "truncated", "unproven", "zero_ttl", "no_cache", "type_mismatch", "endless",
     "graphql_errors", "admission"});
constexpr std::array<std::string_view, 9> kForwards{"",     "bypass",  "method", "uri-miss", "vary-miss",
                                                    "miss", "request", "stale",  "partial"};

static_assert(kReasons.size() == static_cast<std::size_t>(Reason::kCount), "a reason without its word");

}  // namespace

std::string_view to_string(CacheResult r) noexcept { return kResults[static_cast<std::size_t>(r)]; }
std::string_view x_cache(CacheResult r) noexcept { return kXCache[static_cast<std::size_t>(r)]; }
std::string_view to_string(Reason r) noexcept { return kReasons[static_cast<std::size_t>(r)]; }
std::string_view to_string(Forward f) noexcept { return kForwards[static_cast<std::size_t>(f)]; }

}  // namespace forebay::rules
