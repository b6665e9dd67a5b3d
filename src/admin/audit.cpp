#include "audit.hpp"

#include <utility>

#include "forebay/base/log.hpp"

namespace forebay::admin {
namespace {

constexpr std::size_t kLongestPath = 256;

std::string with_result(std::string_view change, const Answer& answer) {
  std::string line = "admin: ";
  line.append(change).append(": ");
  if (!answer.outcome.empty()) line.append(answer.outcome).append(", ");
  return line.append(std::to_string(answer.status));
}

}  // namespace

std::string change_text(http::Method method, std::string_view path, const server::Peer& peer, std::string_view by) {
  std::string text(http::to_string(method));
  text.append(" ").append(path.substr(0, kLongestPath)).append(" from ");
  text.append(peer.unix_socket ? "a Unix socket" : peer.address.empty() ? "an unknown address" : peer.address);
  if (!by.empty()) text.append(" by right of ").append(by);
  return text;
}

void audit(std::string_view change, const Answer& answer) {
  log::write_always(log::Level::Info, with_result(change, answer));
}

void audit_accepted(std::string_view change) {
  log::write_always(log::Level::Info, "admin: " + std::string(change) + ": accepted");
}

void RefusedChanges::note(std::string_view change, const Answer& answer, Timestamp now) {
  if (!log::enabled(log::Level::Warn)) return;
  if (!lines_.take(now, 1)) {
    ++left_out_;
    return;
  }
  auto line = with_result(change, answer);
  if (const auto n = std::exchange(left_out_, 0); n > 0)
    line += " (" + std::to_string(n) + " more since the last line)";
  log::warn(line);
}

}  // namespace forebay::admin
