#pragma once

#include <string_view>

#include "command_line.hpp"

namespace forebay::app {

// One function per command; each returns the exit code.
ExitCode run_proxy(const RunFlags& flags);
ExitCode check(const CheckFlags& flags);
ExitCode explain(const ExplainFlags& flags);
/// With the id of a recent request in place of the URL.
ExitCode explain_recent(const ExplainFlags& flags);
ExitCode healthcheck(const HealthcheckFlags& flags);
ExitCode order(const OrderFlags& flags);
ExitCode purge(const PurgeFlags& flags);
ExitCode get(const GetFlags& flags);
ExitCode demo(const DemoFlags& flags);
ExitCode version(const VersionFlags& flags);

/// What users may expect and do not find, for help and demo.
inline constexpr std::string_view kNotInThisVersion = "HTTP/3, a shared or persistent cache, a dashboard";

/// Whether messages on this descriptor may be coloured: a terminal, and no NO_COLOR.
bool may_color(int fd);

}  // namespace forebay::app
