#include "forebay/rules/no_vary_search.hpp"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <string>

#include "forebay/http/target.hpp"
#include "invariant.hpp"

namespace {

using namespace forebay;
using fuzz::require;
using Ignored = rules::NoVarySearch::Ignored;

// What may stand in a key without being taken for its bones: no `|`, no control bytes, and `%` only before two hex
// digits or, doubled, for one that was broken.
void check_text(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    require(byte >= 0x20 && byte != 0x7F && byte != '|');
    if (byte != '%') continue;
    require(i + 1 < text.size());
    if (text[i + 1] == '%') {
      i += 1;
      continue;
    }
    require(i + 2 < text.size() && std::isxdigit(static_cast<unsigned char>(text[i + 1])) != 0 &&
            std::isxdigit(static_cast<unsigned char>(text[i + 2])) != 0);
    i += 2;
  }
}

std::string search(const rules::NoVarySearch& rule, std::string_view query) {
  std::string text = "x";
  rules::append_search(rule, query, text);
  require(text.starts_with('x'));
  text.erase(0, 1);
  check_text(text);
  return text;
}

void check_rule(const rules::NoVarySearch& rule, std::string_view query) {
  require(rule.key_order || rule.ignored != Ignored::None);
  const bool lists = rule.ignored == Ignored::Listed || rule.ignored == Ignored::AllExcept;
  require(lists != rule.names.empty());
  require(std::is_sorted(rule.names.begin(), rule.names.end()));
  for (const auto& name : rule.names) require(rule.ignores(name) == (rule.ignored == Ignored::Listed));

  std::string text;
  rules::append_rule(rule, text);
  require(!text.empty());
  check_text(text);

  const auto whole = search(rule, query);
  if (rule.ignored == Ignored::All) require(whole.empty());
  // Pieces that say nothing change nothing, and under `key-order` a parameter of another name may go anywhere.
  require(search(rule, "&" + std::string(query) + "&&") == whole);
  if (rule.key_order && query.find("new") == std::string_view::npos && query.find('%') == std::string_view::npos) {
    require(search(rule, "new=1&" + std::string(query)) == search(rule, std::string(query) + "&new=1"));
  }
}

}  // namespace

// The field's value on the first line, a query behind it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::Exact input(fuzz::as_text(data, size));
  const auto line = input.view().substr(0, input.view().find('\n'));
  const auto query = input.view().substr(std::min(input.view().size(), line.size() + 1));
  http::Fields fields;
  fields.add("No-Vary-Search", line);
  if (const auto rule = rules::read_no_vary_search(fields)) check_rule(*rule, query);
  for (const auto& rule :
       {rules::NoVarySearch{true, Ignored::None, {}}, rules::NoVarySearch{false, Ignored::Listed, {"a"}},
        rules::NoVarySearch{true, Ignored::AllExcept, {"", "a", "b"}}}) {
    check_rule(rule, query);
  }
  return 0;
}
