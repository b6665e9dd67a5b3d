// The flags of `top` and `tail`.
#include "flags_watch.hpp"

#include <charconv>

#include "flags_shared.hpp"

namespace forebay::app {
namespace {

class TopWords final : public CommandWords {
 public:
  explicit TopWords(CLI::App& app) : CommandWords(app) {
    text("--interval", interval_, "DUR", "Time between two looks (default 1s).");
    flag("--once", flags_.once, "Print it once, as text, and end.");
    flag("--json", flags_.json, "Print JSON, a document for each look.");
    text("--view", view_, "VIEW", "What the table shows: routes (default), keys or origins.")
        .one_of({"routes", "keys", "origins"});
    add_daemon(*this, flags_.config, flags_.admin);
    below("Keys on a terminal: r routes, k keys, o origins, s sort by another column, p pause, q quit.");
  }
  Command finish() override {
    if (auto wrong = take_time("--interval", interval_, "1s", flags_.interval)) return *wrong;
    if (flags_.interval < std::chrono::milliseconds{100}) return usage("--interval must be at least 100ms");
    if (view_ == "keys")
      flags_.view = TopView::Keys;
    else if (view_ == "origins")
      flags_.view = TopView::Origins;
    else if (view_ != "routes")
      return usage("\"" + view_ + "\" is not a view; write routes, keys or origins");
    return Command(std::move(flags_), top);
  }

 private:
  TopFlags flags_;
  std::string interval_ = "1s", view_ = "routes";
};

class TailWords final : public CommandWords {
 public:
  explicit TailWords(CLI::App& app) : CommandWords(app) {
    list("--filter", flags_.filters, "EXPR",
         "Only requests such as 'status>=500 path~/api/'. May be repeated: all must hold.");
    text("--format", format_, "FORMAT", "text (default) or json.").one_of({"text", "json"});
    text("--count", count_, "N", "End after so many requests.");
    add_daemon(*this, flags_.config, flags_.admin);
  }
  Command finish() override {
    if (format_ != "text" && format_ != "json") return usage("\"" + format_ + "\" is not a format; write text or json");
    flags_.json = format_ == "json";
    if (!count_.empty()) {
      const auto* const end = count_.data() + count_.size();
      const auto [stop, error] = std::from_chars(count_.data(), end, flags_.count);
      if (error != std::errc{} || stop != end || flags_.count == 0)
        return usage("--count needs a number of at least 1, not \"" + count_ + '"');
    }
    return Command(std::move(flags_), tail);
  }

 private:
  TailFlags flags_;
  std::string format_ = "text", count_;
};

}  // namespace

std::unique_ptr<CommandWords> top_words(CLI::App& app) { return std::make_unique<TopWords>(app); }
std::unique_ptr<CommandWords> tail_words(CLI::App& app) { return std::make_unique<TailWords>(app); }

}  // namespace forebay::app
