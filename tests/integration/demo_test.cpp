// `forebay demo --scenario`: the traffic shows in the access log what the text promises.
#include "support/command.hpp"
#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class Demo : public ForebayTest {
 protected:
  /// Runs the scenario until the access log has this result, then stops it.
  static Outcome run_until(const std::string& scenario, const std::string& result) {
    return run_program({"/bin/sh", "-c", R"(
        "$0" demo --listen 127.0.0.1:0 --admin 127.0.0.1:0 --scenario "$1" > "$2" &
        until grep -q "\"result\":\"$3\"" "$2"; do kill -0 $! || break; sleep 0.05; done
        kill -TERM $!
        wait $!)",
                        forebay_binary(), scenario, folder().file(scenario), result});
  }
  static const TempDir& folder() {
    static const TempDir dir;
    return dir;
  }
};

TEST_F(Demo, EachScenarioShowsItsResult) {
  for (const auto& [scenario, result] :
       {std::pair{"hits", "hit"}, {"stampede", "coalesced"}, {"origin-down", "stale_error"}, {"post", "hit"}}) {
    const auto o = run_until(scenario, result);
    EXPECT_EQ(o.exit, 0) << scenario << o.err;
    const auto out = read_file(folder().file(scenario));
    EXPECT_THAT(out, AllOf(HasSubstr("Running: "), HasSubstr("Ctrl-C stops it"))) << scenario;
    EXPECT_THAT(out, HasSubstr(std::string("\"result\":\"") + result)) << scenario;
  }
}

TEST_F(Demo, AnUnknownScenarioIsAUsageError) {
  const auto o = run_forebay({"demo", "--scenario", "chaos"});
  EXPECT_EQ(o.exit, 2);
  EXPECT_THAT(o.err, HasSubstr("hits, stampede, origin-down or post"));
}

}  // namespace
}  // namespace forebay::test
