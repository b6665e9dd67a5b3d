#include <cstdint>
#include <string>

#include "forebay/http/structured_fields.hpp"
#include "invariant.hpp"

namespace {

using namespace forebay::http;
using forebay::fuzz::require;

bool same(const sf::Item& a, const sf::Item& b) { return a.value == b.value && a.parameters == b.parameters; }

void check_bare(const sf::Bare& value) {
  if (const auto* n = std::get_if<std::int64_t>(&value)) require(*n <= 999999999999999 && *n >= -999999999999999);
  if (const auto* d = std::get_if<sf::Decimal>(&value)) {
    require(d->thousandths <= 999999999999999 && d->thousandths >= -999999999999999);
  }
  if (const auto* t = std::get_if<sf::Token>(&value)) require(sf::is_sf_token(t->text));
  if (const auto* s = std::get_if<std::string>(&value)) {
    std::string written;
    sf::append_string(written, *s);
    const auto read = sf::parse_item(written);
    require(read && std::get<std::string>(read->value) == *s);
  }
}

void check_item(const sf::Item& item) {
  check_bare(item.value);
  for (const auto& [key, value] : item.parameters) {
    require(!key.empty());
    check_bare(value);
  }
}

void check_member(const sf::Member& member) {
  if (const auto* item = std::get_if<sf::Item>(&member)) {
    check_item(*item);
    return;
  }
  for (const sf::Item& item : std::get<sf::InnerList>(member).items) check_item(item);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const forebay::fuzz::Exact input(forebay::fuzz::as_text(data, size));
  if (const auto item = sf::parse_item(input.view())) {
    check_item(*item);
    // An item is a list of one, and a dictionary's value.
    const auto list = sf::parse_list(input.view());
    require(list && list->size() == 1 && same(std::get<sf::Item>(list->front()), *item));
    std::string dictionary = "k=";
    dictionary.append(input.view().substr(input.view().find_first_not_of(' ')));
    const auto entries = sf::parse_dictionary(dictionary);
    require(entries && entries->size() == 1 && same(std::get<sf::Item>(entries->front().second), *item));
  }
  if (const auto list = sf::parse_list(input.view())) {
    for (const auto& member : *list) check_member(member);
    // Two lines of a list are one list (section 4.2).
    if (!list->empty()) {
      const auto twice = sf::parse_list(std::string(input.view()) + "," + std::string(input.view()));
      require(twice && twice->size() == 2 * list->size());
    }
  }
  if (const auto entries = sf::parse_dictionary(input.view())) {
    for (std::size_t i = 0; i < entries->size(); ++i) {
      check_member((*entries)[i].second);
      for (std::size_t k = 0; k < i; ++k) require((*entries)[k].first != (*entries)[i].first);
    }
  }
  return 0;
}
