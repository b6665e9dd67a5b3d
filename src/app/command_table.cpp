#include "command_words.hpp"

namespace forebay::app {

// A command is a file `flags_NAME.cpp` that defines its function, and a line in both lists.
MakeWords run_words;
MakeWords check_words;
MakeWords explain_words;
MakeWords healthcheck_words;
MakeWords reload_words;
MakeWords drain_words;
MakeWords undrain_words;
MakeWords log_level_words;
MakeWords top_words;
MakeWords tail_words;
MakeWords purge_words;
MakeWords get_words;
MakeWords entries_words;
MakeWords warm_words;
MakeWords demo_words;
MakeWords schema_words;
MakeWords completion_words;
MakeWords version_words;
MakeWords help_words;

const std::vector<CommandRow>& command_table() {
  static const std::vector<CommandRow> table{
      {"run", "Run the proxy. This is the default command.", run_words},
      {"check", "Check a configuration; exit code 3 when it is invalid.", check_words},
      {"explain", "Explain what would happen to a request, and why.", explain_words},
      {"healthcheck", "Ask the running daemon whether it is ready.", healthcheck_words},
      {"purge", "Remove stored responses, or make them stale.", purge_words},
      {"get", "Show what is stored for a request; exit code 5 when nothing is.", get_words},
      {"entries", "List what is stored.", entries_words},
      {"reload", "Have the running daemon read its configuration again; exit code 3 when it refuses it.", reload_words},
      {"drain", "Take the running daemon out of load balancing: /readyz answers 503; requests are served.",
       drain_words},
      {"undrain", "Undo `drain`.", undrain_words},
      {"log-level", "Show or set the level of the running daemon's log.", log_level_words},
      {"top", "Show what the running daemon does: rates, hit ratio, latency; routes, hot keys, origins.", top_words},
      {"tail", "Print the requests of the running daemon as they end.", tail_words},
      {"warm", "Request URLs at the running daemon, so that their responses are stored.", warm_words},
      {"demo", "Run with a built-in demo origin and show what to try.", demo_words},
      {"schema", "Print the JSON Schema of the configuration, for editors.", schema_words},
      {"completion", "Print a script that completes commands and flags in bash, zsh or fish.", completion_words},
      {"version", "Print the version.", version_words},
      {"help", "Print help, or the help of one command.", help_words},
  };
  return table;
}

}  // namespace forebay::app
