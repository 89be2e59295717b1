// The program `urja`.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "bridge/commands.hpp"
#include "scenarios/problems.hpp"

namespace {

// What a word that nobody knows may have meant: the command, or one of its options.
std::string did_you_mean(const CLI::App& app, int argc, char** argv) {
  const CLI::App* command = nullptr;
  std::vector<std::string> names, options;
  for (const CLI::App* sub : app.get_subcommands({})) {
    names.push_back(sub->get_name());
    if (argc > 1 && sub->get_name() == argv[1]) command = sub;
  }
  if (!command) {
    if (argc < 2 || argv[1][0] == '-') return "";
    const std::string close = urja::nearest(argv[1], names);
    return std::string("there is no command '") + argv[1] + "'" +
           (close.empty() ? "; there are " + urja::any_of(names) : "; did you mean '" + close + "'?");
  }
  for (const CLI::Option* option : command->get_options()) {
    for (const std::string& name : option->get_lnames()) options.push_back("--" + name);
  }
  for (int k = 2; k < argc; ++k) {
    const std::string word = std::string(argv[k]).substr(0, std::string(argv[k]).find('='));
    if (!word.starts_with("--") || std::find(options.begin(), options.end(), word) != options.end()) continue;
    const std::string close = urja::nearest(word, options);
    return "urja " + command->get_name() + " has no option " + word +
           (close.empty() ? "; see urja " + command->get_name() + " --help" : "; did you mean " + close + "?");
  }
  return "";
}

}  // namespace

int main(int argc, char** argv) {
  using namespace urja;
  CLI::App app{"Urja: physics engine and digital twin for microgrids", "urja"};
  app.set_version_flag("--version", "urja " + version_text());
  app.require_subcommand(1);
  app.footer("Example: urja run scenarios/village.yaml\nExit codes: 0 done, 1 the run failed, 2 bad usage or configuration.");
  Command chosen;
  add_init(app, chosen);
  add_run(app, chosen);
  add_sweep(app, chosen);
  add_validate(app, chosen);
  add_probe(app, chosen);
  add_describe(app, chosen);
  add_report(app, chosen);
  add_schema(app, chosen);
  add_export(app, chosen);
  add_import(app, chosen);
  add_gym(app, chosen);
  add_bench(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    const std::string hint = did_you_mean(app, argc, argv);
    if (e.get_exit_code() != 0 && !hint.empty()) {
      std::fprintf(stderr, "urja: %s\n", hint.c_str());
      return misused;
    }
    return app.exit(e) == 0 ? done : misused;
  }
  try {
    return chosen();
  } catch (const std::exception& e) {
    std::fprintf(stderr, "urja: %s\n", e.what());
    return failed;
  }
}
