// The description of the API says what the table of endpoints has.
#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <set>

#include "admin/answers.hpp"
#include "admin/endpoint_table.hpp"
#include "forebay/base/text.hpp"

namespace forebay::admin {
namespace {

namespace json = boost::json;

TEST(OpenApi, HasEachMethodOfEachPathAndNoOther) {
  const auto document = json::parse(openapi_document());
  const auto& paths = document.at("paths").as_object();
  std::set<std::string> described, served;
  for (const auto& path : paths)
    for (const auto& method : path.value().as_object())
      described.insert(std::string(method.key()) + ' ' + std::string(path.key()));
  for (const auto& endpoint : endpoint_table())
    served.insert(lower_case(http::to_string(endpoint.method)) + ' ' + std::string(endpoint.path));
  EXPECT_EQ(described, served);
}

TEST(OpenApi, SaysWhoMayAndWhatIsRead) {
  const auto document = json::parse(openapi_document());
  for (const auto& endpoint : endpoint_table()) {
    SCOPED_TRACE(endpoint.path);
    const auto& path = document.at("paths").as_object().at(endpoint.path);
    const auto& operation = path.as_object().at(lower_case(http::to_string(endpoint.method))).as_object();
    EXPECT_EQ(operation.contains("security"), endpoint.who == Who::Public) << "the others have that of the document";
    const auto tag = endpoint.who == Who::Public ? "public" : endpoint.who == Who::Read ? "state" : "orders";
    EXPECT_EQ(operation.at("tags").as_array(), json::array{tag});
    EXPECT_EQ(operation.contains("requestBody"), endpoint.most_content > 0);
    EXPECT_TRUE(operation.at("responses").as_object().contains("4XX"));
  }
}

}  // namespace
}  // namespace forebay::admin
