// What is wrong or doubtful about tags, and who invalidates whom.
#include <algorithm>

#include "config/readers.hpp"
#include "config/suggest.hpp"
#include "forebay/config/invalidation_graph.hpp"
#include "forebay/http/list.hpp"

namespace forebay::config {
namespace {

using rules::TagTemplate;
using Part = TagTemplate::Part;

struct Spot {
  const Node* node;
  std::string path;
};

/// The element of a list that says this, else the whole of it.
Spot element(const Node& node, const std::string& path, const std::string& text) {
  for (std::size_t i = 0; i < node.items.size(); ++i)
    if (node.items[i]->text == text) return {node.items[i].get(), path + '[' + std::to_string(i) + ']'};
  return {&node, path};
}

void check_captures(Report& report, const Route& route, const TagTemplate& tag, const Spot& place) {
  const auto& there = route.path.captures();
  for (const auto& piece : tag.pieces()) {
    if (piece.part != Part::Capture || std::find(there.begin(), there.end(), piece.name) != there.end()) continue;
    std::string all;
    for (const auto& name : there) all += (all.empty() ? "{" : ", {") + name + '}';
    report.error(1009, *place.node, place.path,
                 "the path of route " + in_quotes(route.name) + " has no capture " + in_quotes(piece.name),
                 did_you_mean(piece.name, {there.begin(), there.end()},
                              all.empty() ? "the path has no captures; write {" + piece.name + "} for a segment of it"
                                          : "it has " + all));
  }
}

/// Whether all requests that share a response have the same text at this part.
bool is_keyed(const cache::KeySpec& key, const TagTemplate::Piece& piece) {
  if (piece.part == Part::Header)
    return std::any_of(key.headers.begin(), key.headers.end(),
                       [&](const auto& name) { return http::iequals(name, piece.name); });
  if (piece.part != Part::Body || key.body == cache::BodyMode::All) return true;
  if (key.body == cache::BodyMode::Unset) return key.form.empty() && !key.graphql;
  return std::any_of(key.pointers.begin(), key.pointers.end(), [&](const auto& pointer) {
    const auto &keyed = pointer.steps(), &used = piece.pointer.steps();
    return keyed.size() <= used.size() && std::equal(keyed.begin(), keyed.end(), used.begin());
  });
}

void check_added(Report& report, const PolicyDraft& draft, const Route& route) {
  const auto* by = draft.set_by("tags.add");
  if (!by) return;
  for (const auto& tag : draft.policy.tags.add) {
    const auto place = element(*by->node, by->path, tag.text());
    check_captures(report, route, tag, place);
    for (const auto& piece : tag.pieces())
      if (draft.policy.cache && !is_keyed(draft.key, piece))
        report.warning(2080, *place.node, place.path,
                       (piece.part == Part::Header ? in_quotes(piece.name) : in_quotes(piece.pointer.text())) +
                           " is not in the key: the tag is that of the request that fetched the response",
                       piece.part == Part::Header ? "add it to key.headers" : "add it to key.body");
  }
}

/// Methods that the route declares to be reads though they are not safe.
bool declares_reads(const rules::Policy& policy) {
  if (!policy.cache) return false;
  if (!policy.other_methods.empty()) return true;
  for (std::size_t i = 0; i < static_cast<std::size_t>(http::Method::Other); ++i)
    if (policy.methods.test(i) && !http::is_safe(static_cast<http::Method>(i))) return true;
  return false;
}

}  // namespace

void check_tags(const Section& section, const PolicyDraft& draft, const Route& route) {
  auto& report = section.report();
  check_added(report, draft, route);
  const auto* node = section.find("invalidates");
  if (!node || route.invalidates.empty()) return;
  const auto path = section.path_of("invalidates");
  const auto* tags = node->is_map() ? node->find("tags") : node;
  for (const auto& tag : route.invalidates.tags)
    if (tags) check_captures(report, route, tag, element(*tags, node->is_map() ? path + ".tags" : path, tag.text()));
  if (declares_reads(draft.policy))
    report.warning(2081, *node, path, "methods that this route caches are reads, and invalidate nothing",
                   "write cache: false on the route of the writes");
  const bool used = rules::any_uses(route.invalidates.tags, Part::ResponseBody);
  if (const auto* most = node->is_map() ? node->find("body_max") : nullptr; most && !used)
    report.warning(2082, *most, path + ".body_max", "body_max has no effect: no tag has a part {response_body:...}",
                   "leave it out; key.body_max bounds the content of the request");
}

bool reads_tags(const Route& route) noexcept {
  return route.answers == Answers::Origin && route.policy.cache && !route.policy.tags.headers.empty() &&
         route.policy.tags.max > 0;
}

std::vector<const Route*> readers_of(const Config& config, const TagTemplate& tag) {
  std::vector<const Route*> readers;
  for (const auto& route : config.routes) {
    const auto& policy = route.policy;
    if (route.answers != Answers::Origin || !policy.cache || policy.tags.max == 0) continue;
    if (std::any_of(policy.tags.add.begin(), policy.tags.add.end(), [&](const auto& t) { return may_meet(t, tag); }))
      readers.push_back(&route);
  }
  return readers;
}

std::vector<Invalidation> invalidations(const Config& config, const std::function<void()>& step) {
  std::vector<Invalidation> graph;
  for (const auto& route : config.routes) {
    if (route.answers != Answers::Origin) continue;
    for (const auto& tag : route.invalidates.tags) {
      if (step) step();
      graph.push_back({&route, &tag, readers_of(config, tag)});
    }
  }
  return graph;
}

std::string to_text(const std::vector<Invalidation>& graph) {
  std::string out;
  const Route* last = nullptr;
  for (const auto& edge : graph) {
    if (edge.writer != last)
      out += "writes on " + edge.writer->name + " invalidate" +
             (edge.writer->invalidates.mode == cache::PurgeMode::Soft ? " (soft)" : "") + ":\n";
    last = edge.writer;
    out += "  " + edge.tag->text() + " -> ";
    for (std::size_t i = 0; i < edge.readers.size(); ++i) out += (i == 0 ? "" : ", ") + edge.readers[i]->name;
    out += edge.readers.empty() ? "responses whose origin names this tag\n" : "\n";
  }
  return out;
}

void check_invalidations(Loading& loading) {
  const auto& config = loading.config;
  std::vector<std::string> fields;
  for (const auto& route : config.routes)
    if (reads_tags(route))
      for (const auto& name : route.policy.tags.headers)
        if (std::find(fields.begin(), fields.end(), name) == fields.end()) fields.push_back(name);
  for (const auto& edge : invalidations(config, [&] { loading.report.step(); })) {
    const auto by = loading.places.find("route " + std::to_string(edge.writer->index));
    if (!edge.readers.empty() || by == loading.places.end()) continue;
    const auto* node = by->second.node->find("invalidates");
    if (!node) continue;
    const auto path = by->second.path + ".invalidates";
    const auto* tags = node->is_map() ? node->find("tags") : node;
    const auto place =
        tags ? element(*tags, node->is_map() ? path + ".tags" : path, edge.tag->text()) : Spot{node, path};
    const std::string names = fields.empty() ? "" : fields.size() == 1 ? fields[0] : fields[0] + " or " + fields[1];
    loading.report.warning(2083, *place.node, place.path,
                           names.empty() ? "no stored response can have the tag " + in_quotes(edge.tag->text())
                                         : "no route adds the tag " + in_quotes(edge.tag->text()) +
                                               ": it must come from the origin's " + names,
                           "write it in tags.add of the routes whose responses it makes stale");
  }
}

}  // namespace forebay::config
