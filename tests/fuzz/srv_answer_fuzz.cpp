#include <cstdint>
#include <string>

#include "forebay/net/srv_answer.hpp"
#include "invariant.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace forebay;
  using fuzz::require;
  const fuzz::Exact input(fuzz::as_text(data, size));
  const auto read = net::read_srv_answer(input.view());
  if (!read) return 0;
  require(read->targets.size() <= net::SrvAnswer::kMostTargets);
  require(read->ttl >= Duration{0});
  for (const auto& target : read->targets) require(!target.host.empty() && target.host.size() <= 255);
  // What follows the message does not matter.
  const auto longer = net::read_srv_answer(std::string(input.view()) + "more");
  require(longer && longer->targets == read->targets && longer->ttl == read->ttl);
  return 0;
}
