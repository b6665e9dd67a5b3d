#pragma once

#include <string>
#include <string_view>

#include "support/forebay_test.hpp"
#include "support/json.hpp"

namespace forebay::test {

/// Asks the admin listener.
class AdminApiTest : public ForebayTest {
 protected:
  Answer admin(std::string_view method, std::string_view path, std::string_view body = {}, FieldLines fields = {}) {
    Client c(daemon->admin_port());
    if (!fields.has("Host")) fields.emplace_back("Host", "127.0.0.1");
    return c.ask(method, path, fields, body);
  }
  /// The scalars of an answer by their paths; empty where it is no JSON object.
  static std::map<std::string, std::string> members(const Answer& a) {
    return flatten_json(a.body).value_or(std::map<std::string, std::string>{});
  }
  /// Puts `now` in place of `before` in the file of the daemon.
  void edit(const std::string& before, const std::string& now) {
    auto text = read_file(daemon->config_path());
    const auto at = text.find(before);
    ASSERT_NE(at, std::string::npos) << text;
    write_file(daemon->config_path(), text.replace(at, before.size(), now));
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(daemon->admin_port()); }
  bool log_has(const std::string& text) {
    return eventually([&] { return daemon->log().find(text) != std::string::npos; });
  }
};

}  // namespace forebay::test
