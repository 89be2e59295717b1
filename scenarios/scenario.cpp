#include "scenarios/scenario.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "engine/calendar.hpp"
#include "engine/recorder.hpp"
#include "engine/units.hpp"
#include "scenarios/assets.hpp"
#include "scenarios/data.hpp"
#include "scenarios/fault_reader.hpp"
#include "scenarios/gym/gym_reader.hpp"
#include "scenarios/measurement_reader.hpp"
#include "scenarios/parameter_sets.hpp"
#include "scenarios/sensor_reader.hpp"
#include "scenarios/timeline.hpp"
#include "scenarios/tree.hpp"

namespace urja {
namespace {

namespace fs = std::filesystem;

}  // namespace

class ScenarioSource::Loader {
 public:
  Loader(const ScenarioSource& source, const LoadOptions& options, bool values_only)
      : options_(options), values_only_(values_only), sets_(*source.sets_), root_(source.root_) {
    s_.file = source.file_;
    s_.name = fs::path(source.file_).stem().string();
    s_.set = options.set;
    s_.text = source.texts_.front().text;
    for (std::size_t k = 1; k < source.texts_.size(); ++k) {
      const auto& [file, text] = source.texts_[k];
      s_.included[file] = text;
      if (!values_only) s_.data_hashes[file] = file_hash(file);
    }
  }

  Scenario load() {
    stop_if_wrong();
    for (const std::string& assignment : options_.set) set_at(root_, assignment, problems_);
    if (root_.find("sweep") && !root_.find("urja")) {
      fail(root_, "this is a sweep, not a scenario", "run it with `urja sweep SCENARIO --sweep " + s_.file + "`");
      stop_if_wrong();
    }
    if (const Node* include = root_.find("include"))
      fail(*include, "files are included before --set", "write `include:` in the file");
    known_keys(problems_, root_,
               {"urja", "title", "zone", "include", "run", "data", "feeders", "assets", "balance", "controller", "sensors",
                "links", "measurements", "faults", "gym"},
               "a scenario");
    s_.has_gym = root_.find("gym") != nullptr;
    if (options_.gym != LoadOptions::Gym::none) turn_to_gym();
    read_head();
    stop_if_wrong();  // without zone and run nothing else can be judged
    name_data_sets();
    s_.plan = std::make_shared<Plan>(s_.start, s_.end, s_.step);
    read_feeders();
    read_assets();
    for (const bool links : {false, true}) {
      if (const Node* block = root_.find(links ? "links" : "sensors"))
        SensorReader(problems_, *reader_, s_, not_loaded_).read(*block, links);
    }
    if (const Node* measurements = root_.find("measurements"))
      MeasurementReader(problems_, *reader_, s_, not_loaded_, data_names_).read(*measurements);
    if (const Node* faults = root_.find("faults")) {
      const auto time = [&](const Node& at) { return moment_at(at); };
      FaultReader(problems_, *reader_, *zone_, s_, not_loaded_, time).read(*faults);
    }
    read_balance();
    // Data last, and also when something is wrong already: their problems are to be seen at once with the others.
    if (values_only_) {
      stop_if_wrong();
      return std::move(s_);
    }
    DataBinder binder(problems_, *zone_, s_);
    binder.measures = root_.find("measurements") != nullptr;
    if (const Node* data = root_.find("data")) binder.read(*data, reader_->bindings, reader_->derived);
    stop_if_wrong();
    for (const std::string& read : reader_->event_files) s_.data_hashes[read] = file_hash(read);
    bind_calendar();
    finish();
    stop_if_wrong();
    if (options_.gym != LoadOptions::Gym::none) {
      AssetReader numbers(problems_, *zone_, {}, s_.currency);
      s_.gym = std::make_shared<const GymSpecification>(GymReader(problems_, numbers, *zone_, s_).read(root_.find("gym"), root_));
      stop_if_wrong();
    }
    return std::move(s_);
  }

 private:
  void fail(const Node& at, const std::string& what, const std::string& mend = "") {
    problems_.add({at.file(), at.line, at.column, at.path, what, mend});
  }
  void stop_if_wrong() {
    if (!problems_.empty()) throw ScenarioError{problems_};
  }

  std::string text_at(const Node& map, const char* key, const std::string& otherwise = "") {
    const Node* node = map.find(key);
    if (!node) return otherwise;
    if (!node->is_scalar()) fail(*node, "expected a text");
    return node->text;
  }

  // What a gym changes of its scenario: an agent takes the controller's place, its faults are faults, its physics_step is the step.
  void turn_to_gym() {
    const Node* block = root_.find("gym");
    const Node gym = block ? *block : Node{};  // a copy: entries beside it go
    const Node* controller = gym.find("controller");
    if (controller && controller->text != "keep" && controller->text != "replace")
      fail(*controller, fmt::format("'{}' is not one of its choices", controller->text), "allowed: keep or replace");
    const auto take_out = [&](std::string_view key) {
      std::erase_if(root_.entries, [&](const Node::Entry& e) { return e.key == key; });
    };
    if (options_.gym != LoadOptions::Gym::rule && (!controller || controller->text != "keep")) take_out("controller");
    if (options_.gym == LoadOptions::Gym::bound) {
      for (const char* key : {"faults", "sensors", "links"}) take_out(key);
      return;
    }
    const Node* faults = gym.find("faults");
    if (!faults) return;
    if (!faults->is_map()) return fail(*faults, "expected faults by name", "as in `faults:`");
    Node* own = root_.find("faults");
    if (!own || !own->is_map()) {
      take_out("faults");
      root_.entries.push_back({"faults", faults->line, faults->column, *faults});
      return;
    }
    for (const Node::Entry& e : faults->entries) {
      if (own->find(e.key)) fail(e.value, fmt::format("there is a fault '{}' already", e.key), "take another name");
      else own->entries.push_back(e);
    }
  }

  // --- urja, title, zone, run ---
  void read_head() {
    const Node* version = root_.find("urja");
    if (!version) fail(root_, "the key 'urja' is missing", "write `urja: 1`, the version of the scenario language");
    else if (version->text != "1")
      fail(*version, fmt::format("version '{}' is not known", version->text), "this program reads version 1");
    s_.title = text_at(root_, "title", s_.name);
    const Node* zone = root_.find("zone");
    if (!zone) {
      fail(root_, "the key 'zone' is missing", "write the plant's IANA time zone, for example `zone: Asia/Kolkata`");
    } else {
      zone_ = Zone::find(zone->text);
      if (!zone_) {
        const auto near = Zone::nearest(zone->text);
        fail(*zone, fmt::format("'{}' is no IANA time zone", zone->text),
             near.empty() || zone->text.find('/') == std::string::npos
                 ? "write region and city, for example Asia/Kolkata or America/Los_Angeles"
                 : fmt::format("did you mean {}?", any_of(near)));
      }
      s_.zone = zone->text;
    }
    const Node* run = root_.find("run");
    if (!run || !run->is_map()) {
      fail(run ? *run : root_, "the key 'run' is missing or empty",
           "write `run: {from: 2016-08-01 00:00, to: 2016-08-08 00:00, step: 1 min}`");
      return;
    }
    known_keys(problems_, *run, {"from", "to", "step", "record", "seed", "channels"}, "run");
    AssetReader reader(problems_, *(zone_ ? zone_ : Zone::find("UTC")), {}, s_.currency);
    const auto duration = [&](const char* key, double otherwise, double low, double high) {
      const Node* node = run->find(key);
      return node ? reader.quantity(*node, "s", {low, high}).value_or(otherwise) : otherwise;
    };
    s_.step = duration("step", 60, 0.02, 86400);
    const Node* gym = options_.gym == LoadOptions::Gym::none ? nullptr : root_.find("gym");
    if (const Node* physics = gym ? gym->find("physics_step") : nullptr)
      s_.step = reader.quantity(*physics, "s", {0.02, 86400}).value_or(s_.step);
    s_.record = duration("record", s_.step * std::max(1.0, std::ceil(60 / s_.step - 1e-9)), 0.02, 366 * 86400.0);
    if (const Node* seed = run->find("seed")) {
      if (const auto v = reader.quantity(*seed, "1", {0, 9007199254740992.0})) {
        if (*v != std::floor(*v)) fail(*seed, "a seed is a whole number");
        s_.seed = static_cast<std::uint64_t>(*v);
      }
    }
    if (options_.seed) s_.seed = *options_.seed;
    if (const Node* channels = run->find("channels")) {
      if (channels->is_map() || channels->kind == Node::Kind::null ||
          (channels->kind == Node::Kind::list && channels->items.empty()))
        fail(*channels, "expected a list of channels", "for example channels: [battery, grid.power, \"*.temperature\"]");
      for (const Node& one : channels->is_scalar() ? std::vector<Node>{*channels} : channels->items) {
        if (!one.is_scalar()) fail(one, "expected the name of a channel");
        else chosen_.push_back(one), s_.channels.push_back(one.text);
      }
    }
    if (zone_) {
      const auto from = moment(*run, "from", options_.from), to = moment(*run, "to", options_.to);
      if (from && to) {
        s_.start = *from, s_.end = *to;
        const double steps = (s_.end - s_.start) / s_.step;
        if (s_.end <= s_.start)
          fail(run->find("to") ? *run->find("to") : *run, "'to' does not lie after 'from'",
               fmt::format("'from' is {}; a day's run ends at {}", zone_->text(static_cast<std::int64_t>(s_.start)),
                           zone_->text(static_cast<std::int64_t>(s_.start) + 86400)));
        else if (std::abs(steps - std::round(steps)) > 1e-6)
          fail(run->find("step") ? *run->find("step") : *run,
               fmt::format("from 'from' to 'to' are {:.12g} steps of {:.12g} s, not a whole number", steps, s_.step),
               "change 'to' or 'step'");
        else if (steps > 4e9) fail(*run, "this run has more than 4e9 steps", "take a longer step or a shorter time");
      }
    }
    const double per_record = s_.record / s_.step;
    if (options_.gym != LoadOptions::Gym::none) {
      s_.record = s_.step;  // nothing is recorded
    } else if (std::abs(per_record - std::round(per_record)) > 1e-6 || per_record < 1 - 1e-9) {
      const double some = std::max(1.0, std::floor(per_record));
      fail(*run->find(run->find("record") ? "record" : "step"), "'record' is not a whole number of steps",
           fmt::format("with steps of {} for example {} or {}", duration_text(s_.step), duration_text(some * s_.step),
                       duration_text((some + 1) * s_.step)));
    }
  }

  std::optional<double> moment(const Node& run, const char* key, const std::optional<std::string>& override_text) {
    const Node* node = run.find(key);
    if (!node && !override_text) {
      fail(run, fmt::format("'{}' is missing", key), "write a local time such as 2016-08-01 00:00");
      return std::nullopt;
    }
    Node at = node ? *node : run;
    if (override_text) at.line = at.column = 0, at.path = std::string("--") + key;  // of the command line
    const std::string text = override_text ? *override_text : node->text;
    Node named = at;
    named.text = text;
    return moment_at(named);
  }

  // UTC seconds of a local time.
  std::optional<double> moment_at(const Node& at) {
    const std::string& text = at.text;
    const auto written = parse_time(text);
    if (!written) {
      fail(at, fmt::format("'{}' is not a time", text), "write a local time such as 2016-08-01 00:00");
      return std::nullopt;
    }
    if (written->offset) return static_cast<double>(written->wall - *written->offset) + written->nanosecond * 1e-9;
    const auto instants = zone_->instants_of(written->wall);
    if (instants.fit == Zone::Fit::gap) {
      fail(at, fmt::format("{} does not exist in {}: the clock is put forward then", text, s_.zone),
           "take " + zone_->text(instants.first));
      return std::nullopt;
    }
    if (instants.fit == Zone::Fit::fold) {
      fail(at, fmt::format("{} happens twice in {}: the clock is put back then", text, s_.zone),
           fmt::format("write {} or {}", zone_->text(instants.first), zone_->text(instants.second)));
      return std::nullopt;
    }
    return static_cast<double>(instants.first) + written->nanosecond * 1e-9;
  }

  // --- feeders ---
  void read_feeders() {
    buses_["plant"] = 0;
    const Node* feeders = root_.find("feeders");
    if (!feeders) return;
    if (!feeders->is_map()) return fail(*feeders, "expected feeders by name", "for example feeders: {street: {limit: 60 kW}}");
    AssetReader reader(problems_, *zone_, {}, s_.currency);
    for (const Node::Entry& e : feeders->entries) {
      if (!is_name(e.key) || buses_.count(e.key))
        fail(e.value, fmt::format("'{}' cannot name a feeder", e.key),
             "letters, digits, _ and -; not 'plant', and no name twice");
      known_keys(problems_, e.value, {"limit", "on"}, "a feeder");
      const Node* limit = e.value.find("limit");
      double watts = 1e300;
      if (limit) watts = reader.quantity(*limit, "W", {0, 1e12}).value_or(watts);
      buses_[e.key] = s_.plan->add_bus(e.key, bus_of(e.value), watts);
    }
  }
  int bus_of(const Node& asset) {
    const Node* on = asset.find("on");
    if (!on) return 0;
    const auto found = buses_.find(on->text);
    if (found != buses_.end()) return found->second;
    std::vector<std::string> known;
    for (const auto& [name, bus] : buses_) known.push_back(name);
    const std::string close = nearest(on->text, known);
    fail(*on, fmt::format("there is no feeder '{}'", on->text),
         "known: " + any_of(known) + (close.empty() ? "" : fmt::format("; did you mean '{}'?", close)) +
             "; a feeder stands above those that hang on it");
    return 0;
  }

  // --- assets ---
  void name_data_sets() {
    if (const Node* data = root_.find("data")) {
      if (!data->is_map()) fail(*data, "expected named data sets");
      for (const Node::Entry& e : data->entries) data_names_.insert(e.key);
    }
    reader_ = std::make_unique<AssetReader>(problems_, *zone_, data_names_, s_.currency, sets_);
    reader_->currency_from = &s_.currency_from;
    for (const std::string& name : data_names_) {
      const Node* columns = root_.find("data")->find(name)->find("columns");
      for (const Node::Entry& e : columns ? columns->entries : std::vector<Node::Entry>{})
        reader_->data_columns[name].push_back(e.key);
    }
    reader_->values_only = values_only_;
  }

  void read_assets() {
    const Node* assets = root_.find("assets");
    if (assets && assets->kind != Node::Kind::null && !assets->is_map()) {
      plant_known_ = false;
      return fail(*assets, "expected assets by name", "for example `grid: {model: grid}`, one a line");
    }
    if (!assets || assets->entries.empty()) {
      plant_known_ = false;
      fail(assets ? *assets : root_, "the plant is empty", "name its assets under `assets:`, for example `grid: {model: grid}`");
      return;
    }
    std::vector<std::pair<AssetTarget, const Node*>> todo;
    for (const Node::Entry& e : assets->entries) {
      if (!is_name(e.key) || e.key == "spill" || e.key == "plant" || e.key == "controller" || buses_.count(e.key)) {
        not_loaded_.insert(e.key);
        problems_.add({e.value.file(), e.line, e.column, e.value.path, fmt::format("'{}' cannot name an asset", e.key),
                       "letters, digits, _ and -; not spill, plant, controller or a feeder's name"});
        continue;
      }
      if (!e.value.is_map()) {
        fail(e.value, "expected {model: .., ..}",
             e.value.text.starts_with("model:") ? "a space is missing after the colon" : "models: " + any_of(model_names(false)));
        not_loaded_.insert(e.key);
        continue;
      }
      if (only_set(*assets, e)) {
        not_loaded_.insert(e.key);
        continue;
      }
      const int bus = bus_of(e.value);
      if (e.value.find("fleet")) {
        read_fleet(e.key, e.value, bus, todo);
        continue;
      }
      if (const Type* type = model_of(e.value, false)) todo.emplace_back(add(*s_.plan, e.key, *type, bus, 1, e.key), &e.value);
      else not_loaded_.insert(e.key);
    }
    if (const Node* controller = root_.find("controller")) {
      if (controller->is_scalar())
        fail(*controller, "expected {model: .., ..}", fmt::format("write `controller: {{model: {}}}`", controller->text));
      else if (const Node* model = controller->find("model"); model && find_policy(model->text))
        read_policy_at(*controller, *find_policy(model->text));
      else if (const Type* type = model_of(*controller, true))
        todo.emplace_back(add(*s_.plan, "controller", *type, 0, 1, "controller"), controller);
    }
    // Values after all assets are there: a controller names others.
    reader_->not_loaded = not_loaded_;
    for (auto& [target, node] : todo) reader_->read(target, *node, {"model", "on"});
  }

  void read_policy_at(const Node& node, const PolicyType& type) {
    s_.policy = read_policy(type, node, *reader_, problems_);
    const double steps = s_.policy->every / s_.step;
    if (std::abs(steps - std::round(steps)) > 1e-6 || steps < 1 - 1e-9)
      fail(node.find("every") ? *node.find("every") : node, "`every` is not a whole number of steps",
           fmt::format("the run's step is {}", duration_text(s_.step)));
    const double decisions = (s_.end - s_.start) / s_.policy->every;
    if (std::abs(decisions - std::round(decisions)) > 1e-6)
      fail(node.find("every") ? *node.find("every") : node, "the run is not a whole number of decisions long",
           fmt::format("{} of {}", duration_text(s_.end - s_.start), duration_text(s_.policy->every)));
  }

  // Is this an asset that the file does not have, of which the command line sets something? Says so.
  bool only_set(const Node& assets, const Node::Entry& e) {
    if (e.line > 0 || !e.value.is_map() || e.value.find("model") || e.value.find("fleet")) return false;
    std::vector<std::string> known;
    for (const Node::Entry& other : assets.entries) {
      if (other.line > 0) known.push_back(other.key);
    }
    if (known.empty()) return false;
    const std::string close = nearest(e.key, known);
    const std::string path = e.value.path.starts_with("--set ") ? e.value.path : "--set " + e.value.path;
    problems_.add({e.value.file(), 0, 0, path, fmt::format("there is no asset '{}'", e.key),
                   close.empty() ? "known: " + any_of(known) : fmt::format("did you mean '{}'?", close)});
    return true;
  }

  void read_fleet(const std::string& name, const Node& node, int bus, std::vector<std::pair<AssetTarget, const Node*>>& todo) {
    known_keys(problems_, node, {"fleet", "on", "members"}, "a fleet");
    const auto count = reader_->quantity(*node.find("fleet"), "1", {1, 4096});
    const Node* members = node.find("members");
    if (members) {
      for (const Node::Entry& e : members->entries) not_loaded_.insert(name + "." + e.key);  // until they are
    }
    if (!members || !members->is_map() || members->entries.empty()) {
      fail(node, "a fleet needs `members:`", "for example members: {pv: {model: pv}, load: {model: load}}");
      return;
    }
    if (!count) return;
    if (*count != std::floor(*count)) {
      fail(*node.find("fleet"), "a fleet has a whole number of members");
      return;
    }
    if (std::any_of(members->entries.begin(), members->entries.end(), [&](const auto& e) { return only_set(*members, e); }))
      return;
    auto child = std::make_unique<Plan>(s_.start, s_.end, s_.step);
    for (const Node::Entry& e : members->entries) {
      if (!is_name(e.key) || !e.value.is_map()) {
        fail(e.value, "expected {model: .., ..}");
        continue;
      }
      if (const Node* on = e.value.find("on")) fail(*on, "a member hangs where its fleet does", "write `on:` beside `members:`");
      if (const Type* type = model_of(e.value, false)) {
        todo.emplace_back(add(*child, e.key, *type, 0, static_cast<int>(*count), name + "." + e.key), &e.value);
      }
    }
    s_.plan->add_fleet(name, std::move(child), static_cast<int>(*count), bus);
  }

  static std::vector<std::string> model_names(bool controllers) {
    std::vector<std::string> names;
    for (const auto& [name, type] : registry()) {
      if (type.controller == controllers) names.push_back(name);
    }
    for (const PolicyType& policy : policy_types()) {
      if (controllers) names.push_back(policy.name);
    }
    return names;
  }
  const Type* model_of(const Node& node, bool controller) {
    const std::vector<std::string> names = model_names(controller);
    const std::string all = (controller ? "controllers: " : "models: ") + any_of(names);
    const Node* model = node.find("model");
    if (!model || !model->is_scalar()) {
      fail(model ? *model : node, model ? "expected the name of a model" : "the key 'model' is missing", all);
      return nullptr;
    }
    const Type* type = find_type(model->text);
    if (type && type->controller == controller) return type;
    if (type) {
      fail(*model,
           fmt::format("'{}' is {}", model->text, controller ? "an asset, not a controller" : "a controller, not an asset"),
           controller ? all : "write it under `controller:`, beside `assets:`");
      return nullptr;
    }
    const std::string close = nearest(model->text, names);
    fail(*model, fmt::format("there is no {} '{}'", controller ? "controller" : "model", model->text),
         close.empty() ? all : fmt::format("did you mean '{}'? {}", close, all));
    return nullptr;
  }
  AssetTarget add(Plan& plan, const std::string& name, const Type& type, int bus, int members, const std::string& full_name) {
    auto settings = type.make_settings();
    for (const Setting& setting : type.settings) setting.write(settings.get(), setting.start);
    for (const Choice& choice : type.choices) choice.write(settings.get(), choice.start);
    std::string tag;
    for (const Choice& choice : type.choices) {
      if (choice.name == type.tag_choice) tag = choice.start;
    }
    s_.models[full_name] = type.name;
    return {&plan, plan.add_asset(name, type, bus, settings, tag), members};
  }

  // --- balance ---
  void read_balance() {
    const Node* balance = root_.find("balance");
    if (!balance || balance->kind != Node::Kind::list) {
      fail(balance ? *balance : root_, balance ? "expected a list" : "the key 'balance' is missing",
           "list who takes the residual, in this order: `balance: [battery, grid]`");
      return;
    }
    std::vector<std::string> known, names;
    for (const Plan::Asset& a : s_.plan->assets) {
      if (!a.type->ports.empty()) known.push_back(a.name);
    }
    for (const Plan::Fleet& f : s_.plan->fleets) {
      for (const Plan::Asset& a : f.plan->assets) {
        if (!a.type->ports.empty()) known.push_back(f.name + "." + a.name);
      }
    }
    for (const Node& item : balance->items) {
      if (!item.is_scalar()) {
        fail(item, "expected the name of an asset");
      } else if (std::find(known.begin(), known.end(), item.text) == known.end()) {
        if (!plant_known_ || not_loaded_.count(item.text)) continue;  // what is wrong with it has been said
        const std::string close = nearest(item.text, known);
        fail(item, fmt::format("there is no asset '{}' with power", item.text),
             "known: " + any_of(known) + (close.empty() ? "" : fmt::format("; did you mean '{}'?", close)));
      } else if (std::find(names.begin(), names.end(), item.text) != names.end()) {
        fail(item, fmt::format("'{}' stands here twice", item.text));
      } else {
        names.push_back(item.text);
      }
    }
    append_loads(names);
    s_.plan->set_merit(names);
  }
  // Loads that the list does not name come last, the least important first: what nobody gives is unserved, not conjured up.
  void append_loads(std::vector<std::string>& names) const {
    const auto sheds = [](const Plan::Asset& a) {
      return !a.type->ports.empty() &&
             std::any_of(a.type->members.begin(), a.type->members.end(), [](const Member& m) { return m.has(unserved); });
    };
    for (const char* zone : {"deferrable", "non_critical", "semi_critical", "critical"}) {
      const auto add_one = [&](const Plan::Asset& a, const std::string& name) {
        if (sheds(a) && a.tag == zone && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
      };
      for (const Plan::Asset& a : s_.plan->assets) add_one(a, a.name);
      for (const Plan::Fleet& f : s_.plan->fleets) {
        for (const Plan::Asset& a : f.plan->assets) add_one(a, f.name + "." + a.name);
      }
    }
  }

  // --- calendar and the end ---
  // Local civil time: the UTC offset of the clock, and the billing month of whoever asks for it.
  void bind_calendar() {
    std::map<double, std::pair<double, double>> rows;  // time since start -> offset, month
    const auto start = static_cast<std::int64_t>(std::floor(s_.start)), end = static_cast<std::int64_t>(std::ceil(s_.end));
    const auto months = month_starts(*zone_, start, end);
    std::vector<double> stamps{0};
    for (const auto& m : months) stamps.push_back(static_cast<double>(m.start) - s_.start);
    for (const auto& c : zone_->changes(start, end)) stamps.push_back(static_cast<double>(c.at) - s_.start);
    std::sort(stamps.begin(), stamps.end());
    stamps.erase(std::unique(stamps.begin(), stamps.end()), stamps.end());
    stamps.erase(std::remove_if(stamps.begin(), stamps.end(), [](double t) { return t < 0; }), stamps.end());
    std::vector<double> values;
    for (double t : stamps) {
      const auto at = static_cast<std::int64_t>(std::ceil(s_.start + t));
      int month = months.empty() ? 0 : months.front().month;
      for (const auto& m : months) {
        if (m.start <= at) month = m.month;
      }
      values.push_back(zone_->offset_at(at));
      values.push_back(month);
    }
    const auto bind = [&](Plan& plan) {
      Profile profile = Profile::at_stamps(stamps, 2, values);
      profile.targets.push_back({detail::offset_of<&Step::utc_offset>(), 0, 1});
      for (const Plan::Asset& a : plan.assets) {
        if (const Member* m = a.type->find("billing_month")) profile.targets.push_back({a.offset + m->offset, 1, 1});
      }
      plan.add_profile(std::move(profile));
    };
    bind(*s_.plan);
    for (Plan::Fleet& f : s_.plan->fleets) bind(*f.plan);
  }

  void finish() {
    try {
      s_.plan->finish();
      check_channels();
    } catch (const std::invalid_argument& e) {
      // "battery: ..": at the asset's own place, if the plan names one.
      const std::string text = e.what();
      const std::size_t colon = text.find(": ");
      const std::string name = colon == std::string::npos ? "" : text.substr(0, colon);
      const Node* at = name == "controller" ? root_.find("controller") : nullptr;
      for (const char* block : {"assets", "faults"}) {
        if (const Node* named = root_.find(block); named && !at) at = named->find(name);
      }
      problems_.add(
          {s_.file, at ? at->line : 0, at ? at->column : 0, at ? at->path : "", at ? text.substr(colon + 2) : text, ""});
    }
  }

  void check_channels() {
    const std::vector<Channel> all = default_channels(*s_.plan);
    std::vector<std::string> names;
    for (const Channel& c : all) {
      const std::string asset = c.group.substr(c.group.find('/') == std::string::npos ? 0 : c.group.find('/') + 1);
      if (std::find(names.begin(), names.end(), asset) == names.end()) names.push_back(asset);
      names.push_back(asset + "." + c.name);
    }
    for (const Node& choice : chosen_) {
      if (std::any_of(all.begin(), all.end(), [&](const Channel& c) { return means(choice.text, c); })) continue;
      const std::string close = nearest(choice.text, names);
      fail(choice, fmt::format("no channel is meant by '{}'", choice.text),
           close.empty() ? "write an asset, an asset.channel, or * for any text; a run without this key shows all"
                         : fmt::format("did you mean '{}'?", close));
    }
  }

  const LoadOptions& options_;
  bool values_only_;
  ParameterSets& sets_;
  std::vector<Node> chosen_;  // run.channels
  Problems problems_;
  Scenario s_;
  Node root_;
  std::optional<Zone> zone_;
  std::map<std::string, int> buses_;
  std::set<std::string> not_loaded_;  // assets with which something is wrong
  bool plant_known_ = true;
  std::set<std::string> data_names_;
  std::unique_ptr<AssetReader> reader_;
};

ScenarioSource::ScenarioSource(const std::string& file) : file_(file), sets_(std::make_unique<ParameterSets>()) {
  Problems problems;
  root_ = read_tree(file, problems, texts_);
  if (problems.empty() && !root_.is_map())
    problems.add(
        {file, root_.line, root_.column, "", "this is not a scenario", "it needs at least: urja: 1, zone, run, assets, balance"});
  if (!problems.empty()) throw ScenarioError{problems};
}
ScenarioSource::~ScenarioSource() = default;
Scenario ScenarioSource::load(const LoadOptions& options) const { return Loader(*this, options, false).load(); }
Scenario ScenarioSource::load_values(const LoadOptions& options) const { return Loader(*this, options, true).load(); }

Scenario load_scenario(const std::string& file, const LoadOptions& options) { return ScenarioSource(file).load(options); }

}  // namespace urja
