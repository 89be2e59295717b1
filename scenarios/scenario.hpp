#pragma once
// A scenario: a YAML file compiled into a Plan.
//
//   file -> tree (places) -> checks against the models' declarations -> data sets -> profiles -> Plan
//
// Everything that the loader knows about a model it knows from its declaration: keys, units, bounds, tables, files. It finds
// all problems of a file before it gives up, each with file:line:column, key, what is wrong and what is allowed.
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/plan.hpp"
#include "scenarios/problems.hpp"

namespace urja {

struct Scenario {
  std::string file, name;                       // name: the file's without folder and ending
  std::string text;                             // as it was read
  std::map<std::string, std::string> included;  // file -> text
  std::string title, zone;
  std::string currency;           // ISO code; empty where nothing has a price
  double start = 0, end = 0;      // UTC seconds
  double step = 60, record = 60;  // s
  std::uint64_t seed = 1;
  std::vector<std::string> channels;  // that the result shall have ("battery", "*.temperature"); empty: all
  std::vector<std::string> set;       // "key=value" over the text
  std::shared_ptr<Plan> plan;
  std::map<std::string, std::string> models;       // asset ("homes.pv") -> model
  std::map<std::string, std::string> data_hashes;  // file -> 64 bits of FNV-1a
  std::vector<std::string> notes;                  // what a user should know (assumptions, filled gaps)
};

struct LoadOptions {
  std::vector<std::string> set;  // "key=value"
  std::optional<std::string> from, to;
  std::optional<std::uint64_t> seed;
};

// Throws ScenarioError with all problems.
Scenario load_scenario(const std::string& file, const LoadOptions& options = {});

// Folders in which models' parameter sets and shipped scenarios lie: $URJA_DATA, beside the program, or the source tree.
std::string data_folder(const std::string& below);
// All parameter sets of a model ("battery"): name -> file.
std::map<std::string, std::string> parameter_sets(const std::string& model);

}  // namespace urja
