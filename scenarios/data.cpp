#include "scenarios/data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>

#include "engine/units.hpp"
#include "scenarios/calendar_data.hpp"

namespace urja {
namespace {

template <class Value> using Names = std::vector<std::pair<std::string, Value>>;

const std::vector<std::string> column_keys{"column", "unit", "resample", "origin", "gap", "longest_gap", "lowest"};
const std::vector<std::string> calendar_column_keys{"unit", "otherwise", "periods", "origin"};

}  // namespace

void DataBinder::read(const Node& data, const std::vector<Binding>& bindings, const std::vector<DerivedBinding>& derived) {
  for (const Node::Entry& e : data.entries) {
    std::vector<const Binding*> mine;
    std::vector<const DerivedBinding*> my_derived;
    for (const Binding& b : bindings) {
      if (b.data == e.key) mine.push_back(&b);
    }
    for (const DerivedBinding& d : derived) {
      if (d.data == e.key) my_derived.push_back(&d);
    }
    if (!e.value.is_map()) problem(e.value, "expected {file: .., columns: {..}}");
    else read_set(e.key, e.value, mine, my_derived);
  }
}

void DataBinder::read_set(const std::string& name, const Node& node, const std::vector<const Binding*>& bindings,
                          const std::vector<const DerivedBinding*>& derived) {
  std::vector<Wanted> wanted;
  int members = 1;
  const auto want = [&](Wanted w) {
    for (Wanted& other : wanted) {
      if (other.column != w.column) continue;
      other.needed = other.needed || w.needed;
      other.range = {std::max(other.range.low, w.range.low), std::min(other.range.high, w.range.high)};
      return;
    }
    wanted.push_back(std::move(w));
  };
  for (const Binding* b : bindings) {
    want({b->column, b->unit, b->range, b, nullptr, true, !b->may_miss});
    members = std::max(members, b->target.members);
  }
  for (const DerivedBinding* d : derived) {
    for (const Derivation::Column& c : d->derivation->columns) want({c.name, c.unit, c.range, nullptr, d, c.required, true});
  }
  if (wanted.empty())
    s_.notes.push_back(fmt::format("{}:{}:{}: {}: no asset reads this data set", node.file(), node.line, node.column, node.path));
  auto set = load(name, node, wanted, members);
  if (!set || !problems_.empty()) return;
  for (const Wanted& w : wanted) {
    const auto column = set->columns.find(w.column);
    if (column == set->columns.end()) continue;
    for (double v : column->second.values) {
      if ((v >= w.range.low && v <= w.range.high) || std::isnan(v)) continue;
      // Of a calendar or a weather file; a CSV names the row.
      const Node* columns = node.find("columns");
      const Node* named = columns ? columns->find(w.column) : nullptr;
      std::string unit = w.unit == "1" ? "" : " " + w.unit;
      if (unit.starts_with(" money") && !s_.currency.empty()) unit.replace(1, 5, s_.currency);
      problem(named ? *named : node, fmt::format("the column '{}' holds {:g}{}", w.column, v, unit),
              fmt::format("allowed is {:g}{} to {:g}{}; is its unit right?", w.range.low, unit, w.range.high, unit));
      return;
    }
  }

  // One profile for each plan that reads this set.
  std::vector<Plan*> plans;
  for (const Binding* b : bindings) {
    if (std::find(plans.begin(), plans.end(), b->target.plan) == plans.end()) plans.push_back(b->target.plan);
  }
  for (Plan* plan : plans) {
    std::vector<const Binding*> of_plan;
    for (const Binding* b : bindings) {
      if (b->target.plan == plan) of_plan.push_back(b);
    }
    add_profile(*plan, of_plan.front()->target.members, *set, of_plan);
  }
  const auto shared = std::make_shared<DataSet>(std::move(*set));
  for (const DerivedBinding* d : derived) {
    const Plan::Asset& asset = d->target.asset();
    if (!shared->has_place) {
      problems_.add({d->file, d->line, d->at_column, d->path, fmt::format("the data set '{}' has no place", name),
                     "a CSV of weather needs `place: {latitude: .., longitude: .., elevation: ..}`"});
      continue;
    }
    if (d->derivation->doubts) {
      for (const std::string& doubt : d->derivation->doubts(*shared, s_.start, s_.end)) {
        const std::string note = fmt::format("{}:{}:{}: {}: {}", node.file(), node.line, node.column, node.path, doubt);
        if (std::find(s_.notes.begin(), s_.notes.end(), note) == s_.notes.end())
          s_.notes.push_back(note);  // of several plants, once
      }
    }
    Profile profile =
        Profile::on_demand(shared->first - s_.start, shared->interval, shared->rows,
                           static_cast<int>(d->derivation->inputs.size()), d->derivation->bind(asset.settings, shared));
    for (std::size_t k = 0; k < d->derivation->inputs.size(); ++k) {
      const int row = d->target.plan->row_of(asset, d->derivation->inputs[k]);
      const bool bound = std::any_of(bindings.begin(), bindings.end(),
                                     [&](const Binding* b) { return b->target.plan == d->target.plan && b->row == row; });
      if (!bound) profile.targets.push_back({row, static_cast<int>(k), 1});
    }
    d->target.plan->add_profile(std::move(profile));
  }
}

namespace {

// Where a data set names a column of its file.
const Node* column_node(const Node& set, const std::string& name, int members, const Node& otherwise) {
  const auto is_it = [&](const std::string& written) {
    const std::size_t at = written.find("{member}");
    if (at == std::string::npos) return written == name;
    for (int m = 1; m <= members; ++m) {
      std::string one = written;
      if (one.replace(at, 8, std::to_string(m)) == name) return true;
    }
    return false;
  };
  const Node* stamps = set.find("stamps");
  if (const Node* column = stamps ? stamps->find("column") : nullptr; column && is_it(column->text)) return column;
  const Node* columns = set.find("columns");
  if (!columns) return &otherwise;
  for (const Node::Entry& e : columns->entries) {
    const Node* column = e.value.find("column");
    if (is_it(column ? column->text : e.key)) return column ? column : &e.value;
  }
  return &otherwise;
}

}  // namespace

std::optional<DataSet> DataBinder::load(const std::string& name, const Node& node, const std::vector<Wanted>& wanted,
                                        int members) {
  const Node* format = node.find("format");
  const std::string kind = format ? format->text : "csv";
  const bool calendar = kind == "calendar", csv = kind == "csv";
  if (!calendar && !csv && kind != "auto" && kind != "epw" && kind != "tmy3" && kind != "mos") {
    problem(*format, fmt::format("'{}' is no known format", kind), "allowed: csv, calendar, auto, epw, tmy3 or mos");
    return std::nullopt;
  }
  if (calendar) known_keys(problems_, node, {"format", "holidays", "columns", "origin"}, "a calendar");
  else
    known_keys(problems_, node, {"file", "format", "utc_offset", "stamps", "columns", "place", "origin", "repeat", "not_shipped"},
               "a data set");
  const Node* file = calendar ? &node : node.find("file");  // at which problems with the whole of it are told
  if (!file || (!calendar && !file->is_scalar())) {
    problem(node, "the key 'file' is missing");
    return std::nullopt;
  }
  const bool unread = wanted.empty();  // checked all the same, as if all its columns were wanted
  const std::string path = calendar ? node.file() : relative_to(file->file(), file->text);
  if (const Node* why = node.find("not_shipped"); why && !calendar) {
    std::string first = path;
    if (const std::size_t at = first.find("{member}"); at != std::string::npos) first.replace(at, 8, "1");
    std::error_code ignored;
    if (!std::filesystem::exists(first, ignored)) {
      problem(*file, fmt::format("these data are not there, and Urja does not ship them: {}", why->text),
              fmt::format("expected at {}", std::filesystem::weakly_canonical(first, ignored).string()));
      return std::nullopt;
    }
  }
  AssetReader numbers(problems_, zone_, {}, s_.currency);
  LoadedData loaded;
  std::vector<std::string> known;
  if (!calendar && !csv) {
    std::optional<double> offset;
    if (const Node* given = node.find("utc_offset")) {
      const auto seconds = numbers.quantity(*given, "s", {-14 * 3600.0, 14 * 3600.0});
      if (!seconds) return std::nullopt;
      offset = *seconds / 3600;
    }
    for (const char* key : {"stamps", "columns", "repeat"}) {
      if (const Node* given = node.find(key))
        problem(*given, fmt::format("a file of format {} has no use for '{}'", kind, key),
                "its columns are known, and its year is laid on the run's dates by itself");
    }
    loaded = weather_set(path, kind, offset, s_.start, s_.end, name);
    if (!unread) s_.data_hashes[path] = file_hash(path);
  } else {
    DataFileSpec spec{.name = name,
                      .path = path,
                      .stamps = {},
                      .repeat = DataFileSpec::Repeat::no,
                      .columns = {},
                      .members = calendar ? 1 : members,
                      .zone = zone_,
                      .start = s_.start,
                      .end = s_.end,
                      .step = s_.step};
    const Node* columns = node.find("columns");
    if (!columns || !columns->is_map() || columns->entries.empty()) {
      problem(columns ? *columns : node, columns ? "expected columns by name" : "the key 'columns' is missing",
              calendar ? "for example columns: {price: {unit: USD/kWh, otherwise: 0.2}}"
                       : "for example columns: {demand: {column: load_kw, unit: kW}}");
      return std::nullopt;
    }
    bool good = calendar || read_stamps(node, spec);
    if (const Node* repeat = node.find("repeat")) {
      if (repeat->text == "same_date") spec.repeat = DataFileSpec::Repeat::same_date;
      else if (repeat->text == "same_weekday") spec.repeat = DataFileSpec::Repeat::same_weekday;
      else {
        problem(*repeat, fmt::format("'{}' is not one of its choices", repeat->text), "allowed: same_date or same_weekday");
        good = false;
      }
    }
    const std::vector<std::string>& keys = calendar ? calendar_column_keys : column_keys;
    const auto add = [&](const std::string& column, const Node& at, const std::string& unit, const Range& range, bool needed) {
      const auto one = read_column(column, at, unit, keys, range, needed);
      if (one) spec.columns.push_back(*one);
      good = good && one;
    };
    for (const Node::Entry& e : columns->entries) {
      known.push_back(e.key);
      if (unread) {
        add(e.key, e.value, "", {}, !measures);
        continue;
      }
      if (std::any_of(wanted.begin(), wanted.end(), [&](const Wanted& w) { return w.column == e.key; })) continue;
      if (e.value.is_map()) known_keys(problems_, e.value, keys, "a column");
      s_.notes.push_back(fmt::format("{}:{}:{}: {}: no asset reads this column", e.value.file(), e.line, e.column, e.value.path));
    }
    for (const Wanted& w : wanted) {
      if (const Node* column = columns->find(w.column)) add(w.column, *column, w.unit, calendar ? Range{} : w.range, w.needed);
    }
    if (!good) return std::nullopt;
    if (path.find("{member}") == std::string::npos && std::none_of(spec.columns.begin(), spec.columns.end(), [](const auto& c) {
          return c.column.find("{member}") != std::string::npos;
        }))
      spec.members = 1;
    if (calendar) {
      if (!spec.columns.empty()) loaded = calendar_set(node, spec, problems_);
      if (!problems_.empty()) return std::nullopt;
    } else if (!spec.columns.empty()) {
      loaded = load_data_file(spec);
      for (int m = 1; m <= spec.members && !unread; ++m) {
        std::string one = path;
        if (const std::size_t at = one.find("{member}"); at != std::string::npos) one.replace(at, 8, std::to_string(m));
        s_.data_hashes[one] = file_hash(one);
        if (one == path) break;
      }
    }
    if (const Node* place = node.find("place")) {
      known_keys(problems_, *place, {"latitude", "longitude", "elevation"}, "a place");
      const auto part = [&](const char* key, const char* unit, Range range) -> double {
        const Node* given = place->find(key);
        if (!given) problem(*place, fmt::format("'{}' is missing", key));
        return given ? numbers.quantity(*given, unit, range).value_or(0) : 0;
      };
      loaded.set.latitude = part("latitude", "deg", {-90, 90});
      loaded.set.longitude = part("longitude", "deg", {-180, 180});
      loaded.set.elevation = part("elevation", "m", {-500, 9000});
      loaded.set.has_place = true;
    }
  }
  for (Problem p : loaded.problems) {
    if (p.line <= 1) {  // of the file as a whole, or of its column names: at the place that names the column or the file
      const Node* at = file;
      if (!p.about.empty()) at = column_node(node, p.about, members, *file);
      p = {at->file(), at->line, at->column, at->path, p.file + ": " + p.what, p.mend};
    }
    problems_.add(p);
  }
  for (const Problem& p : loaded.notes) s_.notes.push_back(p.text());
  if (!loaded.currency.empty() && !unread) {
    if (s_.currency.empty())
      s_.currency = loaded.currency, s_.currency_from = fmt::format("{}:{}:{}", node.file(), node.line, node.column);
    if (s_.currency != loaded.currency)
      problem(node, fmt::format("has prices in {}, and the scenario counts in {}", loaded.currency, s_.currency),
              s_.currency_from.empty() ? "use one currency" : "use one currency; the first is in " + s_.currency_from);
  }
  if (!loaded.problems.empty()) return std::nullopt;
  if (known.empty()) {
    for (const auto& [column, values] : loaded.set.columns) known.push_back(column);
  }
  bool complete = true;
  for (const Wanted& w : wanted) {
    if (!w.required || loaded.set.columns.count(w.column)) continue;
    complete = false;
    const std::string close = nearest(w.column, known);
    const std::string mend = "it has " + any_of(known) + (close.empty() ? "" : fmt::format("; did you mean '{}'?", close));
    if (w.binding)
      problems_.add({w.binding->file, w.binding->line, w.binding->at_column, w.binding->path,
                     fmt::format("the data set '{}' has no column '{}'", name, w.column), mend});
    else
      problems_.add({w.derived->file, w.derived->line, w.derived->at_column, w.derived->path,
                     fmt::format("the data set '{}' has no column '{}'", name, w.column), mend});
  }
  if (!complete) return std::nullopt;
  return std::move(loaded.set);
}

bool DataBinder::read_stamps(const Node& node, DataFileSpec& spec) {
  const Node* stamps = node.find("stamps");
  if (!stamps || !stamps->is_map()) {
    problem(stamps ? *stamps : node, "the key 'stamps' is missing",
            "say when the rows are: stamps: {first: 2016-08-01 00:00, every: 1 h} or stamps: {column: time}");
    return false;
  }
  known_keys(problems_, *stamps,
             {"first", "every", "column", "format", "mark", "clock", "missing_hour", "extra_hour", "from", "to"}, "stamps");
  bool good = true;
  const auto choose = [&](const char* key, auto& to, const auto& names) {
    const Node* given = stamps->find(key);
    if (!given) return;
    std::vector<std::string> allowed;
    for (const auto& [text, value] : names) {
      if (given->text == text) {
        to = value;
        return;
      }
      allowed.push_back(text);
    }
    problem(*given, fmt::format("'{}' is not one of its choices", given->text), "allowed: " + any_of(allowed));
    good = false;
  };
  DataFileSpec::Stamps& s = spec.stamps;
  if (const Node* first = stamps->find("first")) s.first = first->text;
  if (const Node* column = stamps->find("column")) s.column = column->text;
  if (s.first.empty() == s.column.empty()) {
    problem(*stamps, "needs either 'first' or 'column'");
    good = false;
  }
  AssetReader numbers(problems_, zone_, {}, s_.currency);
  if (const Node* every = stamps->find("every")) {
    const auto seconds = numbers.quantity(*every, "s", {0.01, 31 * 86400.0});
    good = good && seconds;
    s.every = seconds.value_or(0);
  } else if (!s.first.empty()) {
    problem(*stamps, "'every' is missing", "say how long a row holds, for example `every: 1 h`");
    good = false;
  }
  if (const Node* clock = stamps->find("clock")) s.clock = clock->text;
  for (const auto& [key, to] : {std::pair{"from", &s.from}, {"to", &s.to}}) {
    const Node* given = stamps->find(key);
    if (!given) continue;
    *to = given->text;
    if (s.column.empty() || !parse_time(given->text)) {
      problem(*given,
              s.column.empty() ? fmt::format("'{}' takes rows by their stamps, and these have none", key)
                               : fmt::format("'{}' is not a time", given->text),
              s.column.empty() ? "leave it out" : "write a time such as 2016-08-01 00:00");
      good = false;
    }
  }
  choose("mark", s.mark, Names<DataFileSpec::Mark>{{"start", DataFileSpec::Mark::start}, {"end", DataFileSpec::Mark::end}});
  choose("format", s.format,
         Names<DataFileSpec::Format>{
             {"iso", DataFileSpec::Format::iso}, {"epoch", DataFileSpec::Format::epoch}, {"local", DataFileSpec::Format::local}});
  choose("missing_hour", s.missing_hour,
         Names<DataFileSpec::MissingHour>{{"repeat", DataFileSpec::MissingHour::repeat},
                                          {"error", DataFileSpec::MissingHour::error}});
  choose("extra_hour", s.extra_hour,
         Names<DataFileSpec::ExtraHour>{{"drop", DataFileSpec::ExtraHour::drop}, {"error", DataFileSpec::ExtraHour::error}});
  return good;
}

// An empty unit: nobody reads the column, and any unit will do.
std::optional<DataFileSpec::Column> DataBinder::read_column(const std::string& name, const Node& node, const std::string& unit,
                                                            const std::vector<std::string>& keys, const Range& range,
                                                            bool needed) {
  DataFileSpec::Column c;
  if (!needed) c.gap.fill = DataFileSpec::Fill::leave;
  c.range = range;
  c.name = name;
  c.column = name;
  c.declared = unit;
  if (!node.is_map()) {
    problem(node, "expected {column: .., unit: ..}");
    return std::nullopt;
  }
  known_keys(problems_, node, keys, "a column");
  if (const Node* column = node.find("column")) c.column = column->text;
  if (const Node* given = node.find("unit")) c.unit = given->text;
  if (unit.empty() && !base_unit(c.unit)) {
    problem(*node.find("unit"), fmt::format("'{}' is not a unit", c.unit), "write for example kW, degC or USD/kWh");
    return std::nullopt;
  }
  if (c.unit.empty() && unit != "1" && !unit.empty()) {
    problem(node, "the key 'unit' is missing", "allowed: " + any_unit(unit, s_.currency));
    return std::nullopt;
  }
  if (!c.unit.empty() && !unit.empty() && !convert({1, c.unit}, unit)) {
    const bool energy = unit == "W" && convert({1, c.unit}, "Wh");
    problem(*node.find("unit"), fmt::format("'{}' is not a unit that fits", c.unit),
            allowed_units(c.unit, unit, s_.currency) +
                (energy ? fmt::format("; energy that a row holds is written for each hour: {}/h", c.unit) : ""));
    return std::nullopt;
  }
  if (c.unit.empty()) c.unit = "1";
  if (const Node* resample = node.find("resample")) {
    if (resample->text != "hold" && resample->text != "mean") {
      problem(*resample, fmt::format("'{}' is not one of its choices", resample->text), "allowed: hold or mean");
      return std::nullopt;
    }
    c.resample = resample->text == "mean" ? DataFileSpec::Resample::mean : DataFileSpec::Resample::hold;
  }
  if (const Node* origin = node.find("origin")) c.origin = origin->text;
  if (const Node* gap = node.find("gap")) {
    const Names<DataFileSpec::Fill> fills{{"error", DataFileSpec::Fill::error},     {"hold", DataFileSpec::Fill::hold},
                                          {"zero", DataFileSpec::Fill::zero},       {"linear", DataFileSpec::Fill::linear},
                                          {"typical", DataFileSpec::Fill::typical}, {"leave", DataFileSpec::Fill::leave}};
    const auto found = std::find_if(fills.begin(), fills.end(), [&](const auto& f) { return f.first == gap->text; });
    if (found == fills.end()) {
      problem(*gap, fmt::format("'{}' is not one of its choices", gap->text),
              "allowed: error, hold, zero, linear, typical or leave");
      return std::nullopt;
    }
    if (found->second == DataFileSpec::Fill::leave && needed && !unit.empty()) {
      problem(*gap, "an asset reads this column, and needs a value at any time",
              "allowed: error, hold, zero, linear or typical; leave is for measurements");
      return std::nullopt;
    }
    c.gap.fill = found->second;
  }
  if (const Node* lowest = node.find("lowest")) {
    AssetReader numbers(problems_, zone_, {}, s_.currency);
    const auto value = numbers.quantity(*lowest, unit.empty() ? *base_unit(c.unit) : unit, {});
    if (!value) return std::nullopt;
    c.lowest = *value;
  }
  if (const Node* longest = node.find("longest_gap")) {
    AssetReader numbers(problems_, zone_, {}, s_.currency);
    c.gap.longest = numbers.quantity(*longest, "s", {0, 366 * 86400.0}).value_or(0);
  }
  return c;
}

void DataBinder::add_profile(Plan& plan, int members, const DataSet& set, const std::vector<const Binding*>& bindings) {
  // Only the rows that the run can reach, all bound columns of a row side by side, members padded to whole blocks.
  const auto first = std::clamp<std::int64_t>(static_cast<std::int64_t>(std::floor((s_.start - set.first) / set.interval + 1e-9)),
                                              0, set.rows - 1);
  const auto last = std::clamp<std::int64_t>(static_cast<std::int64_t>(std::ceil((s_.end - set.first) / set.interval - 1e-9)),
                                             first + 1, set.rows);
  const int padded = (members + width - 1) / width * width;
  struct Placed {
    const DataSet::Column* from;
    int at, count;
  };
  std::map<std::string, Placed> placed;
  int columns = 0;
  std::vector<Profile::Target> targets;
  for (const Binding* b : bindings) {
    const DataSet::Column& from = set.columns.at(b->column);
    if (from.members > 1 && members == 1) {
      problems_.add({b->file, b->line, b->at_column, b->path, "this column has one value for each member of a fleet",
                     "use it in a fleet's members"});
      return;
    }
    auto [it, fresh] = placed.try_emplace(b->column, Placed{&from, columns, from.members > 1 ? padded : 1});
    if (fresh) columns += it->second.count;
    targets.push_back({b->row, it->second.at, it->second.count});
  }
  std::vector<double> values(static_cast<std::size_t>((last - first) * columns));
  for (const auto& [name, p] : placed) {
    for (std::int64_t r = first; r < last; ++r) {
      double* row = values.data() + (r - first) * columns + p.at;
      for (int m = 0; m < p.count; ++m)
        row[m] = p.from->values[static_cast<std::size_t>(r * p.from->members + std::min(m, p.from->members - 1))];
    }
  }
  Profile profile = Profile::even(set.first + static_cast<double>(first) * set.interval - s_.start, set.interval, last - first,
                                  columns, std::move(values));
  profile.targets = std::move(targets);
  plan.add_profile(std::move(profile));
}

std::uint64_t text_hash(std::string_view text) {
  std::uint64_t h = 1469598103934665603u;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return h;
}

std::string file_hash(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return "";  // a pipe is read once
  std::ifstream in(path, std::ios::binary);
  std::uint64_t h = 1469598103934665603u;
  std::vector<char> buffer(1 << 16);
  while (in.read(buffer.data(), static_cast<std::streamsize>(buffer.size())), in.gcount() > 0) {
    for (std::streamsize k = 0; k < in.gcount(); ++k)
      h = (h ^ static_cast<unsigned char>(buffer[static_cast<std::size_t>(k)])) * 1099511628211u;
  }
  return fmt::format("{:016x}", h);
}

}  // namespace urja
