#pragma once

#include <map>
#include <string>

#include "forebay/config/load.hpp"

namespace forebay::config {

/// What tells one state of each file from another, by its name; files that are missing have one too.
using FileStates = std::map<std::string, std::string>;

/// The present state of these files: those of TLS as well, when there is a configuration. By `stat`, so that changes on
/// network file systems and in containers are seen, whatever way the file was written. No file is read.
FileStates states_of(const SourceFiles& files);

/// Adds the files that are read after the configuration: certificates and keys.
void add_tls_files(SourceFiles& files, const Config& config);

}  // namespace forebay::config
