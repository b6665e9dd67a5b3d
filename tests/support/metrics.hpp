#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace forebay::test {

/// A Prometheus exposition, read.
class Metrics {
 public:
  using Labels = std::map<std::string, std::string>;
  explicit Metrics(std::string_view exposition);

  /// Sum over the series of that name whose labels include these; 0 when there is none.
  double sum(std::string_view name, const Labels& labels = {}) const;
  /// How many series match.
  std::size_t series(std::string_view name, const Labels& labels = {}) const;
  /// Metric names with their type, as declared.
  const std::map<std::string, std::string>& types() const { return types_; }

  struct Sample {
    std::string name;
    Labels labels;
    double value = 0;
  };
  const std::vector<Sample>& samples() const { return samples_; }

 private:
  std::vector<Sample> samples_;
  std::map<std::string, std::string> types_;
};

}  // namespace forebay::test
