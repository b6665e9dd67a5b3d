// Random interleavings of variants, validation and expiry. Every answer has to be one that the origin would give to
// that request now, or gave within its stated lifetime. FOREBAY_PROPERTY_SECONDS and FOREBAY_PROPERTY_SEED choose
// another length and another beginning.
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <random>
#include <thread>

#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

constexpr auto kLifetime = std::chrono::seconds{1};
constexpr auto kWindow = std::chrono::seconds{1};  // stale-while-revalidate, of every other resource

/// How a resource tags its representations.
enum class Tags {
  Unique,        // a strong tag for each representation
  SharedStrong,  // a row version: one strong tag for all variants
  SharedWeak,    // a weak tag over something that all variants have
  Weakening,     // weak on a 200, strong on a 304 (as nginx does for what it compresses)
  None
};
constexpr int kTagKinds = 5;

/// One resource of the origin. Its content depends on the first `depends` of the fields A and B, and its Vary names
/// the first `stated` of them.
struct Resource {
  struct State {
    Clock::time_point since;
    int version = 1, depends = 0;
  };
  Tags tags = Tags::Unique;
  bool window = false;
  int stated = 0;
  bool silent = true;  // no answer has had a Vary yet
  bool marked = true;  // some client has had an answer whose Vary names all that the content depends on
  std::vector<State> states;
  Clock::time_point next_change;

  const State& now() const { return states.back(); }
};

std::string value_of(const FieldLines& fields, const char* name) {
  return fields.has(name) ? fields.get(name) : std::string("-");
}

std::string content_of(const Resource::State& s, const FieldLines& fields) {
  return "v" + std::to_string(s.version) + " A=" + (s.depends > 0 ? value_of(fields, "A") : "any") +
         " B=" + (s.depends > 1 ? value_of(fields, "B") : "any");
}

class VariantsProperty : public ForebayTest {
 protected:
  static std::string vary_of(int names) { return names == 0 ? "" : names == 1 ? "A" : "A, B"; }

  std::string tag_of(const Resource& r, const FieldLines& fields, bool of_304) const {
    const auto version = std::to_string(r.now().version);
    switch (r.tags) {
      case Tags::Unique: return '"' + std::to_string(std::hash<std::string>{}(content_of(r.now(), fields))) + '"';
      case Tags::SharedStrong: return '"' + version + '"';
      case Tags::SharedWeak: return "W/\"" + version + '"';
      case Tags::Weakening: return (of_304 ? "\"" : "W/\"") + version + '"';
      case Tags::None: break;
    }
    return {};
  }

  Reply answer(const Received& r) {
    const std::lock_guard lock(mutex_);
    ++fetches_;
    Resource& resource = resources_.at(r.path);
    const auto tag = tag_of(resource, r.fields, true);
    const auto condition = r.get("If-None-Match");
    const bool same = !tag.empty() && condition.find(tag.substr(tag.find('"'))) != std::string::npos;
    Reply reply(same ? 304 : 200);
    reply.field("Cache-Control", resource.window ? "max-age=1, stale-while-revalidate=1" : "max-age=1");
    // A server that leaves Vary out of its refusals, or of its 304s.
    const bool refused = value_of(r.fields, "A") == "refused";
    const bool omits = resource.marked && (refused || (same && random_() % 2 == 0));
    if (resource.stated > 0 && !omits) reply.field("Vary", vary_of(resource.stated));
    const auto sent_tag = tag_of(resource, r.fields, same);
    if (!sent_tag.empty()) reply.field("ETag", sent_tag);
    const auto content = content_of(resource.now(), r.fields);
    reply.field("X-For", content);
    if (!same) reply.body(content);
    return reply;
  }

  /// The origin changes: another version, and maybe fields that count more or less.
  void change(Resource& r, std::mt19937& random) {
    auto state = r.now();
    state.since = Clock::now();
    switch (random() % 4) {
      case 0:  // states more than it depends on
        r.stated = std::min(2, r.stated + 1);
        break;
      case 1: r.stated = std::max(state.depends, r.stated - 1); break;
      case 2:
        state.depends = static_cast<int>(random() % 3);
        r.stated = std::max(r.stated, state.depends);
        r.marked = state.depends == 0;
        // The first Vary of all may come under a tag that the responses without it had, too.
        if (!r.silent || random() % 2 == 0) ++state.version;
        break;
      default: ++state.version;
    }
    r.silent = r.silent && r.stated == 0;
    r.states.push_back(state);
    r.next_change = state.since + std::chrono::milliseconds{50 + random() % 700};
  }

  /// Whether the origin gave this to such a request at some time between `from` and `to`.
  static bool was_given(const Resource& r, const FieldLines& fields, const std::string& content, Clock::time_point from,
                        Clock::time_point to) {
    for (std::size_t i = 0; i < r.states.size(); ++i) {
      const bool over = i + 1 < r.states.size() && r.states[i + 1].since < from;
      if (!over && r.states[i].since <= to && content_of(r.states[i], fields) == content) return true;
    }
    return false;
  }

  bool has_seen_all() {
    const std::lock_guard lock(mutex_);
    return answers_ > 50 && hits_ > 0 && revalidated_ > 0 && fetches_ > 10;
  }

  void play(unsigned seed, Clock::time_point until) {
    std::mt19937 random(seed);
    auto client = connect();
    const char* const as[] = {"1", "2", "refused"};
    // On a slow machine for as long as it takes to see a little of everything.
    const auto last = until + std::chrono::seconds{60};
    while ((Clock::now() < until || !has_seen_all()) && Clock::now() < last && !failed_) {
      const auto path = "/" + std::to_string(random() % resources_.size());
      FieldLines fields;
      if (const auto a = random() % 4; a < 3) fields.emplace_back("A", as[a]);
      if (const auto b = random() % 3; b < 2) fields.emplace_back("B", as[b]);
      std::string method = random() % 8 == 0 ? "HEAD" : "GET";
      {
        const std::lock_guard lock(mutex_);
        Resource& r = resources_.at(path);
        // Without a validator a HEAD of the same length freshens, whatever the content is (RFC 9111 section 4.3.5).
        if (r.tags == Tags::None) method = "GET";
        if (Clock::now() > r.next_change) change(r, random);
      }
      const auto sent = Clock::now();
      const auto a = client.ask(method, path, fields);
      check(path, method, fields, a, sent);
    }
  }

  void check(const std::string& path, const std::string& method, const FieldLines& fields, const Answer& a,
             Clock::time_point sent) {
    const auto received = Clock::now();
    const std::lock_guard lock(mutex_);
    Resource& r = resources_.at(path);
    ++answers_;
    if (a.x_cache() == "HIT") ++hits_;
    if (a.x_cache() == "REVALIDATED") ++revalidated_;
    // An answer in the store is at least as old as what gave it its lifetime, and that is not before the origin spoke.
    const auto oldest = sent - kLifetime - (r.window ? kWindow : std::chrono::seconds{0});
    const auto content = a.get("X-For");
    const bool good =
        a.status == 200 && (method == "HEAD" || a.body == content) && was_given(r, fields, content, oldest, received);
    if (!good && !failed_.exchange(true)) {
      std::string states;
      for (const auto& s : r.states)
        if (s.since + kLifetime + kWindow > oldest) states += "\n  " + content_of(s, fields);
      ADD_FAILURE() << method << ' ' << path << " A=" << value_of(fields, "A") << " B=" << value_of(fields, "B")
                    << " tags=" << static_cast<int>(r.tags) << " got " << a << "\nwhich is none of" << states;
    }
    const auto vary = a.get("Vary");
    const bool names_all = (r.now().depends < 1 || vary.find('A') != std::string::npos) &&
                           (r.now().depends < 2 || vary.find('B') != std::string::npos);
    if (names_all && a.status == 200 && content == content_of(r.now(), fields)) r.marked = true;
  }

  std::mutex mutex_;
  std::map<std::string, Resource> resources_;
  std::mt19937 random_{1};
  std::atomic<bool> failed_{false};
  std::size_t answers_ = 0, hits_ = 0, revalidated_ = 0, fetches_ = 0;
};

unsigned from_environment(const char* name, unsigned otherwise) {
  const char* text = std::getenv(name);
  return text ? static_cast<unsigned>(std::strtoul(text, nullptr, 10)) : otherwise;
}

TEST_F(VariantsProperty, EveryAnswerIsOneThatTheOriginGivesToThatRequest) {
  const auto seconds = from_environment("FOREBAY_PROPERTY_SECONDS", 5);
  const auto seed = from_environment("FOREBAY_PROPERTY_SEED", std::random_device{}());
  SCOPED_TRACE("FOREBAY_PROPERTY_SEED=" + std::to_string(seed));
  const auto begin = Clock::now();
  for (int i = 0; i < 4 * kTagKinds; ++i) {
    auto& r = resources_["/" + std::to_string(i)];
    r.tags = static_cast<Tags>(i % kTagKinds);
    r.window = i / kTagKinds % 2 != 0;
    r.states.push_back({begin});
    r.next_change = begin + std::chrono::milliseconds{50 * i};
  }
  origin.otherwise([this](const Received& r) { return answer(r); });
  start("routes: [{path: /**}]\nserver: {threads: 2}\n");
  std::vector<std::jthread> clients;
  for (unsigned i = 0; i < 4; ++i)
    clients.emplace_back([this, seed, i, begin, seconds] { play(seed + i, begin + std::chrono::seconds{seconds}); });
  clients.clear();
  EXPECT_GT(answers_, 50u);
  EXPECT_GT(hits_, 0u);
  EXPECT_GT(revalidated_, 0u);
  EXPECT_GT(fetches_, 10u);
  RecordProperty("answers", static_cast<int>(answers_));
  RecordProperty("hits", static_cast<int>(hits_));
  RecordProperty("revalidated", static_cast<int>(revalidated_));
  RecordProperty("fetches", static_cast<int>(fetches_));
}

}  // namespace
}  // namespace forebay::test
