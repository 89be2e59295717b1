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
#include "scenarios/parameter_sets.hpp"
#include "scenarios/planning/policy_options.hpp"
#include "scenarios/problems.hpp"
#include "scenarios/tree.hpp"

namespace urja {

struct GymSpecification;

struct Scenario {
  std::string file, name;                       // name: the file's without folder and ending
  std::string text;                             // as it was read
  std::map<std::string, std::string> included;  // file -> text
  std::string title, zone;
  std::string currency;           // ISO code; empty where nothing has a price
  std::string currency_from;      // the place that named it first: "site.yaml:26:130"
  double start = 0, end = 0;      // UTC seconds
  double step = 60, record = 60;  // s
  std::uint64_t seed = 1;
  std::vector<std::string> channels;  // that the result shall have ("battery", "*.temperature"); empty: all
  std::vector<std::string> set;       // "key=value" over the text
  std::shared_ptr<Plan> plan;
  struct Fault {
    std::string name, kind, on;
  };
  std::vector<Fault> faults;                       // in the order of the plan's disturbers
  std::optional<PolicyOptions> policy;             // that acts between steps, where `controller` names one
  std::map<std::string, std::string> models;       // asset ("homes.pv") -> model
  std::map<std::string, std::string> data_hashes;  // file -> 64 bits of FNV-1a
  std::vector<std::string> notes;                  // what a user should know (assumptions, filled gaps)
  bool has_gym = false;                            // a `gym:` block
  std::shared_ptr<const GymSpecification> gym;     // compiled, if it was asked for
};

struct LoadOptions {
  std::vector<std::string> set;  // "key=value"
  std::optional<std::string> from, to;
  std::optional<std::uint64_t> seed;
  // With its `gym:` block: for an agent that takes the place of the controller; with the scenario's own controller in charge; or for nobody,
  // healthy and with perfect sensors, as a bound of what is possible needs it.
  enum class Gym { none, agent, rule, bound } gym = Gym::none;
};

// Throws ScenarioError with all problems.
Scenario load_scenario(const std::string& file, const LoadOptions& options = {});

// A scenario's text, read once, of which many variants can be loaded, from several threads at a time.
class ScenarioSource {
 public:
  explicit ScenarioSource(const std::string& file);  // throws ScenarioError
  ~ScenarioSource();
  Scenario load(const LoadOptions& options = {}) const;
  // Without its data: the plan is not finished and has start values only, for Batch::reset. A millisecond.
  Scenario load_values(const LoadOptions& options) const;
  const std::vector<SourceText>& texts() const { return texts_; }  // of the file and of those that it includes

 private:
  class Loader;
  std::string file_;
  std::vector<SourceText> texts_;
  Node root_;
  std::unique_ptr<ParameterSets> sets_;
};

}  // namespace urja
