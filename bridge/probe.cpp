// urja probe: one model alone.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "bridge/commands.hpp"
#include "scenarios/probe.hpp"

namespace urja {

void add_probe(CLI::App& app, Command& chosen) {
  struct Arguments {
    std::string model, params, inputs, out;
    bool force = false;
  };
  auto a = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("probe", "drive one model alone with a CSV of its inputs");
  command->footer(
      "Example: urja probe cell --params cell.yaml --inputs in.csv --out out.csv\n`urja describe MODEL` lists the inputs; the "
      "first column is time_s, and a row of zero length only sets inputs.");
  command->add_option("model", a->model)->required();
  command->add_option("--params", a->params, "YAML with the model's entries as in a scenario");
  command->add_option("--inputs", a->inputs, "CSV")->required();
  command->add_option("--out", a->out, "CSV with outputs and states")->required();
  command->add_flag("--force", a->force, "replace a file that is there");
  command->callback([a, &chosen] {
    chosen = [a] {
      if (in_the_way(a->out, a->force)) return misused;
      try {
        write_table(probe(a->model, a->params, read_table(a->inputs), a->inputs), a->out);
      } catch (const ScenarioError& e) {
        std::fputs(e.problems.text().c_str(), stderr);
        return misused;
      }
      return done;
    };
  });
}

}  // namespace urja
