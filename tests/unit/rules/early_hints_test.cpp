#include "forebay/rules/early_hints.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace forebay::rules {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> links(std::initializer_list<const char*> values) {
  http::Fields fields;
  fields.add("Content-Type", "text/html");
  for (const auto* value : values) fields.add("Link", value);
  std::vector<std::string> all;
  for (const auto link : early_links(fields)) all.emplace_back(link);
  return all;
}

TEST(EarlyLinks, AreThoseThatNameWhatAPageNeeds) {
  EXPECT_THAT(links({"</s.css>; rel=preload; as=style, </next>; rel=next, </m.js>;rel=\"modulepreload\"",
                     " <https://cdn.example> ; rel = PreConnect "}),
              ElementsAre("</s.css>; rel=preload; as=style", "</m.js>;rel=\"modulepreload\"",
                          "<https://cdn.example> ; rel = PreConnect"));
  EXPECT_THAT(links({"</a>; rel=\"next preload\", </b>; rel=\"prefetch dns-prefetch\", </c>; title=preload, </d>"}),
              ElementsAre("</a>; rel=\"next preload\""));
}

TEST(EarlyLinks, ACommaOrSemicolonInATargetOrAQuotedStringSeparatesNothing) {
  EXPECT_THAT(
      links({"</a,b;c>; title=\"x, </evil>; rel=preload\"; rel=preload, </e>; rel=preload; title=\"\\\",\""}),
      ElementsAre("</a,b;c>; title=\"x, </evil>; rel=preload\"; rel=preload", "</e>; rel=preload; title=\"\\\",\""));
}

TEST(EarlyLinks, OnlyTheFirstRelationCountsAndNoneAboutAnotherPage) {
  EXPECT_THAT(links({"</a>; rel=next; rel=preload, </b>; rel=preload; anchor=\"/other\""}), IsEmpty());
}

TEST(EarlyLinks, NothingBehindASyntaxErrorCounts) {
  EXPECT_THAT(links({"</a>; rel=preload, nonsense, </b>; rel=preload", "</c>; rel=preload; title=\"open",
                     "</d; rel=preload", "</e>; rel=preload"}),
              ElementsAre("</a>; rel=preload", "</e>; rel=preload"));
}

TEST(EarlyLinks, AreFewAndShort) {
  std::string many;
  for (int i = 0; i < 100; ++i) many += "</" + std::to_string(i) + ">; rel=preload, ";
  EXPECT_THAT(links({many.c_str()}), SizeIs(32));
  const auto large = "</" + std::string(4000, 'a') + ">; rel=preload";
  EXPECT_THAT(links({"</a>; rel=preload", large.c_str(), large.c_str(), "</b>; rel=preload"}), SizeIs(2));
}

http::RequestView request(http::Version version, http::Fields& fields, const char* mode) {
  if (mode) fields.add("Sec-Fetch-Mode", mode);
  http::RequestView view;
  view.version = version;
  view.fields = fields;
  return view;
}

TEST(EarlyHints, GoToHttp2AndToBrowsersThatNavigateOverHttp11) {
  using http::Version;
  struct Case {
    Version version;
    const char* mode;
    bool passed, replayed;
  };
  for (const auto& c : {Case{Version::Http10, "navigate", false, false}, Case{Version::Http11, nullptr, false, false},
                        Case{Version::Http11, "cors", false, false}, Case{Version::Http11, "Navigate", true, false},
                        Case{Version::Http2, nullptr, true, true}, Case{Version::Http2, "no-cors", true, false},
                        Case{Version::Http2, "navigate", true, true}}) {
    http::Fields fields;
    auto view = request(c.version, fields, c.mode);
    Policy policy;
    EXPECT_EQ(takes_early_hints(view, policy), c.passed);
    EXPECT_FALSE(takes_replayed_hints(view, policy)) << "off unless a route asks for it";
    policy.early_hints = EarlyHints::Replay;
    EXPECT_EQ(takes_early_hints(view, policy), c.passed);
    EXPECT_EQ(takes_replayed_hints(view, policy), c.replayed);
    view.method = http::Method::Head;
    EXPECT_FALSE(takes_replayed_hints(view, policy));
    policy.early_hints = EarlyHints::Off;
    EXPECT_FALSE(takes_early_hints(view, policy));
  }
}

}  // namespace
}  // namespace forebay::rules
