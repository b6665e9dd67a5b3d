#include "forebay/cache/store.hpp"

#include <deque>
#include <random>
#include <set>

#include "fixture.hpp"

namespace forebay::cache {
namespace {

using Kind = LookupKind;
using rules::Forward;
using rules::Reason;

class Stored : public StoreTest {};

TEST_F(Stored, AFreshResponseIsServedUntilItsLifetimeIsOver) {
  ASSERT_TRUE(put("/a", {.body = "hello", .lifetime = 60s}));
  now = t0 + 59s;
  const auto hit = look("/a");
  EXPECT_EQ(hit.kind, Kind::Fresh);
  EXPECT_EQ(text_of(*hit.entry), "hello");
  EXPECT_EQ(hit.freshness.ttl(now), Duration(1s));
  EXPECT_EQ(hit.forward, Forward::None);
  EXPECT_FALSE(hit.ticket);
  now = t0 + 61s;
  auto stale = look("/a");
  EXPECT_EQ(stale.kind, Kind::Lead);
  EXPECT_EQ(stale.forward, Forward::Stale);
  EXPECT_EQ(stale.entry, hit.entry) << "to validate, or to fall back on";
  EXPECT_EQ(look("/b").forward, Forward::UriMiss);
}

TEST_F(Stored, ANewResponseReplacesTheOldOne) {
  put("/a", {.body = "one"});
  put("/a", {.body = "two"});
  EXPECT_EQ(text_of(*entry({"/a"})), "two");
  EXPECT_EQ(store.numbers().entries, 1u);
  EXPECT_EQ(store.numbers().evicted_replaced, 1u);
  EXPECT_EQ(store.numbers().stored, 2u);
  EXPECT_EQ(store.numbers().stored_bytes, 6u);
}

TEST_F(Stored, AResponseOfAnotherConfigurationIsAMiss) {
  put("/a");
  EXPECT_FALSE(has({.target = "/a", .fingerprint = 2}));
  EXPECT_TRUE(has("/a"));
  put({.target = "/a", .fingerprint = 2});
  EXPECT_TRUE(has({.target = "/a", .fingerprint = 2}));
  EXPECT_EQ(store.numbers().entries, 1u);
}

TEST_F(Stored, AuthorizationKeepsAResponseFromARequestNotTheOtherWayRound) {
  put("/a");
  auto answer = look({.target = "/a", .authorization = true});
  EXPECT_EQ(answer.kind, Kind::Pass);
  EXPECT_EQ(answer.reason, Reason::Authorization);
  EXPECT_EQ(answer.forward, Forward::Request);
  EXPECT_EQ(answer.entry, nullptr);
  EXPECT_TRUE(answer.ticket) << "its answer may be one for all";
  EXPECT_TRUE(has("/a"));
}

// --- Vary (RFC 9111 section 4.1) ---

const Answer kByLanguage{.body = "x", .vary = {"accept-language"}};
Ask in(const std::string& language, const std::string& target = "/v") {
  return {.target = target, .fields = {{"Accept-Language", language}}};
}

TEST_F(Stored, VariantsAreChosenByTheFieldsThatVaryNames) {
  put(in("de"), {.body = "Hallo", .vary = {"accept-language"}});
  put(in("en"), {.body = "Hello", .vary = {"accept-language"}});
  EXPECT_EQ(text_of(*entry(in("de"))), "Hallo");
  EXPECT_EQ(text_of(*entry(in("en"))), "Hello");
  auto other = look(in("fr"));
  EXPECT_EQ(other.kind, Kind::Lead);
  EXPECT_EQ(other.forward, Forward::VaryMiss);
  EXPECT_EQ(look({.target = "/v"}).forward, Forward::VaryMiss) << "absent is unlike any value";
}

TEST_F(Stored, AFieldAbsentFromBothRequestsMatchesAndAbsentIsNotEmpty) {
  put({.target = "/v"}, {.vary = {"x-a"}});
  EXPECT_TRUE(has({.target = "/v"}));
  EXPECT_FALSE(has({.target = "/v", .fields = {{"X-A", ""}}}));
}

TEST_F(Stored, AllNamedFieldsCountWithTheirLinesJoined) {
  const FieldList two{{"X-A", "1"}, {"X-A", "2"}, {"X-B", "3"}};
  put({.target = "/v", .fields = two}, {.vary = {"x-a", "x-b"}});
  EXPECT_TRUE(has({.target = "/v", .fields = {{"X-A", "1,  2"}, {"X-B", "3"}}}));
  EXPECT_FALSE(has({.target = "/v", .fields = {{"X-A", "1"}, {"X-B", "3"}}}));
  EXPECT_FALSE(has({.target = "/v", .fields = {{"X-A", "1, 2"}}}));
}

TEST_F(Stored, AcceptEncodingIsOneVariantHoweverItIsWritten) {
  put({.target = "/v", .fields = {{"Accept-Encoding", "gzip, br;q=0"}}}, {.vary = {"accept-encoding"}});
  EXPECT_TRUE(has({.target = "/v", .fields = {{"Accept-Encoding", "br;q=0,gzip"}}}));
  EXPECT_FALSE(has({.target = "/v", .fields = {{"Accept-Encoding", "br"}}}));
}

TEST_F(Stored, AResponseWithoutVaryOfAKeyThatVariesIsForRequestsLikeItsOwn) {
  put(in("de"), {.body = "by language", .vary = {"accept-language"}});
  put(in("en"), {.body = "no vary"});
  EXPECT_EQ(text_of(*entry(in("de"))), "by language") << "not hidden by a newer one that omits Vary";
  EXPECT_EQ(text_of(*entry(in("en"))), "no vary");
  EXPECT_EQ(look(in("fr")).forward, Forward::VaryMiss);
  put(in("de"), {.body = "without it, too"});
  EXPECT_EQ(text_of(*entry(in("de"))), "without it, too") << "the newer answer to the same request stays";
  EXPECT_EQ(store.numbers().entries, 2u);
}

TEST_F(Stored, WhatCameBeforeTheKeyWasKnownToVaryIsFoundNoMore) {
  put(in("en"), {.body = "for all"});
  EXPECT_EQ(text_of(*entry(in("de"))), "for all");
  put(in("de"), {.body = "de", .vary = {"accept-language"}});
  EXPECT_EQ(look(in("en")).kind, Kind::Lead) << "whom it was for, nobody noted";
  EXPECT_EQ(look(in("fr")).kind, Kind::Lead);
  EXPECT_EQ(text_of(*entry(in("de"))), "de");
  EXPECT_EQ(store.numbers().entries, 1u);
}

Ask with(const std::string& language, const std::string& origin) {
  return {.target = "/v", .fields = {{"Accept-Language", language}, {"Origin", origin}}};
}

TEST_F(Stored, TheNamesOfAllVaryFieldsSelectTogether) {
  const Answer by_both{.body = "allowed", .vary = {"accept-language", "origin"}};
  const Answer by_language{.body = "refused", .vary = {"accept-language"}};
  put(with("de", "a"), by_both);
  put(with("de", "b"), by_language);
  EXPECT_EQ(text_of(*entry(with("de", "a"))), "allowed");
  EXPECT_EQ(text_of(*entry(with("de", "b"))), "refused");
  EXPECT_EQ(look(with("de", "c")).forward, Forward::VaryMiss);
  EXPECT_EQ(look(with("en", "a")).forward, Forward::VaryMiss);
}

TEST_F(Stored, NamesThatNoResponseStatesAnyMoreAreForgottenInTime) {
  put(with("de", "a"), {.lifetime = 1h, .vary = {"origin"}});
  now += 5min;
  put(with("de", "b"), {.body = "plain", .lifetime = 1h});
  EXPECT_EQ(look(with("de", "c")).kind, Kind::Lead);
  now += 6min;
  put(with("de", "c"), {.body = "plain", .lifetime = 1h});
  EXPECT_EQ(look(with("de", "d")).kind, Kind::Lead) << "one that states it is still stored";
  put(with("de", "a"), {.body = "plain", .lifetime = 1h});
  EXPECT_EQ(look(with("de", "d")).kind, Kind::Lead) << "it was weighed a moment ago";
  now += 11min;
  put(with("de", "a"), {.body = "plain again", .lifetime = 1h});
  EXPECT_EQ(text_of(*entry(with("de", "d"))), "plain again");
  EXPECT_EQ(store.numbers().entries, 1u) << "what was filed by origin goes";
}

TEST_F(Stored, ARouteThatIgnoresVaryHasOneResponseForAll) {
  put(in("de"), {.body = "de", .vary = {"accept-language"}});
  policy.vary = false;
  const Ask german{.target = "/v", .fields = {{"Accept-Language", "de"}}, .fingerprint = 2};
  const Ask english{.target = "/v", .fields = {{"Accept-Language", "en"}}, .fingerprint = 2};
  put(german, {.body = "all", .vary = {"accept-language"}});
  EXPECT_EQ(text_of(*entry(english)), "all");
}

Ask accepting(const std::string& codings) { return {.target = "/z", .fields = {{"Accept-Encoding", codings}}}; }

TEST_F(Stored, AnEncodedResponseWithoutVaryIsNotForARequestThatRefusesItsCoding) {
  const Answer zipped{.body = "zip", .fields = {{"Content-Encoding", "gzip"}}};
  put(accepting("gzip"), zipped);
  EXPECT_TRUE(has(accepting("gzip, br")));
  EXPECT_TRUE(has(accepting("*")));
  EXPECT_TRUE(has({.target = "/z"})) << "without the field every coding is acceptable";
  for (const auto* refusing : {"br", "identity", "", "gzip;q=0", "*;q=0"}) {
    EXPECT_EQ(look(accepting(refusing)).forward, Forward::VaryMiss) << refusing;
    EXPECT_FALSE(peek(accepting(refusing)).found) << refusing;
  }
  put(accepting("identity"), {.body = "plain"});
  EXPECT_EQ(text_of(*entry(accepting("gzip"))), "plain") << "of an origin that does not say Vary the newest counts";
}

TEST_F(Stored, WhereNothingEncodedIsLeftNoRequestIsAskedForItsCodings) {
  class Counting final : public Selecting {
   public:
    http::FieldsView fields(const std::vector<std::string>&) const override {
      ++asked;
      return {};
    }
    mutable int asked = 0;
  };
  const auto asked = [&] {
    const Counting selecting;
    const rules::RequestFacts facts;
    const auto key = key_of("/z");
    (void)store.lookup({key, selecting, facts, policy, 1, now});
    return selecting.asked;
  };
  put(accepting("gzip"), {.body = "zip", .fields = {{"Content-Encoding", "gzip"}}});
  EXPECT_EQ(asked(), 1);
  put(accepting("gzip"), {.body = "plain"});
  EXPECT_EQ(asked(), 0);
  put(accepting("gzip"), {.body = "zip", .fields = {{"Content-Encoding", "gzip"}}});
  EXPECT_EQ(asked(), 1) << "one that takes the place of another counts";
  put(accepting("gzip"), {.body = "zip again", .fields = {{"Content-Encoding", "gzip"}}});
  EXPECT_EQ(asked(), 1);
}

TEST_F(Stored, AnEncodedResponseWithVaryIsForWhoeverAsksAsItsRequestDid) {
  const Answer zipped{.body = "zip", .fields = {{"Content-Encoding", "gzip"}}, .vary = {"accept-encoding"}};
  put(accepting("gzip"), zipped);
  EXPECT_TRUE(has(accepting("gzip")));
  EXPECT_FALSE(has(accepting("gzip, br")));
  put(accepting("br"), zipped);
  EXPECT_FALSE(has(accepting("br"))) << "it was sent against the wish of its own request";
}

TEST_F(Stored, VariantsOfAKeyAreBoundedAndTheOldestGoes) {
  policy.max_variants = 3;
  for (const char* l : {"a", "b", "c", "d", "e"}) put(in(l), kByLanguage);
  EXPECT_EQ(store.variants_evicted(), 2u);
  EXPECT_FALSE(has(in("a")));
  EXPECT_FALSE(has(in("b")));
  for (const char* l : {"c", "d", "e"}) EXPECT_TRUE(has(in(l))) << l;
}

TEST_F(Stored, AStrangersVaryValuesCannotDisplaceOtherKeys) {
  for (int i = 0; i < 50; ++i) put("/other/" + std::to_string(i));
  for (int i = 0; i < 10000; ++i)
    put({.target = "/v", .fields = {{"Origin", "https://" + std::to_string(i)}}}, {.vary = {"origin"}});
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(has("/other/" + std::to_string(i)));
  EXPECT_EQ(store.numbers().entries, 50u + policy.max_variants);
  EXPECT_EQ(store.variants_evicted(), 10000u - policy.max_variants);
}

TEST_F(Stored, OriginsThatChangeTheirVaryAllTheTimeAreBoundedToo) {
  for (int i = 0; i < 200; ++i) put("/v", {.vary = {"x-" + std::to_string(i)}});
  EXPECT_EQ(store.numbers().entries, 1u);
  EXPECT_TRUE(has("/v"));
}

TEST_F(Stored, TheVaryListOutlivesItsEvictedVariants) {
  auto lead = look(in("de"));
  land(lead.ticket, kByLanguage, in("de").fields);
  commit(lead.ticket, {.body = std::string(1000, 'x'), .vary = {"accept-language"}}, in("de").fields);
  store.set_memory(store.budget().used() - 100);
  store.sweep(now);
  ASSERT_EQ(store.numbers().entries, 0u);
  store.set_memory(1 << 20);
  auto de = look(in("de"));
  auto en = look(in("en"));
  EXPECT_EQ(de.kind, Kind::Lead);
  EXPECT_EQ(en.kind, Kind::Lead) << "known to differ, so they need not wait for one another";
  EXPECT_EQ(look(in("de")).kind, Kind::Join);
}

// --- 304 and HEAD ---

TEST_F(Stored, A304FreshensTheEntryAndKeepsItsBody) {
  put("/a", {.body = "same", .fields = {{"ETag", "\"1\""}, {"X", "old"}}});
  now += 61s;
  auto lead = look("/a");
  const auto head = PublishedHead::make(200, fields_of({{"ETag", "\"1\""}, {"X", "new"}}));
  const auto freshened = Entry::with_head(lead.entry, head->head(), {});
  EXPECT_TRUE(lead.ticket.freshen(lead.entry, freshened, fresh_for(30s, now), {}, Unchanged({}), policy, now));
  lead.ticket.drop();
  now += 29s;
  const auto hit = look("/a");
  EXPECT_EQ(hit.kind, Kind::Fresh);
  EXPECT_EQ(hit.entry->head().fields.value("X"), "new");
  EXPECT_EQ(text_of(*hit.entry), "same");
}

TEST_F(Stored, A304DoesNotBringBackWhatWasPurgedMeanwhile) {
  put("/a", {.fields = {{"ETag", "\"1\""}}});
  now += 61s;
  auto lead = look("/a");
  EXPECT_EQ(store.invalidate({key_of("/a").resource()}), 1u);
  EXPECT_FALSE(lead.ticket.freshen(lead.entry, lead.entry, fresh_for(30s, now), {}, Unchanged({}), policy, now));
  lead.ticket.drop();
  EXPECT_EQ(look("/a").kind, Kind::Lead);
  EXPECT_EQ(store.numbers().entries, 0u);
}

TEST_F(Stored, A304DoesNotFreshenWhatWasReplacedMeanwhile) {
  put("/a");
  now += 61s;
  auto lead = look("/a");
  put("/a", {.body = "newer"});
  EXPECT_FALSE(lead.ticket.freshen(lead.entry, lead.entry, fresh_for(30s, now), {}, Unchanged({}), policy, now));
  EXPECT_EQ(text_of(*entry({"/a"})), "newer");
}

TEST_F(Stored, AVaryThatA304BringsIsObeyedFromThenOn) {
  put(in("de"), {.body = "same", .fields = {{"ETag", "\"1\""}}});
  now += 61s;
  auto lead = look(in("en"));
  ASSERT_EQ(text_of(*lead.entry), "same");
  const auto head = PublishedHead::make(200, fields_of({{"ETag", "\"1\""}, {"Vary", "Accept-Language"}}));
  const auto freshened = Entry::with_head(lead.entry, head->head(), {});
  const auto english = fields_of(in("en").fields);
  EXPECT_TRUE(lead.ticket.freshen(lead.entry, freshened, fresh_for(30s, now), {false, {"accept-language"}},
                                  Unchanged(english.view()), policy, now));
  lead.ticket.drop();
  EXPECT_EQ(text_of(*entry(in("en"))), "same");
  EXPECT_EQ(look(in("de")).forward, Forward::VaryMiss);
}

TEST_F(Stored, AFreshenedVariantTakesThePlaceOfOneThatIsFiledTheSameWay) {
  const Answer tagged{.body = "de", .lifetime = 10s, .fields = {{"ETag", "\"1\""}}, .vary = {"accept-language"}};
  put(in("de"), tagged);
  now += 11s;
  auto lead = look(in("de"));
  put(in("de"), {.body = "other", .lifetime = 10s, .vary = {"accept-language"}});
  EXPECT_FALSE(lead.ticket.freshen(lead.entry, Entry::with_head(lead.entry, lead.entry->head(), {}),
                                   fresh_for(30s, now), {false, {"accept-language"}},
                                   Unchanged(fields_of(in("de").fields).view()), policy, now))
      << "replaced meanwhile";
  EXPECT_EQ(text_of(*entry(in("de"))), "other");
  EXPECT_EQ(store.numbers().entries, 1u);
}

TEST_F(Stored, AVaryOfAnAnswerThatIsNotStoredIsNoted) {
  put(in("de"), {.body = "for all"});
  const auto german = fields_of(in("de").fields);
  store.note_vary(key_of("/v"), {false, {"accept-language"}}, Unchanged(german.view()), policy, now);
  EXPECT_EQ(look(in("de")).kind, Kind::Lead);
  put(in("de"), kByLanguage);
  EXPECT_TRUE(has(in("de")));
  store.note_vary(key_of("/v"), {}, Unchanged(german.view()), policy, now);
  EXPECT_TRUE(has(in("de")));
  EXPECT_EQ(store.numbers().slots, 1u);
}

TEST_F(Stored, AVaryIsNotedAlsoWhereNothingIsStoredYetAndForgottenInTime) {
  store.note_vary(key_of("/v"), {false, {"accept-language"}}, Unchanged({}), policy, now);
  put(in("de"), {.body = "no vary"});
  EXPECT_TRUE(has(in("de")));
  EXPECT_EQ(look(in("en")).forward, Forward::VaryMiss);
  store.note_vary(key_of("/other"), {false, {"x"}}, Unchanged({}), policy, now);
  EXPECT_EQ(store.numbers().slots, 2u);
  const auto before = store.numbers().bytes;
  store.note_vary(key_of("/other"), {false, {std::string(2000, 'a'), "x"}}, Unchanged({}), policy, now);
  EXPECT_GT(store.numbers().bytes, before + 2000) << "names are charged";
  EXPECT_FALSE(look({.target = "/other"}).names_old);
  now += 6min;
  EXPECT_TRUE(look({.target = "/other"}).names_old);
  now += 5min;
  for (int i = 0; i < 100; ++i) store.sweep(now);
  EXPECT_EQ(store.numbers().slots, 0u);
}

// More names than are compared, of which the stored responses state one part each: what is said last counts, and that
// may be nothing.
TEST_F(Stored, MoreNamesThanAreComparedAreForgottenForAResponseThatStatesNone) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i <= rules::kMostVaryNames; ++i) all.push_back("n" + std::to_string(1000 + i));
  const auto nobody = fields_of({});
  const Ask one{.target = "/v", .fields = {{all.front(), "1"}}}, two{.target = "/v", .fields = {{all.back(), "2"}}};
  store.note_vary(key_of("/v"), {false, all}, Unchanged(nobody.view()), policy, now);
  put(one, {.body = "one", .lifetime = 10h, .vary = {all.begin(), all.end() - 1}});
  put(two, {.body = "two", .lifetime = 10h, .vary = {all.back()}});
  EXPECT_EQ(store.numbers().entries, 2u);
  EXPECT_EQ(text_of(*entry(one)), "one");
  EXPECT_EQ(text_of(*entry(two)), "two");
  now += 11min;
  put("/v", {.body = "for all", .lifetime = 10h});
  EXPECT_EQ(text_of(*entry({"/v"})), "for all");
  EXPECT_EQ(text_of(*entry(one)), "for all");
}

TEST_F(Stored, AHeadAnswerFreshensTheStoredResponseOrMakesItStale) {
  put("/a");
  const auto key = key_of("/a");
  auto stored = entry({"/a"});
  const auto head = PublishedHead::make(200, fields_of({{"X", "new"}}));
  const auto freshened = Entry::with_head(stored, head->head(), {});
  now += 30s;
  store.apply_head(key, stored, freshened, fresh_for(60s, now), {}, Unchanged({}), policy, now);
  now += 59s;
  EXPECT_EQ(entry({"/a"}), freshened);
  store.make_stale(key, stored);  // not that one any more
  EXPECT_TRUE(has("/a"));
  store.make_stale(key, freshened);
  auto after = look("/a");
  EXPECT_EQ(after.kind, Kind::Lead);
  EXPECT_EQ(after.entry, freshened);
}

// --- invalidation (RFC 9111 section 4.4) ---

TEST_F(Stored, InvalidationTakesAllThatHangsOnTheUrlAndNothingElse) {
  put(in("de", "/x"), kByLanguage);
  put(in("en", "/x"), kByLanguage);
  put("/y");
  auto post = key_of("/x", {}, "POST");
  auto ticket = store.private_ticket(post);
  ASSERT_TRUE(commit(ticket, {}));
  EXPECT_EQ(store.invalidate({key_of("/x").resource(), key_of("/nothing").resource()}), 3u);
  EXPECT_FALSE(has(in("de", "/x")));
  EXPECT_FALSE(has(in("en", "/x")));
  EXPECT_TRUE(has("/y"));
  EXPECT_EQ(store.numbers().invalidated, 3u);
  EXPECT_EQ(store.numbers().evicted_purged, 3u);
  EXPECT_EQ(store.invalidate({}), 0u);
}

TEST_F(Stored, InvalidationOfVeryManyEntriesTakesThemAll) {
  KeySpec spec{.headers = {"x"}};
  for (int i = 0; i < 1500; ++i) {
    auto ticket = store.private_ticket(key_of("/x", spec, "GET", {{"X", std::to_string(i)}}));
    ASSERT_TRUE(commit(ticket, {}));
  }
  EXPECT_EQ(store.invalidate({key_of("/x").resource()}), 1500u);
  EXPECT_EQ(store.numbers().entries, 0u);
  EXPECT_EQ(store.numbers().slots, 0u);
}

TEST_F(Stored, WhatWasFetchedBeforeAnInvalidationIsNotStoredAfterIt) {
  auto before = look("/x");
  auto alone = store.private_ticket(key_of("/x"));
  store.invalidate({key_of("/x").resource()});
  auto after = look("/x");
  EXPECT_EQ(after.kind, Kind::Lead) << "the old flight is not joined any more";
  EXPECT_FALSE(commit(before.ticket, {.body = "old"}));
  EXPECT_FALSE(commit(alone, {.body = "old"}));
  EXPECT_EQ(look("/x").kind, Kind::Join);
  EXPECT_TRUE(commit(after.ticket, {.body = "new"}));
  EXPECT_EQ(text_of(*entry({"/x"})), "new");
}

TEST_F(Stored, InvalidationOfOneUrlDoesNotHinderTheFetchOfAnother) {
  auto lead = look("/y");
  for (int i = 0; i < 100; ++i) store.invalidate({key_of("/x").resource()});
  EXPECT_TRUE(commit(lead.ticket, {}));
}

// --- keys are compared in full ---

class Colliding : public StoreTest {
 protected:
  Colliding() : StoreTest({.memory = 64 * 1024 * 1024, .shards = 4, .hash_bits = 2}) {}
};

TEST_F(Colliding, KeysOfOneHashNeverAnswerForEachOther) {
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(put("/" + std::to_string(i), {.body = std::to_string(i)}));
  for (int i = 0; i < 300; ++i) {
    const auto hit = look("/" + std::to_string(i));
    ASSERT_EQ(hit.kind, Kind::Fresh);
    EXPECT_EQ(text_of(*hit.entry), std::to_string(i));
  }
  EXPECT_EQ(look("/300").kind, Kind::Lead);
  auto one = look("/a"), two = look("/b");
  EXPECT_EQ(one.kind, Kind::Lead);
  EXPECT_EQ(two.kind, Kind::Lead) << "nor wait for each other";
  store.invalidate({key_of("/7").resource()});
  EXPECT_FALSE(has("/7"));
  EXPECT_TRUE(has("/8"));
}

// --- memory ---

class OneShard : public StoreTest {
 protected:
  OneShard() : StoreTest({.memory = 100 * 1024, .shards = 1}) {}
  std::string path(int i) { return "/" + std::to_string(i); }
  // Fills the store with entries of one size; gives how many it held.
  int fill() {
    int n = 0;
    while (store.numbers().evicted_capacity == 0) {
      EXPECT_TRUE(put(path(n), answer()));
      ++n;
    }
    return n - 1;
  }
  static Answer answer() { return {.body = std::string(700, 'x'), .lifetime = 1h}; }
};

TEST_F(OneShard, ChargesEverythingAndGivesEverythingBack) {
  EXPECT_EQ(store.numbers().bytes, 0u);
  put("/a", {.body = std::string(10000, 'x')});
  EXPECT_GT(store.numbers().bytes, 10000u + 300u);
  EXPECT_LT(store.numbers().bytes, 14000u);
  store.invalidate({key_of("/a").resource()});
  EXPECT_EQ(store.numbers().bytes, 0u);
}

TEST_F(OneShard, ChargesWhatA304AddsToAVariant) {
  const Ask asked{.target = "/v", .fields = {{"X-Long", std::string(6000, 'x')}}};
  put(asked, {.fields = {{"ETag", "\"1\""}}});
  const auto before = store.numbers().bytes;
  now += 61s;
  {
    auto lead = look(asked);
    ASSERT_TRUE(lead.ticket);
    EXPECT_TRUE(lead.ticket.freshen(lead.entry, Entry::with_head(lead.entry, lead.entry->head(), {}),
                                    fresh_for(30s, now), {false, {"x-long"}}, Unchanged(fields_of(asked.fields).view()),
                                    policy, now));
  }
  EXPECT_GT(store.numbers().bytes, before + 5000);
  store.invalidate({key_of("/v").resource()});
  now += 24h;
  for (int i = 0; i < 100; ++i) store.sweep(now);
  EXPECT_EQ(store.numbers().bytes, 0u);
}

TEST_F(OneShard, EvictsInTheOrderOfLastUse) {
  const int n = fill();
  ASSERT_GT(n, 20);
  // A miss needs room for its slot, so what should be gone is asked for last.
  std::set<int> used;
  for (int i = 1; i < n; i += 3) {
    EXPECT_TRUE(has(path(i)));
    used.insert(i);
  }
  const auto evicted = store.numbers().evicted_capacity;
  for (int i = 0; store.numbers().evicted_capacity < evicted + 10; ++i) put("/more" + std::to_string(i), answer());
  for (const int i : used) EXPECT_TRUE(has(path(i))) << i;
  EXPECT_FALSE(has(path(0))) << "the first that came was the first to go";
  int gone = 0;
  for (int i = 1; gone < 10; ++i) {
    if (used.count(i)) continue;
    EXPECT_FALSE(has(path(i))) << i;
    ++gone;
  }
}

// A scripted order against a plain model of LRU: promotions as the list makes them, evictions exactly from its end.
TEST_F(OneShard, EvictsExactlyWhatAModelOfLruEvicts) {
  std::deque<int> model;  // newest first
  std::mt19937 random(5);
  std::uint64_t evicted = 0;
  for (int step = 0; step < 3000; ++step) {
    const int key = static_cast<int>(random() % 150);
    const auto at = std::find(model.begin(), model.end(), key);
    ASSERT_EQ(has(path(key)), at != model.end()) << "step " << step;
    if (at != model.end()) {
      // Touched while among the newest quarter it may stay; so the script only relies on what was promoted.
      const auto place = static_cast<std::size_t>(at - model.begin());
      if (place >= model.size() / 4) {
        model.erase(at);
        model.push_front(key);
      } else {
        // Make the model's order certain again: a replacement always comes to the front.
        put(path(key), answer());
        model.erase(at);
        model.push_front(key);
        while (store.numbers().evicted_capacity > evicted) {
          model.pop_back();
          ++evicted;
        }
      }
      continue;
    }
    ASSERT_TRUE(put(path(key), answer()));
    while (store.numbers().evicted_capacity > evicted) {
      model.pop_back();
      ++evicted;
    }
    model.push_front(key);
  }
  EXPECT_GT(evicted, 500u);
}

TEST_F(OneShard, NeverChargesMoreThanItsLimit) {
  std::mt19937 random(11);
  std::vector<Ref<const Entry>> readers;
  for (int i = 0; i < 5000; ++i) {
    Answer a{.body = std::string(random() % 6000, 'x')};
    if (random() % 4 == 0) a.vary = {"x-a"};
    const Ask ask{.target = path(static_cast<int>(random() % 300)), .fields = {{"X-A", std::to_string(random() % 5)}}};
    put(ask, a);
    ASSERT_LE(store.numbers().bytes, store.numbers().limit);
    auto found = look(ask);
    ASSERT_LE(store.numbers().bytes, store.numbers().limit);
    if (random() % 16 == 0 && found.entry) readers.push_back(found.entry);
    if (readers.size() > 8) readers.clear();
  }
  EXPECT_GT(store.numbers().evicted_capacity, 100u);
}

TEST_F(OneShard, WhatReadersHoldIsNotGivenTwice) {
  put("/a", {.body = std::string(60000, 'x')});
  const auto reader = entry({"/a"});
  EXPECT_EQ(store.reserve(60000).bytes(), 0u) << "evicted, but not free";
  EXPECT_FALSE(has("/a"));
  EXPECT_FALSE(put("/b", {.body = std::string(60000, 'x')}));
  EXPECT_EQ(text_of(*reader).size(), 60000u);
}

TEST_F(OneShard, WhatCanNeverFitEvictsNothing) {
  put("/a");
  EXPECT_EQ(store.reserve(200 * 1024).bytes(), 0u);
  EXPECT_TRUE(has("/a"));
}

TEST_F(OneShard, ASmallerLimitEvictsByAndBy) {
  fill();
  store.set_memory(20 * 1024);
  for (int i = 0; i < 10; ++i) store.sweep(now);
  EXPECT_LE(store.numbers().bytes, 20u * 1024);
  EXPECT_EQ(store.numbers().limit, 20u * 1024);
  EXPECT_GT(store.numbers().entries, 5u) << "and not more than it must";
}

TEST_F(OneShard, AFullStoreStillSendsRequestsForward) {
  auto all = store.reserve(100 * 1024);
  ASSERT_NE(all.bytes(), 0u);
  auto one = look("/a");
  EXPECT_EQ(one.kind, Kind::Lead);
  EXPECT_TRUE(one.ticket);
  land(one.ticket, {});
  EXPECT_FALSE(commit(one.ticket, {}));
  EXPECT_EQ(store.numbers().entries, 0u);
}

TEST_F(Stored, EvictionTakesTheOldestWhicheverShardItIsIn) {
  store.set_memory(200 * 1024);
  int n = 0;
  for (; store.numbers().evicted_capacity < 40; ++n)
    put("/" + std::to_string(n), {.body = std::string(1000, 'x'), .lifetime = 1h});
  // By peeking: a look-up that finds nothing takes room for a flight, and may evict one more.
  for (int i = 0; i < n; ++i) EXPECT_EQ(peek({"/" + std::to_string(i)}).found, i >= 40) << i;
}

TEST_F(Stored, SweepingTakesWhatHasOutlivedItsUse) {
  policy.keep = 10min;
  for (int i = 0; i < 100; ++i) put("/gone" + std::to_string(i), {.lifetime = 60s});
  for (int i = 0; i < 100; ++i) put("/kept" + std::to_string(i), {.lifetime = 60s, .fields = {{"ETag", "\"1\""}}});
  for (int i = 0; i < 100; ++i) put("/fresh" + std::to_string(i), {.lifetime = 1h});
  const auto sweep = [&] {
    for (int i = 0; i < 16; ++i) store.sweep(now);
  };
  sweep();
  EXPECT_EQ(store.numbers().entries, 300u);
  now += 5min;
  sweep();
  EXPECT_EQ(store.numbers().entries, 200u) << "without a validator a stale response is of no use";
  now += 10min;
  sweep();
  EXPECT_EQ(store.numbers().entries, 100u);
  EXPECT_EQ(store.numbers().slots, 100u);
  EXPECT_EQ(store.numbers().evicted_expired, 200u);
}

TEST_F(Stored, SweepingForgetsPassMemoryAndVaryListsInTime) {
  auto pass = look("/pass");
  pass.ticket.own(Reason::Private, false, now + 10s);
  auto vary = look(in("de"));
  land(vary.ticket, kByLanguage, in("de").fields);
  pass = {};
  vary = {};
  EXPECT_EQ(store.numbers().slots, 2u);
  now += 11s;
  for (int i = 0; i < 16; ++i) store.sweep(now);
  EXPECT_EQ(store.numbers().slots, 1u);
  now += 11min;
  for (int i = 0; i < 16; ++i) store.sweep(now);
  EXPECT_EQ(store.numbers().slots, 0u);
  EXPECT_EQ(store.numbers().bytes, 0u);
}

TEST_F(Stored, ManyKeysAreAllFoundAndAllGivenBack) {
  for (int i = 0; i < 20000; ++i) ASSERT_TRUE(put("/" + std::to_string(i), {.body = "x"}));
  for (int i = 0; i < 20000; ++i) ASSERT_TRUE(has("/" + std::to_string(i)));
  EXPECT_EQ(store.numbers().entries, 20000u);
}

}  // namespace
}  // namespace forebay::cache
