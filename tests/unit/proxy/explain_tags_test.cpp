// What explain says of tags and of writes.
#include "explained.hpp"

namespace forebay::proxy {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class ExplainTags : public ExplainedTest {
 protected:
  ExplainTags() {
    configure(R"(
routes:
  - {name: read, path: "/r/{id}", tags: {add: ["r-{id}"], max: 2}}
  - name: write
    path: "/w/{id}"
    cache: false
    invalidates: ["r-{id}", "r-{body:/ids}", "r-{response_body:/id}"]
)");
  }
};

TEST_F(ExplainTags, AResponseHasTagsUpToTheMost) {
  const auto e = offline(Asked{.url = "http://example.com/r/7",
                               .status = 200,
                               .response_fields = {{"Cache-Control", "max-age=60"}, {"Cache-Tag", "a, b, c"}}});
  ASSERT_TRUE(e.response);
  EXPECT_THAT(e.response->tags, ElementsAre("r-7", "a"));
  EXPECT_EQ(e.response->tags_dropped, 2u);
}

TEST_F(ExplainTags, AWriteSaysWhatItWouldInvalidate) {
  const Asked put{.method = "PUT",
                  .url = "http://example.com/w/7",
                  .fields = {{"Content-Type", "application/json"}},
                  .content = R"({"ids":[1,2]})"};
  auto e = offline(put);
  EXPECT_THAT(e.notes, Contains(HasSubstr("(invalidates): r-7, r-1, r-2")));
  EXPECT_THAT(e.notes, Contains(HasSubstr("its answer says the rest of what is invalidated: r-{response_body:/id}")));
  auto broken = put;
  broken.content = "no json";
  EXPECT_THAT(offline(broken).notes, Contains(HasSubstr("all that can have these tags is invalidated: r-{body:/ids}")));
  auto get = put;
  get.method = "GET";
  get.content = std::nullopt;
  EXPECT_THAT(offline(get).notes, Not(Contains(HasSubstr("invalidate"))));
}

}  // namespace
}  // namespace forebay::proxy
