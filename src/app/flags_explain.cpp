#include "commands.hpp"
#include "curl_flags.hpp"
#include "flags_shared.hpp"
#include "forebay/http/list.hpp"

namespace forebay::app {
namespace {

/// Flags that say what a request, or a response, looks like.
constexpr const char* kOfRequests[] = {
    "--request",      "--header", "--data",   "--data-raw",        "--data-urlencode",
    "--get",          "--head",   "--cookie", "--user-agent",      "--referer",
    "--json-content", "--user",   "--status", "--response-header", "--response-body"};

class ExplainWords final : public CommandWords {
 public:
  explicit ExplainWords(CLI::App& app) : CommandWords(app) {
    auto& f = flags_;
    word("url", f.url, "URL|ID",
         "URL of the request, e.g. http://shop.example.com/api/search?q=1, or a path; or the id of a recent request, "
         "which the running daemon is asked about.")
        .required();
    flag("--id", by_id_, "The word is the id of a request, although it does not look like one.");
    add_settings(*this, f.run, set_);
    add_request();
    text("--status", status_, "N", "Also judge a response with this status.");
    list("--response-header", response_headers_, "'N: V'", "Header field of the response to judge; repeatable.");
    text("--response-body", f.response_content, "BODY|@FILE", "Content of the response to judge.");
    flag("--live", f.live, "Ask the running daemon, which knows what is stored.");
    text("--admin", f.admin, "ADDR", "Admin address for --live. Default: $FOREBAY_ADMIN, the file, 127.0.0.1:8081.");
    text("--timeout", timeout_, "DUR", "Time limit for the daemon (default 5s).");
    flag("--json", f.json,
         "Print JSON. Followed by a document ({...}, [...] or @FILE), it is curl's --json: content, as JSON; "
         "repeatable.");
  }

  void prepare(std::vector<std::string>& words) const override { take_json(words); }

  std::optional<std::string> advice_on_flag(std::string_view flag) const override { return curl_flag_advice(flag); }
  std::optional<std::string> advice_on_argument(const std::string& argument) const override {
    if (argument.empty() || count("--json") == 0) return std::nullopt;
    return "--json alone prints JSON; use --json='...' for content that does not start like JSON";
  }
  std::optional<std::string> advice_on_missing(std::string_view name) const override {
    if (name != "url") return std::nullopt;
    return "explain needs a URL or a path, for example forebay explain /api/search";
  }

  Command finish() override {
    auto& f = flags_;
    if (auto wrong = split_settings(set_, f.run)) return *wrong;
    if (by_id_ || looks_like_id(f.url)) return finish_by_id();
    if (f.live)
      if (auto wrong = settings_beside_live()) return *wrong;
    f.content = content();
    if (auto wrong = take_curl_words(curl_, f)) return usage(std::move(*wrong));
    if (!split_fields(response_headers_, f.response_headers)) return usage("--response-header needs 'Name: value'");
    if (!status_.empty()) {
      std::uint64_t status = 0;
      if (!http::parse_decimal(status_, 1000, status) || status < 200 || status > 599)
        return usage("--status needs a number from 200 to 599, not \"" + status_ + '"');
      f.status = static_cast<int>(status);
    }
    f.has_response = f.status || !f.response_headers.empty() || f.response_content;
    if (f.admin && !f.live) return usage("--admin requires --live");
    if (auto wrong = take_time("--timeout", timeout_, "5s", f.timeout)) return *wrong;
    return Command(std::move(f), explain);
  }

 private:
  /// Ids that Forebay makes, UUIDs and the like. Other words may be hosts.
  static bool looks_like_id(const std::string& word) {
    constexpr std::size_t kShortest = 16;
    return word.size() >= kShortest && word.find_first_not_of("0123456789abcdefABCDEF-") == std::string::npos;
  }

  Command finish_by_id() {
    auto& f = flags_;
    for (const auto* flag : kOfRequests)
      if (count(flag) > 0) return usage(std::string(flag) + " is for a URL or a path, not for the id of a request");
    f.live = true;
    if (auto wrong = settings_beside_live()) return *wrong;
    if (auto wrong = take_time("--timeout", timeout_, "5s", f.timeout)) return *wrong;
    return Command(std::move(f), explain_recent);
  }

  /// The request, with the flags of curl.
  void add_request() {
    text("-X,--request", flags_.method, "METHOD", "Method; default GET, or POST with -d.");
    list("-H,--header", curl_.headers, "'N: V'", "Header field of the request; repeatable.");
    list("-d,--data,--data-binary,--data-ascii", data_, "BODY|@FILE",
         "Content of the request, unchanged; @- is standard input; repeatable, joined by &.");
    list("--data-raw", raw_data_, "BODY", "Like -d, but @ has no special meaning.");
    list("--data-urlencode", encoded_data_, "[NAME=]TEXT", "Like -d, percent-encoded; NAME@FILE reads a file.");
    flag("-G,--get", flags_.content_in_query, "Send the content of -d as the query of a GET.");
    // `--json DOCUMENT` of curl; `take_json` tells it from the flag.
    list("--json-content", json_data_, "DOCUMENT", "").hide();
    flag("-I,--head", curl_.head, "Use the method HEAD.");
    list("-b,--cookie", curl_.cookies, "'N=V; N=V'", "Cookies of the request; repeatable.");
    text("-A,--user-agent", curl_.user_agent, "TEXT", "The User-Agent field.");
    text("-e,--referer", curl_.referer, "URL", "The Referer field.");
    text("-u,--user", curl_.user, "NAME:PASSWORD", "The Authorization field, with the Basic scheme.");
    // Flags that only change the output of curl.
    flag("-s,--silent,-S,--show-error,-i,--include,-v,--verbose", unheeded_, "").hide();
  }

  /// The pieces of the content in the order of the command line.
  std::vector<ExplainFlags::Content> content() const {
    using Kind = ExplainFlags::Content::Kind;
    struct Source {
      std::string_view flag;
      Kind kind;
      const std::vector<std::string>& pieces;
      std::size_t taken = 0;
    };
    Source sources[] = {{"--data", Kind::Plain, data_},
                        {"--data-raw", Kind::Raw, raw_data_},
                        {"--data-urlencode", Kind::Encoded, encoded_data_},
                        {"--json-content", Kind::Json, json_data_}};
    std::vector<ExplainFlags::Content> content;
    for (const auto& flag : given_in_order())
      for (auto& source : sources)
        if (flag == source.flag && source.taken < source.pieces.size())
          content.push_back({source.pieces[source.taken++], source.kind});
    return content;
  }

  /// The running daemon has a configuration; `-c` only says where it is.
  std::optional<Said> settings_beside_live() const {
    for (const auto* flag : {"--origin", "--listen", "--ttl", "--memory", "--log-level", "--log-format", "--set"})
      if (count(flag) > 0)
        return usage(std::string(flag) + " cannot be used with --live: the daemon has its own configuration");
    return std::nullopt;
  }

  ExplainFlags flags_;
  CurlWords curl_;
  std::string status_, timeout_ = "5s";
  std::vector<std::string> set_, response_headers_, data_, raw_data_, encoded_data_, json_data_;
  bool unheeded_ = false, by_id_ = false;
};

}  // namespace

std::unique_ptr<CommandWords> explain_words(CLI::App& app) { return std::make_unique<ExplainWords>(app); }

}  // namespace forebay::app
