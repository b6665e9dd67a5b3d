#include "demo_origin.hpp"

#include <string>
#include <utility>
#include <vector>

#include "forebay/http/target.hpp"

namespace forebay::app {
namespace {

struct NoNotes final : server::Notes {
  void reset() override {}
};

}  // namespace

DemoOrigin::DemoOrigin() : booth_(0, clock_) {
  config::Listener where;
  where.name = "demo-origin";
  where.address.host = "127.0.0.1";
  where.address.text = "127.0.0.1:0";
  booth_.open(where, *this);
}

DemoOrigin::~DemoOrigin() {
  closing_ = true;
  // Delayed responses belong to the worker, which must release them itself.
  booth_.worker().post([this] { pending_.clear(); });
  booth_.close();
  pending_.clear();
}

std::unique_ptr<server::Notes> DemoOrigin::make_notes() { return std::make_unique<NoNotes>(); }

void DemoOrigin::send(server::Exchange& exchange, const DemoShop::Answer& answer) {
  http::Fields type;
  type.add(http::FieldId::ContentType, answer.content_type);
  server::AnswerHead head;
  head.status = answer.status;
  head.fields = type;
  head.added = answer.fields;
  head.length = answer.body.size();
  head.has_date = false;
  std::vector<Slice> parts{Chunk::copy_of(answer.body)->slice()};
  exchange.answer(head, http::BodyCursor(std::move(parts)));
}

void DemoOrigin::start(const server::ExchangePtr& exchange) {
  const auto& request = exchange->request();
  http::Target target;
  const bool readable = target.read(request.method, request.target).has_value();
  auto& worker = exchange->worker();
  auto answer = shop_.answer(request.method, readable ? target.path() : "", worker.now().wall);
  if (answer.after == Duration{0}) {
    send(*exchange, answer);
    return;
  }
  const auto at = pending_.emplace(pending_.end());
  at->exchange = exchange;
  at->answer = std::move(answer);
  at->due.emplace([this, at] {
    // The entry owns the deadline, so it leaves the list first.
    std::list<Pending> over;
    over.splice(over.begin(), pending_, at);
    if (!at->exchange->gone()) send(*at->exchange, at->answer);
    at->exchange->worker().post([kept = std::make_shared<std::list<Pending>>(std::move(over))] {});
  });
  worker.deadlines().arm(*at->due, worker.now().mono, at->answer.after);
}

}  // namespace forebay::app
