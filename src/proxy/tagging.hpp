#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/config/config.hpp"
#include "forebay/http/message.hpp"
#include "forebay/http/target.hpp"
#include "forebay/rules/tag_template.hpp"
#include "forebay/rules/tags.hpp"

// By which tags stored responses are named. Serving and explaining call the same functions.

namespace forebay::proxy {

/// Those of a route's path, which matches.
void add_captures(const config::Route& route, std::string_view path, rules::TagParts& parts);

/// The tags that a response is stored with: of `tags.add`, and of the fields in `tags.headers`. `content`: of the
/// request.
rules::TagList tags_of(const config::Route& route, const http::Target& target, const http::RequestView& request,
                       std::optional<std::string_view> content, http::FieldsView response);

/// The names of its Cache-Groups (RFC 9875) among tags. A response that hosts or schemes share, since the key of its
/// route leaves them out, is in one group for all of them.
std::vector<std::string> groups_of(const config::Route& route, std::string_view scheme, std::string_view host,
                                   http::FieldsView response);
/// The names that stored responses of this origin may have for these groups.
std::vector<std::string> group_names(const config::Config& config, std::string_view scheme, std::string_view host,
                                     const std::vector<std::string>& groups);

}  // namespace forebay::proxy
