#include "app/notify.hpp"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace forebay::app {
namespace {

using ::testing::StartsWith;

// A service manager's end of the socket.
class Manager {
 public:
  Manager() {
    char name[] = "/tmp/forebay-notify-XXXXXX";
    folder_ = ::mkdtemp(name);
    fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, path().c_str());
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ::setenv("NOTIFY_SOCKET", path().c_str(), 1);
  }
  ~Manager() {
    ::unsetenv("NOTIFY_SOCKET");
    ::unsetenv("WATCHDOG_USEC");
    ::unsetenv("WATCHDOG_PID");
    ::close(fd_);
    std::filesystem::remove_all(folder_);
  }
  std::string path() const { return folder_ + "/socket"; }
  std::string heard() const {
    char buffer[512];
    const auto n = ::recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT);
    return n < 0 ? "" : std::string(buffer, static_cast<std::size_t>(n));
  }

 private:
  std::string folder_;
  int fd_;
};

TEST(Notifier, TheWatchdogOfTheOneThatWasReplacedIsThisOnes) {
  Manager manager;
  ::setenv("WATCHDOG_USEC", "3000000", 1);
  ::setenv("WATCHDOG_PID", "1", 1);
  Notifier notifier;
  EXPECT_FALSE(notifier.watchdog_interval());
  notifier.ready_as_main("serving");
  EXPECT_EQ(notifier.watchdog_interval(), Duration{std::chrono::milliseconds{1500}});
}

TEST(Notifier, TellsTheManagerEachStateInADatagram) {
  Manager manager;
  Notifier notifier;
  notifier.ready("serving");
  EXPECT_EQ(manager.heard(), "READY=1\nSTATUS=serving");
  notifier.ready_as_main("serving");
  EXPECT_EQ(manager.heard(), "MAINPID=" + std::to_string(::getpid()) + "\nREADY=1\nSTATUS=serving");
  notifier.status("replaced");
  EXPECT_EQ(manager.heard(), "STATUS=replaced");
  notifier.reloading();
  EXPECT_THAT(manager.heard(), StartsWith("RELOADING=1\nMONOTONIC_USEC="));
  notifier.watchdog();
  EXPECT_EQ(manager.heard(), "WATCHDOG=1");
  notifier.stopping();
  EXPECT_EQ(manager.heard(), "STOPPING=1");
  EXPECT_EQ(manager.heard(), "");
}

TEST(Notifier, SaysNothingWithoutAManager) {
  ::unsetenv("NOTIFY_SOCKET");
  Notifier notifier;
  notifier.ready("serving");
  EXPECT_EQ(notifier.watchdog_interval(), std::nullopt);
}

TEST(Notifier, TheWatchdogIsFedTwiceInItsTimeAndOnlyByTheProcessItIsMeantFor) {
  Manager manager;
  ::setenv("WATCHDOG_USEC", "15000000", 1);
  EXPECT_EQ(Notifier().watchdog_interval(), std::chrono::milliseconds{7500});
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  EXPECT_EQ(Notifier().watchdog_interval(), std::chrono::milliseconds{7500});
  ::setenv("WATCHDOG_PID", "1", 1);
  EXPECT_EQ(Notifier().watchdog_interval(), std::nullopt);
}

}  // namespace
}  // namespace forebay::app
