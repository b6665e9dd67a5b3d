#include "support/forebay_test.hpp"

#include <sys/resource.h>

#include <thread>

#include "support/h2_transport.hpp"
#include "support/json.hpp"

namespace forebay::test {
namespace {

// Herds of a thousand clients need descriptors; the daemon inherits the limit.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 16384);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

ForebayTest::ForebayTest() { raise_descriptor_limit(); }

std::string ForebayTest::with_origin(std::string_view yaml) const {
  std::string all(yaml);
  if (!all.ends_with('\n')) all += '\n';
  if (!all.starts_with("origin:") && all.find("\norigin:") == std::string::npos)
    all += "origin: " + origin.url() + "\n";
  return all;
}

void ForebayTest::start(std::string_view yaml) { daemon = std::make_unique<Daemon>(with_origin(yaml)); }

void ForebayTest::start_without_origin(std::string_view yaml) { daemon = std::make_unique<Daemon>(yaml); }

void ForebayTest::TearDown() {
  if (daemon) {
    origin.refuse();  // what still hangs there must not hold up the drain
    const auto exit = daemon->stop();
    EXPECT_TRUE(exit.has_value()) << "the daemon does not stop by SIGTERM";
    EXPECT_EQ(exit.value_or(-1), expected_exit);
    const auto log = daemon->log();
    EXPECT_THAT(log, Not(HasSubstr("Sanitizer")));
    EXPECT_THAT(log, Not(HasSubstr("runtime error:")));
    if (HasFailure()) std::fprintf(stderr, "--- log of the daemon\n%s---\n", log.c_str());
  }
  EXPECT_THAT(origin.complaints(), IsEmpty());
}

Client ForebayTest::connect() {
  auto socket = Socket::connect(daemon->port());
  if (!over_http2()) return Client(std::move(socket));
  auto [end, transport] = H2Transport::open(std::move(socket));
  return Client(std::move(end), std::move(transport));
}

Answer ForebayTest::ask(std::string_view method, std::string_view target, const FieldLines& fields,
                        std::string_view body) {
  auto c = connect();
  return c.ask(method, target, fields, body);
}

bool ForebayTest::get_until(std::string_view target, int status) {
  return eventually([&] {
    const auto a = get(target);
    return a.complete() && a.status == status;
  });
}

std::string ForebayTest::patient_and_hasty(std::string_view options) const {
  const auto entry = [&](std::string_view name, std::string_view more) {
    return std::string(name) + ": {url: '" + origin.url() + "', retries: 0, " + std::string(more) + "}";
  };
  return "origins: {" + entry("patient", "timeouts: {first_byte: 5m, between_bytes: 5m}") + ", " +
         entry("hasty", options) + "}\norigin: patient\n";
}

Answer ForebayTest::send_raw(std::string_view bytes) {
  auto c = connect();
  c.send(bytes);
  return c.read();
}

bool ForebayTest::eventually(const std::function<bool()>& condition, Clock::duration limit) {
  const auto until = Clock::now() + limit;
  while (!condition()) {
    if (Clock::now() >= until) return false;
    std::this_thread::sleep_for(milliseconds{5});
  }
  return true;
}

bool ForebayTest::metric_reaches(std::string_view name, const Metrics::Labels& labels, double at_least) {
  return eventually([&] { return metric(name, labels) >= at_least; });
}

testing::AssertionResult ForebayTest::metric_becomes(std::string_view name, const Metrics::Labels& labels,
                                                     double value) {
  double last = 0;
  if (eventually([&] { return (last = metric(name, labels)) == value; })) return testing::AssertionSuccess();
  return testing::AssertionFailure() << name << " is " << last << " and not " << value;
}

std::map<std::string, std::string> ForebayTest::access_line(
    std::string_view path, const std::function<bool(const std::map<std::string, std::string>&)>& condition) {
  std::map<std::string, std::string> found;
  eventually([&] {
    for (auto& line : daemon->access())
      if (line["path"] == path && (!condition || condition(line))) found = line;
    return !found.empty();
  });
  return found;
}

bool ForebayTest::alive() {
  auto c = connect();
  c.request("GET", "/alive-probe");
  return c.read().status != 0;
}

bool ForebayTest::sanitized() const {
  return read_file("/proc/" + std::to_string(daemon->pid()) + "/maps").find("san.so") != std::string::npos;
}

bool is_problem(const Answer& a, int status) {
  if (!a.complete() || a.status != status || !a.get("Content-Type").starts_with("application/problem+json"))
    return false;
  const auto json = flatten_json(a.body);
  return json && json->contains("type") && json->contains("title") && json->at("status") == std::to_string(status);
}

std::string pattern(std::size_t bytes) {
  std::string text;
  text.reserve(bytes + 16);
  for (std::size_t i = 0; text.size() < bytes; ++i) text += std::to_string(i) + (i % 10 == 9 ? '\n' : ' ');
  text.resize(bytes);
  return text;
}

}  // namespace forebay::test
