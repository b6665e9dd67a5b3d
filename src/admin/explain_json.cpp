#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "forebay/admin/explain.hpp"
#include "forebay/base/text.hpp"

// The answer as JSON.

namespace forebay::admin {
namespace {

namespace json = boost::json;

json::value text_or_null(std::string_view text) {
  if (text.empty()) return nullptr;
  return json::value(as_utf8(text));
}

json::value reason_of(rules::Reason reason) { return text_or_null(rules::to_string(reason)); }

json::value route_of(const proxy::Explanation& e) {
  if (!e.route) return nullptr;
  json::array methods;
  for (const auto& m : e.route->methods) methods.emplace_back(as_utf8(m));
  return json::object{{"name", as_utf8(e.route->name)},          {"index", e.route->index},
                      {"file", text_or_null(e.route->file)},     {"line", e.route->line},
                      {"policy", text_or_null(e.route->policy)}, {"methods", std::move(methods)},
                      {"origin", text_or_null(e.route->origin)}, {"target", text_or_null(e.route->target)}};
}

json::value key_of(const proxy::Explanation& e) {
  if (!e.has_key) return nullptr;
  json::array parts;
  for (const auto& p : e.parts)
    parts.push_back(json::object{{"kind", as_utf8(p.kind)},
                                 {"name", text_or_null(p.name)},
                                 {"value", p.present ? json::value(as_utf8(p.value)) : json::value(nullptr)},
                                 {"present", p.present}});
  return json::object{{"text", as_utf8(e.key_text)}, {"id", e.key_id}, {"parts", std::move(parts)}};
}

json::array tags_of(const std::vector<std::string>& tags) {
  json::array list;
  for (const auto& tag : tags) list.emplace_back(as_utf8(tag));
  return list;
}

json::value stored_of(const proxy::Explanation& e) {
  if (!e.stored) return nullptr;
  const auto& s = *e.stored;
  if (!s.found) return json::object{{"found", false}, {"variants", s.variants}};
  return json::object{{"found", true},
                      {"tier", s.tier},
                      {"origin", text_or_null(s.origin)},
                      {"state", s.state},
                      {"age_s", s.age_s},
                      {"ttl_s", s.ttl_s},
                      {"lifetime_s", s.lifetime_s},
                      {"swr_s", s.swr_s},
                      {"sie_s", s.sie_s},
                      {"size", s.size},
                      {"hits", s.hits},
                      {"variants", s.variants},
                      {"tags", tags_of(s.tags)},
                      {"variant_id", to_hex(digest_of(s.secondary)).substr(0, 16)}};
}

json::value pass_memory_of(const proxy::Explanation& e) {
  if (!e.pass_memory) return nullptr;
  return json::object{{"cause", reason_of(e.pass_memory->cause)}, {"left_s", e.pass_memory->left_s}};
}

json::value response_of(const proxy::Explanation& e) {
  if (!e.response) return nullptr;
  const auto& r = *e.response;
  return json::object{{"storable", r.storable},
                      {"reason", reason_of(r.reason)},
                      {"ttl_s", r.ttl_s},
                      {"ttl_source", text_or_null(r.ttl_source)},
                      {"ttl_setting", text_or_null(r.ttl_setting)},
                      {"swr_s", r.swr_s},
                      {"swr_setting", text_or_null(r.swr_setting)},
                      {"sie_s", r.sie_s},
                      {"sie_setting", text_or_null(r.sie_setting)},
                      {"tags", tags_of(r.tags)},
                      {"tags_dropped", r.tags_dropped}};
}

json::array tried_of(const proxy::Explanation& e) {
  json::array tried;
  for (const auto& t : e.tried)
    tried.push_back(json::object{{"name", as_utf8(t.name)}, {"index", t.index}, {"why", as_utf8(t.why)}});
  return tried;
}

}  // namespace

std::string to_json(const proxy::Explanation& e) {
  json::array notes;
  for (const auto& n : e.notes) notes.emplace_back(as_utf8(n));
  json::object document{
      {"request", json::object{{"method", as_utf8(e.method)}, {"url", as_utf8(e.url)}}},
      {"route", route_of(e)},
      {"tried", tried_of(e)},
      {"key", key_of(e)},
      {"lookup", json::object{{"allowed", e.looked_up}, {"reason", reason_of(e.lookup_reason)}}},
      {"stored", stored_of(e)},
      {"pass_memory", pass_memory_of(e)},
      {"response", response_of(e)},
      {"result", e.result},
      {"status", e.own_status == 0 ? json::value(nullptr) : json::value(e.own_status)},
      {"headers", json::object{{"cache_status", text_or_null(e.cache_status)}, {"x_cache", text_or_null(e.x_cache)}}},
      {"notes", std::move(notes)}};
  return json::serialize(document);
}

}  // namespace forebay::admin
