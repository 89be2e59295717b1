// PV plant that replays measured or simulated generation: p = rated * generation, which may be curtailed.
#include "engine/declare.hpp"
#include "models/ride_through.hpp"

namespace urja {
namespace {

struct PvProfile : RideThrough {
  Port ac;
  Lanes rated, transmission, array_share, derate;
  Lanes generation, available_limit;
  Lanes generated, available_power, curtailed;
  Lanes array;

  static void declare(Declare& d) {
    d.base<PvProfile, RideThrough>();
    d.port<&PvProfile::ac>().kpi("pv_kwh");
    d.parameter<&PvProfile::rated>("W", 5000, {0, 1e9}, "what the generation is per unit of", estimable);
    d.parameter<&PvProfile::transmission>("1", 1, {0, 1}, "share of the generation left by soiling and shade", hook | estimable);
    d.parameter<&PvProfile::array_share>("1", 1, {0, 1}, "share of the power that modules, strings and tracker still give",
                                         hook | estimable);
    d.parameter<&PvProfile::derate>("1", 1, {0, 1}, "share of the rating that the inverter still passes on", hook);
    d.input<&PvProfile::generation>("W/W", 0, {0, 2}, "AC power per unit of the rating", observable | needed);
    d.input<&PvProfile::available_limit>("1", 1, {0, 1}, "curtailment: largest power as share of the rating", actionable);
    d.output<&PvProfile::generated>("W", "AC power of the plant", source | telemetered | observable);
    d.output<&PvProfile::available_power>("W", "AC power that the profile would allow", observable).kpi("pv_available_kwh");
    d.output<&PvProfile::curtailed>("W", "possible but not taken", observable).kpi("curtailed_kwh");
    d.derived<&PvProfile::array>();
  }

  void prepare(const Step&) {
    array = rated * transmission * array_share;
    prepare_window();
  }

  void limits(const Step&) {
    available_power = array * generation;
    ac.p_min = Lanes::Zero();
    ac.p_max = least(available_power, least(available_limit, derate) * rated) * connected(ac);
    ac.p_wish = ac.p_max;
    ac.q = ac.q_min = ac.q_max = Lanes::Zero();
  }
  void advance(const Step& s) {
    generated = ac.p;
    curtailed = available_power - ac.p;
    pass_time(s, ac);
  }
};

const Registered<PvProfile> registered{"pv_profile", "PV plant that replays its generation"};

}  // namespace
}  // namespace urja
