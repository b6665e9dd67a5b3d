#pragma once

#include <string>
#include <string_view>

namespace forebay::app {

/// A JSON document in one line as it is printed on a terminal: what a terminal may act on (see `harmless`), which
/// strangers may have written, is escaped. It means the same.
std::string printed_json(std::string_view document);
/// The same with one line end, whether the document has one or not.
std::string printed_line(std::string_view document);

}  // namespace forebay::app
