#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <thread>

#include "admin_client.hpp"
#include "forebay/base/mutex.hpp"
#include "forebay/http/fields.hpp"
#include "forebay/net/worker.hpp"
#include "warm.hpp"

namespace forebay::app {
namespace {

namespace json = boost::json;
using net::SteadyClock;

constexpr std::size_t kMostContent = 256 * 1024 * 1024;  // of one response
constexpr std::size_t kMostFile = 256 * 1024 * 1024;
constexpr std::size_t kFailuresShown = 10;
constexpr auto kDrawEvery = std::chrono::milliseconds{200};

bool read_urls(const WarmFlags& flags, std::vector<WarmUrl>& urls) {
  std::string fault;
  for (const auto& text : flags.urls) {
    auto url = warm_url(text, fault);
    if (!url) return std::cerr << "forebay: " << fault << '\n', false;
    urls.push_back(std::move(*url));
  }
  if (!flags.file) return true;
  std::ifstream file;
  if (*flags.file != "-") file.open(*flags.file, std::ios::binary);
  auto& in = *flags.file == "-" ? std::cin : static_cast<std::istream&>(file);
  std::string text;
  for (char piece[65536]; in && text.size() <= kMostFile;) {
    in.read(piece, sizeof piece);
    text.append(piece, static_cast<std::size_t>(in.gcount()));
  }
  if (in.bad() || (*flags.file != "-" && !file.is_open()))
    return std::cerr << "forebay: cannot read " << *flags.file << '\n', false;
  if (text.size() > kMostFile) return std::cerr << "forebay: " << *flags.file << " has more than 256 MiB\n", false;
  auto listed = warm_urls(text, fault);
  if (!listed) return std::cerr << "forebay: " << *flags.file << ": " << fault << '\n', false;
  std::move(listed->begin(), listed->end(), std::back_inserter(urls));
  return true;
}

/// Where the daemon serves clients: by its addresses without TLS and with it.
struct Places {
  std::optional<net::Endpoint> plain, tls;
};

bool find_listeners(const WarmFlags& flags, Places& places, ExitCode& why) {
  if (flags.to) {
    places.plain = endpoint_at(*flags.to);
    why = ExitCode::Usage;
    if (!places.plain) std::cerr << "forebay: --to needs an address such as 127.0.0.1:8080\n";
    return places.plain.has_value();
  }
  const auto daemon = find_daemon(flags.config, flags.admin, why);
  if (!daemon) return false;
  const auto answer = ask_daemon(*daemon, {"GET", "/api/v1/status", {}}, std::chrono::seconds{5}, why);
  if (!answer) return false;
  why = ExitCode::NotReached;
  const auto status = granted(*answer, {"listeners"});
  const auto* listeners = status ? status->at("listeners").if_array() : nullptr;
  if (listeners == nullptr) {
    report_refusal(*daemon, *answer);
    return false;
  }
  json::error_code ec;
  for (const auto& listener : *listeners) {
    const auto* address = listener.find_pointer("/address", ec);
    const auto* tls = listener.find_pointer("/tls", ec);
    if (address == nullptr || tls == nullptr || !address->is_string()) continue;
    auto& place = *tls == true ? places.tls : places.plain;
    if (!place) place = endpoint_at(std::string(address->get_string()));
  }
  if (!places.plain && !places.tls) std::cerr << "forebay: the daemon has no listener for clients\n";
  return places.plain || places.tls;
}

/// The endpoint of each scheme and host. The certificate is not checked: the daemon was found by its address.
class Endpoints {
 public:
  explicit Endpoints(const Places& places) : places_(places) {}

  /// From one thread.
  void prepare(const WarmUrl& url) {
    const bool by_tls = places_.tls && (url.scheme == "https" || !places_.plain);
    auto& endpoint = all_[{url.scheme, url.host}];
    if (!endpoint.host.empty() || !endpoint.socket.empty()) return;
    endpoint = by_tls ? *places_.tls : *places_.plain;
    if (!by_tls) return;
    config::Origin as;
    as.url.host = url.host.substr(0, url.host.rfind(':'));
    as.tls.verify = false;
    std::vector<net::TlsFinding> findings;
    endpoint.tls = net::TlsClient::make(as, clock_, findings);
  }
  const net::Endpoint& of(const WarmUrl& url) const { return all_.at({url.scheme, url.host}); }

 private:
  const Places& places_;
  net::SystemClock clock_;
  std::map<std::pair<std::string, std::string>, net::Endpoint> all_;
};

class Warming {
 public:
  Warming(const WarmFlags& flags, const std::vector<WarmUrl>& urls, const Endpoints& endpoints)
      : flags_(flags), urls_(urls), endpoints_(endpoints) {}

  void run() {
    std::vector<std::jthread> threads;
    const auto count = std::min<std::size_t>(flags_.concurrency, urls_.size());
    for (std::size_t i = 0; i < count; ++i) threads.emplace_back([this] { take_turns(); });
    const bool draws = ::isatty(STDERR_FILENO) == 1 && !flags_.json;
    while (draws && done() < urls_.size()) {
      draw();
      std::this_thread::sleep_for(kDrawEvery);
    }
    threads.clear();
    if (draws) std::cerr << "\r\x1b[K";
    took_ = SteadyClock::now() - begun_;
  }

  ExitCode report() {
    const auto n = [this](Warmed w) { return counts_[static_cast<std::size_t>(w)].load(); };
    const MutexLock lock(mutex_);
    for (const auto& failure : failures_) std::cerr << "forebay: " << failure << '\n';
    if (n(Warmed::Failed) > failures_.size())
      std::cerr << "forebay: and " << n(Warmed::Failed) - failures_.size() << " more failed\n";
    if (n(Warmed::Unknown) > 0)
      std::cerr << "forebay: " << n(Warmed::Unknown)
                << " answers have no Cache-Status, so what was stored is not known (diagnostics.cache_status)\n";
    if (flags_.json) {
      json::object reasons;
      for (const auto& [why, count] : reasons_) reasons[why] = count;
      const json::object document{{"requested", urls_.size()},
                                  {"stored", n(Warmed::Stored)},
                                  {"hits", n(Warmed::Fresh)},
                                  {"not_stored", n(Warmed::NotStored)},
                                  {"unknown", n(Warmed::Unknown)},
                                  {"failed", n(Warmed::Failed)},
                                  {"not_stored_reasons", std::move(reasons)},
                                  {"took_s", std::chrono::duration<double>(took_).count()}};
      std::cout << json::serialize(document) << '\n';
    } else {
      std::cout << "requested " << urls_.size() << ", stored " << n(Warmed::Stored) << ", hits " << n(Warmed::Fresh)
                << ", not stored " << n(Warmed::NotStored) << ", failed " << n(Warmed::Failed) << '\n';
      for (const auto& [why, count] : reasons_) std::cout << "not stored " << why << ' ' << count << '\n';
    }
    return n(Warmed::Failed) > 0 ? ExitCode::Failed : ExitCode::Done;
  }

 private:
  std::size_t done() const {
    std::size_t all = 0;
    for (const auto& count : counts_) all += count.load();
    return all;
  }

  void take_turns() {
    for (auto i = next_++; i < urls_.size(); i = next_++) {
      // Each request has its time from the start, so that the rate does not depend on how long answers take.
      if (flags_.rate > 0)
        std::this_thread::sleep_until(begun_ + std::chrono::nanoseconds{std::chrono::seconds{1}} * i / flags_.rate);
      const auto& url = urls_[i];
      auto outcome = judge_warmed(
          net::ask(endpoints_.of(url), flags_.method, message(url), kMostContent, SteadyClock::now() + flags_.timeout));
      {
        const MutexLock lock(mutex_);
        if (outcome.warmed == Warmed::Failed && failures_.size() < kFailuresShown)
          failures_.push_back(url.text + ": " + outcome.why);
        if (outcome.warmed == Warmed::NotStored) ++reasons_[outcome.why];
      }
      ++counts_[static_cast<std::size_t>(outcome.warmed)];
    }
  }

  std::string message(const WarmUrl& url) const {
    std::string text = flags_.method + ' ' + url.target + " HTTP/1.1\r\n";
    const auto given = [&](std::string_view name) {
      return std::any_of(flags_.headers.begin(), flags_.headers.end(),
                         [&](const auto& field) { return http::iequals(field.first, name); });
    };
    if (!given("Host")) http::append_line(text, "Host", url.host);
    if (!given("User-Agent")) http::append_line(text, "User-Agent", "forebay-warm");
    if (!given("Accept")) http::append_line(text, "Accept", "*/*");
    for (const auto& [name, value] : flags_.headers) http::append_line(text, name, value);
    http::append_line(text, "Connection", "close");
    return text + "\r\n";
  }

  void draw() const {
    constexpr std::size_t kWidth = 30;
    const auto now = done(), full = kWidth * now / urls_.size();
    std::cerr << "\r[" << std::string(full, '#') << std::string(kWidth - full, '.') << "] " << now << '/'
              << urls_.size() << ", failed " << counts_[static_cast<std::size_t>(Warmed::Failed)].load() << "\x1b[K"
              << std::flush;
  }

  const WarmFlags& flags_;
  const std::vector<WarmUrl>& urls_;
  const Endpoints& endpoints_;
  const SteadyClock::time_point begun_ = SteadyClock::now();
  std::chrono::nanoseconds took_{};
  std::atomic<std::size_t> next_{0};
  std::atomic<std::size_t> counts_[5] = {};
  Mutex mutex_;
  std::vector<std::string> failures_ FOREBAY_GUARDED_BY(mutex_);
  std::map<std::string, std::size_t> reasons_ FOREBAY_GUARDED_BY(mutex_);
};

}  // namespace

ExitCode warm(const WarmFlags& flags) {
  std::vector<WarmUrl> urls;
  if (!read_urls(flags, urls)) return ExitCode::Usage;
  if (urls.empty()) {
    std::cerr << "forebay: there is no URL in " << flags.file.value_or("the arguments") << '\n';
    return ExitCode::Usage;
  }
  Places places;
  auto why = ExitCode::Done;
  if (!find_listeners(flags, places, why)) return why;
  Endpoints endpoints(places);
  for (const auto& url : urls) endpoints.prepare(url);
  Warming warming(flags, urls, endpoints);
  warming.run();
  return warming.report();
}

}  // namespace forebay::app
