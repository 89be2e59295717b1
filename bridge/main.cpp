// The program `urja`.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "bridge/commands.hpp"

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
  add_bench(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) { return app.exit(e) == 0 ? done : misused; }
  try {
    return chosen();
  } catch (const std::exception& e) {
    std::fprintf(stderr, "urja: %s\n", e.what());
    return failed;
  }
}
