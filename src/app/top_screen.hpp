#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "flags_watch.hpp"

namespace forebay::app {

/// What `forebay top` shows: the documents of the admin API as they came, and what the user has chosen.
struct TopPage {
  std::string address;  ///< Of the daemon.
  std::string status, stats;
  std::string rows;  ///< `/api/v1/keys` or `/api/v1/origins`, for those views.
  TopView view = TopView::Routes;
  std::size_t sort = 0;  ///< Which of `top_sorts`.
  bool paused = false;
  std::string trouble{};  ///< Why what is shown is old; empty: it is not.
};

/// By what the rows of a view can be sorted. Those of keys are the rankings of the admin API.
std::vector<std::string> top_sorts(TopView view);

/// Lines of text without escape codes, each of at most so many columns; at most so many lines (0: all rows).
/// What strangers have written is harmless.
std::vector<std::string> top_lines(const TopPage& page, std::size_t columns, std::size_t lines);

}  // namespace forebay::app
