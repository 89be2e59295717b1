#pragma once
// The `data:` part of a scenario: which files, and which of their columns go to which inputs.
#include <map>
#include <string>
#include <vector>

#include "scenarios/assets.hpp"
#include "scenarios/data_file.hpp"
#include "scenarios/scenario.hpp"

namespace urja {

// 64 bits of FNV-1a over a file, in hexadecimal; of what is no file, nothing.
std::string file_hash(const std::string& path);
std::uint64_t text_hash(std::string_view text);

class DataBinder {
 public:
  DataBinder(Problems& problems, const Zone& zone, Scenario& scenario) : problems_(problems), zone_(zone), s_(scenario) {}

  // Reads the columns that are bound, and only those, and adds the profiles to the plans of the bindings. A data set of which no
  // column is bound is read as a whole, to check it, and told in the notes.
  void read(const Node& data, const std::vector<Binding>& bindings, const std::vector<DerivedBinding>& derived);

  bool measures = false;  // the scenario has `measurements`: what nobody reads may be meant for them, and have gaps

 private:
  struct Wanted {
    std::string column, unit;
    Range range;
    const Binding* binding;  // whose fault it is when the column is not there; null: of a derivation
    const DerivedBinding* derived;
    bool required;
    bool needed;  // at any time; otherwise gaps may stay
  };
  void read_set(const std::string& name, const Node& node, const std::vector<const Binding*>& bindings,
                const std::vector<const DerivedBinding*>& derived);
  std::optional<DataSet> load(const std::string& name, const Node& node, const std::vector<Wanted>& wanted, int members);
  bool read_stamps(const Node& node, DataFileSpec& spec);
  std::optional<DataFileSpec::Column> read_column(const std::string& name, const Node& node, const std::string& unit,
                                                  const std::vector<std::string>& keys, const Range& range, bool needed);
  void add_profile(Plan& plan, int members, const DataSet& set, const std::vector<const Binding*>& bindings);
  void problem(const Node& at, const std::string& what, const std::string& mend = "") {
    problems_.add({at.file(), at.line, at.column, at.path, what, mend});
  }

  Problems& problems_;
  const Zone& zone_;
  Scenario& s_;
};

}  // namespace urja
