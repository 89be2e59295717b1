// Off-grid: the battery carries the plant, a genset comes on when it is low, and zones of loads are shed before it is empty.
//
//     state of charge   60 % ---- genset stops ........................... off_for >= 60 s, then zones return, the most
//                       30 % ==== genset starts                            important first, 30 s after one another
//                       20 % ---- deferrable and non-critical loads are shed
//                       10 % ---- semi-critical
//                        5 % ---- critical
//
// While the genset runs it plans to give `genset_loading` of its rating: what the loads leave charges the battery.
//
// A zone is shed when the state of charge falls below its threshold, or when the demand of its zone and of all more important
// ones exceeds `loading_max` of what the sources could give in the last step. It returns above its own second threshold, when
// that demand would load the sources by at most `loading_return`, after the minimum off time. Another order of zones is
// another set of thresholds; under overload the order is always deferrable, non-critical, semi-critical, critical.
//
// Demands are those of this step; what the sources can give is known from the last one. A fleet's members are shed zone by zone
// like other loads, all homes at once.   [thresholds: assumption; times: handbook 7.5, 8.1]
#include "engine/declare.hpp"

namespace urja {
namespace {

constexpr double rounding = 1e-6;  // s

struct OffGrid {
  Lanes genset_start, genset_stop, genset_loading, loading_max, loading_return, minimum_off, stagger;
  Lanes critical_shed, critical_return, semi_critical_shed, semi_critical_return;
  Lanes non_critical_shed, non_critical_return, deferrable_shed, deferrable_return;
  Lanes state_of_charge, battery_most, genset_most, pv_most;
  Lanes critical_demand, semi_critical_demand, non_critical_demand, deferrable_demand;
  Lanes critical_relay, semi_critical_relay, non_critical_relay, deferrable_relay, genset_run;
  Lanes critical_off, semi_critical_off, non_critical_off, deferrable_off, pause, genset_on, known;

  static void declare(Declare& d) {
    const std::vector<std::string> loads{"load", "deferrable_load", "shiftable_load"};
    d.role({.name = "battery", .models = {"battery"}, .tag = "", .many = false, .optional = false, .doc = "carries the plant"});
    d.role({.name = "genset",
            .models = {"genset"},
            .tag = "",
            .many = true,
            .optional = true,
            .doc = "charges the battery when it is low"});
    d.role(
        {.name = "pv", .models = {"pv", "pv_profile"}, .tag = "", .many = true, .optional = true, .doc = "counts as a source"});
    for (const char* zone : {"critical", "semi_critical", "non_critical", "deferrable"}) {
      d.role({.name = zone, .models = loads, .tag = zone, .many = true, .optional = true, .doc = "loads of this zone"});
    }
    d.parameter<&OffGrid::genset_start>("1", 0.30, {0, 1}, "state of charge below which the genset runs").cite("assumption");
    d.parameter<&OffGrid::genset_stop>("1", 0.60, {0, 1}, "state of charge above which it stops").cite("assumption");
    d.parameter<&OffGrid::genset_loading>("1", 0.9, {0, 1}, "power over rating at which it runs")
        .cite("assumption")
        .to("genset.loading");
    d.parameter<&OffGrid::loading_max>("1", 0.9, {0, 1e6}, "most demand over what the sources can give").cite("assumption");
    d.parameter<&OffGrid::loading_return>("1", 0.8, {0, 1e6}, "most demand over what the sources can give, to return a zone")
        .cite("assumption");
    d.parameter<&OffGrid::minimum_off>("s", 60, {0, 86400}, "least time that a zone stays shed").cite("handbook 7.5");
    d.parameter<&OffGrid::stagger>("s", 30, {0, 86400}, "between the returns of two zones").cite("handbook 7.5");
    d.parameter<&OffGrid::critical_shed>("1", 0.05, {0, 1}, "state of charge below which critical loads are shed");
    d.parameter<&OffGrid::critical_return>("1", 0.10, {0, 1}, "state of charge above which they return");
    d.parameter<&OffGrid::semi_critical_shed>("1", 0.10, {0, 1}, "state of charge below which semi-critical loads are shed");
    d.parameter<&OffGrid::semi_critical_return>("1", 0.20, {0, 1}, "state of charge above which they return");
    d.parameter<&OffGrid::non_critical_shed>("1", 0.20, {0, 1}, "state of charge below which non-critical loads are shed");
    d.parameter<&OffGrid::non_critical_return>("1", 0.30, {0, 1}, "state of charge above which they return");
    d.parameter<&OffGrid::deferrable_shed>("1", 0.20, {0, 1}, "state of charge below which deferrable loads are shed");
    d.parameter<&OffGrid::deferrable_return>("1", 0.30, {0, 1}, "state of charge above which they return");
    d.ordered<&OffGrid::genset_start, &OffGrid::genset_stop>();
    d.ordered<&OffGrid::loading_return, &OffGrid::loading_max>();
    d.ordered<&OffGrid::critical_shed, &OffGrid::critical_return>();
    d.ordered<&OffGrid::semi_critical_shed, &OffGrid::semi_critical_return>();
    d.ordered<&OffGrid::non_critical_shed, &OffGrid::non_critical_return>();
    d.ordered<&OffGrid::deferrable_shed, &OffGrid::deferrable_return>();
    d.input<&OffGrid::state_of_charge>("1", 1, {}, "of the battery").from("battery.state_of_charge");
    d.input<&OffGrid::battery_most>("W", 0, {}, "that the battery could give in the last step").from("battery.power_max");
    d.input<&OffGrid::genset_most>("W", 0, {}, "that the gensets could give in the last step").from("genset.power_max");
    d.input<&OffGrid::pv_most>("W", 0, {}, "that the PV plants could give in the last step").from("pv.power_max");
    d.input<&OffGrid::critical_demand>("W", 0, {}, "of the zone, now").from("critical.demand*scale");
    d.input<&OffGrid::semi_critical_demand>("W", 0, {}, "of the zone, now").from("semi_critical.demand*scale");
    d.input<&OffGrid::non_critical_demand>("W", 0, {}, "of the zone, now").from("non_critical.demand*scale");
    d.input<&OffGrid::deferrable_demand>("W", 0, {}, "of the zone, now").from("deferrable.demand*scale");
    d.output<&OffGrid::critical_relay>("1", "1 = closed", observable).to("critical.relay");
    d.output<&OffGrid::semi_critical_relay>("1", "1 = closed", observable).to("semi_critical.relay");
    d.output<&OffGrid::non_critical_relay>("1", "1 = closed", observable).to("non_critical.relay");
    d.output<&OffGrid::deferrable_relay>("1", "1 = closed", observable).to("deferrable.relay");
    d.output<&OffGrid::genset_run>("1", "1 = run", observable).to("genset.run");
    d.state<&OffGrid::critical_off>("s", 0, {}, "for which the zone has been shed");
    d.state<&OffGrid::semi_critical_off>("s", 0, {}, "for which the zone has been shed");
    d.state<&OffGrid::non_critical_off>("s", 0, {}, "for which the zone has been shed");
    d.state<&OffGrid::deferrable_off>("s", 0, {}, "for which the zone has been shed");
    d.state<&OffGrid::pause>("s", 0, {0, 86400}, "until the next zone may return");
    d.state<&OffGrid::genset_on>("1", 0, {0, 1}, "1: the genset was told to run");
    d.state<&OffGrid::known>("1", 0, {0, 1}, "1: the sources have said what they can give");
  }

  // What a zone's decision needs from those before it.
  struct Room {
    Lanes asked;      // demand of this zone and of all more important ones
    Mask may_return;  // nobody has returned just now, and no more important zone only waits for its time
  };
  Lanes decide(Room& room, const Lanes& demand, const Lanes& shed_below, const Lanes& return_above, const Lanes& off_for) const {
    room.asked += demand;
    const Lanes could = battery_most + genset_most + pv_most;
    const Mask fits = room.asked <= loading_max * could || known < 0.5;
    const Mask closed = off_for <= 0;
    const Mask stays = closed && state_of_charge >= shed_below && fits;
    const Mask could_return = !closed && state_of_charge > return_above && room.asked <= loading_return * could;
    const Mask returns = could_return && off_for >= minimum_off - rounding && room.may_return;
    room.may_return = room.may_return && !could_return;
    return one_if(stays || returns) + 0 * (state_of_charge + room.asked + could);  // a NaN stays one
  }

  // States are written by advance() only: control() may run twice in a step.
  void control(const Step&) {
    Room room{Lanes::Zero(), pause <= rounding};
    critical_relay = decide(room, critical_demand, critical_shed, critical_return, critical_off);
    semi_critical_relay = decide(room, semi_critical_demand, semi_critical_shed, semi_critical_return, semi_critical_off);
    non_critical_relay = decide(room, non_critical_demand, non_critical_shed, non_critical_return, non_critical_off);
    deferrable_relay = decide(room, deferrable_demand, deferrable_shed, deferrable_return, deferrable_off);
    genset_run = pick(state_of_charge < genset_start, lanes(1), pick(state_of_charge > genset_stop, lanes(0), genset_on));
  }

  void advance(const Step& s) {
    Lanes returned = Lanes::Zero();
    const auto count = [&](const Lanes& relay, Lanes& off_for) {
      returned += one_if(relay > 0.5 && off_for > 0);
      off_for = pick(relay > 0.5, lanes(0), off_for + s.dt);
    };
    count(critical_relay, critical_off);
    count(semi_critical_relay, semi_critical_off);
    count(non_critical_relay, non_critical_off);
    count(deferrable_relay, deferrable_off);
    pause = most(pick(returned > 0, stagger, pause) - s.dt, 0);
    genset_on = genset_run;
    known = Lanes::Ones();
  }
};

const Registered<OffGrid> registered{"off_grid",
                                     "battery first, genset by state of charge, zones of loads shed and returned in order"};

}  // namespace
}  // namespace urja
