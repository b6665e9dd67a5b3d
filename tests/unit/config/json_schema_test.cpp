#include "forebay/config/json_schema.hpp"

#include <gmock/gmock.h>

#include <algorithm>

#include "config/schema_types.hpp"
#include "forebay/config/options.hpp"

namespace forebay::config {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(JsonSchema, EveryTypeOfTheTablesHasASchema) {
  for (const auto what : {SchemaOf::Configuration, SchemaOf::IncludedFile})
    EXPECT_THAT(json_schema(what), Not(HasSubstr("$comment"))) << "name the type in schema_types.cpp";
  EXPECT_THAT(type_schema("list of a new thing", {}, {}), HasSubstr("no schema for: a new thing"));
}

TEST(JsonSchema, EveryKeyOfThisVersionIsInItAndNoLaterOne) {
  const auto schema = json_schema(SchemaOf::Configuration);
  for (const auto& option : options()) {
    const auto name = option.path.substr(option.path.rfind('.') + 1);
    const bool is_top = option.path.find('.') == std::string::npos;
    if (option.here && name.find('[') == std::string::npos) {
      EXPECT_THAT(schema, HasSubstr('"' + name + "\": {")) << option.path;
    } else if (!option.here && is_top) {
      EXPECT_THAT(schema, Not(HasSubstr("\n    \"" + option.path + "\": {"))) << option.path;
    }
  }
}

TEST(JsonSchema, WordsNumbersAndListsHaveTheirForms) {
  EXPECT_THAT(type_schema("off | on", {}, {}), HasSubstr(R"({"enum":["off","on"]})"));
  EXPECT_THAT(type_schema("301 | 308", {}, {}), HasSubstr(R"({"enum":[301,"301",308,"308"]})"));
  EXPECT_THAT(type_schema("int", "1..10", {}), HasSubstr(R"({"type":"integer","minimum":1,"maximum":10})"));
  EXPECT_THAT(type_schema("int", "1..", {}), HasSubstr(R"({"type":"integer","minimum":1})"));
  EXPECT_THAT(type_schema("list of status", {}, {}),
              HasSubstr(R"({"type":"array","items":{"$ref":"#/$defs/status"}})"));
  EXPECT_EQ(type_schema("duration", "0..1d", {}), R"({"$ref":"#/$defs/duration"})");
  EXPECT_EQ(type_schema("duration or map", {}, "{}"), R"({"anyOf":[{"$ref":"#/$defs/duration"},{}]})");
  EXPECT_THAT(type_schema("map of status to duration", {}, {}),
              HasSubstr(R"("additionalProperties":{"$ref":"#/$defs/duration"})"));
}

}  // namespace
}  // namespace forebay::config
