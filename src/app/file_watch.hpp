#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>

#include "forebay/config/source_files.hpp"

namespace forebay::app {

/// Looks at files twice a second and calls `changed` when they are not as they were, and have not changed since the
/// look before: a file may be written in several steps. It does not depend on events of the file system, which do not
/// come for network file systems and some mounts of containers.
class FileWatch {
 public:
  FileWatch(boost::asio::io_context& io, std::function<void()> changed);

  /// Call it before the files are read.
  void before_reading() { before_ = config::states_of(files_); }
  /// And behind it, with the files of now: from here on they are looked at.
  void follow(config::SourceFiles files);

 private:
  void look_later();
  void look();

  boost::asio::steady_timer timer_;
  std::function<void()> changed_;
  config::SourceFiles files_;
  config::FileStates before_, read_, seen_;
};

}  // namespace forebay::app
