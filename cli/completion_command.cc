// SPDX-License-Identifier: Apache-2.0
// Shell completion, made from the commands and options that are there.
#include <fmt/core.h>

#include <algorithm>

#include "cli/command_line.h"
#include "cli/commands.h"

namespace gantry::cli {
namespace {

struct OptionWords {
  std::string name;                      // "--topic"
  std::vector<std::string> short_names;  // "-t"
  std::string what;
  bool takes_value = false;
};

// A command and what can follow it. `path` is "" for the tool itself, else "topic create".
struct Node {
  std::string path;
  std::vector<std::pair<std::string, std::string>> commands;  // name, description
  std::vector<OptionWords> options;
};

std::string joined_path(const std::string& path, const std::string& name) {
  return path.empty() ? name : path + ' ' + name;
}

std::vector<OptionWords> options_of(const CLI::App& app) {
  std::vector<OptionWords> options;
  for (const CLI::Option* option : app.get_options()) {
    std::vector<std::string> short_names;
    for (const std::string& name : option->get_snames()) short_names.push_back("-" + name);
    for (const std::string& name : option->get_lnames()) {
      options.push_back(
          {"--" + name, short_names, option->get_description(), option->get_items_expected() > 0});
    }
  }
  return options;
}

void collect(const CLI::App& app, const std::string& path,
             const std::vector<OptionWords>& inherited, std::vector<Node>& nodes) {
  Node node{path, {}, options_of(app)};
  for (const OptionWords& option : inherited) {
    if (std::ranges::find(node.options, option.name, &OptionWords::name) == node.options.end()) {
      node.options.push_back(option);
    }
  }
  const std::vector<const CLI::App*> commands =
      app.get_subcommands([](const CLI::App*) { return true; });
  for (const CLI::App* command : commands) {
    node.commands.emplace_back(command->get_name(), command->get_description());
  }
  nodes.push_back(std::move(node));
  for (const CLI::App* command : commands) {
    collect(*command, joined_path(path, command->get_name()), inherited, nodes);
  }
}

std::vector<Node> all_nodes(const CLI::App& app) {
  std::vector<OptionWords> global;
  for (OptionWords& option : options_of(app)) {
    if (option.name != "--help" && option.name != "--version") global.push_back(std::move(option));
  }
  std::vector<Node> nodes;
  collect(app, "", global, nodes);
  return nodes;
}

// Inside single quotes of a POSIX shell.
std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

// Finds which command the words before the cursor name. For bash and zsh; the variable is not
// called `path`, which zsh ties to PATH.
constexpr std::string_view kFindPlace = R"(  local place='' word next skip=''
  for word in "${before[@]}"; do
    if [[ -n $skip ]]; then skip=''; continue; fi
    case $word in
      -*) case " $with_value " in *" $word "*) skip=1 ;; esac ;;
      *) next="${place:+$place }$word"
         case "$paths" in *"|$next|"*) place=$next ;; esac ;;
    esac
  done
)";

std::string words_of(const Node& node) {
  std::string words;
  for (const auto& [name, what] : node.commands) words += name + ' ';
  for (const OptionWords& option : node.options) words += option.name + ' ';
  if (!words.empty()) words.pop_back();
  return words;
}

std::string tables(const std::vector<Node>& nodes) {
  std::string paths = "|";
  std::string with_value;
  std::vector<std::string> seen;
  for (const Node& node : nodes) {
    if (!node.path.empty()) paths += node.path + '|';
    for (const OptionWords& option : node.options) {
      if (!option.takes_value || std::ranges::find(seen, option.name) != seen.end()) continue;
      seen.push_back(option.name);
      with_value += option.name + ' ';
      for (const std::string& name : option.short_names) with_value += name + ' ';
    }
  }
  return fmt::format("  local paths={}\n  local with_value={}\n", shell_quoted(paths),
                     shell_quoted(with_value));
}

std::string bash_script(const std::vector<Node>& nodes) {
  std::string script =
      "# bash completion for gantry. Use it with: source <(gantry completion bash)\n"
      "_gantry() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]}\n"
      "  local before=(\"${COMP_WORDS[@]:1:COMP_CWORD-1}\")\n";
  script += tables(nodes);
  script += kFindPlace;
  // The word before is an option whose value stands here: files are as good a guess as any.
  script += "  if [[ -n $skip ]]; then COMPREPLY=($(compgen -f -- \"$cur\")); return; fi\n";
  script += "  local words=''\n  case $place in\n";
  for (const Node& node : nodes) {
    script +=
        fmt::format("    {}) words={} ;;\n", shell_quoted(node.path), shell_quoted(words_of(node)));
  }
  script +=
      "  esac\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
      "}\n"
      "complete -o default -F _gantry gantry\n";
  return script;
}

// In a description of _describe, a colon ends the word.
std::string zsh_entry(const std::string& word, const std::string& what) {
  std::string text = word + ':';
  for (const char c : what.substr(0, what.find('\n'))) {
    if (c == ':' || c == '\\') text += '\\';
    text += c;
  }
  return shell_quoted(text);
}

std::string zsh_script(const std::vector<Node>& nodes) {
  std::string script =
      "#compdef gantry\n"
      "# zsh completion for gantry. Use it with: source <(gantry completion zsh)\n"
      "_gantry() {\n"
      "  local -a before commands options\n"
      "  before=(\"${(@)words[2,CURRENT-1]}\")\n";
  script += tables(nodes);
  script += kFindPlace;
  script += "  if [[ -n $skip ]]; then _files; return; fi\n  case $place in\n";
  for (const Node& node : nodes) {
    script += fmt::format("    {})\n", shell_quoted(node.path));
    script += "      commands=(";
    for (const auto& [name, what] : node.commands) script += zsh_entry(name, what) + ' ';
    script += ")\n      options=(";
    for (const OptionWords& option : node.options) {
      script += zsh_entry(option.name, option.what) + ' ';
    }
    script += ") ;;\n";
  }
  script +=
      "  esac\n"
      "  (( $#commands )) && _describe -t commands command commands\n"
      "  _describe -t options option options\n"
      "  (( $#commands )) || _files\n"
      "}\n"
      "compdef _gantry gantry\n"
      // Found through fpath, the file itself is the function's first call.
      "if [[ $funcstack[1] == _gantry ]]; then _gantry; fi\n";
  return script;
}

std::string fish_condition(const Node& node) {
  return node.path.empty() ? "__gantry_at ''"
                           : fmt::format("__gantry_at {}", shell_quoted(node.path));
}

// fish escapes ' and \ inside single quotes with a backslash.
std::string fish_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text.substr(0, text.find('\n'))) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string fish_script(const std::vector<Node>& nodes) {
  std::string paths;
  for (const Node& node : nodes) {
    if (!node.path.empty()) paths += shell_quoted(node.path) + ' ';
  }
  std::string script = fmt::format(
      "# fish completion for gantry. Use it with: gantry completion fish | source\n"
      "function __gantry_at\n"
      "  set -l place ''\n"
      "  for word in (commandline -opc)[2..-1]\n"
      "    set -l next (string trim -- \"$place $word\")\n"
      "    contains -- $next {}; and set place $next\n"
      "  end\n"
      "  test \"$place\" = \"$argv[1]\"\n"
      "end\n",
      paths);
  for (const Node& node : nodes) {
    const std::string when = fmt::format("\"{}\"", fish_condition(node));
    for (const auto& [name, what] : node.commands) {
      script +=
          fmt::format("complete -c gantry -f -n {} -a {} -d {}\n", when, name, fish_quoted(what));
    }
    for (const OptionWords& option : node.options) {
      script += fmt::format("complete -c gantry -n {} -l {}{} -d {}\n", when, option.name.substr(2),
                            option.takes_value ? " -r" : "", fish_quoted(option.what));
    }
  }
  return script;
}

}  // namespace

void add_completion_command(CLI::App& app, Context& context) {
  auto shell = std::make_shared<std::string>();
  CLI::App* command =
      add_command(app, context, "completion", "Print a script that completes commands and options",
                  "  source <(gantry completion bash)                     for this shell\n"
                  "  gantry completion bash > ~/.local/share/bash-completion/completions/gantry\n"
                  "  gantry completion zsh > \"${fpath[1]}/_gantry\"\n"
                  "  gantry completion fish > ~/.config/fish/completions/gantry.fish\n",
                  [&app, &context, shell]() -> Outcome {
                    const std::vector<Node> nodes = all_nodes(app);
                    context.env.out << (*shell == "bash"  ? bash_script(nodes)
                                        : *shell == "zsh" ? zsh_script(nodes)
                                                          : fish_script(nodes));
                    return {};
                  });
  command->add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
}

}  // namespace gantry::cli
