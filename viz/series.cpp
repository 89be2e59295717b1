#include "viz/series.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <tuple>

namespace urja::viz {
namespace {

constexpr double k_none = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t k_most_gathered = 4'000'000;  // values held while reading: 100 MB
constexpr std::size_t k_most_powers = 14;           // more assets than this share one series: a stack stays readable
constexpr std::array k_nice{1.,   2.,   5.,    10.,   15.,   30.,    60.,    120.,   300.,
                            600., 900., 1800., 3600., 7200., 10800., 21600., 43200., 86400.};
constexpr std::array k_families{"pv", "wind",    "genset", "other", "load",
                                "ev", "battery", "grid",   "spill"};  // the order in a stack, from zero outwards

bool starts(const std::string& s, std::string_view with) { return s.rfind(with, 0) == 0; }
bool ends(const std::string& s, std::string_view with) {
  return s.size() >= with.size() && s.compare(s.size() - with.size(), with.size(), with) == 0;
}

std::string family_of(const std::string& model, const std::string& asset) {
  const auto is = [](const std::string& name, std::initializer_list<const char*> words) {
    return std::any_of(words.begin(), words.end(), [&](const char* w) {
      const std::size_t at = name.find(w);  // a word of the name: "pv" in "homes.pv" and "pv_profile", not in "mpvx"
      return at != std::string::npos && (at == 0 || !std::isalpha(static_cast<unsigned char>(name[at - 1])));
    });
  };
  for (const std::string& name : {model, asset}) {
    if (name.empty()) continue;
    if (is(name, {"pv", "solar"})) return "pv";
    if (is(name, {"ev", "charger", "evse"})) return "ev";
    if (is(name, {"battery", "storage", "supercap"})) return "battery";
    if (is(name, {"grid"})) return "grid";
    if (is(name, {"genset", "generator", "diesel", "fuel"})) return "genset";
    if (is(name, {"wind"})) return "wind";
    if (is(name, {"spill"})) return "spill";
    if (is(name, {"load", "demand", "heat_pump", "zone"})) return "load";
  }
  return "other";
}

// What the report does with a channel, if anything.
bool role_of(const Channel& c, Role* role) {
  if (c.name == "power") *role = Role::power;
  else if (c.name == "state_of_charge") *role = Role::state_of_charge;
  else if (c.unit == "degC") *role = Role::temperature;
  else if (c.name == "price" || ends(c.name, "_price")) *role = Role::price;
  else if (starts(c.name, "cost_") || starts(c.name, "revenue_")) *role = Role::cost;
  else return false;
  return true;
}

// What is simulated of each channel that was measured; one that nothing is simulated of has no pair.
std::vector<Compared> pairs(const ResultFile& file) {
  std::vector<Compared> all;
  const auto find = [](const std::vector<Channel>& in, const Channel& like) {
    return std::find_if(in.begin(), in.end(), [&](const Channel& c) { return c.asset == like.asset && c.name == like.name; });
  };
  for (const Channel& r : file.references()) {
    const auto truth = find(file.channels(), r), shown = find(file.measured(), r);
    if (truth == file.channels().end() && shown == file.measured().end()) continue;
    Compared one;
    const auto add = [&](const Channel& c, const char* label, const char* family) {
      one.curves.push_back({c, Role::compared, label, family, {}, {}, false});
    };
    add(r, "measured at the plant", "ink");
    if (shown != file.measured().end()) add(*shown, "simulated, as its sensor shows it", "pv");
    if (truth != file.channels().end())
      add(*truth, shown == file.measured().end() ? "simulated" : "simulated, as it is",
          shown == file.measured().end() ? "pv" : "grid");
    if (const auto none = find(file.without_faults(), r); none != file.without_faults().end())
      one.without_faults.push_back(*none);
    all.push_back(std::move(one));
  }
  return all;
}

// What sensors and links made of the truth, and what states and commands became of it. One of a fleet's members would say little.
std::vector<Compared> faulted_pairs(const ResultFile& file) {
  std::vector<Compared> all;
  const auto add = [&](const Channel& a, const char* a_label, const Channel& b, const char* b_label) {
    Compared one;
    one.curves.push_back({a, Role::compared, a_label, "grid", {}, {}, false});
    one.curves.push_back({b, Role::compared, b_label, "pv", {}, {}, false});
    if (a.members == 1 && b.members == 1) all.push_back(std::move(one));
  };
  const auto find = [](const std::vector<Channel>& in, const Channel& like) {
    return std::find_if(in.begin(), in.end(), [&](const Channel& c) { return c.asset == like.asset && c.name == like.name; });
  };
  for (const Channel& m : file.measured()) {
    if (const auto truth = find(file.channels(), m); truth != file.channels().end()) add(*truth, "true", m, "as measured");
  }
  for (const Channel& w : file.without_faults()) {
    const auto with = find(file.channels(), w);
    const bool told = w.asset == "controller" || w.name == "state_of_charge" || w.name == "temperature";
    if (with != file.channels().end() && told) add(w, "without the faults", *with, "with them");
  }
  return all;
}

// Curves that lie on one another say nothing.
bool differ(const Compared& c) {
  const Bins &a = c.curves[0].bins, &b = c.curves[1].bins;
  double most = 0, apart = 0;
  for (std::size_t k = 0; k < a.seconds.size(); ++k) {
    const double x = (a.up[k] + a.down[k]) / a.seconds[k], y = (b.up[k] + b.down[k]) / b.seconds[k];
    if (!std::isfinite(x) || !std::isfinite(y)) continue;
    most = std::max({most, std::abs(x), std::abs(y)});
    apart = std::max(apart, std::abs(x - y));
  }
  return apart > 0.02 * most;
}

std::size_t family_rank(const std::string& family) {
  return static_cast<std::size_t>(std::find(k_families.begin(), k_families.end(), family) - k_families.begin());
}

void sort_for_drawing(std::vector<Series>& all) {
  const auto key = [](const Series& s) { return std::tuple(s.role, family_rank(s.family), s.summed); };
  std::stable_sort(all.begin(), all.end(), [&](const Series& a, const Series& b) { return key(a) < key(b); });
}

// A role keeps only what it draws.
void resize(Bins& b, std::size_t n, Role role) {
  const std::size_t band = role == Role::state_of_charge || role == Role::temperature ? n : 0, end = role == Role::cost ? n : 0;
  b.seconds.assign(n, 0);
  b.up.assign(n, 0);
  b.down.assign(n, 0);
  b.min.assign(band, k_none);
  b.max.assign(band, k_none);
  b.last.assign(end, k_none);
}

void join(Bins& into, std::size_t i, const Bins& from, std::size_t k) {
  if (from.seconds[k] <= 0) return;
  into.seconds[i] += from.seconds[k];
  into.up[i] += from.up[k];
  into.down[i] += from.down[k];
  if (!into.min.empty()) {
    into.min[i] = std::fmin(into.min[i], from.min[k]);
    into.max[i] = std::fmax(into.max[i], from.max[k]);
  }
  if (!into.last.empty()) into.last[i] = from.last[k];
}

Bins coarser(const Bins& fine, std::size_t factor, Role role) {
  Bins out;
  resize(out, (fine.seconds.size() + factor - 1) / factor, role);
  for (std::size_t k = 0; k < fine.seconds.size(); ++k) join(out, k / factor, fine, k);
  return out;
}

double median_step(const std::vector<double>& time) {
  std::vector<double> d;
  for (std::size_t i = 1; i < time.size(); i += std::max<std::size_t>(1, time.size() / 1001)) d.push_back(time[i] - time[i - 1]);
  if (d.empty()) return 0;
  std::nth_element(d.begin(), d.begin() + static_cast<std::ptrdiff_t>(d.size() / 2), d.end());
  return d[d.size() / 2];
}

// The next interval after this one that is a whole multiple of `unit`.
double next_interval(double now, double unit) {
  for (const double w : k_nice) {
    const double factor = w / unit;
    if (w > now * 1.01 && std::abs(factor - std::round(factor)) < 1e-9) return std::round(factor) * unit;
  }
  return 2 * now;
}

// Powers of many assets, row by row.
struct Rows {
  std::vector<double> sum, largest;  // of all assets: for the check of the balance
  std::vector<double> family;        // of the assets of one family

  void none_from(std::size_t row) {  // a channel ends too early
    for (std::vector<double>* all : {&sum, &family})
      std::fill(all->begin() + static_cast<std::ptrdiff_t>(std::min(row, all->size())), all->end(), k_none);
  }
};

// All rows of one channel: its figures and its bins. For a power, members are summed, and the rows gathered.
void gather(const ResultFile& file, const Drawing& d, const std::vector<double>& seconds, Series& s, Rows* powers) {
  const std::vector<double>& time = file.time();
  const std::size_t members = s.channel.members, rows = std::min(s.channel.rows, time.size());
  const std::size_t block = std::max<std::size_t>(1024, 65536 / members);
  std::vector<double> values(std::min(block, rows) * members);
  resize(s.bins, d.intervals, s.role);
  Figures& f = s.figures;
  for (std::size_t first = 0; first < rows; first += block) {
    const std::size_t n = std::min(block, rows - first);
    file.read(s.channel, first, n, values.data());
    for (std::size_t r = 0; r < n; ++r) {
      const double* v = values.data() + r * members;
      double total = 0, low = k_none, high = k_none, count = 0;
      for (std::size_t m = 0; m < members; ++m) {
        if (!std::isfinite(v[m])) continue;
        total += v[m];
        low = std::fmin(low, v[m]);
        high = std::fmax(high, v[m]);
        ++count;
      }
      const std::size_t row = first + r;
      if (count < static_cast<double>(members)) ++f.missing;
      if (count == 0) {
        if (powers) powers->sum[row] = powers->family[row] = k_none;
        continue;
      }
      const bool power = s.role == Role::power;
      const double x = power ? total : total / count, dt = seconds[row];
      if (power) low = high = x;
      f.min = std::min(f.min, low);
      f.max = std::max(f.max, high);
      f.sum += x * dt;
      f.seconds += dt;
      (x > 0 ? f.into_bus : f.out_of_bus) += x * dt;
      if (std::isnan(f.first)) f.first = x;
      f.last = x;
      if (powers) {
        const double whole = count < static_cast<double>(members) ? k_none : total;
        powers->sum[row] += whole;
        powers->family[row] += whole;
        for (std::size_t m = 0; m < members; ++m) powers->largest[row] = std::fmax(powers->largest[row], std::abs(v[m]));
      }
      const auto i = std::min(static_cast<std::size_t>((time[row] - d.first) / d.interval), d.intervals - 1);
      Bins& b = s.bins;
      b.seconds[i] += dt;
      (x > 0 ? b.up : b.down)[i] += x * dt;
      if (!b.min.empty()) {
        b.min[i] = std::fmin(b.min[i], low);
        b.max[i] = std::fmax(b.max[i], high);
      }
      if (!b.last.empty()) b.last[i] = x;
    }
  }
  f.missing += time.size() - rows;
}

// Sums the powers of least energy until few enough are left to be told apart.
void merge_small_powers(std::vector<Series>& all) {
  std::vector<std::size_t> powers;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i].role == Role::power) powers.push_back(i);
  if (powers.size() <= k_most_powers) return;
  const auto energy = [&](std::size_t i) { return all[i].figures.into_bus - all[i].figures.out_of_bus; };
  std::stable_sort(powers.begin(), powers.end(), [&](std::size_t a, std::size_t b) { return energy(a) > energy(b); });
  std::map<std::string, std::vector<std::size_t>> rest;  // by family, so that colours keep their meaning
  std::set<std::size_t> gone;
  for (std::size_t k = k_most_powers - 5; k < powers.size(); ++k) rest[all[powers[k]].family].push_back(powers[k]);
  for (const auto& [family, members] : rest) {
    if (members.size() < 2) continue;
    Series& into = all[members[0]];
    for (std::size_t k = 1; k < members.size(); ++k) {
      const Series& from = all[members[k]];
      for (std::size_t i = 0; i < into.bins.seconds.size(); ++i) join(into.bins, i, from.bins, i);
      into.figures.into_bus += from.figures.into_bus;
      into.figures.out_of_bus += from.figures.out_of_bus;
      into.figures.missing += from.figures.missing;
      into.figures.min = into.figures.max = k_none;  // peaks of a sum are not the sum of peaks
      gone.insert(members[k]);
    }
    // join() added up the seconds as well: a sum of powers keeps those of one
    for (double& x : into.bins.seconds) x /= static_cast<double>(members.size());
    into.label = fmt::format("{} more of kind {}", members.size(), family);
    into.summed = true;
  }
  std::vector<Series> kept;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (!gone.count(i)) kept.push_back(std::move(all[i]));
  all = std::move(kept);
  sort_for_drawing(all);
}

}  // namespace

bool two_sided(const Series& s) { return s.figures.into_bus > 0 && s.figures.out_of_bus < 0; }

bool has_band(const Series& s) {
  if (s.role != Role::state_of_charge && s.role != Role::temperature) return false;
  for (std::size_t i = 0; i < s.bins.min.size(); ++i)
    if (s.bins.min[i] < s.bins.max[i]) return true;
  return false;
}

std::size_t Drawing::bytes() const {
  std::size_t curves = 0;
  for (const auto* list : {&compared, &faulted}) {
    for (const Compared& c : *list) curves += c.curves.size();
  }
  for (const Series& s : series) {
    const bool band = has_band(s) || (!s.bins.min.empty() && interval > record);  // a longer interval opens one
    curves += s.role == Role::power ? (two_sided(s) ? 2 : 1) : s.role == Role::cost ? 2 : band ? 3 : 1;
  }
  return curves * (intervals * 8 / 3 + 64);  // two bytes a value, four characters for three bytes
}

Drawing survey(const ResultFile& file, const std::map<std::string, std::string>& kinds, const std::string& zone,
               std::size_t budget) {
  Drawing d;
  const std::vector<double>& time = file.time();
  if (file.lanes() > 1) d.notes.push_back(fmt::format("The file holds {} lanes; this page shows the first.", file.lanes()));
  for (const std::string& name : file.skipped())
    d.notes.push_back(fmt::format("/channels/{} is no column of numbers and is left out.", name));
  if (time.empty()) {
    d.notes.push_back("The file holds no rows, so there is nothing to draw.");
    return d;
  }

  d.record = file.number("record_s").value_or(0);
  if (d.record <= 0) d.record = median_step(time);
  if (d.record <= 0) d.record = 1;
  std::vector<double> seconds(time.size(), d.record);
  std::size_t gaps = 0;
  for (std::size_t i = 0; i + 1 < time.size(); ++i) {
    seconds[i] = std::min(time[i + 1] - time[i], d.record);
    gaps += time[i + 1] - time[i] > 1.5 * d.record;
  }
  if (gaps) d.notes.push_back(fmt::format("The times have {} gap{} longer than one row.", gaps, gaps == 1 ? "" : "s"));
  d.first = time.front();
  d.end = time.back() + seconds.back();

  for (const Channel& c : file.channels()) {
    Role role;
    if (!role_of(c, &role)) continue;
    const auto kind = kinds.find(c.asset);
    d.series.push_back({c,
                        role,
                        c.fleet ? fmt::format("{} ×{}", c.asset, c.members) : c.asset,
                        family_of(kind == kinds.end() ? "" : kind->second, c.asset),
                        {},
                        {},
                        false});
  }
  sort_for_drawing(d.series);

  // Rows are gathered over a first interval that is fine enough to be made coarser to most others; how many curves
  // there are shows only after reading (a power may go both ways, small ones are summed).
  const auto intervals_of = [&](double w) { return static_cast<std::size_t>(std::ceil((d.end - d.first) / w - 1e-9)); };
  d.interval = d.record;
  d.intervals = std::max<std::size_t>(1, intervals_of(d.interval));
  while (d.series.size() * d.intervals > k_most_gathered) {
    d.interval = next_interval(d.interval, d.record);
    d.intervals = intervals_of(d.interval);
  }

  Rows rows{std::vector<double>(time.size(), 0), std::vector<double>(time.size(), 0), std::vector<double>(time.size(), 0)};
  d.calendar = calendar(time, seconds, zone);
  bool any_power = false;
  for (std::size_t k = 0; k < d.series.size(); ++k) {
    Series& s = d.series[k];
    const bool power = s.role == Role::power;
    any_power |= power;
    if (power && s.channel.rows < time.size()) rows.none_from(s.channel.rows);
    gather(file, d, seconds, s, power ? &rows : nullptr);
    const bool last_of_family =
        k + 1 == d.series.size() || d.series[k + 1].role != Role::power || d.series[k + 1].family != s.family;
    if (power && last_of_family) {
      d.totals.push_back(total(s.family, time, seconds, rows.family, zone, d.calendar));
      std::fill(rows.family.begin(), rows.family.end(), 0);
    }
    if (s.channel.rows != time.size())
      d.notes.push_back(
          fmt::format("{}/{} has {} rows, /time has {}.", s.channel.asset, s.channel.name, s.channel.rows, time.size()));
    else if (s.figures.missing)
      d.notes.push_back(
          fmt::format("{}/{} has no value in {} of {} rows.", s.channel.asset, s.channel.name, s.figures.missing, time.size()));
  }
  if (any_power) {
    for (std::size_t i = 0; i < time.size(); ++i) {
      if (!std::isfinite(rows.sum[i])) continue;
      const double share = rows.largest[i] > 0 ? std::abs(rows.sum[i]) / rows.largest[i] : 0;
      d.balance_worst = std::fmax(d.balance_worst, share);
    }
  }

  d.compared = pairs(file);
  constexpr std::size_t most_pairs = 10;
  d.faulted = faulted_pairs(file);
  for (auto* list : {&d.compared, &d.faulted}) {
    for (Compared& c : *list) {
      for (Series& s : c.curves) gather(file, d, seconds, s, nullptr);
    }
  }
  std::erase_if(d.faulted, [](const Compared& c) { return !differ(c); });
  if (d.faulted.size() > most_pairs) {
    d.notes.push_back(fmt::format(
        "Of {} channels that differ from the truth, or from the plant without faults, {} are drawn; the file has all.",
        d.faulted.size(), most_pairs));
    d.faulted.resize(most_pairs);
  }

  merge_small_powers(d.series);
  const double gathered = d.interval;
  while (d.bytes() > budget && d.intervals > 1) {
    d.interval = next_interval(d.interval, gathered);
    d.intervals = intervals_of(d.interval);
  }
  const auto factor = static_cast<std::size_t>(std::lround(d.interval / gathered));
  for (Series& s : d.series)
    if (factor > 1) s.bins = coarser(s.bins, factor, s.role);
  for (auto* list : {&d.compared, &d.faulted}) {
    for (Compared& c : *list) {
      for (Series& s : c.curves)
        if (factor > 1) s.bins = coarser(s.bins, factor, s.role);
    }
  }
  return d;
}

}  // namespace urja::viz
