// `forebay schema`.
#include <iostream>

#include "command_words.hpp"
#include "forebay/config/json_schema.hpp"

namespace forebay::app {
namespace {

ExitCode print_schema(const config::SchemaOf& what) {
  std::cout << config::json_schema(what);
  return ExitCode::Done;
}

class SchemaWords final : public CommandWords {
 public:
  explicit SchemaWords(CLI::App& app) : CommandWords(app) {
    flag("--include", of_include_, "The schema of the files that `include` names.");
  }
  Command finish() override {
    return Command(of_include_ ? config::SchemaOf::IncludedFile : config::SchemaOf::Configuration, print_schema);
  }

 private:
  bool of_include_ = false;
};

}  // namespace

std::unique_ptr<CommandWords> schema_words(CLI::App& app) { return std::make_unique<SchemaWords>(app); }

}  // namespace forebay::app
