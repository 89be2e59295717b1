// What several commands share.
#include "bridge/commands.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>

#include "scenarios/scenario.hpp"

namespace urja {

void add_load_options(CLI::App& command, LoadOptions& load) {
  command.add_option("--set", load.set, "key=value, over the scenario's own")->take_all();
  command.add_option("--seed", load.seed, "of all random numbers")->check([](const std::string& text) {
    return text.starts_with('-') ? text + " is below 0; a seed is a whole number from 0 on" : "";
  });
  command.add_option("--from", load.from, "local time");
  command.add_option("--to", load.to, "local time");
}

bool in_the_way(const std::string& file, bool force) {
  if (force || !std::filesystem::exists(file)) return false;
  std::fprintf(stderr, "urja: %s is there already; --force replaces it\n", file.c_str());
  return true;
}

}  // namespace urja
