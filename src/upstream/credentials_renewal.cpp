#include "upstream/credentials_renewal.hpp"

#include <utility>

#include "forebay/base/guarded.hpp"

namespace forebay::upstream {
namespace {

constexpr std::size_t kLargestAnswer = 64 * 1024;
constexpr std::size_t kLargestHead = 16 * 1024;

config::Origin settings_of(const config::Url& endpoint, const std::string& name) {
  config::Origin origin;
  origin.name = name + " (its credentials)";
  origin.url = endpoint;
  origin.timeouts = {std::chrono::seconds{2}, std::chrono::seconds{5}, std::chrono::seconds{5}};
  origin.retries = 0;
  origin.passive.failures = 0;
  origin.pool.max_connections = 1;
  origin.pool.max_idle = 0;
  return origin;
}

}  // namespace

CredentialsRenewal::CredentialsRenewal(net::Worker& worker, std::shared_ptr<Credentials> credentials,
                                       const std::string& name)
    : worker_(worker), credentials_(std::move(credentials)), name_(name) {
  wait();
}

CredentialsRenewal::~CredentialsRenewal() {
  if (source_) source_->cancel();
}

void CredentialsRenewal::wait() {
  const auto& now = worker_.now();
  worker_.deadlines().arm(timer_, now.mono, credentials_->until_due(now));
}

void CredentialsRenewal::look() {
  guarded([this] { ask(); }, [this] { broken(); });
}

void CredentialsRenewal::ask() {
  turn_ = credentials_->take_turn(worker_.now());
  if (!turn_) return wait();
  const auto& found = credentials_->found();
  http::Fields fields;
  if (const auto why = fields_for_endpoint(found, fields); !why.empty()) {
    credentials_->failed(why, worker_.now());
    return settle();
  }
  if (!endpoint_)
    endpoint_ = std::make_unique<Origin>(
        worker_, std::make_shared<OriginState>(settings_of(found.endpoint, name_), std::vector<Duration>{}));
  FetchRequest request;
  request.method_text = "GET";
  request.target = found.path;
  request.fields = fields;
  status_ = 0;
  answer_.clear();
  source_ = endpoint_->fetch(request, kLargestHead);
  source_->start(*this);
}

// The source is dropped by the next request: it may still be at work in the call that has led here.
void CredentialsRenewal::settle() {
  turn_.reset();
  answer_.clear();
  wait();
}

void CredentialsRenewal::broken() noexcept {
  if (const auto source = std::exchange(source_, nullptr)) source->cancel();
  settle();
}

void CredentialsRenewal::on_head(const http::ResponseView& head, const HeadFacts&) { status_ = head.status; }

bool CredentialsRenewal::on_data(std::string_view bytes) {
  if (answer_.size() + bytes.size() <= kLargestAnswer) answer_.append(bytes);
  return true;
}

void CredentialsRenewal::on_end(const http::Fields&) {
  guarded([this] { credentials_->answered(status_, answer_, worker_.now()); }, [] {});  // it is asked again
  settle();
}

void CredentialsRenewal::on_failure(FetchError error, std::string_view detail) {
  guarded([&] { credentials_->failed(std::string(to_string(error)).append(": ").append(detail), worker_.now()); },
          [] {});
  settle();
}

}  // namespace forebay::upstream
