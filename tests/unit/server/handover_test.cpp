// Both sides in one process: the predecessor's on a loop of its own thread, the successor's on the test's.
#include "forebay/server/handover.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <atomic>
#include <boost/asio/post.hpp>
#include <filesystem>
#include <future>

#include "edge.hpp"
#include "server/handover_channel.hpp"
#include "server/handover_message.hpp"
#include "server/inheritance.hpp"

namespace forebay::server::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace std::chrono_literals;

constexpr Duration kShort = 50ms;

config::Address address_of(config::Address::Kind kind, const std::string& host, std::uint16_t port = 0) {
  return {kind, host, port, host};
}

class HandoverTest : public ::testing::Test {
 protected:
  HandoverTest() {
    handler.script = [](const ExchangePtr& e) { answer_text(*e, "by"); };
    char name[] = "/tmp/forebay-handover-XXXXXX";
    folder = ::mkdtemp(name);
    path = folder + "/control";
  }
  ~HandoverTest() override {
    loop.stop();
    if (thread.joinable()) thread.join();
    handover.reset();
    link.reset();
    listeners.clear();
    worker.stop();
    if (worker_thread.joinable()) worker_thread.join();
    worker.disable_waker();
    std::filesystem::remove_all(folder);
  }

  Listener& listen(config::Address address) {
    config::Listener config;
    config.address = std::move(address);
    listeners.push_back(std::make_unique<Listener>(config, std::vector<Listener::Part>(parts, {&worker, &handler})));
    configured.push_back(config.address);
    return *listeners.back();
  }
  /// The predecessor's side.
  void offer() {
    worker_thread = std::thread([this] { worker.run(); });
    handover = std::make_unique<Handover>(loop, path, "old", nullptr);
    handover->start({[this] {
                       std::vector<Handover::Offer> all;
                       for (std::size_t i = 0; i < listeners.size(); ++i)
                         all.push_back({configured[i], listeners[i].get()});
                       return all;
                     },
                     [this](bool is) { replacing = is; },
                     [this](const auto& taken, const std::string& by, const auto& its_link) {
                       EXPECT_TRUE(replacing);
                       link = its_link;
                       for (const auto& l : listeners)
                         if (std::find(taken.begin(), taken.end(), l.get()) != taken.end()) l->leave();
                       replaced.set_value({taken.size(), by});
                     }});
    thread = std::thread([this] { loop.run(); });
  }
  /// Without its thread the predecessor hangs.
  void hang() {
    loop.stop();
    thread.join();
    loop.restart();
  }
  void go_on() {
    thread = std::thread([this] { loop.run(); });
  }
  std::unique_ptr<Predecessor> find(Duration patience = kPatience) { return Predecessor::find(path, "new", patience); }
  /// Once the predecessor has seen that the one before has ended.
  std::unique_ptr<Predecessor> find_again() {
    for (int i = 0; i < 1000; ++i) {
      try {
        return find();
      } catch (const std::runtime_error&) {
        std::this_thread::sleep_for(10ms);
      }
    }
    return nullptr;
  }
  std::string why_not(Duration patience = kPatience) {
    try {
      find(patience);
    } catch (const std::runtime_error& e) {
      return e.what();
    }
    return "it works";
  }

  const net::SystemClock clock;
  net::Worker worker{0, clock};
  FakeHandler handler;
  std::size_t parts = 1;
  std::string folder, path;
  std::vector<std::unique_ptr<Listener>> listeners;
  std::vector<config::Address> configured;
  boost::asio::io_context loop{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{loop.get_executor()};
  std::unique_ptr<Handover> handover;
  std::shared_ptr<HandoverLink> link;  // of the predecessor
  std::atomic<bool> replacing{false};
  std::thread thread, worker_thread;
  std::promise<std::pair<std::size_t, std::string>> replaced;
};

using Kind = config::Address::Kind;

TEST_F(HandoverTest, EachListenersSocketsAreTakenOnce) {
  parts = 100;  // more sockets than a message carries
  auto& tcp = listen(address_of(Kind::Tcp, "127.0.0.1"));
  const auto& other = listen(address_of(Kind::Tcp, "127.0.0.1"));
  offer();
  const auto old = find();
  ASSERT_TRUE(old);
  EXPECT_THAT(old->name(), HasSubstr("process " + std::to_string(::getpid()) + " (version old)"));
  EXPECT_THAT(old->addresses(), SizeIs(2));
  const auto first = old->sockets().take(configured[0]);
  const auto second = old->sockets().take(configured[0]);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->address.port, tcp.port());
  EXPECT_EQ(second->address.port, other.port()) << "the same text, and another socket";
  EXPECT_THAT(first->sockets, SizeIs(100));
  EXPECT_FALSE(old->sockets().take(configured[0]));
  EXPECT_EQ(old->ready(kPatience), Predecessor::Reply::Replaced);
  EXPECT_EQ(replaced.get_future().get().first, 2U);
}

TEST_F(HandoverTest, WhatWaitsInTheQueueIsTheSuccessors) {
  const auto file = folder + "/web";
  listen(address_of(Kind::Unix, file));
  listeners.front()->start();
  offer();
  auto old = find();
  config::Listener config;
  config.address = configured[0];
  FakeHandler next;
  next.script = [](const ExchangePtr& e) { answer_text(*e, "the successor"); };
  Neighbours neighbours;
  neighbours.inherited = &old->sockets();
  auto successor =
      std::make_unique<Listener>(config, std::vector<Listener::Part>{{&worker, &next}}, nullptr, neighbours);
  EXPECT_EQ(old->ready(kPatience), Predecessor::Reply::Replaced);
  EXPECT_EQ(replaced.get_future().get().first, 1U);
  Client waiting(file);  // nobody accepts
  successor->start();
  EXPECT_EQ(waiting.get("/").status, 200);
  EXPECT_EQ(next.started, 1);
  EXPECT_EQ(handler.started, 0);
  old.reset();
  listeners.clear();
  EXPECT_TRUE(std::filesystem::exists(file)) << "it is the successor's";
  successor.reset();
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST_F(HandoverTest, ASuccessorThatEndsEarlyChangesNothing) {
  const auto file = folder + "/web";
  listen(address_of(Kind::Unix, file));
  listeners.front()->start();
  offer();
  {
    const auto old = find();
    EXPECT_TRUE(old->sockets().take(configured[0]));
    EXPECT_THAT(why_not(), HasSubstr("another process is taking over; stop process"));
  }
  EXPECT_TRUE(std::filesystem::exists(file));
  EXPECT_TRUE(std::filesystem::exists(path));
  Client client(file);
  EXPECT_EQ(client.get("/").status, 200);
  const auto old = find_again();
  ASSERT_TRUE(old);
  EXPECT_EQ(old->ready(kPatience), Predecessor::Reply::Replaced);
}

TEST_F(HandoverTest, AFileThatIsAnothersByNowIsNotHandedOver) {
  const auto file = folder + "/web";
  listen(address_of(Kind::Unix, file));
  listen(address_of(Kind::Tcp, "127.0.0.1"));
  std::filesystem::remove(file);
  offer();
  const auto old = find();
  EXPECT_FALSE(old->sockets().take(configured[0]));
  EXPECT_TRUE(old->sockets().take(configured[1]));
}

TEST_F(HandoverTest, NobodyIsThereOrNobodyAnswers) {
  EXPECT_EQ(find(), nullptr) << "no file";
  listen(address_of(Kind::Tcp, "127.0.0.1"));
  offer();
  hang();
  EXPECT_THAT(why_not(kShort), HasSubstr("does not answer; stop process " + std::to_string(::getpid())));
  go_on();
  const auto old = find();
  ASSERT_TRUE(old);
  hang();
  EXPECT_EQ(old->ready(kShort), Predecessor::Reply::Silent);
  go_on();
  EXPECT_THAT(replaced.get_future().get().second, HasSubstr("(version new)")) << "once it runs again";
}

TEST_F(HandoverTest, TheSuccessorHearsOfWritesUntilOneOfThemEnds) {
  listen(address_of(Kind::Tcp, "127.0.0.1"));
  offer();
  const auto old = find();
  ASSERT_EQ(old->ready(kPatience), Predecessor::Reply::Replaced);
  replaced.get_future().get();
  hang();  // both sides on this thread's loop from here on
  std::string heard;
  const auto successor = old->link(loop);
  successor->start([&] { heard += "asked "; }, [&] { heard += "successor's end "; });
  link->start([&] { heard += "done "; }, [&] { heard += "predecessor's end "; });
  const auto run_until = [&](const std::string& wanted) {
    for (const auto until = std::chrono::steady_clock::now() + kPatience;
         heard != wanted && std::chrono::steady_clock::now() < until;)
      loop.run_one_for(10ms);
    EXPECT_EQ(heard, wanted);
  };
  for (int i = 0; i < 2; ++i) {
    heard.clear();
    link->say();
    run_until("asked ");
    successor->say();
    run_until("asked done ");
  }
  heard.clear();
  link->close();
  run_until("successor's end ");
  successor->say();  // to nobody
  EXPECT_EQ(heard, "successor's end ");
}

TEST_F(HandoverTest, ASuccessorThatKnowsNoWritesEndsTheLink) {
  for (const std::string said : {"", "forebay-handover 1 refused\nreason=an unexpected message\n", "nonsense"}) {
    int pair[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    Fd other(pair[1]);
    boost::asio::io_context own;
    int done = 0, ended = 0;
    const auto predecessor = std::make_shared<HandoverLink>(own, pair[0], HandoverLink::Side::Predecessor);
    predecessor->start([&] { ++done; }, [&] { ++ended; });
    if (said.empty())
      other = Fd();
    else
      ASSERT_EQ(send_packet(other.get(), {said, {}}), Transfer::Done);
    predecessor->say();
    own.run_for(kPatience);
    EXPECT_EQ(done, 0) << said;
    EXPECT_EQ(ended, 1) << said;
  }
}

TEST_F(HandoverTest, APredecessorThatEndsLeavesItsSockets) {
  listen(address_of(Kind::Tcp, "127.0.0.1"));
  offer();
  const auto old = find();
  hang();
  handover.reset();
  EXPECT_EQ(old->ready(kPatience), Predecessor::Reply::Gone);
}

TEST_F(HandoverTest, ASuccessorIsRefusedOnceTheSocketsHaveChanged) {
  listen(address_of(Kind::Tcp, "127.0.0.1"));
  offer();
  const auto old = find();
  std::promise<void> done;
  boost::asio::post(loop, [&] {
    EXPECT_TRUE(handover->busy());
    handover->interrupt("it was reloaded meanwhile");
    EXPECT_FALSE(handover->busy());
    done.set_value();
  });
  done.get_future().wait();
  try {
    old->ready(kPatience);
    FAIL();
  } catch (const std::runtime_error& e) {
    EXPECT_THAT(e.what(), HasSubstr("refuses: it was reloaded meanwhile"));
  }
}

TEST_F(HandoverTest, ThePredecessorStaysWhereTheSuccessorIsGoneBeforeItsAnswer) {
  listen(address_of(Kind::Tcp, "127.0.0.1"));
  offer();
  auto old = find();
  hang();
  EXPECT_EQ(old->ready(kShort), Predecessor::Reply::Silent);
  EXPECT_EQ(old->late_reply(), Predecessor::Reply::Silent);
  old.reset();
  go_on();
  old = find_again();
  ASSERT_TRUE(old);
  EXPECT_FALSE(replacing);
  auto left = replaced.get_future();
  EXPECT_EQ(left.wait_for(0s), std::future_status::timeout);
  EXPECT_EQ(old->ready(kPatience), Predecessor::Reply::Replaced);
  left.get();
}

TEST_F(HandoverTest, ASuccessorThatIsToldToStopDoesNotTakeOver) {
  listen(address_of(Kind::Tcp, "127.0.0.1"));
  offer();
  hang();
  EXPECT_THROW(Predecessor::find(path, "new", kPatience, [] { return true; }), Predecessor::Stopped);
  go_on();
  bool told = false;
  std::unique_ptr<Predecessor> old;
  for (int i = 0; !old && i < 1000; ++i) {
    try {
      old = Predecessor::find(path, "new", kPatience, [&] { return told; });
    } catch (const std::runtime_error&) {
      std::this_thread::sleep_for(10ms);
    }
  }
  ASSERT_TRUE(old);
  told = true;
  EXPECT_THROW(old->ready(kPatience), Predecessor::Stopped) << "before it says that it is ready";
  // While it waits for the answer: the second look is that of the wait.
  old.reset();
  old = find_again();
  ASSERT_TRUE(old);
  old.reset();
  int looks = 0;
  for (int i = 0; !old && i < 1000; ++i) {
    try {
      looks = -1000;
      old = Predecessor::find(path, "new", kPatience, [&] { return ++looks > 1; });
    } catch (const std::runtime_error&) {
      std::this_thread::sleep_for(10ms);
    }
  }
  ASSERT_TRUE(old);
  hang();
  looks = 0;
  EXPECT_THROW(old->ready(kPatience), Predecessor::Stopped);
  go_on();
  const auto next = find_again();
  ASSERT_TRUE(next) << "the connection of the other is open, and it cannot be answered";
  EXPECT_EQ(next->ready(kPatience), Predecessor::Reply::Replaced);
  EXPECT_EQ(replaced.get_future().get().first, 0U);
}

TEST_F(HandoverTest, AnInterruptionReadsFirstWhatTheSuccessorHasSaid) {
  listen(address_of(Kind::Tcp, "127.0.0.1"));
  offer();
  const auto old = find();
  EXPECT_TRUE(old->sockets().take(configured[0]));
  hang();
  EXPECT_EQ(old->ready(kShort), Predecessor::Reply::Silent);
  handover->interrupt("it was reloaded meanwhile");
  EXPECT_EQ(replaced.get_future().get().first, 1U);
  EXPECT_EQ(old->late_reply(), Predecessor::Reply::Replaced);
}

TEST_F(HandoverTest, APredecessorThatIsEndedLeavesFilesAndQueuesToTheSuccessor) {
  const auto file = folder + "/web";
  listen(address_of(Kind::Unix, file));
  listeners.front()->start();
  offer();
  const auto old = find();
  const auto taken = old->sockets().take(configured[0]);
  ASSERT_TRUE(taken);
  hang();
  const auto shared = handover->conclude();
  ASSERT_THAT(shared, SizeIs(1));
  EXPECT_EQ(shared.front(), listeners.front().get());
  listeners.front()->leave();
  handover.reset();
  EXPECT_TRUE(std::filesystem::exists(file));
  EXPECT_TRUE(std::filesystem::exists(path));
  EXPECT_EQ(old->ready(kPatience), Predecessor::Reply::Gone);
}

TEST_F(HandoverTest, ASocketWhoseFileHasGoneWithThePredecessorIsAnError) {
  const auto file = folder + "/web";
  listen(address_of(Kind::Unix, file));
  offer();
  const auto old = find();
  ASSERT_TRUE(old->sockets().take(configured[0]));
  hang();
  listeners.clear();
  handover.reset();
  try {
    old->ready(kPatience);
    FAIL();
  } catch (const std::runtime_error& e) {
    EXPECT_THAT(e.what(), HasSubstr("has ended, and the file " + file + " is gone; start again"));
  }
}

TEST(HandoverChannel, DescriptorsBeyondTheLimitOfThisProcessAreToldApart) {
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
  const Fd one(pair[0]), other(pair[1]);
  Packet sent{"text", {}};
  for (int i = 0; i < 8; ++i) sent.descriptors.push_back(duplicate(one.get()));
  ASSERT_EQ(send_packet(one.get(), sent), Transfer::Done);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const Fd next = duplicate(one.get());  // the lowest that is free
  auto less = before;
  less.rlim_cur = static_cast<rlim_t>(next.get()) + 1;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &less), 0);
  Packet got;
  const auto result = receive_packet(other.get(), got);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(result, Transfer::Full);
}

TEST_F(HandoverTest, OnlyItsUserMayConnectAndTheFileGoesAtTheEnd) {
  listen(address_of(Kind::Tcp, "127.0.0.1"));
  offer();
  struct stat file {};
  ASSERT_EQ(::stat(path.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0600U);
  hang();
  handover.reset();
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(Inheritance, WhatIsNotAListeningSocketIsRefused) {
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  Inheritance sockets;
  std::vector<Fd> one;
  one.emplace_back(pair[0]);
  EXPECT_THROW(sockets.add(0, address_of(Kind::Tcp, "127.0.0.1", 80), std::move(one)), std::runtime_error);
  EXPECT_FALSE(sockets.add(1, address_of(Kind::Tcp, "127.0.0.1", 80), {})) << "none at all";
  std::vector<Fd> without_file;
  without_file.emplace_back(pair[1]);
  EXPECT_FALSE(sockets.add(2, address_of(Kind::Unix, "/s"), std::move(without_file)));
}

}  // namespace
}  // namespace forebay::server::test
