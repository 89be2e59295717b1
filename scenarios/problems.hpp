#pragma once
// What is wrong with a scenario: all of it at once, each at its place, with the mend.
#include <string>
#include <string_view>
#include <vector>

namespace urja {

struct Problem {
  std::string file;
  int line = 0, column = 0;  // counted from 1; 0: the file as a whole
  std::string key;           // "assets.battery.rating"
  std::string what, mend;
  std::string about{};  // of a CSV's first line: the column that is meant, as the file has it

  // site.yaml:14:9: assets.battery.rating: -5 W is below 1 W; allowed is 1 W to 1e9 W
  std::string text() const;
};

class Problems {
 public:
  void add(Problem problem);
  bool empty() const { return list_.empty(); }
  const std::vector<Problem>& list() const { return list_; }
  std::string text() const;  // one line each, in the order of the file

 private:
  std::vector<Problem> list_;
};

// Thrown by loaders at the end, when nothing more can be found out.
struct ScenarioError {
  Problems problems;
};

// The known name that is nearest to a wrong one (up to a third of its letters changed, or twice as many in upper and lower case), or
// empty.
std::string nearest(std::string_view wrong, const std::vector<std::string>& known);
// "a, b or c", at most a dozen of them.
std::string any_of(const std::vector<std::string>& names);
// Every way to write a quantity of a declared unit: "W, kW or MW". Prices are shown in the scenario's currency; where it has none yet,
// in USD, and that any currency will do.
std::string any_unit(std::string_view declared, std::string_view currency = "");
// The mend for a unit that does not fit: what is allowed, and which of these may have been meant.
std::string allowed_units(std::string_view written, std::string_view declared, std::string_view currency);
// Is it valid UTF-8?
bool is_utf8(std::string_view text);

}  // namespace urja
