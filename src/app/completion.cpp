#include "completion.hpp"

#include <string_view>
#include <vector>

#include "command_words.hpp"

namespace forebay::app {
namespace {

/// One flag or word of a command, as a shell completes it.
struct Item {
  std::vector<std::string> names;  ///< None for a word.
  std::string what, help;
  std::vector<std::string> choices;
  bool repeats = false;

  bool takes_value() const { return !what.empty(); }
  bool takes_file() const { return what == "FILE"; }
};

struct Entry {
  std::string name, help;
  std::vector<Item> flags, words;
};

std::vector<Entry> all_commands() {
  std::vector<Entry> all;
  for_each_command([&](const CommandRow& row, const CommandWords& words) {
    Entry entry{row.name, row.help, {}, {}};
    for (const auto& option : words.options()) {
      if (option->hidden) continue;
      Item item{option->names(), option->what, option->help, option->choices, option->repeats};
      (item.names.empty() ? entry.words : entry.flags).push_back(std::move(item));
    }
    entry.flags.push_back({{"-h", "--help"}, {}, "Print help.", {}});
    all.push_back(std::move(entry));
  });
  return all;
}

std::string joined(const std::vector<std::string>& texts, std::string_view between) {
  std::string out;
  for (const auto& text : texts) out.append(out.empty() ? "" : between).append(text);
  return out;
}

std::string names_of(const std::vector<Entry>& commands) {
  std::vector<std::string> names;
  for (const auto& command : commands) names.push_back(command.name);
  return joined(names, " ");
}

/// Within single quotes; `extra` are characters that get a backslash.
std::string quoted(std::string_view text, std::string_view extra = {}) {
  std::string out = "'";
  for (const char c : text) {
    if (extra.find(c) != std::string_view::npos) out += '\\';
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  }
  return out + '\'';
}

// --- bash ---

constexpr std::string_view kBashBegin = R"x(# Completion of forebay for bash.
_forebay_files() {
  local IFS=$'\n'
  compopt -o filenames 2>/dev/null
  COMPREPLY=($(compgen -f -- "$cur"))
}
_forebay_words() {
  COMPREPLY=($(compgen -W "$1" -- "$cur"))
}
_forebay() {
  local cur=${COMP_WORDS[COMP_CWORD]} flag=${COMP_WORDS[COMP_CWORD-1]} command=run
  COMPREPLY=()
  # Bash makes three words of --flag=value.
  if [[ $cur == "=" ]]; then
    cur=
  elif [[ $flag == "=" ]]; then
    flag=${COMP_WORDS[COMP_CWORD-2]}
  fi
  if ((COMP_CWORD == 1)) && [[ $cur != -* ]]; then
)x";

std::string bash_command(const Entry& command) {
  std::string values, flags;
  std::vector<std::string> without;
  for (const auto& item : command.flags) {
    flags += ' ' + joined(item.names, " ");
    if (!item.takes_value()) continue;
    const auto pattern = joined(item.names, "|");
    if (item.takes_file())
      values += "        " + pattern + ") _forebay_files; return;;\n";
    else if (!item.choices.empty())
      values += "        " + pattern + ") _forebay_words " + quoted(joined(item.choices, " ")) + "; return;;\n";
    else
      without.push_back(pattern);
  }
  if (!without.empty()) values += "        " + joined(without, "|") + ") return;;\n";
  std::string out = "    " + command.name + ")\n";
  if (!values.empty()) out += "      case $flag in\n" + values + "      esac\n";
  out += "      if [[ $cur == -* ]]; then\n        _forebay_words " + quoted(flags.substr(1)) + '\n';
  for (const auto& word : command.words) {
    if (!word.takes_file() && word.choices.empty()) continue;
    out += "      else\n        ";
    out += word.takes_file() ? "_forebay_files" : "_forebay_words " + quoted(joined(word.choices, " "));
    out += '\n';
    break;
  }
  return out + "      fi;;\n";
}

std::string bash_script(const std::vector<Entry>& commands) {
  std::string out(kBashBegin);
  out += "    _forebay_words " + quoted(names_of(commands)) + "\n    return\n  fi\n";
  out += "  [[ ${COMP_WORDS[1]} == -* ]] || command=${COMP_WORDS[1]}\n  case $command in\n";
  for (const auto& command : commands) out += bash_command(command);
  return out + "  esac\n}\ncomplete -F _forebay forebay\n";
}

// --- zsh ---

/// `:message:action` behind a flag or word.
std::string zsh_value(const Item& item) {
  const auto what = ':' + item.what;
  if (item.takes_file()) return what + ":_files";
  return what + (item.choices.empty() ? ": " : ":(" + joined(item.choices, " ") + ')');
}

void append_zsh_flag(std::string& out, const Item& item) {
  const auto all = joined(item.names, " ");
  for (const auto& name : item.names) {
    std::string form = item.repeats ? "*" : item.names.size() > 1 ? '(' + all + ')' : "";
    form += name;
    if (item.takes_value()) form += name.starts_with("--") ? "=" : "+";
    form += '[' + item.help + ']';
    // What begins a part of the form, and would end the brackets, is written with a backslash.
    std::string escaped;
    for (std::size_t i = 0; i < form.size(); ++i) {
      const bool in_help = i > form.find('[') && i + 1 < form.size();
      if (in_help && (form[i] == '[' || form[i] == ']' || form[i] == ':')) escaped += '\\';
      escaped += form[i];
    }
    out += " \\\n        " + quoted(escaped + (item.takes_value() ? zsh_value(item) : ""));
  }
}

std::string zsh_command(const Entry& command) {
  std::string out = "    " + command.name + ")\n      _arguments -s";
  for (const auto& item : command.flags) append_zsh_flag(out, item);
  for (const auto& item : command.words) out += " \\\n        " + quoted((item.repeats ? "*" : "") + zsh_value(item));
  return out + ";;\n";
}

std::string zsh_script(const std::vector<Entry>& commands) {
  std::string out = "#compdef forebay\n# Completion of forebay for zsh.\n_forebay() {\n  local command=run\n";
  out += "  local -a commands=(\n";
  for (const auto& command : commands)
    out += "    " + quoted(command.name + ':' + command.help, ":").replace(command.name.size() + 1, 1, "") + '\n';
  out +=
      "  )\n  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then\n    _describe -t commands command commands\n"
      "    return\n  fi\n  if [[ $words[2] != -* ]]; then\n    command=$words[2]\n    shift words\n    (( CURRENT-- "
      "))\n"
      "  fi\n  case $command in\n";
  for (const auto& command : commands) out += zsh_command(command);
  // In a folder of $fpath the file is the function; read by `source` it only defines it.
  return out +
         "  esac\n}\nif [ \"$funcstack[1]\" = _forebay ]; then\n  _forebay \"$@\"\nelse\n  compdef _forebay "
         "forebay\nfi\n";
}

// --- fish ---

constexpr std::string_view kFishBegin = R"x(# Completion of forebay for fish.
function __forebay_command_is
  set -l tokens (commandline -opc)
  set -l command run
  if set -q tokens[2]; and not string match -q -- '-*' $tokens[2]
    set command $tokens[2]
  end
  contains -- $command $argv
end
function __forebay_first
  test (count (commandline -opc)) -eq 1
end
complete -c forebay -f
)x";

/// What a value or a word is completed with.
std::string fish_value(const Item& item) {
  if (item.takes_file()) return " -F";
  return item.choices.empty() ? "" : " -f -a " + quoted(joined(item.choices, " "), "\\");
}

std::string fish_script(const std::vector<Entry>& commands) {
  std::string out(kFishBegin);
  for (const auto& command : commands) {
    out += "complete -c forebay -n __forebay_first -a " + command.name + " -d " + quoted(command.help, "\\") + '\n';
    const auto begin = "complete -c forebay -n '__forebay_command_is " + command.name + "'";
    for (const auto& item : command.flags) {
      out += begin;
      for (const auto& name : item.names)
        out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      // `-x` is `-r -f`: without `-f` fish offers files.
      if (item.takes_value()) out += (item.takes_file() ? " -r" : " -x") + fish_value(item);
      out += " -d " + quoted(item.help, "\\") + '\n';
    }
    for (const auto& item : command.words)
      if (const auto value = fish_value(item); !value.empty()) {
        // The first word may be a command; then it is no file.
        const auto* also = command.name == "run" ? "; and not __forebay_first" : "";
        out += "complete -c forebay -n '__forebay_command_is " + command.name + also + "'" + value + '\n';
      }
  }
  return out;
}

}  // namespace

std::string completion_script(Shell shell) {
  const auto commands = all_commands();
  if (shell == Shell::Bash) return bash_script(commands);
  return shell == Shell::Zsh ? zsh_script(commands) : fish_script(commands);
}

}  // namespace forebay::app
