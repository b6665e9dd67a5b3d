// What explain says of tags, groups and writes.
#include "explain_case.hpp"
#include "forebay/rules/invalidation.hpp"
#include "tagging.hpp"

namespace forebay::proxy {
namespace {

using Part = rules::TagTemplate::Part;

/// `a, b and c`, at most ten of them.
std::string in_words(const std::vector<std::string>& all) {
  constexpr std::size_t kShown = 10;
  std::string out;
  for (std::size_t i = 0; i < all.size() && i < kShown; ++i) out += (i == 0 ? "" : ", ") + all[i];
  if (all.size() > kShown) out += " and " + std::to_string(all.size() - kShown) + " more";
  return out;
}

/// The request's content, for templates.
rules::TagContent content_of(const ExplainCase& c, std::string& buffer) {
  using State = rules::TagContent::State;
  if (c.content().empty()) return {};
  const auto text = cache::readable_text(c.route().key, c.request, c.content(), buffer);
  return text ? rules::TagContent{State::Text, *text} : rules::TagContent{State::Unreadable, {}};
}

void note_tags(ExplainCase& c) {
  const auto& route = c.route();
  std::string buffer;
  rules::TagParts parts;
  add_captures(route, c.reading.target.path(), parts);
  parts.request = c.request.fields;
  parts.body = content_of(c, buffer);
  const auto filled = rules::fill(route.invalidates.tags, parts);
  const bool soft = route.invalidates.mode == cache::PurgeMode::Soft;
  if (!filled.tags.empty())
    c.note("if it succeeds, stored responses with these tags are " + std::string(soft ? "stale" : "gone") +
           " before it is answered (invalidates): " + in_words(filled.tags));
  std::vector<std::string> later, unknown;
  for (const auto index : filled.unknown) {
    const auto& tag = route.invalidates.tags[index];
    const bool of_answer = tag.uses(Part::ResponseHeader) || tag.uses(Part::ResponseBody);
    (of_answer ? later : unknown).push_back(tag.text());
  }
  if (!later.empty()) c.note("its answer says the rest of what is invalidated: " + in_words(later));
  if (!unknown.empty())
    c.note("the content cannot be read, so all that can have these tags is invalidated: " + in_words(unknown));
}

}  // namespace

rules::TagList tags_for(const ExplainCase& c, const config::Route& route, http::FieldsView response) {
  return tags_of(route, c.reading.target, c.request, c.content(), response);
}

void note_invalidated(ExplainCase& c) {
  const auto& route = c.route();
  const auto& request = c.request;
  if (rules::is_write(request.method, request.method_text, c.reading.reason, route.policy))
    c.note("if it succeeds, stored responses of this URL are invalidated (invalidate_on_write)");
  if (!route.invalidates.empty() &&
      rules::may_change(request.method, request.method_text, c.reading.reason, route.policy))
    note_tags(c);
}

}  // namespace forebay::proxy
