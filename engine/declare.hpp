#pragma once
// A model declares itself once.
//
// A model is a plain struct of `Lanes` (and `Port`s and fixed arrays of them). Its static `declare(Declare&)` names each
// member once, by pointer to member; the member's name is taken from the pointer. From that one declaration come YAML
// checks with units, HDF5 columns, gym spaces, telemetry, fault targets, the filter's states and the reference page.
//
//        struct Tank { Port ac; Lanes volume, level; ... };       the block's rows:   | ac (11) | volume | level | ..
//                         declare()  ->  Type { members, ports, tables, functions }   `Member::offset` counts in rows
//
// Because a model holds nothing but Lanes, start-up can check sizeof(Model) == declared rows: a member that nobody
// declared stops the program, and so does one declared twice or with a unit that is not on the list.
//
// What a model may define (all optional, all without index or loop over lanes):
//   prepare(step)   derived members from parameters and dt; after reset, change of parameter, fault or dt
//   begin(step)     start of an episode: states that depend on time or inputs
//   control(step)   controllers: from present states and inputs to commands, before anyone states limits
//   limits(step)    what could I do this step and what do I wish; writes no state and may be called twice
//   advance(step)   the balance has fixed my power: live through the step
//   fast(step)      a part with shorter steps; `fast_needed` says in which lanes; see `Declare::fast`
//   slow(step)      a part that runs once per declared period; see `Declare::slow`
//   disturb(step)   disturbances (faults): when `due` has come, the effect on parameters of the target; see `Declare::due`
//   held_energy()   Wh of its `content`, from states and parameters: when a parameter jumps, the engine books the difference
// Each may take `const Settings&` as a second argument: the plan's constants of this asset (tables, files, tilt).
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/data_set.hpp"
#include "engine/lanes.hpp"

namespace urja {

// What a member is to the engine.
//   parameter  varies per lane; set by scenario, sweep, fault (neutral value = healthy), randomisation, filter
//   state      carried from step to step; saved, checked against its bounds
//   input      written before the step by a profile, a command or a wire
//   output     written by the step; read by everybody
//   derived    made by prepare()
//   scratch    lives from limits() to advance() only
enum class Kind { port, parameter, state, input, output, derived, scratch };

enum Flag : unsigned {
  none = 0,
  observable = 1 << 0,   // an agent may see it
  actionable = 1 << 1,   // a command may write it
  estimable = 1 << 2,    // the twin's filter may estimate it
  telemetered = 1 << 3,  // it is measured at a real plant
  hook = 1 << 4,         // a fault may write it; its default is the healthy value
  // What an output [W] is to the energy ledger:  source - sink - loss - stored = power out of the ports.
  source = 1 << 5,
  sink = 1 << 6,
  loss = 1 << 7,
  stored = 1 << 8,
  content = 1 << 9,    // energy [Wh] that the asset holds; its change is the integral of `stored`, and `jumped`
  unserved = 1 << 10,  // power [W] that somebody wanted and did not get
  jumped = 1 << 11,    // state [Wh] that the engine writes: energy that jumps of parameters have brought since the reset
  // Thermal nodes have a ledger of their own:  thermal_source - thermal_loss - thermal_stored = 0.
  thermal_source = 1 << 12,
  thermal_loss = 1 << 13,
  thermal_stored = 1 << 14,
  thermal_content = 1 << 15,  // Wh above 0 K; its change is the integral of `thermal_stored`
  needed = 1 << 16,           // input without which an asset means nothing: a scenario must say it
  held_by_link = 1 << 17,     // s for which a link keeps each message, of which it holds so many only (engine/sensor.hpp)
};

// How an output of a disturbance acts on the parameter that its wire names. Several act in this order: the parameter's own value, times
// all factors, plus all terms, at most each limit. `neutral()` is what does nothing.
enum class Effect { none, factor, term, limit };
constexpr double neutral(Effect e) { return e == Effect::factor ? 1 : e == Effect::term ? 0 : 1e300; }

// What a disturbance of its own size and of positive amounts does to a quantity of its target while it is there, on average.
enum class Sign { falls = -1, changes = 0, rises = 1 };

struct Range {
  double low = -1e300, high = 1e300;
};

struct Member {
  std::string name;
  Kind kind;
  int offset, count;  // in rows of Lanes
  std::string unit;
  double start;  // default of a parameter or input, start value of a state
  Range range;
  std::string doc;
  unsigned flags;
  std::string source;   // literature of a default
  std::string kpi_key;  // adds up to this KPI: W over time to kWh, other units: value at the end
  // Controllers: "role.member" that this input reads or this output commands; reading, "role.member*factor" multiplies it with
  // another member of the same asset, where that has one (a load's demand with its scale).
  // Disturbances: "target.member" that this output acts on, or that this input reads.
  std::string wire;
  Effect effect = Effect::none;

  bool has(Flag flag) const { return (flags & flag) != 0; }
  Member& from(std::string role_and_member) { return wire = std::move(role_and_member), *this; }
  Member& to(std::string role_and_member) { return wire = std::move(role_and_member), *this; }
  Member& onto(std::string role_and_member, Effect how) { return effect = how, wire = std::move(role_and_member), *this; }
  Member& kpi(std::string key) { return kpi_key = std::move(key), *this; }
  Member& cite(std::string text) { return source = std::move(text), *this; }
};

// A table as a parameter set gives it: values over one or two evenly spaced axes, one or more columns side by side.
struct TableAxis {
  std::string name;
  double from = 0, step = 1;
  int size = 0;
};
struct TableColumn {
  std::string name, unit;
  std::vector<double> values;  // first axis slowest
};
struct TableData {
  std::vector<TableAxis> axes;
  std::vector<TableColumn> columns;
};

// What a table must look like, from its declaration.
struct TableShape {
  struct Named {
    std::string name, unit;
  };
  std::vector<Named> axes, columns;
};

// Plan constants. `write` receives the asset's Settings object.
struct Setting {
  std::string name, unit;
  double start;
  Range range;
  std::string doc;
  void (*write)(void* settings, double value);
  double (*read)(void* settings);
};
struct Choice {
  std::string name, start;
  std::vector<std::string> allowed;  // empty: any text
  std::string doc;
  void (*write)(void* settings, const std::string& value);
};
struct Table {
  std::string name;
  TableShape shape;
  std::string doc;
  void (*write)(void* settings, const TableData& data);  // throws std::invalid_argument with what is wrong
};
// A list of events read from a file (EV sessions, jobs): one record per line, times in UTC seconds.
struct EventFile {
  struct Column {
    std::string name, unit;  // unit "time" for a point in time
    bool required = true;
    double otherwise = 0;  // value where an optional column is absent
  };
  std::string name;
  std::vector<Column> columns;
  std::string doc;
  void (*write)(void* settings, const std::vector<std::vector<double>>& records);
};
// Inputs computed from a data set, row by row, on demand (plane-of-array irradiance from a weather file).
struct Derivation {
  struct Column {
    std::string name, unit;
    Range range;
    bool required = true;
  };
  std::string key;                  // the scenario's key that names the data set
  std::vector<std::string> inputs;  // the members that it fills
  std::vector<Column> columns;      // what it needs of the data set
  std::string doc;
  RowFunction (*bind)(std::shared_ptr<const void> settings, std::shared_ptr<const DataSet> data);
  // What is allowed and yet hardly meant, from `start` to `end` [UTC s]: notes, in words. May be null.
  std::vector<std::string> (*doubts)(const DataSet& data, double start, double end) = nullptr;
};
// What an asset's Settings learn when the plan is complete.
struct PlanFacts {
  std::string name;           // of the asset or disturbance
  double start = 0, end = 0;  // UTC seconds
  double step = 0;            // s
  int members = 1;            // of the fleet that the asset is in
};
// The assets that a controller reads and commands; those of fleets' members ("homes.load") count too. plan.hpp says what a
// wire to several of them means.
struct Role {
  std::string name;
  std::vector<std::string> models;  // that fit
  std::string tag;                  // and are tagged so (a load's priority zone); empty: any
  bool many = false, optional = false;
  std::string doc;
};

using ModelFunction = void (*)(Lanes* model, const Step&, const void* settings);

struct Type {
  std::string name, doc;
  int rows = 0;
  std::vector<Member> members;
  std::vector<int> ports;  // offsets
  std::vector<Setting> settings;
  std::vector<Choice> choices;
  std::vector<Table> tables;
  std::vector<EventFile> files;
  std::vector<Derivation> derivations;
  std::vector<Role> roles;
  // Names of parameters and settings of which each is at most the next.
  std::vector<std::vector<std::string>> orders;
  std::string tag_choice;                  // the choice whose value tags the asset
  int fair_floor = -1, fair_urgency = -1;  // offsets; see Declare::fair_share
  bool forming = false;                    // may set the bus's voltage and frequency
  bool stiff = false;                      // and does so before all that are not, wherever it stands in the merit list
  int forms_voltage = -1, forms_frequency = -1;
  double slow_period = 0;  // s; 0: no slow part
  int fast_steps = 0;      // sub-steps per base step; 0: no fast part
  bool controller = false;
  std::vector<std::pair<std::string, Sign>> effects;  // disturbances: see Declare::effect
  int due = -1;                                       // disturbances: offset of the state that says when they want to run again
  int active = -1, since = -1, spent = -1;            // see Declare::spells

  std::shared_ptr<void> (*make_settings)() = nullptr;
  std::string (*finish)(void* settings, const PlanFacts&) = nullptr;  // an error message, or empty
  ModelFunction prepare = nullptr, begin = nullptr, control = nullptr, disturb = nullptr, limits = nullptr, advance = nullptr,
                slow = nullptr, fast = nullptr;
  Mask (*fast_needed)(const Lanes* model, const Step&, const void* settings) = nullptr;
  Lanes (*held_energy)(const Lanes* model, const void* settings) = nullptr;

  const Member* find(std::string_view member) const;
};

// All models, by name. Filled before main() by the `Registered` objects of the model files.
const std::map<std::string, Type, std::less<>>& registry();
const Type* find_type(std::string_view name);
// The same of disturbances, which are no assets: they change others.
const std::map<std::string, Type, std::less<>>& disturbances();

inline constexpr int most_disturbance_rows = 64;

namespace detail {
[[noreturn]] void stop(const std::string& model, const std::string& what);
void add_type(Type&& type);
void add_member(Type& type, Member&& member);

// "... [with auto P = &urja::Pv::rated]" -> "rated"
template <auto P> std::string name_of() {
  std::string_view text = __PRETTY_FUNCTION__;
  text.remove_prefix(text.find("P = ") + 4);
  text = text.substr(0, text.find_first_of(";]"));
  return std::string(text.substr(text.rfind("::") + 2));
}
template <class> struct Pointee;
template <class Owner_, class Value_> struct Pointee<Value_ Owner_::*> {
  using Owner = Owner_;
  using Value = Value_;
};
template <auto P> using OwnerOf = typename Pointee<decltype(P)>::Owner;
template <auto P> using ValueOf = typename Pointee<decltype(P)>::Value;

template <auto P> int offset_of() {
  alignas(64) static char room[sizeof(OwnerOf<P>)];
  auto* object = reinterpret_cast<OwnerOf<P>*>(room);
  return static_cast<int>((reinterpret_cast<char*>(&(object->*P)) - room) / static_cast<long>(sizeof(Lanes)));
}
template <auto P> auto& field(void* settings) { return static_cast<OwnerOf<P>*>(settings)->*P; }
}  // namespace detail

class Declare {
 public:
  explicit Declare(Type& type) : type_(type) {}

  // A KPI given to a port counts its power.
  template <auto P> Member& port(const char* doc = "") {
    static_assert(std::is_same_v<detail::ValueOf<P>, Port>);
    type_.ports.push_back(shift_ + detail::offset_of<P>());
    return add<P>(Kind::port, "W", 0, {}, doc, none);
  }
  template <auto P> Member& parameter(const char* unit, double start, Range range, const char* doc, unsigned flags = none) {
    return add<P>(Kind::parameter, unit, start, range, doc, flags);
  }
  template <auto P> Member& state(const char* unit, double start, Range range, const char* doc, unsigned flags = none) {
    return add<P>(Kind::state, unit, start, range, doc, flags);
  }
  template <auto P> Member& input(const char* unit, double start, Range range, const char* doc, unsigned flags = none) {
    return add<P>(Kind::input, unit, start, range, doc, flags);
  }
  template <auto P> Member& output(const char* unit, const char* doc, unsigned flags = none) {
    return add<P>(Kind::output, unit, 0, {}, doc, flags);
  }
  template <auto... P> void derived() { (add<P>(Kind::derived, "1", 0, {}, "", none), ...); }
  template <auto... P> void scratch() { (add<P>(Kind::scratch, "1", 0, {}, "", none), ...); }

  // Plan constants: one value for all lanes, members of `Model::Settings`.
  template <auto P> void setting(const char* unit, double start, Range range, const char* doc) {
    type_.settings.push_back({detail::name_of<P>(), unit, start, range, doc,
                              [](void* s, double v) { detail::field<P>(s) = static_cast<detail::ValueOf<P>>(v); },
                              [](void* s) { return static_cast<double>(detail::field<P>(s)); }});
  }
  template <auto P> void choice(const char* start, std::vector<std::string> allowed, const char* doc) {
    type_.choices.push_back(
        {detail::name_of<P>(), start, std::move(allowed), doc, [](void* s, const std::string& v) { detail::field<P>(s) = v; }});
  }
  // A choice by whose value other assets find this one (a load's priority zone).
  template <auto P> void tag(const char* start, std::vector<std::string> allowed, const char* doc) {
    choice<P>(start, std::move(allowed), doc);
    type_.tag_choice = detail::name_of<P>();
  }
  // A table; its type has `static T from(const TableData&)`. Axes and columns: {{"state_of_charge", "1"}, ..}.
  template <auto P> void table(std::vector<TableShape::Named> axes, std::vector<TableShape::Named> columns, const char* doc) {
    type_.tables.push_back({detail::name_of<P>(), {std::move(axes), std::move(columns)}, doc, [](void* s, const TableData& t) {
                              detail::field<P>(s) = detail::ValueOf<P>::from(t);
                            }});
  }
  // A file of events: a std::vector<std::vector<double>> of records with these columns.
  template <auto P> void events(std::vector<EventFile::Column> columns, const char* doc) {
    type_.files.push_back({detail::name_of<P>(), std::move(columns), doc,
                           [](void* s, const std::vector<std::vector<double>>& r) { detail::field<P>(s) = r; }});
  }
  // Inputs that `bind` makes from a data set, in this order; the scenario's `key` names the set.
  template <auto... Inputs>
  void derive(const char* key, std::vector<Derivation::Column> columns, const char* doc,
              RowFunction (*bind)(std::shared_ptr<const void>, std::shared_ptr<const DataSet>),
              std::vector<std::string> (*doubts)(const DataSet&, double, double) = nullptr) {
    type_.derivations.push_back({key, {detail::name_of<Inputs>()...}, std::move(columns), doc, bind, doubts});
  }

  // This asset may be shared max-min fair in a fleet: `floor` [W] is the least it can use at all, and where not all can
  // have their floor, those with the smallest `urgency` value (s of slack) come first.
  template <auto Floor, auto Urgency> void fair_share() {
    type_.fair_floor = detail::offset_of<Floor>();
    type_.fair_urgency = detail::offset_of<Urgency>();
  }
  // This asset may form the bus: its outputs `voltage` and `frequency` (both per unit) are what the others see.
  // `stiff`: nobody beside it could do otherwise (the public grid).
  template <auto Voltage, auto Frequency> void forms_bus(bool stiff = false) {
    type_.forming = true;
    type_.stiff = stiff;
    type_.forms_voltage = detail::offset_of<Voltage>();
    type_.forms_frequency = detail::offset_of<Frequency>();
  }
  // slow(step) runs at the end of the step in which a multiple of `seconds` of UTC is passed, in those lanes only.
  void slow(double seconds) { type_.slow_period = seconds; }
  // fast(step) runs `steps` times after advance() with step.dt divided by `steps`, in lanes where fast_needed() says so.
  void fast(int steps) { type_.fast_steps = steps; }
  // The members of a base class of the model, declared by the base's own `declare_members(Declare&)`.
  template <class Model, class Base> void base() {
    alignas(64) static char room[sizeof(Model)];
    auto* model = reinterpret_cast<Model*>(room);
    shift_ = static_cast<int>((reinterpret_cast<char*>(static_cast<Base*>(model)) - room) / static_cast<long>(sizeof(Lanes)));
    Base::declare_members(*this);
    shift_ = 0;
  }
  // One that is declared already.
  Member& member(std::string_view name);
  // Parameters and settings that contradict each other unless each is at most the next.
  template <auto... P> void ordered() { type_.orders.push_back({detail::name_of<P>()...}); }
  // A disturbance runs in the first step at whose begin the state `due` [s since the plan's start] has come, in those lanes only, and
  // writes there when it wants to run again; in between it costs nothing. It starts with -1e300: in the first step all of them run.
  template <auto Due> void due() { type_.due = detail::offset_of<Due>() + shift_; }
  // Its label: 1 while it is there, since when [s since the plan's start], and how long it was there before [s]. Read from these at any
  // time, a label costs nothing in steps in which nothing changes.
  template <auto Active, auto Since, auto Spent> void spells() {
    type_.active = detail::offset_of<Active>() + shift_;
    type_.since = detail::offset_of<Since>() + shift_;
    type_.spent = detail::offset_of<Spent>() + shift_;
  }
  // What a disturbance does to its target's `quantity`; of a sensor `measured` or `age`. Tested for every kind.
  void effect(const char* quantity, Sign sign) { type_.effects.emplace_back(quantity, sign); }
  // Controllers: the assets that the wires `from("name.member")` and `to("name.member")` mean.
  void role(Role role) { type_.roles.push_back(std::move(role)); }
  std::vector<Role>& roles() { return type_.roles; }

 private:
  template <auto P> Member& add(Kind kind, const char* unit, double start, Range range, const char* doc, unsigned flags) {
    constexpr auto bytes = sizeof(detail::ValueOf<P>);
    static_assert(bytes % sizeof(Lanes) == 0, "a model holds nothing but Lanes");
    detail::add_member(
        type_, {detail::name_of<P>(), kind, shift_ + detail::offset_of<P>(), static_cast<int>(bytes / sizeof(Lanes)), unit, start,
                range, doc, flags, "", "", "", Effect::none});
    return type_.members.back();
  }

  Type& type_;
  int shift_ = 0;  // of the base class that is being declared
};

namespace detail {
struct NoSettings {};
template <class M> struct SettingsOf { using type = NoSettings; };
template <class M>
requires requires { typename M::Settings; }
struct SettingsOf<M> {
  using type = typename M::Settings;
};
}  // namespace detail

// The type of a model struct, from its declaration. Stops the program where the declaration is wrong.
namespace detail {
void check_type(Type& type);

template <class M> Type make_type(const char* name, const char* doc) {
  using S = typename SettingsOf<M>::type;
  Type t;
  t.name = name;
  t.doc = doc;
  t.rows = static_cast<int>(sizeof(M) / sizeof(Lanes));  // NOLINT(bugprone-sizeof-expression): 0 for one without members
  Declare declare(t);
  M::declare(declare);
  t.make_settings = []() -> std::shared_ptr<void> { return std::make_shared<S>(); };
  if constexpr (requires(S & s, const PlanFacts& f) { s.finish(f); }) {
    t.finish = [](void* s, const PlanFacts& facts) -> std::string { return static_cast<S*>(s)->finish(facts); };
  }
#define URJA_BIND(f)                                                                                                \
  if constexpr (requires(M & m, const Step& s, const S& c) { m.f(s, c); }) {                                        \
    t.f = [](Lanes* m, const Step& s, const void* c) { reinterpret_cast<M*>(m)->f(s, *static_cast<const S*>(c)); }; \
  } else if constexpr (requires(M & m, const Step& s) { m.f(s); }) {                                                \
    t.f = [](Lanes* m, const Step& s, const void*) { reinterpret_cast<M*>(m)->f(s); };                              \
  }
  URJA_BIND(prepare)
  URJA_BIND(begin)
  URJA_BIND(control)
  URJA_BIND(disturb)
  URJA_BIND(limits)
  URJA_BIND(advance)
  URJA_BIND(slow)
  URJA_BIND(fast)
#undef URJA_BIND
  if constexpr (requires(const M& m, const Step& s) { m.fast_needed(s); }) {
    t.fast_needed = [](const Lanes* m, const Step& s, const void*) -> Mask {
      return reinterpret_cast<const M*>(m)->fast_needed(s);
    };
  }
  if constexpr (requires(const M& m, const S& c) { m.held_energy(c); }) {
    t.held_energy = [](const Lanes* m, const void* c) -> Lanes {
      return reinterpret_cast<const M*>(m)->held_energy(*static_cast<const S*>(c));
    };
  }
  check_type(t);
  return t;
}
}  // namespace detail

// `static const Registered<Pv> registered{"pv", "PV plant with one inverter"};` at the end of a model file.
template <class M> struct Registered {
  Registered(const char* name, const char* doc) { detail::add_type(detail::make_type<M>(name, doc)); }
};

}  // namespace urja
