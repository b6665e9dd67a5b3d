// Each file of tests/contract/bad_configs has the exact output of `check` beside it. FOREBAY_UPDATE_GOLDEN=1 writes
// them anew.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <sstream>

#include "support.hpp"

namespace forebay::config::test {
namespace {

namespace fs = std::filesystem;

fs::path folder() { return fs::path(FOREBAY_SOURCE_DIR) / "tests" / "contract" / "bad_configs"; }

std::vector<fs::path> cases() {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(folder()))
    if (entry.path().extension() == ".yaml") out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

/// Lines `# --set KEY=VALUE` at the top of a case are its overrides.
Overrides overrides_of(const std::string& text) {
  Overrides out;
  std::istringstream lines(text);
  const std::string mark = "# --set ";
  for (std::string line; std::getline(lines, line) && line.starts_with(mark);) {
    const auto equals = line.find('=');
    out.emplace_back(line.substr(mark.size(), equals - mark.size()), line.substr(equals + 1));
  }
  return out;
}

LoadResult load_case(const fs::path& path) {
  LoadRequest request;
  request.file = path.filename().string();
  request.text = content_of(path.string());
  request.overrides = overrides_of(request.text);
  return load(request, machine());
}

class BadConfig : public testing::TestWithParam<fs::path> {};

TEST_P(BadConfig, IsReportedWordForWord) {
  const auto result = load_case(GetParam());
  const auto text = to_text(result.diagnostics) + summary(result.diagnostics) + '\n';
  auto expected = GetParam();
  expected.replace_extension(".expected");
  if (std::getenv("FOREBAY_UPDATE_GOLDEN")) {
    std::ofstream(expected, std::ios::binary) << text;
    return;
  }
  EXPECT_EQ(text, content_of(expected.string()));
  EXPECT_FALSE(result.diagnostics.empty());
  const bool errors = std::any_of(result.diagnostics.begin(), result.diagnostics.end(),
                                  [](const auto& d) { return d.severity == Severity::Error; });
  EXPECT_EQ(result.ok(), !errors);
}

INSTANTIATE_TEST_SUITE_P(All, BadConfig, testing::ValuesIn(cases()),
                         [](const auto& param) { return param.param.stem().string(); });

TEST(BadConfigs, ThereIsOneForEachCodeThatAFileCanCause) {
  std::set<int> seen;
  for (const auto& path : cases())
    for (const auto& d : load_case(path).diagnostics) seen.insert(d.code);
  for (const int code :
       {1001, 1002, 1003, 1004, 1005, 1006, 1007, 1009, 1010, 1011, 1012, 1013, 1014, 1015, 1016, 1024, 2001,
        2002, 2003, 2004, 2005, 2006, 2007, 2009, 2010, 2011, 2012, 2013, 2014, 2015, 2016, 2018, 2019, 2020,
        2021, 2022, 2023, 2024, 2026, 2027, 2028, 2029, 2030, 2031, 2032, 2040, 2041, 2042, 2054, 2057, 2058,
        2059, 1008, 1030, 1031, 1032, 1033, 1034, 1041, 2066, 2067, 2068, 2074, 2075, 2076, 2077})
    EXPECT_TRUE(seen.count(code)) << code;
  EXPECT_GE(cases().size(), 120u);
}

TEST(BadConfigs, AreAllReportedByColumnsWithinTheirLine) {
  for (const auto& path : cases()) {
    for (const auto& d : load_case(path).diagnostics) {
      EXPECT_GT(d.end_column, d.line > 0 ? d.column : -1) << path;
      EXPECT_EQ(d.line > 0, d.column > 0) << path;
      EXPECT_FALSE(d.message.empty()) << path;
    }
  }
}

}  // namespace
}  // namespace forebay::config::test
