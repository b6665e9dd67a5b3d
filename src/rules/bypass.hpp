#pragma once

#include <optional>
#include <string_view>

#include "forebay/http/message.hpp"
#include "forebay/rules/policy.hpp"
#include "forebay/rules/vocabulary.hpp"

namespace forebay::rules {

/// The first of the route's `bypass` lists that the request meets: RuleHeader, RuleCookie or RuleQuery; None without.
/// Names match in every reading (`http::may_be_read_as`), and so do values. Without a list nothing is checked.
Reason bypass_reason(const http::RequestView& request, std::optional<std::string_view> query,
                     const Policy::Bypass& bypass);

}  // namespace forebay::rules
