#include "upstream/credentials.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "forebay/base/duration_text.hpp"
#include "forebay/base/log.hpp"
#include "forebay/content/aws_credentials.hpp"
#include "forebay/http/date.hpp"
#include "forebay/http/h1_writer.hpp"
#include "forebay/net/http_client.hpp"
#include "forebay/net/worker.hpp"

namespace forebay::upstream {
namespace {

constexpr Duration kLongestPause = std::chrono::minutes{1};
constexpr Duration kShortestPause = std::chrono::seconds{1};
// Fresh keys that are good for long are not asked for again sooner, whatever the clock does.
constexpr Duration kRest = std::chrono::seconds{10};
// Of the one request before the first use.
constexpr std::chrono::seconds kFirstWithin{2};
constexpr std::size_t kLargestAnswer = 64 * 1024;
constexpr std::size_t kLongestToken = 16 * 1024;

}  // namespace

Credentials::Credentials(config::Signing::Found found, std::string origin)
    : found_(std::move(found)), origin_(std::move(origin)) {
  if (!are_renewed() && !found_.keys.access_key_id.empty())
    keys_ = std::make_shared<const http::AwsCredentials>(found_.keys);
}

Credentials::Turn::~Turn() {
  if (!credentials_) return;
  const MutexLock lock(credentials_->mutex_);
  credentials_->asking_ = false;
}

Credentials::Usable Credentials::get(WallTime now) const {
  const MutexLock lock(mutex_);
  if (keys_ && (!keys_->expires || now < *keys_->expires)) return {keys_, {}};
  if (!are_renewed()) return {nullptr, "there are no credentials: " + found_.missing};
  const auto why = failure_.empty() ? std::string("the endpoint has not answered yet") : failure_;
  if (!keys_) return {nullptr, "there are no credentials: " + why};
  return {nullptr, "the credentials have expired at " + http::format_date(*keys_->expires) + ": " + why};
}

std::shared_ptr<Credentials::Turn> Credentials::take_turn(const Now& now) {
  if (!are_renewed()) return nullptr;
  auto turn = std::make_shared<Turn>(*this);  // before the lock, which its destructor takes
  bool taken = false;
  {
    const MutexLock lock(mutex_);
    const bool wanted = !keys_ || (keys_->expires && *keys_->expires - now.wall <= lead_);
    taken = !asking_ && wanted && now.mono >= not_before_;
    if (taken) asking_ = true;
  }
  if (taken) return turn;
  turn->credentials_ = nullptr;
  return nullptr;
}

Duration Credentials::until_due(const Now& now) const {
  const MutexLock lock(mutex_);
  auto wait = not_before_ == Timestamp::min() ? Duration{0} : not_before_ - now.mono;
  if (keys_) wait = keys_->expires ? std::max(wait, *keys_->expires - lead_ - now.wall) : kLongestPause;
  // While another worker asks, its answer is soon there.
  return std::clamp(wait, asking_ ? kShortestPause : Duration{std::chrono::milliseconds{1}}, kLongestPause);
}

void Credentials::answered(int status, std::string_view body, const Now& now) {
  if (status != 200) return failed("the endpoint has answered with status " + std::to_string(status), now);
  auto keys = content::read_container_credentials(body);
  if (!keys) return failed("the endpoint has answered with something else than credentials", now);
  if (keys->expires && *keys->expires <= now.wall)
    return failed("the endpoint has answered with credentials that have expired", now);
  learn(std::move(*keys), now);
}

void Credentials::learn(http::AwsCredentials fresh, const Now& now) {
  auto keys = std::make_shared<const http::AwsCredentials>(std::move(fresh));
  unsigned failures = 0;
  {
    const MutexLock lock(mutex_);
    failures = std::exchange(failures_, 0);
    failure_.clear();
    const auto left = keys->expires ? *keys->expires - now.wall : Duration::max();
    lead_ = left > kLead ? kLead : left / 2;
    not_before_ = now.mono + (left > kLead ? kRest : kShortestPause);
    keys_.swap(keys);
  }
  if (failures > 0) log::info("origin " + origin_ + ": its credentials are renewed again");
}

void Credentials::failed(const std::string& why, const Now& now) {
  std::string text = "origin " + origin_ + ": its credentials could not be renewed: " + why;
  {
    const MutexLock lock(mutex_);
    failure_ = why;
    const auto pause = std::min(kLongestPause, kShortestPause * (1 << std::min(failures_, 10U)));
    ++failures_;
    not_before_ = now.mono + pause;
    const bool usable = keys_ && (!keys_->expires || now.wall < *keys_->expires);
    text += usable ? "; the old ones are used until " + http::format_date(*keys_->expires)
                   : "; requests are answered with 502";
    text += "; the next try is in " + duration_text(pause);
  }
  log::warn(text);
}

namespace {

/// A file of one line; nothing with the reason in `why`.
std::string token_of(const std::string& path, std::string& why) {
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  std::string token(kLongestToken + 1, '\0');
  if (in) in.read(token.data(), static_cast<std::streamsize>(token.size()));
  token.resize(static_cast<std::size_t>(in.gcount()));
  while (token.ends_with('\n') || token.ends_with('\r')) token.pop_back();
  if (token.empty())
    why = path + " cannot be read: " + (errno != 0 ? std::strerror(errno) : "it is empty");
  else if (token.size() > kLongestToken || !http::is_field_value(token))
    why = path + " has no token in it";
  return token;
}

}  // namespace

std::string fields_for_endpoint(const config::Signing::Found& found, http::Fields& fields) {
  std::string why;
  fields.add(http::FieldId::Host, found.endpoint.authority);
  fields.add(http::FieldId::Accept, "application/json");
  fields.add(http::FieldId::UserAgent, "forebay");
  const auto token = found.token_file.empty() ? found.token : token_of(found.token_file, why);
  if (why.empty() && !token.empty()) fields.add(http::FieldId::Authorization, token);
  return why;
}

void ask_first(Credentials& credentials) {
  const auto& found = credentials.found();
  if (found.endpoint.scheme != "http") return;
  const net::SystemClock clock;
  const auto turn = credentials.take_turn(clock.now());
  if (!turn) return;
  http::Fields fields;
  if (const auto why = fields_for_endpoint(found, fields); !why.empty()) return credentials.failed(why, clock.now());
  std::string message;
  http::append_request_line(message, "GET", found.path);
  http::append_lines(message, fields);
  message += "Connection: close\r\n\r\n";
  const auto asked = net::ask({found.endpoint.host, std::to_string(found.endpoint.port), {}}, "GET", message,
                              kLargestAnswer, net::SteadyClock::now() + kFirstWithin);
  if (asked.answer)
    credentials.answered(asked.answer->status, asked.answer->body, clock.now());
  else
    credentials.failed(asked.why, clock.now());
}

}  // namespace forebay::upstream
