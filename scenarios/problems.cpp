#include "scenarios/problems.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <tuple>

#include "engine/units.hpp"

namespace urja {

std::string Problem::text() const {
  std::string place = file;
  if (line > 0) place += fmt::format(":{}:{}", line, column);
  if (!key.empty()) place += ": " + key;
  return mend.empty() ? fmt::format("{}: {}", place, what) : fmt::format("{}: {}; {}", place, what, mend);
}

void Problems::add(Problem problem) { list_.push_back(std::move(problem)); }

std::string Problems::text() const {
  std::vector<const Problem*> sorted;
  for (const Problem& p : list_) sorted.push_back(&p);
  std::stable_sort(sorted.begin(), sorted.end(), [](const Problem* a, const Problem* b) {
    return std::tie(a->file, a->line, a->column) < std::tie(b->file, b->line, b->column);
  });
  std::string all;
  for (const Problem* p : sorted) all += p->text() + "\n";
  return all;
}

std::string nearest(std::string_view wrong, const std::vector<std::string>& known) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, wrong.size() / 3) + 1;
  std::vector<std::size_t> row;
  for (const std::string& name : known) {  // Levenshtein distance, one row at a time
    row.resize(name.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < wrong.size(); ++i) {
      std::size_t diagonal = row[0];
      row[0] = i + 1;
      for (std::size_t j = 0; j < name.size(); ++j) {
        const std::size_t changed = diagonal + (wrong[i] != name[j]);
        diagonal = row[j + 1];
        row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, changed});
      }
    }
    if (row.back() < best_distance) best_distance = row.back(), best = name;
  }
  return best;
}

std::string any_of(const std::vector<std::string>& names) {
  std::string all;
  const std::size_t shown = std::min<std::size_t>(names.size(), 12);
  for (std::size_t k = 0; k < shown; ++k) all += (k == 0 ? "" : k + 1 == names.size() ? " or " : ", ") + names[k];
  if (shown < names.size()) all += fmt::format(" or {} others", names.size() - shown);
  return all;
}

std::string any_unit(std::string_view declared) {
  const bool price = declared.substr(0, 5) == "money";
  return any_of(spellings(declared)) + (price ? "; any ISO currency code may stand for USD" : "");
}

}  // namespace urja
