#include <CLI/CLI.hpp>
#include "bridge/commands.hpp"
namespace urja { void add_bench(CLI::App&, Command&) {} }
