#include "commands.hpp"
#include "flags_shared.hpp"
#include "forebay/http/fields.hpp"
#include "forebay/http/list.hpp"

namespace forebay::app {
namespace {

/// Not fields that every request has, nor those of the connection.
bool can_be_probed(const std::string& name) {
  const auto id = http::field_id(name);
  return http::is_token(name) && !http::is_hop_by_hop(id) && id != http::FieldId::Host &&
         id != http::FieldId::ContentLength && id != http::FieldId::Expect;
}

class CheckWords final : public CommandWords {
 public:
  explicit CheckWords(CLI::App& app) : CommandWords(app) {
    word("file", file_, "FILE", "The same as -c FILE.");
    add_settings(*this, flags_.run, set_);
    add_admin_setting(*this, flags_.run);
    flag("--print", flags_.print, "Print the effective configuration with the help of each option.");
    flag("--source", flags_.source, "With --print: say behind each key that is set where it comes from.");
    text("--format", format_, "FORMAT", "text, json or github.").one_of({"text", "json", "github"});
    flag("--quiet", flags_.quiet, "Print errors only.");
    flag("--strict", flags_.strict, "Warnings count as errors.");
    flag("--probe", probe_, "Ask the origins whether header fields that are not in the key change their responses.");
    list("--probe-path", questions_.paths, "PATH|URL",
         "Path or URL to request; default: one path per route; repeatable.");
    list("--probe-header", questions_.headers, "NAME", "One more header field to try; repeatable.");
    text("--timeout", timeout_, "DUR", "Time limit for each response (default 2s).");
  }

  Command finish() override {
    if (auto wrong = split_settings(set_, flags_.run)) return *wrong;
    if (auto wrong = take_file(file_, flags_.run)) return *wrong;
    if (flags_.source && !flags_.print) return usage("--source requires --print");
    if (format_ == "json")
      flags_.format = CheckFormat::Json;
    else if (format_ == "github")
      flags_.format = CheckFormat::Github;
    else if (format_ != "text")
      return usage("--format must be text, json or github, not \"" + format_ + '"');
    if (auto wrong = probe_ ? take_questions() : questions_without_probe()) return *wrong;
    return Command(std::move(flags_), check);
  }

 private:
  std::optional<Said> take_questions() {
    for (const auto& name : questions_.headers)
      if (!can_be_probed(name)) return usage("--probe-header needs a request header field, not \"" + name + '"');
    if (!timeout_.empty())
      if (auto wrong = take_time("--timeout", timeout_, "2s", questions_.timeout)) return wrong;
    flags_.probe = std::move(questions_);
    return std::nullopt;
  }

  std::optional<Said> questions_without_probe() const {
    if (!questions_.paths.empty()) return usage("--probe-path requires --probe");
    if (!questions_.headers.empty()) return usage("--probe-header requires --probe");
    if (!timeout_.empty()) return usage("--timeout requires --probe");
    return std::nullopt;
  }

  CheckFlags flags_;
  ProbeFlags questions_;
  std::string file_, format_ = "text", timeout_;
  std::vector<std::string> set_;
  bool probe_ = false;
};

}  // namespace

std::unique_ptr<CommandWords> check_words(CLI::App& app) { return std::make_unique<CheckWords>(app); }

}  // namespace forebay::app
