#include "forebay/proxy/compressor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <random>
#include <thread>

#include "faulty/faults.hpp"
#include "forebay/content/coding.hpp"
#include "unit/cache/fixture.hpp"

namespace forebay::proxy {
namespace {

using content::Compression;
using State = cache::Encodings::State;

constexpr std::size_t kMiB = std::size_t{1} << 20;

std::string words(std::size_t size) {
  std::string text;
  for (unsigned i = 0; text.size() < size; ++i) text += "word " + std::to_string(i % 97) + ", ";
  text.resize(size);
  return text;
}

std::string noise(std::size_t size) {
  std::mt19937_64 random(7);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

class CompressorTest : public ::testing::Test {
 protected:
  Ref<const cache::Entry> entry_of(const std::string& body, std::size_t pieces = 1) {
    cache::EntryParts parts;
    for (std::size_t i = 0; i < pieces; ++i) {
      const auto size = body.size() / pieces;
      parts.body.push_back(Chunk::copy_of(std::string_view(body).substr(i * size, size))->slice());
    }
    return cache::Entry::make(parts, store.reserve(cache::Entry::cost(parts)));
  }
  std::uint64_t outcomes(Compression coding, Compressed outcome) const {
    return compressor.numbers(coding).outcomes[static_cast<std::size_t>(outcome)].load();
  }
  static std::string decoded(const cache::EncodedBody& form, Compression coding) {
    std::string coded, out;
    for (const auto piece : form.pieces()) coded += piece;
    EXPECT_EQ(coded.size(), form.length());
    return content::decode(content::to_string(coding), coded, 64 * kMiB, out) ? out : "an error";
  }
  static State state(const Ref<const cache::Entry>& entry, Compression coding) {
    return entry->encodings() ? entry->encodings()->state(coding) : State::None;
  }
  static bool eventually(const std::function<bool()>& condition) {
    for (int i = 0; i < 30'000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    return false;
  }

  cache::Store store{{64 * kMiB, 2}};
  Compressor compressor{store};
};

TEST_F(CompressorTest, AFormIsMadeOnceHoweverOftenItIsAskedFor) {
  const auto text = words(40'000);
  const auto entry = entry_of(text);
  for (int i = 0; i < 10; ++i) compressor.ask(entry, Compression::Gzip);
  EXPECT_EQ(compressor.queued(), 1u);
  EXPECT_EQ(compressor.work(), 1u);
  compressor.ask(entry, Compression::Gzip);
  EXPECT_EQ(compressor.work(), 0u);
  const auto* form = entry->encodings()->find(Compression::Gzip);
  ASSERT_NE(form, nullptr);
  EXPECT_EQ(form->pieces().size(), 1u) << "a small one is in one piece";
  EXPECT_EQ(decoded(*form, Compression::Gzip), text);
  EXPECT_EQ(outcomes(Compression::Gzip, Compressed::Made), 1u);
  EXPECT_EQ(compressor.numbers(Compression::Gzip).bytes_in, text.size());
  EXPECT_EQ(compressor.numbers(Compression::Gzip).bytes_out, form->length());
}

TEST_F(CompressorTest, EachCodingIsAFormOfItsOwn) {
  const auto text = words(3 * 300 * 1024);
  const auto entry = entry_of(text, 3);
  for (const auto coding : {Compression::Gzip, Compression::Brotli, Compression::Zstd}) compressor.ask(entry, coding);
  EXPECT_EQ(compressor.work(), 3u);
  for (const auto coding : {Compression::Gzip, Compression::Brotli, Compression::Zstd})
    EXPECT_EQ(decoded(*entry->encodings()->find(coding), coding), text) << content::to_string(coding);
  EXPECT_EQ(compressor.held().bodies(), 3u);
}

TEST_F(CompressorTest, AFormThatIsNotSmallerIsDroppedAndNotTriedAgain) {
  const auto entry = entry_of(noise(50'000));
  const auto before = store.budget().used();
  for (const auto coding : {Compression::Gzip, Compression::Brotli, Compression::Zstd}) {
    compressor.ask(entry, coding);
    compressor.work();
    EXPECT_EQ(state(entry, coding), State::Refused) << content::to_string(coding);
    EXPECT_EQ(outcomes(coding, Compressed::NotSmaller), 1u);
    compressor.ask(entry, coding);
    EXPECT_EQ(compressor.work(), 0u);
  }
  EXPECT_EQ(store.budget().used(), before + cache::Encodings::cost());
}

TEST_F(CompressorTest, FormsAreChargedAndGoWithTheirEntry) {
  auto entry = entry_of(words(200'000));
  compressor.ask(entry, Compression::Brotli);
  compressor.work();
  const auto* form = entry->encodings()->find(Compression::Brotli);
  ASSERT_NE(form, nullptr);
  EXPECT_EQ(store.budget().used(), entry->charged() + cache::Encodings::cost() + form->cost());
  EXPECT_EQ(compressor.held().bytes(), form->cost());
  entry.reset();
  EXPECT_EQ(store.budget().used(), 0u);
  EXPECT_EQ(compressor.held().bodies(), 0u);
}

TEST_F(CompressorTest, WithoutMemoryThereIsNoForm) {
  auto entry = entry_of(words(200'000));
  compressor.ask(entry, Compression::Gzip);
  store.set_memory(store.budget().used() + 100);
  compressor.work();
  EXPECT_EQ(state(entry, Compression::Gzip), State::Refused);
  EXPECT_EQ(outcomes(Compression::Gzip, Compressed::NoMemory), 1u);
  EXPECT_LE(store.budget().used(), store.budget().limit());
}

TEST_F(CompressorTest, AFullQueueIsNoEndOfIt) {
  std::vector<Ref<const cache::Entry>> entries;
  for (int i = 0; i < 300; ++i) entries.push_back(entry_of(words(2000)));
  for (const auto& entry : entries) compressor.ask(entry, Compression::Gzip);
  EXPECT_EQ(compressor.queued(), 256u);
  EXPECT_EQ(outcomes(Compression::Gzip, Compressed::QueueFull), 44u);
  compressor.work();
  EXPECT_EQ(state(entries.back(), Compression::Gzip), State::None);
  compressor.ask(entries.back(), Compression::Gzip);
  compressor.work();
  EXPECT_EQ(state(entries.back(), Compression::Gzip), State::Made);
}

TEST_F(CompressorTest, AThreadMakesThemForManyThatAsk) {
  compressor.use_thread();
  std::vector<Ref<const cache::Entry>> entries;
  for (int i = 0; i < 40; ++i) entries.push_back(entry_of(words(20'000 + static_cast<std::size_t>(i))));
  std::vector<std::thread> askers;
  for (int t = 0; t < 4; ++t)
    askers.emplace_back([&] {
      for (const auto& entry : entries)
        for (const auto coding : {Compression::Gzip, Compression::Brotli, Compression::Zstd})
          compressor.ask(entry, coding);
    });
  for (auto& asker : askers) asker.join();
  const auto all_made = [&] {
    return std::all_of(entries.begin(), entries.end(), [&](const auto& entry) {
      return state(entry, Compression::Gzip) == State::Made && state(entry, Compression::Brotli) == State::Made &&
             state(entry, Compression::Zstd) == State::Made;
    });
  };
  EXPECT_TRUE(eventually(all_made));
  for (const auto coding : {Compression::Gzip, Compression::Brotli, Compression::Zstd})
    EXPECT_EQ(outcomes(coding, Compressed::Made), entries.size()) << "one job each";
}

// So that a worker with much to do waits for it less than a millisecond, though it does not give way by itself.
TEST_F(CompressorTest, WithoutMemoryForTheThreadALaterRequestBeginsIt) {
  compressor.use_thread();
  const auto entry = entry_of(words(5000));
  (void)test::inject_fault("any-later=1");
  compressor.ask(entry, Compression::Gzip);
  EXPECT_TRUE(test::inject_fault("any-later=0"));
  EXPECT_EQ(state(entry, Compression::Gzip), State::None);
  compressor.ask(entry, Compression::Gzip);
  EXPECT_TRUE(eventually([&] { return state(entry, Compression::Gzip) == State::Made; }));
}

TEST_F(CompressorTest, TheThreadIsNiceAndTakesShortTurnsWhereTheKernelKnowsThem) {
  compressor.use_thread();
  auto entry = entry_of(words(20'000));
  compressor.ask(entry, Compression::Gzip);
  ASSERT_TRUE(eventually([&] { return state(entry, Compression::Gzip) == State::Made; }));
  // Of sched_getattr(2).
  struct {
    std::uint32_t size, policy;
    std::uint64_t flags;
    std::int32_t nice;
    std::uint32_t priority;
    std::uint64_t runtime, deadline, period;
  } attributes{};
  std::vector<std::uint64_t> turns;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    const auto id = static_cast<pid_t>(std::stol(task.path().filename().string()));
    if (::syscall(SYS_sched_getattr, id, &attributes, sizeof attributes, 0U) == 0 && attributes.nice == 10)
      turns.push_back(attributes.runtime);
  }
  // Before Linux 6.12 there is no such length.
  EXPECT_THAT(turns, testing::ElementsAre(testing::AnyOf(100'000U, 0U)));
}

// What is evicted is evicted by a worker: the thread takes no lock of the store.
TEST_F(CompressorTest, AFormWithoutFreeMemoryWaitsForAWorker) {
  compressor.use_thread();
  auto entry = entry_of(words(200'000));
  const auto held = store.reserve(store.budget().limit() - store.budget().used() - cache::Encodings::cost());
  ASSERT_NE(held.bytes(), 0u);
  compressor.ask(entry, Compression::Gzip);
  // Without room the job is handed over again and again until it is settled.
  EXPECT_TRUE(eventually([&] {
    compressor.settle();
    return state(entry, Compression::Gzip) == State::Refused;
  }));
  EXPECT_EQ(outcomes(Compression::Gzip, Compressed::NoMemory), 1u);
}

TEST_F(CompressorTest, WhatIsStoredMakesRoomForAFormALittleAtATime) {
  auto text = noise(1'000'000);
  for (char& c : text) c = "0123456789abcdef"[static_cast<unsigned char>(c) % 16];  // half as long under a coding
  auto entry = entry_of(text);
  compressor.use_thread();
  // The rest of the memory is that of stored responses, which may go.
  for (int i = 0; store.numbers().evicted_capacity == 0; ++i) {
    const auto key = cache::key_of("/" + std::to_string(i));
    auto ticket = store.private_ticket(key);
    cache::EntryParts parts;
    const std::string body(60'000, 'x');
    parts.body.push_back(Chunk::copy_of(body)->slice());
    parts.head.status = 200;
    rules::Freshness fresh;
    fresh.lifetime = std::chrono::hours{1};
    const cache::Unchanged request{http::FieldsView()};
    ticket.commit(parts, fresh, {}, request, rules::Policy{}, 0, Timestamp{});
  }
  const auto before = store.numbers().evicted_capacity;
  compressor.ask(entry, Compression::Gzip);
  EXPECT_TRUE(eventually([&] {
    compressor.settle();
    return state(entry, Compression::Gzip) == State::Made;
  }));
  EXPECT_EQ(decoded(*entry->encodings()->find(Compression::Gzip), Compression::Gzip), text);
  EXPECT_GT(store.numbers().evicted_capacity, before + 5);
  EXPECT_LE(store.budget().used(), store.budget().limit());
}

TEST_F(CompressorTest, AStopEndsAJobThatWaitsForMemory) {
  compressor.use_thread();
  auto entry = entry_of(words(200'000));
  const auto held = store.reserve(store.budget().limit() - store.budget().used() - cache::Encodings::cost());
  compressor.ask(entry, Compression::Gzip);
  EXPECT_TRUE(eventually([&] { return compressor.numbers(Compression::Gzip).cpu_nanoseconds.load() != 0; }));
  compressor.stop();
  EXPECT_NE(state(entry, Compression::Gzip), State::Made);
  EXPECT_EQ(entry->use_count(), 1u) << "nothing else keeps it";
}

TEST_F(CompressorTest, AStopDropsWhatWaits) {
  std::vector<Ref<const cache::Entry>> entries;
  for (int i = 0; i < 10; ++i) entries.push_back(entry_of(words(2000)));
  for (const auto& entry : entries) compressor.ask(entry, Compression::Gzip);
  compressor.stop();
  for (const auto& entry : entries) {
    EXPECT_EQ(entry->use_count(), 1u);
    EXPECT_EQ(state(entry, Compression::Gzip), State::None);
  }
}

}  // namespace
}  // namespace forebay::proxy
