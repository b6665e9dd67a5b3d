// `POST /api/v1/warm`.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <utility>

#include "answers.hpp"
#include "forebay/base/text.hpp"
#include "forebay/http/target.hpp"
#include "json_text.hpp"

namespace forebay::admin {
namespace {

namespace json = boost::json;

struct Order {
  std::vector<Warming::Url> urls;
  unsigned at_once = 4;
};

bool read_url(std::string_view text, Warming::Url& url) {
  http::Target target;
  if (!target.read(http::Method::Get, text) || target.authority().empty() || !http::is_valid_host(target.authority()))
    return false;
  url = {std::string(text),
         {std::string(target.scheme()), std::string(target.authority()), std::string(target.path())}};
  if (const auto query = target.query()) url.parsed.target.append("?").append(*query);
  return true;
}

/// Empty, or what is wrong.
std::string read_urls(const json::value& value, Order& order) {
  const std::string shape = "\"urls\" must be a list of 1 to " + std::to_string(Warming::kMostUrls) +
                            " texts, such as http://shop.example.com/.";
  if (!value.is_array() || value.get_array().empty() || value.get_array().size() > Warming::kMostUrls) return shape;
  for (const auto& item : value.get_array()) {
    if (!item.is_string()) return shape;
    if (!read_url(item.get_string(), order.urls.emplace_back()))
      return '"' + as_utf8(std::string_view(item.get_string()).substr(0, 200)) +
             "\" is not a URL such as http://shop.example.com/products.";
  }
  return {};
}

std::string read_order(std::string_view content, Order& order) {
  std::string fault;
  const auto object = read_object(content, fault);
  if (!object) return fault + " It is, for example, {\"urls\": [\"http://shop.example.com/\"]}.";
  for (const auto& [key, value] : *object) {
    if (key == "urls") {
      if (fault = read_urls(value, order); !fault.empty()) return fault;
    } else if (key == "concurrency") {
      const auto* n = value.if_int64();
      if (!n || *n < 1 || *n > Warming::kMostAtOnce)
        return "\"concurrency\" must be a number between 1 and " + std::to_string(Warming::kMostAtOnce) + '.';
      order.at_once = static_cast<unsigned>(*n);
    } else {
      return "Unknown member \"" + as_utf8(key) + "\"; known members are urls, concurrency.";
    }
  }
  return order.urls.empty() ? "\"urls\" is missing." : "";
}

Answer to_answer(const WarmReport& report) {
  json::array failures;
  for (const auto& [url, status] : report.failures)
    failures.push_back(json::object{{"url", as_utf8(url)}, {"status", status == 0 ? json::value(nullptr) : status}});
  auto answer = json_answer(json::object{{"requested", report.requested},
                                         {"stored", report.stored},
                                         {"hits", report.hits},
                                         {"not_stored", report.not_stored},
                                         {"failed", report.failed},
                                         {"not_asked", report.not_asked},
                                         {"failures", std::move(failures)},
                                         {"took_s", std::chrono::duration<double>(report.took).count()}});
  answer.outcome = std::to_string(report.requested) + " urls: stored " + std::to_string(report.stored) + ", hits " +
                   std::to_string(report.hits) + ", not stored " + std::to_string(report.not_stored) + ", failed " +
                   std::to_string(report.failed) + ", not asked " + std::to_string(report.not_asked);
  return answer;
}

}  // namespace

std::optional<Answer> answer_warm(const Call& call) {
  Order order;
  if (const auto fault = read_order(call.content, order); !fault.empty()) return call.bad(fault);
  auto& admin = call.admin;
  if (admin.sources.status.state.load(std::memory_order_acquire) != State::Ready)
    return call.refuse(409, "stopping", "The process drains",
                       "Nothing is requested while the process drains or stops.");
  if (admin.warming.busy())
    return call.refuse(409, "warming", "URLs are being requested",
                       "Another order to request URLs is being carried out; its end is in the log.");
  const auto later = call.later();
  admin.warming.begin(admin.sources, call.worker, std::move(order.urls), order.at_once,
                      [later](const WarmReport& report) { later.answer(to_answer(report)); });
  return std::nullopt;
}

}  // namespace forebay::admin
