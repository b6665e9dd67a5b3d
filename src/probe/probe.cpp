#include "forebay/probe/probe.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <ostream>
#include <random>
#include <set>
#include <utility>

#include "forebay/net/http_client.hpp"
#include "forebay/net/worker.hpp"
#include "probe_case.hpp"

namespace forebay::probe {
namespace {

/// Counts of the fields of one target, by outcome.
struct Tally {
  std::size_t sent = 0, keyed = 0, bypassed = 0, varied = 0, closed = 0;
};

class Probing {
 public:
  Probing(const Questions& questions, const config::LoadResult& loaded, std::ostream& notes)
      : questions_(questions),
        loaded_(loaded),
        notes_(notes),
        routes_(*loaded.config),
        prober_(*loaded.config, routes_, net::SystemClock().now()),
        random_(std::random_device{}()) {}

  Outcome all() {
    auto targets = prober_.targets(questions_.paths);
    for (const auto& note : targets.notes) notes_ << "forebay: " << note << '\n';
    if (!targets.left_out.empty()) {
      notes_ << "forebay: not probed: ";
      for (std::size_t i = 0; i < targets.left_out.size(); ++i) notes_ << (i > 0 ? ", " : "") << targets.left_out[i];
      notes_ << '\n';
    }
    outcome_.missed = std::move(targets.missed);
    for (const auto& target : targets.targets) probe(target);
    return std::move(outcome_);
  }

 private:
  /// Eight random letters.
  std::string word() {
    std::uniform_int_distribution<int> letter('a', 'z');
    std::string out;
    for (int i = 0; i < 8; ++i) out += static_cast<char>(letter(random_));
    return out;
  }

  const config::Origin& origin_of(const ProbeTarget& target) const {
    return loaded_.config->origins.at(target.route->origin);
  }

  /// What to speak TLS with; null for a plain origin. The files have been checked.
  std::shared_ptr<const net::TlsClient> tls_of(const config::Origin& origin) {
    if (!origin.url.is_https()) return nullptr;
    auto& made = tls_[origin.name];
    std::vector<net::TlsFinding> known;
    if (!made) made = net::TlsClient::make(origin, clock_, known);
    return made;
  }

  /// Nothing if the origin has failed.
  std::optional<ProbeAnswer> ask_origin(const ProbeTarget& target, const ProbeField* field, Way way) {
    const auto& origin = origin_of(target);
    if (silent_.contains(origin.name)) return std::nullopt;
    const auto tls = tls_of(origin);
    if (origin.url.is_https() && !tls) return fall_silent(target, "the files of its TLS cannot be read");
    const auto token = word();
    const auto deadline = net::SteadyClock::now() + questions_.timeout;
    const auto asked = net::ask({origin.url.host, std::to_string(origin.url.port), {}, tls}, "GET",
                                prober_.request(target, field, way, token), kProbeContent, deadline);
    if (const auto& got = asked.answer) return probe_answer(got->status, got->fields, got->body, token);
    return fall_silent(target, asked.why);
  }

  std::optional<ProbeAnswer> fall_silent(const ProbeTarget& target, const std::string& why) {
    const auto& origin = origin_of(target);
    silent_.insert(origin.name);
    outcome_.silent.push_back("cannot probe " + origin.url.text + ", the origin of route \"" + target.route->name +
                              "\": " + why);
    return std::nullopt;
  }

  void probe(const ProbeTarget& target) {
    const auto first = ask_origin(target, nullptr, Way::Open);
    if (!first) return;
    const auto second = ask_origin(target, nullptr, Way::Open);
    if (!second) return;
    Tally tally;
    for (const auto& name : probed_names(questions_.headers)) {
      const auto field = probe_field(name, word());
      const auto way = prober_.way(target, field);
      if (!is_asked(target, field, way, *second, tally)) continue;
      const auto answer = ask_origin(target, &field, way);
      if (!answer) return;
      ++tally.sent;
      const auto showing = prober_.showing(target, field, *first, *second, *answer);
      if (!showing || !holds(target, field, showing, *first, *second)) continue;
      report(target, field, way, showing, *answer);
    }
    conclude(target, tally);
  }

  /// Whether sending this field can give a result.
  bool is_asked(const ProbeTarget& target, const ProbeField& field, Way way, const ProbeAnswer& baseline,
                Tally& tally) const {
    if (way == Way::Keyed) return ++tally.keyed, false;
    if (way == Way::Bypassed) return ++tally.bypassed, false;
    if (prober_.varies(target, baseline, field.name)) return ++tally.varied, false;
    const auto is = [&](const std::string& name) { return http::iequals(name, field.name); };
    const bool named = std::any_of(questions_.headers.begin(), questions_.headers.end(), is);
    if (way == Way::Closed && !named) return ++tally.closed, false;
    return true;
  }

  /// A response that only differs is compared with a third one without the field.
  bool holds(const ProbeTarget& target, const ProbeField& field, const Showing& showing, const ProbeAnswer& first,
             const ProbeAnswer& second) {
    if (showing.kind == Showing::Kind::Field || showing.kind == Showing::Kind::Content) return true;
    const auto third = ask_origin(target, nullptr, Way::Open);
    return third && !prober_.showing(target, field, first, second, *third);
  }

  void report(const ProbeTarget& target, const ProbeField& field, Way way, const Showing& showing,
              const ProbeAnswer& answer) {
    const auto keeping = prober_.keeping(target, field, answer);
    const auto& name = target.route->name;
    if (way == Way::Closed) {
      notes_ << "forebay: route \"" << name << "\": the origin's response depends on " << field.name
             << ", which Forebay does not forward\n";
      return;
    }
    if (keeping == Keeping::Never) {
      notes_ << "forebay: route \"" << name << "\": the origin's response depends on " << field.name
             << ", but it is not stored\n";
      return;
    }
    if (!said_.emplace(target.route->index, field.name).second) return;
    config::Diagnostic d;
    if (target.route->index < loaded_.places.size()) d = loaded_.places[target.route->index];
    d.severity = config::Severity::Warning;
    d.code = 2017;
    d.message = showing_message(target, field, way, showing, keeping);
    d.hint = showing_hint(target, field, way);
    outcome_.found.push_back(std::move(d));
  }

  void conclude(const ProbeTarget& target, const Tally& tally) {
    notes_ << "forebay: probed " << target.url << " (route \"" << target.route->name << "\" at "
           << origin_of(target).url.text << "): " << tally.sent << (tally.sent == 1 ? " field" : " fields") << " sent";
    const std::pair<std::size_t, const char*> others[] = {
        {tally.keyed, "in the key"},
        {tally.varied, "in Vary"},
        {tally.bypassed, "bypassing the cache"},
        {tally.closed, "not sent because Forebay does not forward them"}};
    for (const auto& [n, what] : others)
      if (n > 0) notes_ << ", " << n << ' ' << what;
    notes_ << '\n';
  }

  const Questions& questions_;
  const config::LoadResult& loaded_;
  std::ostream& notes_;
  config::RouteTable routes_;
  Prober prober_;
  std::mt19937_64 random_;
  const net::SystemClock clock_;
  std::map<std::string, std::shared_ptr<const net::TlsClient>> tls_;  // by the origin's name
  std::set<std::string> silent_;                                      // origins that have failed
  std::set<std::pair<std::size_t, std::string>> said_;
  Outcome outcome_;
};

}  // namespace

Outcome ask_origins(const Questions& questions, const config::LoadResult& loaded, std::ostream& notes) {
  return Probing(questions, loaded, notes).all();
}

}  // namespace forebay::probe
