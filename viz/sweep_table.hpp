// What `urja sweep` has written about its variants, checked and brought to columns.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace urja::viz {

struct SweepKey {
  std::string name, unit;
  bool text = false;
  std::vector<std::string> levels;  // of a text key, in the order of their appearance
  std::vector<double> values;       // by variant: a number, or the level's index; NaN: the scenario's own value
  std::vector<std::size_t> sorted;  // of a number: the variants that are done and set it, by value
};

struct SweepKpi {
  std::string name, label, unit;
  bool higher_is_better = false;
  std::vector<double> values;  // by variant; NaN: none
};

struct SweepVariant {
  double index = 0;
  std::string name, status, message;
  bool done() const { return status == "done"; }
};

struct Sweep {
  std::string title, scenario, scenario_text, sweep_text, version, machine;
  double wall_s = 0, variants_per_s = 0;
  std::vector<SweepKey> keys;
  std::vector<SweepKpi> kpis;  // only those that some variant has as a number
  std::vector<SweepVariant> variants;

  static Sweep read(const std::string& path);  // throws std::runtime_error with the file's name
};

// Which rows can be shown: all that are done, or the best of each KPI and a sample that depends on nothing but the rows.
std::vector<std::size_t> rows_to_show(const Sweep& s, std::size_t first, std::size_t second, std::size_t most);

// Rows that no other is better than in both KPIs, from the best of the first to the best of the second.
std::vector<std::size_t> pareto_front(const Sweep& s, std::size_t first, std::size_t second);

// How much a key moves a KPI: the lowest and the highest mean among the key's values (among its lowest and highest third,
// where it has too many). Over every variant that is done.
struct Effect {
  std::size_t key = 0;
  std::string low_at, high_at;  // which value or third has the lowest, the highest mean
  double low = 0, high = 0;
  bool thirds = false;
};
std::vector<Effect> effects(const Sweep& s, std::size_t kpi);  // the largest first

std::string value_text(const SweepKey& key, double value);

}  // namespace urja::viz
