// The tracker is stuck: the array's voltage stays where it was when the fault came, while light and temperature move.
//
//   v = V_stuck / V_maximum_power(now) = (1 + beta (T_then - 25)) / (1 + beta (T_now - 25)) * offset
//   P/P_max = v (1 - exp((v - v_oc)/a)) / (1 - exp((1 - v_oc)/a))         a such that the largest power is at v = 1
//
// with v_oc = 1.22 and a = 0.0845: an exponential knee without resistances [normalised one-diode curve; assumption].
// Signature: constant voltage, power over the possible one 0.6 to 0.98 (handbook 12.2).
#include "faults/clock.hpp"

namespace urja {
namespace {

constexpr double open_circuit = 1.22;

// The knee: d/dv [v (1 - exp((v - v_oc)/a))] = 0 at v = 1  <=>  exp((1 - v_oc)/a) (1 + 1/a) = 1.
double knee() {
  double low = 0.01, high = 0.5;
  for (int k = 0; k < 200; ++k) {
    const double a = 0.5 * (low + high);
    (std::exp((1 - open_circuit) / a) * (1 + 1 / a) < 1 ? low : high) = a;
  }
  return 0.5 * (low + high);
}

struct PvMpptStuck : FaultClock {
  using Settings = FaultSettings;
  Lanes offset, beta;
  Lanes cell_temperature;
  Lanes stuck_at;
  Lanes array_share;

  static void declare(Declare& d) {
    FaultClock::declare<PvMpptStuck>(d, {"pv", "pv_profile"}, "");
    d.effect("power", Sign::falls);
    d.parameter<&PvMpptStuck::offset>("1", 0.9, {0.1, 1.2}, "voltage at which it stopped over the one of the maximum power then");
    d.parameter<&PvMpptStuck::beta>("1/K", -0.0035, {-0.01, 0}, "temperature coefficient of the voltage of the maximum power")
        .cite("usual of silicon");
    d.input<&PvMpptStuck::cell_temperature>("degC", 25, {}, "of the array").from("target.cell_temperature");
    d.state<&PvMpptStuck::stuck_at>("1", 0, {},
                                    "voltage at which it is stuck, over the one of the maximum power at 25 degC; 0: it is not");
    d.output<&PvMpptStuck::array_share>("1", "power found over the possible one").onto("target.array_share", Effect::factor);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    static const double a = knee();
    const Lanes best = 1 + beta * (cell_temperature - 25);
    stuck_at = pick(active > 0.5, pick(stuck_at > 0, stuck_at, offset * best), 0.0);
    const Lanes v = stuck_at / best;
    const double largest = 1 - std::exp((1 - open_circuit) / a);
    const Lanes found = clamp(v * (1 - ((v - open_circuit) / a).exp()) / largest, lanes(0), lanes(1));
    array_share = 1 - level * (1 - found);
    keep_running(s);
  }
};

const Registered<PvMpptStuck> registered{"pv_mppt_stuck", "maximum-power tracker that stays at one voltage"};

}  // namespace
}  // namespace urja
