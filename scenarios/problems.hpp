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

// The known name that is nearest to a wrong one (up to a third of its letters changed), or empty.
std::string nearest(std::string_view wrong, const std::vector<std::string>& known);
// "a, b or c", at most a dozen of them.
std::string any_of(const std::vector<std::string>& names);
// Every way to write a quantity of a declared unit: "W, kW or MW"; prices are shown in USD and say that any currency will do.
std::string any_unit(std::string_view declared);

}  // namespace urja
