#include "demo_shop.hpp"

#include <algorithm>
#include <array>

#include "forebay/base/text.hpp"
#include "forebay/http/date.hpp"
#include "forebay/http/fields.hpp"

namespace forebay::app {
namespace {

using namespace std::chrono_literals;
using http::FieldId;

enum Counted : std::size_t { kProducts, kProduct, kSlow, kMe, kFlaky, kTime, kSearch };

struct Product {
  std::string_view name;
  std::string_view price;
};
constexpr std::array<Product, 8> kShelf{{{"Teapot", "24.00"},
                                         {"Kettle", "39.50"},
                                         {"Cup", "6.20"},
                                         {"Saucer", "3.10"},
                                         {"Strainer", "4.80"},
                                         {"Sugar bowl", "11.00"},
                                         {"Tea cosy", "17.90"},
                                         {"Biscuit tin", "9.40"}}};

std::string product_json(std::size_t id) {
  const auto& p = kShelf[(id - 1) % kShelf.size()];
  return R"({"id":)" + std::to_string(id) + R"(,"name":")" + std::string(p.name) + R"(","price":)" +
         std::string(p.price) + '}';
}

}  // namespace

DemoShop::Answer DemoShop::products() {
  Answer a;
  ++counts_[kProducts].n;
  a.fields.add(FieldId::CacheControl, "public, max-age=10");
  a.after = 300ms;
  a.body = "[";
  for (std::size_t id = 1; id <= kShelf.size(); ++id) a.body += (id == 1 ? "" : ",") + product_json(id);
  a.body += "]\n";
  return a;
}

DemoShop::Answer DemoShop::product(std::string_view id, WallTime now) {
  Answer a;
  const bool number = !id.empty() && id.size() <= 4 && std::all_of(id.begin(), id.end(), is_digit);
  const auto n = number ? std::stoul(std::string(id)) : 0;
  ++counts_[kProduct].n;
  if (n == 0) {
    a.status = 404;
    a.body = "{\"error\":\"no such product\"}\n";
    return a;
  }
  a.fields.add(FieldId::CacheControl, "public, max-age=30, stale-while-revalidate=30");
  a.fields.add(FieldId::ETag, "\"product-" + std::to_string(n) + '"');
  a.fields.add(FieldId::LastModified, http::format_date(now - std::chrono::hours{24}));
  a.after = 150ms;
  a.body = product_json(n) + '\n';
  return a;
}

DemoShop::Answer DemoShop::flaky() {
  Answer a;
  if (++counts_[kFlaky].n % 2 == 0) {
    a.status = 503;
    a.fields.add(FieldId::CacheControl, "no-store");
    a.body = "{\"error\":\"the database is having a moment\"}\n";
    return a;
  }
  a.fields.add(FieldId::CacheControl, "max-age=1");
  a.body = "{\"answer\":" + std::to_string(counts_[kFlaky].n) + "}\n";
  return a;
}

// As POST endpoints do, it states no lifetime.
DemoShop::Answer DemoShop::search() {
  Answer a;
  a.after = 200ms;
  a.body = "{\"found\":[" + product_json(1) + ',' + product_json(7) +
           "],\"search\":" + std::to_string(++counts_[kSearch].n) + "}\n";
  return a;
}

DemoShop::Answer DemoShop::stats() const {
  Answer a;
  a.fields.add(FieldId::CacheControl, "no-store");
  a.body = "{";
  for (const auto& c : counts_)
    a.body += (a.body.size() == 1 ? "\"" : ",\"") + std::string(c.name) + "\":" + std::to_string(c.n);
  a.body += "}\n";
  return a;
}

DemoShop::Answer DemoShop::answer(http::Method method, std::string_view path, WallTime now) {
  Answer a;
  if (down_ && path != "/stats") {
    a.status = 503;
    a.fields.add(FieldId::CacheControl, "no-store");
    a.body = "{\"error\":\"the shop is down\"}\n";
    return a;
  }
  if (method == http::Method::Post && path == "/api/search") return search();
  if (method != http::Method::Get && method != http::Method::Head) {
    a.status = 405;
    a.fields.add(FieldId::Allow, "GET, HEAD");
    a.body = "{\"error\":\"this shop only shows\"}\n";
    return a;
  }
  static constexpr std::string_view kOne = "/api/products/";
  if (path == "/api/products") return products();
  if (path.starts_with(kOne)) return product(path.substr(kOne.size()), now);
  if (path == "/api/flaky") return flaky();
  if (path == "/stats") return stats();
  if (path == "/api/slow") {
    ++counts_[kSlow].n;
    a.fields.add(FieldId::CacheControl, "public, max-age=10");
    a.after = 2s;
    a.body = "{\"report\":\"worth waiting for\"}\n";
  } else if (path == "/api/me") {
    ++counts_[kMe].n;
    a.fields.add(FieldId::CacheControl, "private, max-age=60");
    a.body = "{\"user\":\"you\"}\n";
  } else if (path == "/api/time") {
    ++counts_[kTime].n;
    a.content_type = "text/plain";
    a.body = http::format_date(now) + '\n';
  } else {
    a.status = 404;
    a.body = "{\"error\":\"try /api/products\"}\n";
  }
  return a;
}

}  // namespace forebay::app
