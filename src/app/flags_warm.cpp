// The flags of `forebay warm`.
#include "curl_flags.hpp"
#include "flags_shared.hpp"
#include "forebay/http/fields.hpp"
#include "forebay/http/list.hpp"
#include "warm.hpp"

namespace forebay::app {
namespace {

constexpr std::uint64_t kMostConcurrency = 256, kMostRate = 100000;

class WarmWords final : public CommandWords {
 public:
  explicit WarmWords(CLI::App& app) : CommandWords(app) {
    words("url", flags_.urls, "URL", "URLs to request, e.g. http://shop.example.com/products.");
    text("--file", flags_.file, "FILE", "File with a URL on each line, or a sitemap; - is standard input.");
    text("--concurrency", concurrency_, "N", "Requests at a time (default 4).");
    text("--rate", rate_, "N", "Requests a second at most; default: no limit.");
    text("--method", flags_.method, "METHOD", "GET or HEAD (default GET).").one_of({"GET", "HEAD"});
    list("-H,--header", headers_, "'N: V'", "Header field of the requests; repeatable.");
    text("--to", flags_.to, "ADDR", "Address of the daemon for clients; default: a listener that the daemon names.");
    add_daemon(*this, flags_.config, flags_.admin);
    text("--timeout", timeout_, "DUR", "Time limit for each response (default 30s).");
    flag("--json", flags_.json, "Print JSON.");
  }

  Command finish() override {
    auto& f = flags_;
    if (f.urls.empty() && !f.file) return usage("warm needs URLs, or --file with a list of them");
    if (auto wrong = take_number("--concurrency", concurrency_, kMostConcurrency, f.concurrency)) return *wrong;
    if (auto wrong = take_number("--rate", rate_, kMostRate, f.rate)) return *wrong;
    if (f.method != "GET" && f.method != "HEAD") return usage("--method must be GET or HEAD, not \"" + f.method + '"');
    if (!split_fields(headers_, f.headers)) return usage("-H needs 'Name: value'");
    for (const auto& [name, value] : f.headers)
      if (http::is_hop_by_hop(http::field_id(name)) || http::field_id(name) == http::FieldId::ContentLength)
        return usage("-H cannot set " + name);
    if (!timeout_.empty())
      if (auto wrong = take_time("--timeout", timeout_, "30s", f.timeout)) return *wrong;
    if (f.to && f.admin) return usage("--to and --admin are two ways to find the daemon; give one of them");
    return Command(std::move(f), warm);
  }

 private:
  static std::optional<Said> take_number(const char* flag, const std::string& text, std::uint64_t most,
                                         unsigned& into) {
    if (text.empty()) return std::nullopt;
    std::uint64_t value = 0;
    if (!http::parse_decimal(text, most + 1, value) || value == 0 || value > most)
      return usage(std::string(flag) + " needs a number from 1 to " + std::to_string(most) + ", not \"" + text + '"');
    into = static_cast<unsigned>(value);
    return std::nullopt;
  }

  WarmFlags flags_;
  std::string concurrency_, rate_, timeout_;
  std::vector<std::string> headers_;
};

}  // namespace

std::unique_ptr<CommandWords> warm_words(CLI::App& app) { return std::make_unique<WarmWords>(app); }

}  // namespace forebay::app
