#include "support/metrics.hpp"

#include <algorithm>
#include <cstdlib>

namespace forebay::test {
namespace {

Metrics::Sample parse_sample(std::string_view line) {
  Metrics::Sample s;
  auto at = line.find_first_of("{ ");
  s.name = line.substr(0, at);
  if (at != std::string_view::npos && line[at] == '{') {
    ++at;
    while (at < line.size() && line[at] != '}') {
      const auto equals = line.find("=\"", at);
      if (equals == std::string_view::npos) break;
      const std::string name(line.substr(at, equals - at));
      std::string value;
      for (at = equals + 2; at < line.size() && line[at] != '"'; ++at) {
        if (line[at] == '\\' && at + 1 < line.size()) ++at;
        value += line[at];
      }
      s.labels[name] = value;
      ++at;
      if (at < line.size() && line[at] == ',') ++at;
    }
    ++at;
  }
  s.value = at < line.size() ? std::strtod(std::string(line.substr(at)).c_str(), nullptr) : 0;
  return s;
}

bool includes(const Metrics::Labels& all, const Metrics::Labels& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& w) {
    const auto i = all.find(w.first);
    return i != all.end() && i->second == w.second;
  });
}

}  // namespace

Metrics::Metrics(std::string_view text) {
  while (!text.empty()) {
    const auto lf = text.find('\n');
    const auto line = text.substr(0, lf);
    text.remove_prefix(lf == std::string_view::npos ? text.size() : lf + 1);
    if (line.starts_with("# TYPE ")) {
      const auto space = line.find(' ', 7);
      if (space != std::string_view::npos) types_[std::string(line.substr(7, space - 7))] = line.substr(space + 1);
    } else if (!line.empty() && line[0] != '#') {
      samples_.push_back(parse_sample(line));
    }
  }
}

double Metrics::sum(std::string_view name, const Labels& labels) const {
  double total = 0;
  for (const auto& s : samples_)
    if (s.name == name && includes(s.labels, labels)) total += s.value;
  return total;
}

std::size_t Metrics::series(std::string_view name, const Labels& labels) const {
  return static_cast<std::size_t>(std::count_if(
      samples_.begin(), samples_.end(), [&](const Sample& s) { return s.name == name && includes(s.labels, labels); }));
}

}  // namespace forebay::test
