#include "scenarios/problems.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "engine/units.hpp"

namespace urja {
namespace {

bool same_letter(char a, char b) {
  const auto small = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return small(a) == small(b);
}

// Units as messages show them, prices in a currency.
std::vector<std::string> shown_units(std::string_view declared, std::string_view currency) {
  std::vector<std::string> units = spellings(declared);
  if (declared.starts_with("money") && !currency.empty()) {
    for (std::string& unit : units) unit.replace(0, 3, currency);
  }
  return units;
}

}  // namespace

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
  // Levenshtein distance, one row at a time, in halves: a letter in the other case is half a change.
  constexpr std::size_t one = 2;
  std::size_t best_distance = one * (std::max<std::size_t>(2, wrong.size() / 3) + 1);
  std::vector<std::size_t> row;
  for (const std::string& name : known) {
    row.resize(name.size() + 1);
    for (std::size_t j = 0; j <= name.size(); ++j) row[j] = j * one;
    for (std::size_t i = 0; i < wrong.size(); ++i) {
      std::size_t diagonal = row[0];
      row[0] = (i + 1) * one;
      for (std::size_t j = 0; j < name.size(); ++j) {
        const std::size_t changed = diagonal + (wrong[i] == name[j] ? 0 : same_letter(wrong[i], name[j]) ? one / 2 : one);
        diagonal = row[j + 1];
        row[j + 1] = std::min({row[j] + one, row[j + 1] + one, changed});
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

std::string any_unit(std::string_view declared, std::string_view currency) {
  const bool any = declared.starts_with("money") && currency.empty();
  return any_of(shown_units(declared, currency)) + (any ? "; any ISO currency code may stand for USD" : "");
}

std::string allowed_units(std::string_view written, std::string_view declared, std::string_view currency) {
  std::string text = "allowed: " + any_unit(declared, currency);
  if (declared == "K" && convert({0, std::string(written)}, "degC")) return text + ", for a difference of temperatures";
  for (const std::string& unit : shown_units(declared, currency)) {
    if (std::equal(unit.begin(), unit.end(), written.begin(), written.end(), same_letter))
      return text + fmt::format("; did you mean '{}'?", unit);
  }
  return text;
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::size_t more = byte < 0x80                   ? 0
                             : byte >= 0xc2 && byte < 0xe0 ? 1
                             : byte >= 0xe0 && byte < 0xf0 ? 2
                             : byte >= 0xf0 && byte < 0xf5 ? 3
                                                           : 4;
    if (more == 4 || i + more >= text.size()) return false;
    for (std::size_t k = 1; k <= more; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return false;
    }
    i += more + 1;
  }
  return true;
}

}  // namespace urja
