#pragma once
// What ships with the program: parameter sets of models, found by name.
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "scenarios/tree.hpp"

namespace urja {

// Folders in which models' parameter sets and shipped scenarios lie: $URJA_DATA, beside the program, or the source tree.
std::string data_folder(const std::string& below);
// All parameter sets of a model ("battery"): name -> file.
std::map<std::string, std::string> parameter_sets(const std::string& model);

// The sets, each file looked for and read once, for loaders of many variants. Several threads may ask at a time.
class ParameterSets {
 public:
  const std::map<std::string, std::string>& of(const std::string& model);
  const Node& read(const std::string& file, Problems& problems);

 private:
  std::mutex mutex_;
  std::map<std::string, std::map<std::string, std::string>> names_;
  std::map<std::string, std::pair<Node, Problems>> files_;
};

}  // namespace urja
