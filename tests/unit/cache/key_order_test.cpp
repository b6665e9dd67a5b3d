#include <algorithm>
#include <cctype>
#include <functional>
#include <map>
#include <random>
#include <unordered_map>

#include "fixture.hpp"

// Queries of one key mean the same to every reader. A few readers are written here as small as they can be: each tells
// which values it finds under which name, in their order.

namespace forebay::cache {
namespace {

using Found = std::map<std::string, std::vector<std::string>>;
using Names = std::function<std::string(std::string)>;

std::string decoded(std::string_view s) {
  std::string out;
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s[i] == '%' && i + 2 < s.size()) {
      out += static_cast<char>(std::stoi(std::string(s.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      out += s[i] == '+' ? ' ' : s[i];
    }
  }
  return out;
}

// `root`: what the decoded name is to the reader, without what stands in brackets.
Found read(std::string_view query, std::string_view separators, const Names& root) {
  Found found;
  while (!query.empty()) {
    const auto end = std::min(query.find_first_of(separators), query.size());
    const auto piece = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (piece.empty()) continue;
    const auto name = decoded(piece.substr(0, piece.find('=')));
    found[root(name)].push_back(decoded(piece));
  }
  return found;
}

std::string plain(std::string name) { return name; }
std::string lower(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name;
}
std::string php(std::string name) {
  name.erase(0, name.find_first_not_of(' '));
  for (char& c : name) {
    if (c == '[' && name.find(']', static_cast<std::size_t>(&c - name.data())) != std::string::npos)
      return name.substr(0, static_cast<std::size_t>(&c - name.data()));
    if (c == ' ' || c == '.' || c == '[') c = '_';
  }
  return name;
}
std::string rack2(std::string name) {
  name.erase(0, name.find_first_not_of("[]"));
  return name.substr(0, name.find_first_of("[]"));
}
std::string qs(std::string name) {
  const auto open = name.find('['), close = name.find(']', open);
  if (open == std::string::npos || close == std::string::npos) return name;
  return open > 0 ? name.substr(0, open) : name.substr(1, close - 1);
}

TEST(KeyProperty, QueriesOfOneKeyMeanTheSameToEveryReader) {
  static constexpr const char* kNames[] = {"a",    "b",   "A",  "a_b",     "a.b", "a+b",   "a[]", "a%5B%5D", "a[b",
                                           "b[k]", "[a]", "b]", "b[a][k]", "+a",  "a%20b", "_a",  "%61",     "a[b][c"};
  const std::pair<const char*, std::function<Found(std::string_view)>> readers[] = {
      {"all names", [](std::string_view q) { return read(q, "&", plain); }},
      {"ASP.NET", [](std::string_view q) { return read(q, "&", lower); }},
      {"PHP", [](std::string_view q) { return read(q, "&", php); }},
      {"Rack 2", [](std::string_view q) { return read(q, "&", rack2); }},
      {"qs", [](std::string_view q) { return read(q, "&", qs); }},
      {"semicolons", [](std::string_view q) { return read(q, "&;", rack2); }},
  };
  std::mt19937 random(7);
  const auto below = [&](std::size_t n) { return random() % n; };
  KeyMaker make;
  std::unordered_map<std::string, std::string> seen;
  int shared = 0;
  for (int i = 0; i < 60000; ++i) {
    // Few names at a time, so that many queries are made of the same pairs.
    std::string query;
    const auto from = below(std::size(kNames));
    for (auto n = 1 + below(4); n > 0; --n) {
      query += query.empty() ? "" : below(12) == 0 ? ";" : "&";
      query += std::string(kNames[(from + below(4)) % std::size(kNames)]) + "=" + (below(2) == 0 ? "1" : "2");
    }
    const KeySpec spec{.query_sort = true};
    const auto text = make(spec, {"GET", "/?" + query, {}, {}, {}}).text;
    const auto [other, is_new] = seen.try_emplace(text, query);
    if (is_new || other->second == query) continue;
    ++shared;
    for (const auto& [who, reads] : readers)
      EXPECT_EQ(reads(query), reads(other->second)) << who << ": " << query << " and " << other->second;
    if (HasFailure()) return;
  }
  EXPECT_GT(shared, 1000) << "sorting has to be of some use";
}

}  // namespace
}  // namespace forebay::cache
