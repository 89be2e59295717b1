#pragma once
// Drives one model alone with a table of its inputs: `urja probe`, and the runner of the validation cases.
#include <map>
#include <string>
#include <vector>

#include "scenarios/problems.hpp"

namespace urja {

struct ProbeTable {
  std::vector<std::string> names;  // time_s first
  std::vector<std::vector<double>> rows;
};

// `params` is a YAML file with the asset's entries as in a scenario (empty: defaults).
// Row k holds the inputs of the time from row k-1 to row k, in declared units (W, degC ..); a row of zero length only sets
// inputs. A column `power` fixes the power of a model that has a port. The answer has one row per row of inputs: outputs as
// means over the row, states at its end; for a row of zero length, what a vanishing step shows.
// Throws ScenarioError; std::runtime_error when the model leaves its bounds.
ProbeTable probe(const std::string& model, const std::string& params, const ProbeTable& inputs, const std::string& inputs_file);

// CSV with a header line of names.
ProbeTable read_table(const std::string& file);
void write_table(const ProbeTable& table, const std::string& file);

}  // namespace urja
