#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "forebay/cache/listing.hpp"
#include "forebay/config/config.hpp"

// Stored responses as documents of the admin API. Values of credentials, and what the access log redacts, are not
// shown: not in keys, and not in header fields.

namespace forebay::admin {

/// The text of a key.
std::string shown_key(std::string_view key_text, const cache::UrlSpans& url, const config::AccessLog& access);
/// `http://shop.example.com/p/42?page=2`, without what is not in the key; empty where the path is not.
std::string shown_url(std::string_view key_text, const cache::UrlSpans& url, const config::AccessLog& access);
/// Which of the responses of its key it is.
std::string variant_id(const cache::Listed& row);

/// One response, without its head and body. Tags that `tags.add` of its route makes of secrets are not shown either.
boost::json::object entry_json(const cache::Listed& row, const config::Config& config, const Now& now);
/// Its fields as pairs.
boost::json::array fields_json(const cache::Listed& row, const config::AccessLog& access);
/// Adds `body` or `body_base64`, and `body_truncated`, of at most `most` bytes.
void add_body(boost::json::object& object, const cache::Entry& entry, std::size_t most);
std::string whole_body(const cache::Entry& entry);

}  // namespace forebay::admin
