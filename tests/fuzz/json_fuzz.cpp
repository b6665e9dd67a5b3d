#include <boost/json/basic_parser_impl.hpp>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "forebay/content/json.hpp"
#include "invariant.hpp"

namespace {

using namespace forebay;
using fuzz::require;
namespace bj = boost::json;

// Another reader of the same grammar, which must agree on what is JSON. It counts names that stand twice in an object;
// exponents above 2^31 are beyond it.
struct Names {
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);

  std::vector<std::set<std::string>> open;
  std::string name;
  bool twice = false;

  bool on_document_begin(bj::error_code&) { return true; }
  bool on_document_end(bj::error_code&) { return true; }
  bool on_object_begin(bj::error_code&) { return open.emplace_back(), true; }
  bool on_object_end(std::size_t, bj::error_code&) { return open.pop_back(), true; }
  bool on_array_begin(bj::error_code&) { return true; }
  bool on_array_end(std::size_t, bj::error_code&) { return true; }
  bool on_key_part(bj::string_view part, std::size_t, bj::error_code&) {
    name.append(part.data(), part.size());
    return true;
  }
  bool on_key(bj::string_view rest, std::size_t, bj::error_code&) {
    name.append(rest.data(), rest.size());
    twice |= !open.back().insert(std::exchange(name, {})).second;
    return true;
  }
  bool on_string_part(bj::string_view, std::size_t, bj::error_code&) { return true; }
  bool on_string(bj::string_view, std::size_t, bj::error_code&) { return true; }
  bool on_number_part(bj::string_view, bj::error_code&) { return true; }
  bool on_int64(std::int64_t, bj::string_view, bj::error_code&) { return true; }
  bool on_uint64(std::uint64_t, bj::string_view, bj::error_code&) { return true; }
  bool on_double(double, bj::string_view, bj::error_code&) { return true; }
  bool on_bool(bool, bj::error_code&) { return true; }
  bool on_null(bj::error_code&) { return true; }
  bool on_comment_part(bj::string_view, bj::error_code&) { return true; }
  bool on_comment(bj::string_view, bj::error_code&) { return true; }
};

enum class Other { Json, None, BeyondIt };
Other other_reader(std::string_view text) {
  bj::parse_options options;
  options.max_depth = 64;
  bj::basic_parser<Names> parser(options);
  bj::error_code ec;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), ec);
  if (ec == bj::error::exponent_overflow) return Other::BeyondIt;
  const bool good = !ec && used == text.size() && parser.done();
  return good && !parser.handler().twice ? Other::Json : Other::None;
}

const std::vector<content::JsonPointer>& pointers() {
  static const std::vector<content::JsonPointer> pointers = {
      *content::JsonPointer::parse(""),       *content::JsonPointer::parse("/a"), *content::JsonPointer::parse("/0"),
      *content::JsonPointer::parse("/a/b/1"), *content::JsonPointer::parse("/"),
  };
  return pointers;
}

std::span<const content::JsonPointer> whole() { return std::span(pointers()).first(1); }
// All but the whole text, so that only what they choose is kept.
std::span<const content::JsonPointer> parts() { return std::span(pointers()).subspan(1); }

// Names that differ in their case alone are refused where a pointer looks for one of them, whatever else is JSON.
bool has_cased_name(std::string_view text) { return text.find_first_of("AB\xC5\xE2\\") != std::string_view::npos; }

void check(content::CanonicalJson& json, std::string_view text, content::Numbers numbers) {
  const auto done = json.read(text, pointers(), numbers);
  const Other other = other_reader(text);
  if (!done) {
    require(done.error() == Errc::Malformed);
    require(other != Other::Json || has_cased_name(text));
    require(!json.read(text, parts(), numbers));
    for (std::size_t i = 0; i < pointers().size(); ++i) require(!json.value(i));
    return;
  }
  require(other != Other::None);
  require(json.value(0).has_value());
  std::vector<std::string> values;
  std::vector<std::uint64_t> through;
  for (std::size_t i = 0; i < pointers().size(); ++i) {
    values.emplace_back(json.value(i).value_or("nothing"));
    through.push_back(json.through_objects(i));
  }
  // Parts are found the same way without the whole.
  require(json.read(text, parts(), numbers).has_value());
  for (std::size_t i = 1; i < pointers().size(); ++i)
    require(json.value(i - 1).value_or("nothing") == values[i] && json.through_objects(i - 1) == through[i]);
  // A canonical text is JSON again and its own canonical text, with the same parts in it.
  require(json.read(values[0], pointers(), numbers).has_value());
  for (std::size_t i = 0; i < pointers().size(); ++i) require(json.value(i).value_or("nothing") == values[i]);
  // Parts are canonical too.
  for (std::size_t i = 1; i < pointers().size(); ++i) {
    if (values[i] == "nothing") continue;
    require(values[0].find(values[i]) != std::string::npos);
    require(json.read(values[i], whole(), numbers).has_value() && json.value(0) == values[i]);
  }
  for (const char c : values[0]) require(static_cast<unsigned char>(c) >= 0x20);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static content::CanonicalJson json;
  const fuzz::Exact input(fuzz::as_text(data, size));
  check(json, input.view(), content::Numbers::Written);
  check(json, input.view(), content::Numbers::Value);
  const bool written = json.read(input.view(), {}, content::Numbers::Written).has_value();
  require(written || !json.read(input.view(), {}, content::Numbers::Value));
  // As a list of itself it is as good as before, or one level too deep.
  const std::string list = "[" + std::string(input.view()) + "]";
  if (written && json.read(list, pointers(), content::Numbers::Written)) {
    const std::string element(json.value(2).value_or(""));
    require(json.read(input.view(), whole(), content::Numbers::Written) && json.value(0) == element);
  }
  if (const auto pointer = content::JsonPointer::parse(input.view())) require(pointer->text() == input.view());
  return 0;
}
