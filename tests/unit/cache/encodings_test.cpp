#include "forebay/cache/encodings.hpp"

#include <thread>

#include "fixture.hpp"
#include "forebay/cache/entry.hpp"

namespace forebay::cache {
namespace {

using content::Compression;
using State = Encodings::State;

Ref<EncodedBody> body_of(std::initializer_list<std::string_view> pieces) {
  std::vector<Ref<const Chunk>> chunks;
  for (const auto piece : pieces) chunks.push_back(Chunk::copy_of(piece));
  return Ref<EncodedBody>(new EncodedBody(std::move(chunks)));
}

Ref<const Entry> entry_of(std::string_view body, const FieldList& list) {
  const auto fields = fields_of(list);
  EntryParts parts;
  parts.head = {200, {}, fields.view()};
  parts.body = {{{}, body}};
  return Entry::make(parts, {});
}

TEST(Encodings, OneCallerMakesAForm) {
  const Ref<Encodings> forms(new Encodings({}));
  EXPECT_TRUE(forms->begin(Compression::Gzip));
  EXPECT_FALSE(forms->begin(Compression::Gzip));
  EXPECT_TRUE(forms->begin(Compression::Brotli)) << "another coding";
  EXPECT_EQ(forms->find(Compression::Gzip), nullptr);
  forms->publish(Compression::Gzip, body_of({"ab", "c"}));
  ASSERT_NE(forms->find(Compression::Gzip), nullptr);
  EXPECT_EQ(forms->find(Compression::Gzip)->length(), 3u);
  EXPECT_FALSE(forms->begin(Compression::Gzip));
  forms->refuse(Compression::Brotli);
  EXPECT_FALSE(forms->begin(Compression::Brotli)) << "it is not tried again";
  EXPECT_TRUE(forms->begin(Compression::Zstd));
  forms->put_off(Compression::Zstd);
  EXPECT_TRUE(forms->begin(Compression::Zstd));
}

TEST(Encodings, OfManyThreadsOneMakesAForm) {
  for (int round = 0; round < 50; ++round) {
    const auto entry = entry_of("body", {});
    std::atomic<int> makers{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        auto& forms = entry->encodings_or(Ref<Encodings>(new Encodings({})));
        if (forms.begin(Compression::Gzip)) ++makers;
      });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(makers, 1);
  }
}

TEST(Encodings, MemoryIsChargedUntilTheLastReaderLeaves) {
  Budget budget(1 << 20);
  const Ref<EncodedNumbers> numbers(new EncodedNumbers);
  auto body = body_of({"abc"});
  const auto cost = body->cost();
  EXPECT_GE(cost, Chunk::cost(3));
  ASSERT_TRUE(budget.try_take(cost));
  body->take_charge(Charge(budget, cost), numbers);
  EXPECT_EQ(numbers->bodies(), 1u);
  EXPECT_EQ(numbers->bytes(), cost);
  auto entry = entry_of("body", {});
  auto& forms = entry->encodings_or(Ref<Encodings>(new Encodings({})));
  forms.begin(Compression::Gzip);
  forms.publish(Compression::Gzip, std::move(body));
  EXPECT_EQ(forms.charged(), cost);
  Owner reader(forms.find(Compression::Gzip));
  EXPECT_EQ(budget.pinned(), 0u);
  entry.reset();
  EXPECT_EQ(budget.used(), cost) << "somebody reads it";
  EXPECT_EQ(budget.pinned(), cost) << "and nobody else needs it";
  reader.reset();
  EXPECT_EQ(budget.used(), 0u);
  EXPECT_EQ(budget.pinned(), 0u);
  EXPECT_EQ(numbers->bodies(), 0u);
  EXPECT_EQ(numbers->bytes(), 0u);
}

TEST(Encodings, AFreshenedEntryKeepsTheForms) {
  const auto old = entry_of("body", {{"ETag", "\"1\""}});
  EXPECT_EQ(old->encodings(), nullptr);
  auto& forms = old->encodings_or(Ref<Encodings>(new Encodings({})));
  ASSERT_TRUE(forms.begin(Compression::Gzip));
  const auto fields = fields_of({{"ETag", "\"1\""}, {"X-New", "1"}});
  const auto fresh = Entry::with_head(old, {200, {}, fields.view()}, {});
  EXPECT_EQ(fresh->encodings(), &forms);
  forms.publish(Compression::Gzip, body_of({"x"}));
  EXPECT_NE(fresh->encodings()->find(Compression::Gzip), nullptr) << "also what is made after that";
}

}  // namespace
}  // namespace forebay::cache
