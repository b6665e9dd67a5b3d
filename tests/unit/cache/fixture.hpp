#pragma once

#include <gtest/gtest.h>

#include <concepts>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "forebay/cache/learned.hpp"
#include "forebay/cache/store.hpp"

namespace forebay::cache {

constexpr Timestamp t0{std::chrono::hours{1000}};

using FieldList = std::vector<std::pair<std::string, std::string>>;
inline http::Fields fields_of(const FieldList& list) {
  http::Fields f;
  for (const auto& [name, value] : list) f.add(name, value);
  return f;
}

inline Key key_of(std::string_view target_text, const KeySpec& spec = {}, std::string_view method = "GET",
                  const FieldList& list = {}, std::string_view route = "r", std::string_view host = "example.com",
                  std::string_view scheme = "http") {
  const auto fields = fields_of(list);
  http::Target target;
  const auto m = http::method_of(method);
  EXPECT_TRUE(target.read(m, target_text).has_value()) << target_text;
  const http::RequestView request{m, method, target_text, http::Version::Http11, fields.view()};
  Key key;
  EXPECT_EQ(key.build(spec, {route, request, target, scheme, host}), rules::Reason::None);
  return key;
}

/// One request with all that a key may be made of.
struct Sent {
  std::string method = "POST";
  std::string target = "/";
  FieldList fields{};
  std::optional<std::string> content{};
  std::vector<Capture> captures{};
};

/// What building a key gave.
struct Built {
  rules::Reason reason = rules::Reason::None;
  std::string text;  ///< Empty when there is no key.
  Key key;
  std::vector<KeyPart> parts;
};

/// Builds with one key for all, as a worker does, so that what one request leaves behind is met by the next.
class KeyMaker {
 public:
  Built operator()(const KeySpec& spec, const Sent& sent, const rules::NoVarySearch* search = nullptr) {
    const auto fields = fields_of(sent.fields);
    http::Target target;
    const auto m = http::method_of(sent.method);
    EXPECT_TRUE(target.read(m, sent.target).has_value()) << sent.target;
    const http::RequestView request{m, sent.method, sent.target, http::Version::Http11, fields.view()};
    KeyInput input{route, request, target, "http", host};
    input.captures = sent.captures;
    if (sent.content) input.content = *sent.content;
    input.persisted = persisted;
    input.search = search;
    Built built;
    built.reason = key_.build(spec, input, &built.parts);
    if (built.reason == rules::Reason::None) built.text = key_.text();
    built.key = key_;
    return built;
  }

  std::string route = "r", host = "h";
  PersistedQueries* persisted = nullptr;

 private:
  Key key_;
};

inline std::vector<content::JsonPointer> pointers(std::initializer_list<std::string_view> texts) {
  std::vector<content::JsonPointer> list;
  for (const auto text : texts) list.push_back(content::JsonPointer::parse(text).value());
  return list;
}

inline rules::Freshness fresh_for(Duration lifetime, Timestamp received = t0) {
  rules::Freshness f;
  f.received = received;
  f.lifetime = lifetime;
  f.explicit_lifetime = true;
  return f;
}

inline Slice slice(std::string_view s) { return Chunk::copy_of(s)->slice(); }

inline std::string text_of(const Entry& e) {
  std::string s;
  for (const auto p : e.body()) s += p;
  return s;
}

/// One request, as tests say it.
struct Ask {
  std::string target = "/";
  FieldList fields{};
  bool no_store = false;
  bool authorization = false;
  bool refresh = false;
  bool may_lead = true;
  bool only_stored = false;
  bool head = false;
  bool endless = false;
  double draw = 0;
  std::uint64_t fingerprint = 1;
};

/// One answer.
struct Answer {
  std::string body = "body";
  Duration lifetime = 60s;
  FieldList fields{{"Content-Type", "text/plain"}};
  std::vector<std::string> vary{};
  bool no_cache = false;
  Duration fetch_time{0};
  std::vector<std::string> tags{};
  std::vector<Digest> tag_digests() const {
    std::vector<Digest> all;
    for (const auto& t : tags) all.push_back(tag_digest(t));
    return all;
  }
};

/// The answer to a look-up with all that some alternative has side by side.
struct Looked {
  Looked(Lookup lookup) : kind(kind_of(lookup)) {
    std::visit(
        [this](auto& l) {
          entry = std::move(l.stored.entry);
          freshness = l.stored.freshness;
          names = std::move(l.stored.names);
          names_old = l.stored.names_old;
          if constexpr (requires { l.refresh; }) ticket = std::move(l.refresh);
          if constexpr (requires { l.ticket; }) ticket = std::move(l.ticket);
          if constexpr (requires { l.place; }) place = std::move(l.place), flight = place.flight();
          if constexpr (requires { l.unasked; }) unasked = l.unasked;
          if constexpr (requires { l.forward; }) forward = l.forward;
          if constexpr (requires { l.reason; }) reason = l.reason, pass_memory = l.pass_memory;
        },
        lookup);
  }
  Looked() = default;
  LookupKind kind = LookupKind::Pass;
  Ref<const Entry> entry;
  rules::Freshness freshness;
  VaryRef names;
  bool names_old = false;
  Ticket ticket;
  FollowerPlace place;
  Ref<Flight> flight;
  rules::Forward forward = rules::Forward::None;
  rules::Reason reason = rules::Reason::None;
  PassMemory pass_memory;
  bool unasked = false;
};

class StoreTest : public ::testing::Test {
 protected:
  static StoreOptions roomy(std::size_t shards = 4) { return {.memory = 64 * 1024 * 1024, .shards = shards}; }
  explicit StoreTest(const StoreOptions& options = roomy()) : store(options) {}

  template <class F>
  auto with_request(const Ask& ask, F&& f) {
    const auto key = key_of(ask.target);
    const auto fields = fields_of(ask.fields);
    rules::RequestFacts facts;
    facts.no_store = ask.no_store;
    facts.authorization = ask.authorization;
    facts.refresh = ask.refresh;
    facts.endless = ask.endless;
    if (ask.head) facts.method = http::Method::Head;
    const Unchanged selecting(fields.view());
    const LookupRequest request{key, selecting,    facts,           policy,  ask.fingerprint,
                                now, ask.may_lead, ask.only_stored, ask.draw};
    return f(request);
  }
  Looked look(const Ask& ask) {
    return waiting(with_request(ask, [&](const LookupRequest& r) { return store.lookup(r); }));
  }
  template <std::convertible_to<std::string> Target>
  Looked look(Target target) {
    return look(Ask{std::move(target)});
  }
  Peek peek(const Ask& ask) {
    return with_request(ask, [&](const LookupRequest& r) { return store.peek(r); });
  }
  Looked supersede(const Ask& ask, const Ref<Flight>& waited) {
    return waiting(with_request(ask, [&](const LookupRequest& r) { return store.supersede(r, place_on(waited)); }));
  }
  Looked retry(const Ask& ask, const Ref<Flight>& failed) {
    return waiting(with_request(ask, [&](const LookupRequest& r) { return store.retry(r, place_on(failed)); }));
  }
  /// Who joins waits on until it leaves, supersedes or tries again, whatever becomes of `Looked`.
  Looked waiting(Looked looked) {
    if (looked.flight) places.push_back(std::move(looked.place));
    return looked;
  }
  FollowerPlace place_on(const Ref<Flight>& flight) {
    const auto at = std::find_if(places.begin(), places.end(), [&](const auto& p) { return p.flight() == flight; });
    if (at == places.end()) {
      ADD_FAILURE() << "nobody waits on this flight";
      return {};
    }
    auto place = std::move(*at);
    places.erase(at);
    return place;
  }
  void leave(const Ref<Flight>& flight) { place_on(flight).leave(); }

  rules::Freshness freshness(const Answer& a) const {
    auto f = fresh_for(a.lifetime, now);
    f.no_cache = a.no_cache;
    return f;
  }
  static Ref<http::Body> body_of(std::string_view text) {
    Ref<http::Body> body(new http::Body);
    body->append(slice(text));
    return body;
  }
  void land(Ticket& t, const Answer& a, const FieldList& request = {}) {
    const auto fields = fields_of(request);
    t.land({PublishedHead::make(200, fields_of(a.fields)),
            body_of(a.body),
            freshness(a),
            {false, a.vary},
            {},
            a.tag_digests()},
           Unchanged(fields.view()), policy);
  }
  Committed commit(Ticket& t, const Answer& a, const FieldList& request = {}, std::uint64_t fingerprint = 1) {
    const auto head = PublishedHead::make(200, fields_of(a.fields));
    EntryParts parts;
    parts.head = head->head();
    parts.fetch_time = a.fetch_time;
    const std::vector<std::string_view> tags(a.tags.begin(), a.tags.end());
    parts.tags = tags;
    if (!a.body.empty()) parts.body.push_back(slice(a.body));
    const auto fields = fields_of(request);
    return t.commit(parts, freshness(a), {false, a.vary}, Unchanged(fields.view()), policy, fingerprint, now);
  }
  /// Stores an answer to this request, whatever is there already.
  bool put(const Ask& ask, const Answer& a = {}) {
    auto ticket = store.private_ticket(key_of(ask.target));
    return commit(ticket, a, ask.fields, ask.fingerprint);
  }
  template <std::convertible_to<std::string> Target>
  bool put(Target target, const Answer& a = {}) {
    return put(Ask{std::move(target)}, a);
  }
  bool has(const Ask& ask) { return look(ask).kind == LookupKind::Fresh; }
  template <std::convertible_to<std::string> Target>
  bool has(Target target) {
    return has(Ask{std::move(target)});
  }
  Ref<const Entry> entry(const Ask& ask) { return look(ask).entry; }

  Store store;
  std::vector<FollowerPlace> places;
  rules::Policy policy;
  Timestamp now = t0;
};

}  // namespace forebay::cache
