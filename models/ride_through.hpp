#pragma once
// When an inverter or charger lets go of a disturbed bus, and when it comes back.
//
// Outside its window of voltage and frequency it trips at once and returns when the bus has been inside for a stated time
// (IEEE 1547-2018 clause 6; the defaults are the limits of category III that act within minutes, return 300 s).
// A bus that nobody forms has voltage 0, so everything that follows the bus stops: that is anti-islanding.
#include "engine/declare.hpp"

namespace urja {

struct RideThrough {
  Lanes bus_voltage_min, bus_voltage_max, bus_frequency_min, bus_frequency_max, return_delay, tripped;
  Lanes waiting;
  Lanes lowest_voltage;

  static void declare_members(Declare& d) {
    d.parameter<&RideThrough::bus_voltage_min>("1", 0.88, {0, 1}, "trips below this voltage, per unit", hook)
        .cite("IEEE 1547-2018 UV1");
    d.parameter<&RideThrough::bus_voltage_max>("1", 1.10, {1, 2}, "trips above this voltage, per unit", hook)
        .cite("IEEE 1547-2018 OV1");
    d.parameter<&RideThrough::bus_frequency_min>("1", 0.975, {0.5, 1}, "trips below this frequency, per unit", hook)
        .cite("IEEE 1547-2018 UF1");
    d.parameter<&RideThrough::bus_frequency_max>("1", 1.02, {1, 1.5}, "trips above this frequency, per unit", hook)
        .cite("IEEE 1547-2018 OF1");
    d.parameter<&RideThrough::return_delay>("s", 300, {0, 86400}, "time inside the window before it returns")
        .cite("IEEE 1547-2018 4.10");
    d.parameter<&RideThrough::tripped>("1", 0, {0, 1}, "1: its own protection has stopped it, whatever the bus is like", hook);
    d.state<&RideThrough::waiting>("s", 0, {0, 86400}, "time until it returns; 0 while connected", observable | telemetered);
    d.derived<&RideThrough::lowest_voltage>();
  }
  // In prepare(): one that has tripped by itself waits for a voltage that no bus has.
  URJA_INLINE void prepare_window() { lowest_voltage = bus_voltage_min + 10 * one_if(tripped > 0.5); }
  // How far the bus is inside the window at its nearest side; negative outside.
  URJA_INLINE Lanes margin(const Port& port) const {
    return least(least(port.voltage - lowest_voltage, bus_voltage_max - port.voltage),
                 least(port.frequency - bus_frequency_min, bus_frequency_max - port.frequency));
  }
  // In limits(): 1 where it takes part, 0 where it has tripped.
  URJA_INLINE Lanes connected(const Port& port) const { return one_if(least(margin(port), -waiting) >= 0); }
  // In advance(): counts the time down while the bus is fine.
  URJA_INLINE void pass_time(const Step& s, const Port& port) {
    waiting = pick(margin(port) >= 0, most(waiting - s.dt, 0), return_delay);
  }
};

}  // namespace urja
