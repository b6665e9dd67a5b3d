#include <algorithm>
#include <cstdint>
#include <string>

#include "forebay/http/aws_sigv4.hpp"
#include "forebay/http/target.hpp"
#include "invariant.hpp"

namespace {

using namespace forebay;
using fuzz::require;

bool has_dot_segment(std::string_view path) {
  while (!path.empty()) {
    path.remove_prefix(1);
    const auto segment = path.substr(0, path.find('/'));
    if (segment == "." || segment == "..") return true;
    path.remove_prefix(segment.size());
  }
  return false;
}

void check_target(http::Method method, std::string_view raw) {
  http::Target target;
  if (!target.read(method, raw)) return;
  const std::string path(target.path());
  require(path == "*" || path.starts_with('/'));
  require(std::all_of(path.begin(), path.end(), [](char c) { return c > 0x20 && c < 0x7F && c != '#' && c != '?'; }));
  require(!has_dot_segment(path) && path.find("%00") == std::string::npos);
  if (target.query()) require(fuzz::lies_within(*target.query(), raw));
  // Read again, what is forwarded is what was keyed.
  std::string forwarded = path;
  if (target.query()) forwarded.append("?").append(*target.query());
  http::Target again;
  require(again.read(method, forwarded).has_value());
  require(again.path() == path && again.query() == target.query());
  if (!target.authority().empty()) require(http::is_valid_host(target.authority()));
  if (path.starts_with('/')) {
    require(http::same_origin_target(forwarded, "http", "a", "/b") == forwarded || path.starts_with("//"));
  }
}

/// What a signature covers has one spelling, and means the same to Forebay.
void check_signed(std::string_view raw) {
  http::Target target;
  if (!target.read(http::Method::Get, raw)) return;
  std::string forwarded(target.path());
  if (target.query()) forwarded.append("?").append(*target.query());
  const auto is_plain = [](char c) {
    return is_alnum(c) || std::string_view("-._~%/?&=").find(c) != std::string_view::npos;
  };
  const auto sent = http::aws_target(forwarded);
  require(std::all_of(sent.begin(), sent.end(), is_plain));
  require(http::aws_target(sent) == sent);
  http::Target again;
  require(again.read(http::Method::Get, sent).has_value() && again.path() == sent.substr(0, sent.find('?')));
  for (const auto* service : {"s3", "lambda"}) require(http::aws_canonical_path(sent, service).starts_with('/'));
  require(http::aws_canonical_query(sent).find('+') == std::string::npos);
}

void check_host(std::string_view raw) {
  std::string normal;
  const bool good = http::append_normal_host(raw, "http", normal).has_value();
  require(good == http::is_valid_host(raw));
  if (!good) {
    require(normal.empty());
    return;
  }
  std::string again;
  require(http::append_normal_host(normal, "http", again).has_value() && again == normal);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::Exact input(fuzz::as_text(data, size));
  check_target(http::Method::Get, input.view());
  check_target(http::Method::Options, input.view());
  check_host(input.view());
  check_signed(input.view());
  if (const auto target = http::same_origin_target(input.view(), "http", "shop.example:8080", "/a/b?c")) {
    http::Target read;
    require(read.read(http::Method::Get, *target).has_value());
    require(std::string(read.path()) + (read.query() ? "?" + std::string(*read.query()) : "") == *target);
  }
  return 0;
}
