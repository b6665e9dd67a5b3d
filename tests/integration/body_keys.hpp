#pragma once

#include "support/content.hpp"
#include "support/forebay_test.hpp"

namespace forebay::test {

inline const FieldLines kJson{{"Content-Type", "application/json"}};

/// Requests with content, on an origin whose answers are all fresh and each unlike all others.
class BodyKeysTest : public ForebayTest {
 protected:
  void SetUp() override {
    origin.otherwise([](const Received& r) { return Reply::fresh(r.method + ' ' + std::to_string(r.number)); });
  }
  Answer post(const std::string& target, const std::string& body, const FieldLines& fields = kJson) {
    return ask("POST", target, fields, body);
  }
  static FieldLines with(FieldLines fields, const std::string& name, const std::string& value) {
    fields.emplace_back(name, value);
    return fields;
  }
  // Whether the second request is answered from what the first one stored.
  bool share(const std::string& one, const std::string& two, const std::string& target = "/j") {
    const auto fresh = target + "?" + std::to_string(++pairs_);
    EXPECT_EQ(post(fresh, one).x_cache(), "MISS") << one;
    const auto second = post(fresh, two);
    EXPECT_THAT(second.x_cache(), AnyOf("HIT", "MISS")) << two << '\n' << second;
    return second.x_cache() == "HIT";
  }
  // A request that is not looked up goes to the origin as it is, each time.
  void expect_bypass(const std::string& target, const std::string& body, const FieldLines& fields,
                     const std::string& reason) {
    const auto path = target.substr(0, target.find('?'));
    const auto before = origin.count();
    for (int i = 0; i < 2; ++i) {
      const auto a = ask("POST", target, fields, body);
      EXPECT_EQ(a.status, 200) << a;
      EXPECT_EQ(a.x_cache(), "BYPASS") << body.substr(0, 100);
      EXPECT_EQ(a.cache_status(), "forebay; fwd=bypass; detail=" + reason) << body.substr(0, 100);
      const auto r = origin.last(path);
      EXPECT_TRUE(r.complete);
      EXPECT_TRUE(r.body == body) << "not byte for byte: " << body.substr(0, 100);
      EXPECT_EQ(r.get("Content-Encoding"), fields.get("Content-Encoding"));
    }
    EXPECT_EQ(origin.count(), before + 2) << body.substr(0, 100);
  }

 private:
  int pairs_ = 0;
};

}  // namespace forebay::test
