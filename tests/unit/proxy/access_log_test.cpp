#include "forebay/proxy/access_log.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "proxy/access_format.hpp"

namespace forebay::proxy {
namespace {

using rules::CacheResult;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

config::AccessTemplate compiled(std::string_view text) {
  std::string_view unknown;
  return config::AccessTemplate::compile(text, unknown).value();
}

AccessRecord record() {
  AccessRecord r;
  r.at = WallTime{std::chrono::milliseconds{1704164645678}};  // 2024-01-02T03:04:05.678Z
  r.remote = "10.0.0.9";
  r.client = "203.0.113.7";
  r.method = "GET";
  r.scheme = "http";
  r.host = "shop.example";
  r.path = "/p/42";
  r.status = 200;
  r.bytes_out = 512;
  r.route = "product";
  r.result = CacheResult::Hit;
  r.total_ms = 0.125;
  return r;
}

using Append = void(std::string&, const AccessRecord&, const config::AccessLog&);
std::string line_of(Append& append, const AccessRecord& record, const config::AccessLog& config) {
  std::string out;
  append(out, record, config);
  return out;
}

std::string slurp(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::stringstream all;
  all << in.rdbuf();
  return all.str();
}

class Folder {
 public:
  Folder() {
    char name[] = "/tmp/forebay-access-XXXXXX";
    path_ = ::mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::filesystem::path operator/(const char* name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

TEST(AccessJson, HasTheFieldsOfTheContractAndLeavesOutWhatIsAbsent) {
  EXPECT_EQ(line_of(append_json, record(), {}),
            R"({"ts":"2024-01-02T03:04:05.678Z","remote":"10.0.0.9","client":"203.0.113.7","method":"GET",)"
            R"("scheme":"http","host":"shop.example","path":"/p/42","proto":"HTTP/1.1","status":200,)"
            R"("bytes_in":0,"bytes_out":512,"route":"product","cache":{"result":"hit","stored":false,"tier":"l1"},)"
            R"("time":{"total_ms":0.125}})");
}

TEST(AccessJson, HasEveryPartThatIsThere) {
  auto r = record();
  r.result = CacheResult::Miss;
  r.reason = rules::Reason::NoStore;
  r.cause = rules::Reason::Private;
  r.cause_left_s = 8;
  r.key_id = "00ff";
  r.age_s = 0;
  r.ttl_s = -3;
  r.has_ttl = true;
  r.ttl_source = rules::TtlSource::SMaxage;
  r.lookup_ms = 0.5;
  r.queue_ms = 1;
  r.wait_ms = 2;
  r.origin_connect_ms = 3;
  r.origin_ttfb_ms = 4;
  r.send_ms = 5.5;
  r.origin_name = "web";
  r.origin_address = "127.0.0.1:3000";
  r.origin_method = "GET";
  r.origin_status = 503;
  r.origin_attempts = 2;
  r.origin_error = "reset";
  r.trace_id = "abc";
  r.span_id = "12";
  r.parent_id = "34";
  r.trace_link = "de-56";
  r.request_id = "rid";
  r.user_agent = "curl/8";
  r.referer = "http://a/";
  r.completed = false;
  const auto line = line_of(append_json, r, {});
  EXPECT_THAT(
      line,
      HasSubstr(
          R"("cache":{"result":"miss","reason":"no_store","cause":"private","cause_left_s":8,"key_id":"00ff","age_s":0,"ttl_s":-3,"ttl_source":"s-maxage","stored":false})"));
  EXPECT_THAT(
      line,
      HasSubstr(
          R"("time":{"total_ms":0.125,"lookup_ms":0.500,"queue_ms":1.000,"wait_ms":2.000,"origin_connect_ms":3.000,"origin_ttfb_ms":4.000,"send_ms":5.500})"));
  EXPECT_THAT(
      line,
      HasSubstr(
          R"("origin":{"name":"web","address":"127.0.0.1:3000","method":"GET","status":503,"attempts":2,"error":"reset"})"));
  EXPECT_THAT(
      line,
      HasSubstr(
          R"("trace_id":"abc","span_id":"12","parent_id":"34","trace_link":"de-56","request_id":"rid","user_agent":"curl/8","referer":"http://a/","completed":false})"));
}

TEST(AccessJson, NothingAStrangerSendsBreaksTheLine) {
  auto r = record();
  r.user_agent = "a\"b\\c\nd\x01\x7f\xff\xc3\xa9";
  const auto line = line_of(append_json, r, {});
  EXPECT_THAT(line, HasSubstr(R"("user_agent":"a\"b\\c\nd\u0001\u007f\ufffdé")"));
  EXPECT_EQ(line.find('\n'), std::string::npos);
}

TEST(AccessJson, AnEmptyQueryIsNotAnAbsentOne) {
  auto r = record();
  EXPECT_THAT(line_of(append_json, r, {}), Not(HasSubstr("\"query\"")));
  r.has_query = true;
  EXPECT_THAT(line_of(append_json, r, {}), HasSubstr(R"("query":"")"));
}

TEST(AccessJson, ARefusedMessageHasNoResult) {
  AccessRecord r;
  r.at = record().at;
  r.remote = "10.0.0.9";
  r.status = 400;
  r.has_result = false;
  r.route = "_none";
  EXPECT_EQ(line_of(append_json, r, {}),
            R"({"ts":"2024-01-02T03:04:05.678Z","remote":"10.0.0.9","proto":"HTTP/1.1","status":400,)"
            R"("bytes_in":0,"bytes_out":0,"route":"_none","time":{"total_ms":0.000}})");
}

TEST(AccessJson, AnErrorOfOurOwnSaysItsCause) {
  auto r = record();
  r.error_code = "body_too_large";
  r.error_detail = "It is \"long\".";
  EXPECT_THAT(line_of(append_json, r, {}),
              HasSubstr(R"("error":{"code":"body_too_large","detail":"It is \"long\"."})"));
  config::AccessLog config;
  config.line = compiled("{error.code} {error.detail}");
  EXPECT_EQ(line_of(append_template, record(), config), "- -");
  EXPECT_THAT(line_of(append_template, r, config), StartsWith("body_too_large It is "));
}

TEST(AccessRedaction, HidesQueryValuesByNameHoweverTheyAreWritten) {
  config::AccessLog config;
  config.redact_query = {"token", "api*"};
  struct Case {
    std::string_view query, wanted;
  };
  for (const auto& [query, wanted] :
       {Case{"a=1&token=s3", "a=1&token=REDACTED"}, Case{"%74oken=s3", "%74oken=REDACTED"},
        Case{"TOKEN=s3&b", "TOKEN=REDACTED&b"}, Case{"apikey=x&api_key=y", "apikey=REDACTED&api_key=REDACTED"},
        Case{"token", "token"}, Case{"", ""}, Case{"a=token", "a=token"}}) {
    auto r = record();
    r.query = query;
    r.has_query = true;
    EXPECT_THAT(line_of(append_json, r, config), HasSubstr("\"query\":\"" + std::string(wanted) + "\"")) << query;
  }
}

TEST(AccessRedaction, HidesTheRefererItsQueryAndTheUserAgent) {
  config::AccessLog config;
  config.redact_query = {"token"};
  auto r = record();
  r.referer = "http://shop.example/?token=s3&x=1";
  r.user_agent = "secret";
  EXPECT_THAT(line_of(append_json, r, config), HasSubstr(R"("referer":"http://shop.example/?token=REDACTED&x=1")"));
  config.redact_headers = {"referer", "User-*"};
  const auto line = line_of(append_json, r, config);
  EXPECT_THAT(line, HasSubstr(R"("user_agent":"REDACTED","referer":"REDACTED")"));
}

TEST(AccessCombined, IsTheLineThatLogToolsKnow) {
  auto r = record();
  r.has_query = true;
  r.query = "a=1";
  r.referer = "http://a/";
  r.user_agent = "curl\"8\n";
  EXPECT_EQ(line_of(append_combined, r, {}),
            "203.0.113.7 - - [02/Jan/2024:03:04:05 +0000] \"GET /p/42?a=1 HTTP/1.1\" 200 512 \"http://a/\" "
            "\"curl\\x228\\x0a\"");
}

TEST(AccessConsole, HasTheResultWithItsReasonAndTheCauseOfAFailure) {
  auto r = record();
  r.has_query = true;
  r.query = "token=1&a=b";
  config::AccessLog config;
  config.redact_query = {"token"};
  EXPECT_EQ(line_of(append_console, r, config), "03:04:05.678 GET /p/42?token=REDACTED&a=b 200 hit 512 B 0.125 ms");
  r.has_query = false;
  r.result = CacheResult::Miss;
  r.reason = rules::Reason::NoFreshness;
  EXPECT_EQ(line_of(append_console, r, {}), "03:04:05.678 GET /p/42 200 miss (no_freshness) 512 B 0.125 ms");
  r.result = CacheResult::Error;
  r.reason = rules::Reason::None;
  r.status = 502;
  r.origin_name = "shop";
  r.origin_error = "connect";
  r.origin_detail = "127.0.0.1:3000: Connection refused\x1b[2J";
  r.completed = false;
  EXPECT_EQ(line_of(append_console, r, {}),
            "03:04:05.678 GET /p/42 502 error 512 B 0.125 ms; origin shop: connect: 127.0.0.1:3000: Connection "
            "refused\\x1b[2J; not completed");
  AccessRecord refused;
  refused.at = r.at;
  refused.status = 431;
  refused.result = CacheResult::Error;
  EXPECT_EQ(line_of(append_console, refused, {}), "03:04:05.678 - 431 error 0 B 0.000 ms");
  refused.method = "GET";
  refused.path = "/long";
  refused.bytes_out = 217;
  refused.error_code = "header_too_large";
  refused.error_detail = "The request's head is longer than 4096 bytes (server.limits.request_header).";
  EXPECT_EQ(line_of(append_console, refused, {}),
            "03:04:05.678 GET /long 431 error 217 B 0.000 ms; header_too_large: The request's head is longer than 4096 "
            "bytes (server.limits.request_header).");
  auto passed = record();
  passed.result = CacheResult::Bypass;
  passed.reason = rules::Reason::PassMemory;
  passed.cause = rules::Reason::NoFreshness;
  EXPECT_EQ(line_of(append_console, passed, {}),
            "03:04:05.678 GET /p/42 200 bypass (pass_memory: no_freshness) 512 B 0.125 ms");
}

TEST(AccessTemplate, ReplacesFieldsAndKeepsTheRest) {
  config::AccessLog config;
  config.line = compiled("[{method} {path} {cache.result} {time.total_ms}ms {referer} {origin.status}]");
  EXPECT_EQ(line_of(append_template, record(), config), "[GET /p/42 hit 0.125ms - -]");
  config.line = compiled("plain");
  EXPECT_EQ(line_of(append_template, record(), config), "plain");
}

TEST(AccessLog, WhenChoosesWhatIsWritten) {
  Folder folder;
  config::AccessLog config;
  config.output = (folder / "log").string();
  struct Case {
    bool errors, slow, miss, bypass;
    int status;
    CacheResult result;
    double ms;
    bool wanted;
  };
  for (const auto& c : {Case{false, false, false, false, 200, CacheResult::Hit, 1, true},
                        Case{true, false, false, false, 200, CacheResult::Hit, 1, false},
                        Case{true, false, false, false, 500, CacheResult::Miss, 1, true},
                        Case{true, false, false, false, 400, CacheResult::Error, 1, true},
                        Case{true, false, false, false, 0, CacheResult::Hit, 1, true},
                        Case{false, true, false, false, 200, CacheResult::Hit, 999, false},
                        Case{false, true, false, false, 200, CacheResult::Hit, 1000, true},
                        Case{false, false, true, false, 200, CacheResult::Miss, 1, true},
                        Case{false, false, true, false, 200, CacheResult::Bypass, 1, false},
                        Case{false, false, false, true, 200, CacheResult::Bypass, 1, true}}) {
    config.errors = c.errors;
    config.slow = c.slow;
    config.miss = c.miss;
    config.bypass = c.bypass;
    AccessLog log(config, 1);
    EXPECT_EQ(log.wants(0, c.status, c.result, c.ms), c.wanted) << c.status << ' ' << rules::to_string(c.result);
  }
}

TEST(AccessLog, SamplingKeepsAShareAndEveryError) {
  Folder folder;
  config::AccessLog config;
  config.output = (folder / "log").string();
  config.sample = 0.1;
  AccessLog log(config, 1);
  int kept = 0;
  for (int i = 0; i < 10'000; ++i) {
    kept += log.wants(0, 200, CacheResult::Hit, 1) ? 1 : 0;
    ASSERT_TRUE(log.wants(0, 502, CacheResult::Error, 1));
  }
  EXPECT_GT(kept, 700);
  EXPECT_LT(kept, 1300);
  config.output = "off";
  EXPECT_FALSE(AccessLog(config, 1).wants(0, 502, CacheResult::Error, 1));
}

TEST(AccessLog, EveryLineIsInTheFileOnceTheLogHasGone) {
  Folder folder;
  config::AccessLog config;
  config.output = (folder / "log").string();
  config.block_when_full = true;
  config.buffer = 4096;
  {
    AccessLog log(config, 2);
    std::vector<std::thread> workers;
    for (std::size_t w = 0; w < 2; ++w)
      workers.emplace_back([&log, w] {
        for (int i = 0; i < 1000; ++i) log.write(w, record());
      });
    for (auto& w : workers) w.join();
    EXPECT_EQ(log.dropped(), 0U);
  }
  std::istringstream lines(slurp(folder / "log"));
  int n = 0;
  for (std::string line; std::getline(lines, line); ++n) {
    ASSERT_THAT(line, StartsWith("{\"ts\":"));
    ASSERT_THAT(line, EndsWith("}"));
  }
  EXPECT_EQ(n, 2000);
}

TEST(AccessLog, AWriterThatFallsBehindCostsLinesAndNotTime) {
  Folder folder;
  const auto fifo = (folder / "fifo").string();
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  ::signal(SIGPIPE, SIG_IGN);                                      // as the daemon does
  const int reader = ::open(fifo.c_str(), O_RDONLY | O_NONBLOCK);  // never reads
  ASSERT_GE(reader, 0);
  config::AccessLog config;
  config.output = fifo;
  config.buffer = 8192;
  {
    AccessLog log(config, 1);
    // Far more than the pipe's 64 KiB and the buffer hold; each call returns at once.
    for (int i = 0; i < 5000; ++i) log.write(0, record());
    EXPECT_GT(log.dropped(), 1000U);
    ::close(reader);
  }
}

TEST(AccessLog, ReopenFollowsARotation) {
  Folder folder;
  config::AccessLog config;
  config.output = (folder / "log").string();
  {
    AccessLog log(config, 1);
    std::filesystem::rename(folder / "log", folder / "log.1");
    log.reopen();
    log.write(0, record());
  }
  EXPECT_THAT(slurp(folder / "log"), StartsWith("{\"ts\":"));
  EXPECT_EQ(slurp(folder / "log.1"), "");
}

TEST(AccessLog, AnOutputThatCannotBeOpenedIsSaidInASentence) {
  config::AccessLog config;
  config.output = "/nonexistent/folder/log";
  try {
    AccessLog log(config, 1);
    FAIL();
  } catch (const std::runtime_error& e) {
    EXPECT_STREQ(
        e.what(),
        "cannot open the access log /nonexistent/folder/log: the directory /nonexistent/folder does not exist");
  }
}

}  // namespace
}  // namespace forebay::proxy
