#include <cstdint>
#include <string>

#include "forebay/rules/early_hints.hpp"
#include "invariant.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using forebay::fuzz::require;
  const forebay::fuzz::Exact input(forebay::fuzz::as_text(data, size));
  const forebay::http::Field field{"Link", input.view(), forebay::http::FieldId::Link};
  const auto links = forebay::rules::early_links(forebay::http::FieldsView({&field, 1}));
  std::size_t bytes = 0;
  for (const auto link : links) {
    require(link.starts_with('<') && link.find('>') != std::string_view::npos);
    require(forebay::fuzz::lies_within(link, input.view()));
    bytes += link.size();
    // A link by itself is read as the same link.
    const forebay::http::Field alone{"Link", link, forebay::http::FieldId::Link};
    const auto again = forebay::rules::early_links(forebay::http::FieldsView({&alone, 1}));
    require(again.size() == 1 && again[0] == link);
  }
  require(links.size() <= 32 && bytes <= 4096);
  return 0;
}
