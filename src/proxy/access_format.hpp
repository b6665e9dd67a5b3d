#pragma once

#include <string>

#include "forebay/proxy/access_log.hpp"

namespace forebay::proxy {

/// Append the line of a record, without its newline.
void append_json(std::string& out, const AccessRecord& record, const config::AccessLog& config);
void append_combined(std::string& out, const AccessRecord& record, const config::AccessLog& config);
void append_console(std::string& out, const AccessRecord& record, const config::AccessLog& config);
void append_template(std::string& out, const AccessRecord& record, const config::AccessLog& config);

/// The query with the values of redacted names replaced. Names are compared decoded and in any case, so that `%74oken=`
/// does not expose a token.
void append_redacted_query(std::string& out, std::string_view query, const config::AccessLog& config);

}  // namespace forebay::proxy
