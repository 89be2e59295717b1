#pragma once
// A plan is a compiled scenario: constant, shared by all batches and threads.
//
// It fixes where each quantity of a plant lies in a block, in rows of eight lanes:
//
//     | Step | Account | bus 0: limit flow .. | profile cursors | pv: members .. | battery: members .. | mirror ports ..|
//       clock  spill,     feeders               where each lane   one model struct per asset             sums over a
//              status,                          is in each                                              fleet's members
//              ledger                           profile
//
// and in which order things happen (merit list, wires, feeders). A fleet is a child plan: M members laid across lanes, its
// own blocks, padded to eight per parent lane. The parent's balance sees it only through mirror ports, one pair for each port
// of a member (the second of a pair sums the members that are under command).
//
//     parent lane k  ->  child blocks  [k B, (k + 1) B),  B = ceil(M / 8)
//
// A controller's wires reach assets of the plan and of its fleets' members ("homes.load") alike. One that reads several takes
// their sum where the unit adds up (power, energy, fuel, money) and their mean elsewhere (shares, temperatures, prices), a
// fleet's members counted one by one; one that commands several gives each the same value. A fleet's asset has one model and
// one tag for all members and counts as one asset where a role takes only one.
//
// Build: buses, assets and fleets first; then start values, profiles, merit list; then finish(), which resolves the wires of
// controllers, lists what the ledger sums and checks that everything fits. After finish() a plan never changes.
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/declare.hpp"
#include "engine/lanes.hpp"
#include "engine/profile.hpp"

namespace urja {

inline constexpr int most_model_rows = 512;  // of one model: the engine keeps a copy on the stack where lanes part ways

// Why a lane was stopped.
enum class Trouble { none = 0, not_finite = 1, out_of_bounds = 2, energy_not_closed = 3, in_fleet = 4, fleet_not_shared = 5 };

// What the plant as a whole does, one row each; lies behind the clock at the head of a block.
struct Account {
  Lanes spill, spill_reactive;           // W, var: what nobody could take (< 0) or give (> 0); closes the sum of all powers
  Lanes spilled;                         // W: the part of it that nobody could take
  Lanes unserved, interrupted;           // W wanted and not given; 1 while that is more than a milliwatt
  Lanes voltage, frequency;              // per unit, of whoever forms the plant's bus; 0 when nobody does
  Lanes status, bad_asset, bad_row;      // Trouble; which asset and which of its rows
  Lanes residual, throughput;            // energy ledger: J missed, J moved since the reset
  Lanes heat_residual, heat_throughput;  // the same of the heat ledger
  Lanes worst;                           // worst step's share of its bound, of both
  Lanes clipped;                         // W: sum over commands of what limits did not allow
};
struct Head {
  Step step;
  Account account;
};

// A quantity's address: a row of the plant's block, or of the blocks of a fleet (one member of it, or all).
struct Quantity {
  int fleet = -1, member = -1;
  int row = -1;
  std::string asset, name, unit, doc;
  Kind kind = Kind::output;
  unsigned flags = 0;
  Range range;
  std::string kpi;
  bool of_disturber = false;
  // As measured: what lies in row `instead` wherever row `when` says so.
  int when = -1, instead = -1;
  // Of all members of a fleet: their mean and not their sum, which says nothing of a temperature or a share.
  bool mean = false;
};

// A row of a block, or what lies in row `instead` in the lanes where row `when` says so: a sensor's, see Quantity. `when` -1: the row.
inline Lanes as_shown(const Lanes* rows, int row, int when, int instead) {
  return when >= 0 && some(rows[when]) ? pick(rows[when] > 0.5, rows[instead], rows[row]) : rows[row];
}

class Plan {
 public:
  struct Asset {
    std::string name;
    const Type* type;
    int offset;
    std::shared_ptr<void> settings;
    int bus;
    std::string tag;
    std::map<std::string, std::vector<std::string>> roles;  // controllers: role -> assets, as the scenario says
  };
  struct Fleet {
    std::string name;
    std::unique_ptr<Plan> plan;
    int members = 0, blocks = 0;  // blocks per parent lane
    int bus = 0;
    std::vector<int> free_mirror, commanded_mirror;  // per child port: offset of a Port in the parent's block
    int fair_port = -1;                              // of the child plan's ports: the one whose members share max-min fair
  };
  struct Bus {
    std::string name;
    int parent;
    int row;              // limit, flow, reactive flow
    std::vector<int> up;  // rows of the flows from here to the root
  };
  struct PortRef {
    int offset;
    int bus;
    int asset = -1;  // or
    int fleet = -1, child_port = -1;
    bool commanded_members = false;
  };
  // A row of the block, or that row of all members of a fleet.
  struct Place {
    int row;
    int fleet = -1;
    int factor = -1;              // reading: a row that multiplies it
    int when = -1, instead = -1;  // reading: a sensor's, see Quantity
  };
  // Between a controller's own row and those of its role's assets.
  struct Wire {
    int own;
    std::vector<Place> others;
    int mean_of = 1;  // reading: their sum over this; 1 where the unit adds up
  };
  // What is measured of a channel (engine/sensor.hpp), and the link that it goes over.
  struct Instrument {
    Asset self;  // "battery.power"
    std::string asset, channel, unit;
    int truth;                                     // row of the channel
    bool share = false;                            // it lies between 0 and 1, and so do its readings
    bool at_begin;                                 // an input: sampled when it is known
    int other = -1;                                // row of the channel that it may be swapped with
    Asset link;                                    // no type: none
    std::uint32_t identity = 0, own_identity = 0;  // whose random numbers: the asset's for the link, its own for its noise
  };
  // What somebody measured of a channel at the plant that this is a model of, laid beside it for comparison: profiles fill the row, nothing
  // reads it but the recorder, and NaN is where there is none.
  struct Reference {
    std::string asset, channel;
    int row;
  };
  // Something that changes parameters of an asset, a sensor or a link at times of its own (a fault): no asset, it takes no part in the balance.
  struct Disturber {
    Asset self;
    std::string target;  // "battery", "homes.pv", "homes.3.pv"; of sensors "battery.power", of links also all of an asset's
    std::string other;   // a second one, for kinds that have a role `with`
    int after = -1;      // the disturber that has to begin first: it runs whenever that one does, behind it
    std::vector<std::pair<int, Place>> reads;  // own row, of the target; of a member, or the mean of all
    int member = -1;                           // of the fleet; -1: all
  };
  // A parameter that disturbers act on. `base` (its own value) and `active` are rows of the plan it lies in.
  struct Hook {
    int fleet, row, base, active;
    int asset, instrument;  // whose it is; the other is -1
    Range range;
    struct Part {
      int disturber, row;
      Effect effect;
    };
    std::vector<Part> parts;
  };
  struct Flow {
    int row;
    double sign;
  };
  struct Ledger {
    std::vector<Flow> flows;
    int content = -1;
  };
  // What the checks after a step look at, asset by asset.
  struct Watch {
    Ledger energy, heat;  // the energy's flows sum to the power out of the ports, the heat's to zero
    std::vector<int> ports;
    int jumped = -1;
    struct Bound {
      int row;
      double low, high;
    };
    std::vector<Bound> bounds;
    std::vector<std::pair<int, int>> finite;  // [first, last) rows
  };

  // start, end: UTC seconds; step: s.
  Plan(double start, double end, double step);
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  // --- building ---
  int add_bus(const std::string& name, int parent, double limit);
  int add_asset(const std::string& name, const Type& type, int bus, std::shared_ptr<void> settings, const std::string& tag = "");
  int add_fleet(const std::string& name, std::unique_ptr<Plan> child, int members, int bus);
  // Start value of a parameter, state or unbound input, for all members or one by one.
  void set_start(int row, double value);
  void set_start(int row, std::vector<double> per_member);
  void add_profile(Profile profile);
  // Names of assets and of fleets' members ("homes.pv") in the order in which they take the residual.
  void set_merit(const std::vector<std::string>& names);
  // After all assets. Throws std::invalid_argument where the target is not there or does not fit.
  int add_disturber(const std::string& name, const Type& type, std::shared_ptr<void> settings, const std::string& target);
  // The sensor of a channel of this plan's assets, made if it is not there yet; perfect until somebody says otherwise. A reference into
  // `instruments`. Throws std::invalid_argument where there is no such channel. Before finish().
  Instrument& sensor(const std::string& asset, const std::string& channel);
  Instrument& link(Instrument& sensor);  // the same, with its link
  // A row for what was measured of a channel of this plan's assets; of each channel once. Before finish().
  const Reference& add_reference(const std::string& asset, const std::string& channel);
  // One asset alone, its power an input: every port is under command and a bus without limits takes what comes.
  void make_solo();
  // Resolves and checks. Throws std::invalid_argument that names the asset.
  void finish();

  // --- reading ---
  // "battery.state_of_charge", "grid.power", "homes.3.pv.power" (members count from 1), "homes.pv.power" (all of them).
  std::optional<Quantity> find(std::string_view path) const;
  // The same as measured: of a channel without a sensor it is the truth.
  std::optional<Quantity> measured(std::string_view path) const;
  const Instrument* instrument(std::string_view asset_and_channel) const;
  // Row of a member or of a port's field (`power`, `command` ..) of an asset of this plan; -1 if there is none.
  int row_of(const Asset& asset, std::string_view member) const;
  const Asset* asset(std::string_view name) const;
  // All quantities of all assets, fleets' members as "homes.pv" with member -1, in declared order.
  std::vector<Quantity> quantities() const;
  std::string describe_trouble(int asset_index, int row, Trouble what) const;

  double start = 0, end = 0, step = 0;
  int rows = 0;     // of a block
  int members = 1;  // of the fleet that this is the child plan of
  bool solo = false;
  std::vector<Asset> assets;
  std::vector<Disturber> disturbers;
  std::vector<Hook> hooks;
  std::vector<Instrument> instruments;
  std::vector<Reference> references;
  int sensing = -1;              // first of two rows: how many of them are awake, and when one has something to do again
  int wake = -1;                 // row: when the next of them is due; -1: there are none
  std::vector<int> controllers;  // indices of assets with control()
  std::vector<Fleet> fleets;
  std::vector<Bus> buses;
  std::vector<PortRef> ports;
  std::vector<int> merit;    // indices of ports
  std::vector<int> forming;  // indices of assets that may form the bus: stiff ones, then in merit order
  std::vector<Wire> wires_in, wires_out;
  std::vector<Profile> profiles;
  int cursors = 0;                                // first of two rows per profile: row index, end time (both per lane)
  std::vector<Watch> watches;                     // one per asset
  bool keeps_energy = false, keeps_heat = false;  // some asset has a content; a thermal node
  std::vector<int> unserved_rows;
  std::vector<std::pair<int, int>>
      moving;                  // [first, last) rows that a step mostly needs: all but what sensors and links keep for rare cases
  std::vector<double> starts;  // one per row
  std::map<int, std::vector<double>> member_starts;
  std::vector<std::string> merit_names;

 private:
  int lay(const Type& type);  // rows with its start values; where they begin
  void resolve_merit();
  void resolve_wires();
  void resolve_disturbers();
  struct Target;
  std::vector<Target> targets_of(Disturber& disturber, const std::string& path, const std::string& role);
  void add_hook(int disturber, const Member& part, const std::string& name, const Target& to);
  void list_watches();
  void list_moving();
  void resolve_path(Bus& bus);
};

// The fields of a port by the names that scenarios, recorder and agents use.
struct PortField {
  const char* name;
  int row;
  const char* unit;
  Kind kind;
  unsigned flags;
  const char* doc;
};
const std::vector<PortField>& port_fields();

}  // namespace urja
