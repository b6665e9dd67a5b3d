#include "support/json.hpp"

#include <boost/json.hpp>

namespace forebay::test {
namespace {

void flatten(const std::string& prefix, const boost::json::value& v, std::map<std::string, std::string>& into) {
  if (v.is_object()) {
    for (const auto& [name, member] : v.get_object()) {
      const std::string path = prefix.empty() ? std::string(name) : prefix + '.' + std::string(name);
      flatten(path, member, into);
    }
  } else if (v.is_array()) {
    std::size_t i = 0;
    for (const auto& element : v.get_array()) flatten(prefix + '[' + std::to_string(i++) + ']', element, into);
  } else {
    into[prefix] = v.is_string() ? std::string(v.get_string()) : boost::json::serialize(v);
  }
}

}  // namespace

std::optional<std::map<std::string, std::string>> flatten_json(std::string_view text) {
  boost::json::error_code ec;
  const auto v = boost::json::parse({text.data(), text.size()}, ec);
  if (ec || !v.is_object()) return std::nullopt;
  std::map<std::string, std::string> all;
  flatten({}, v, all);
  return all;
}

}  // namespace forebay::test
