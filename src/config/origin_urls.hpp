#pragma once

#include <span>
#include <string>
#include <vector>

#include "config/readers.hpp"
#include "config/row.hpp"

// The urls of an origin: one, or a pool of them with weights.

namespace forebay::config {

/// An element of `urls`.
std::span<const Row> url_element() noexcept;

/// Sets `urls` and `url`: of a url, of a map of a url and its weight, or of a list of these. What is wrong is reported
/// and left out.
void read_urls(Loading& loading, const Section& section, const Node& node, const std::string& path, Origin& origin);

/// Whether `urls` says more than `url` could.
bool is_pool(const Origin& origin) noexcept;
std::string urls_text(const std::vector<Origin::Member>& urls);

/// The name of an origin that is a list of urls where it is used. No other origin has it: other names have no comma.
std::string name_of_urls(const std::vector<Origin::Member>& urls);

/// The name in `Loading::places` of a url of an origin.
std::string place_of_url(const std::string& origin, std::size_t index);

}  // namespace forebay::config
