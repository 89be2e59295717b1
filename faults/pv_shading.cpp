// Shade of a building or a tree: between two times of the day it takes a share of the light, on the local clock.
//
//   lost = lost_share sin^2(pi/2 least(1, 2 least(x, 1 - x) / edge)),  x = (t - from) / (to - from)      [shape: a Tukey window, assumption]
//
//   edge 1    _-^-_   a soft shade, most of it midway (default)        edge 0  |^^^|   a sharp one, all of it at once
//
// Substrings come with their model.
// Signature: a dip in the power at the same hours of each clear day; an irradiance sensor sees nothing of it (handbook 12.1).
#include "faults/clock.hpp"

namespace urja {
namespace {

struct PvShading : FaultClock {
  using Settings = FaultSettings;
  Lanes lost_share, from, to, edge;
  Lanes transmission;

  static void declare(Declare& d) {
    FaultClock::declare<PvShading>(d, {"pv", "pv_profile"});
    d.effect("power", Sign::falls);
    d.parameter<&PvShading::lost_share>("1", 0.5, {0, 1}, "of the light, at the deepest");
    d.parameter<&PvShading::from>("s", 0, {0, 86400}, "time of day at which the shade comes");
    d.parameter<&PvShading::to>("s", 86400, {0, 86400}, "time of day at which it has gone");
    d.parameter<&PvShading::edge>("1", 1, {0, 1}, "share of that time in which it comes and goes");
    d.ordered<&PvShading::from, &PvShading::to>();
    d.output<&PvShading::transmission>("1", "share of light that is left").onto("target.transmission", Effect::factor);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    const Lanes span = most(to - from, 1);
    const Lanes middle = s.second_of_day() + 0.5 * s.dt;
    const Lanes within = clamp((middle - from) / span, lanes(0), lanes(1));
    const Lanes from_edge = 2 * least(within, 1 - within), in_shade = one_if(within > 0) * one_if(within < 1);
    const Lanes rise_of_it = pick(from_edge < edge, from_edge / most(edge, 1e-9), 1.0);
    transmission = 1 - level * lost_share * in_shade * (1.57079632679489661923 * rise_of_it).sin().square();
    keep_running(s);
  }
};

const Registered<PvShading> registered{"pv_shading", "light lost to shade at hours of the day"};

}  // namespace
}  // namespace urja
