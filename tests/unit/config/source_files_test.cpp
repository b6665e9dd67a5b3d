#include "forebay/config/source_files.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace forebay::config {
namespace {

namespace fs = std::filesystem;

class SourceFilesTest : public ::testing::Test {
 protected:
  SourceFilesTest() {
    std::string name = (fs::temp_directory_path() / "forebay-files-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder_ = name;
  }
  ~SourceFilesTest() override { fs::remove_all(folder_); }
  std::string file(const std::string& name) const { return folder_ + '/' + name; }
  void write(const std::string& name, const std::string& text) const { std::ofstream(file(name)) << text; }

  std::string folder_;
};

TEST_F(SourceFilesTest, AStateChangesWithTheFileAndWithTheLinkToIt) {
  write("a", "1");
  write("b", "1");
  fs::create_symlink("a", file("link"));
  const SourceFiles files{{file("a"), file("link"), file("missing")}, {}};
  const auto first = states_of(files);
  EXPECT_EQ(first.size(), 3u);
  EXPECT_EQ(states_of(files), first);
  write("a", "longer");
  const auto written = states_of(files);
  EXPECT_NE(written.at(file("a")), first.at(file("a")));
  EXPECT_EQ(written.at(file("missing")), first.at(file("missing")));
  fs::remove(file("link"));
  fs::create_symlink("b", file("link"));
  EXPECT_NE(states_of(files).at(file("link")), written.at(file("link")));
  write("missing", "");
  EXPECT_NE(states_of(files).at(file("missing")), first.at(file("missing")));
}

TEST_F(SourceFilesTest, APatternStandsForTheFilesThatMatchIt) {
  const SourceFiles files{{}, {folder_ + "/*.yaml"}};
  EXPECT_TRUE(states_of(files).empty());
  write("a.yaml", "1");
  write("b.txt", "1");
  EXPECT_THAT(states_of(files), ::testing::ElementsAre(::testing::Key(file("a.yaml"))));
  EXPECT_EQ(states_of({{}, {folder_ + "/none/*.yaml"}}).size(), 1u) << "that it cannot be read is a state";
}

}  // namespace
}  // namespace forebay::config
