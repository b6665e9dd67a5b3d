#include "query.hpp"

#include <algorithm>
#include <charconv>

#include "forebay/base/text.hpp"
#include "forebay/http/target.hpp"

namespace forebay::admin {
namespace {

std::string decoded(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const int byte = percent_decoded(text);
    out += byte >= 0 ? static_cast<char>(byte) : text.front() == '+' ? ' ' : text.front();
    text.remove_prefix(byte < 0 ? 1 : 3);
  }
  return out;
}

}  // namespace

std::optional<std::map<std::string, std::string, std::less<>>> read_query(std::string_view query,
                                                                          std::initializer_list<std::string_view> names,
                                                                          std::string& fault, std::string_view joined) {
  std::map<std::string, std::string, std::less<>> out;
  fault.clear();
  http::for_each_query_pair(query, [&](const http::QueryPair& pair) {
    const auto name = decoded(pair.name);
    if (name.empty() && !pair.value) return;
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      std::string list;
      for (const auto n : names) list.append(list.empty() ? "" : ", ").append(n);
      fault = "Unknown parameter \"" + as_utf8(name) + "\"; ";
      fault += list.empty() ? "this path takes none." : "known parameters are " + list + '.';
      return;
    }
    auto& value = out[name];
    const auto text = decoded(pair.value.value_or(""));
    value = name == joined && !value.empty() ? value + ' ' + text : text;
  });
  if (!fault.empty()) return std::nullopt;
  return out;
}

std::optional<unsigned> read_count(std::string_view text, unsigned least, unsigned most) {
  unsigned n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || end != text.data() + text.size() || n < least || n > most) return std::nullopt;
  return n;
}

}  // namespace forebay::admin
