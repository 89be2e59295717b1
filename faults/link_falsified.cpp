// Somebody falsifies what is sent: y = times x + add (false-data injection: bias, scaling; a ramp by `onset: ramp`).
// Signature: the values agree with nothing physical, while stamps and numbers are right (handbook 12.7).
#include "faults/clock.hpp"

namespace urja {
namespace {

struct LinkFalsified : FaultClock {
  using Settings = FaultSettings;
  Lanes add, times;
  Lanes false_term, false_gain;

  static void declare(Declare& d) {
    FaultClock::declare<LinkFalsified>(d, {"link"});
    d.effect("measured", Sign::rises);
    d.parameter<&LinkFalsified::add>("of channel, difference", 0, {-1e12, 1e12}, "to each value");
    d.parameter<&LinkFalsified::times>("1", 1, {-100, 100}, "each value");
    d.output<&LinkFalsified::false_term>("of channel, difference", "to each value").onto("target.false_term", Effect::term);
    d.output<&LinkFalsified::false_gain>("1", "each value").onto("target.false_gain", Effect::factor);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    false_term = level * add;
    false_gain = 1 + level * (times - 1);
  }
};

const Registered<LinkFalsified> registered{"link_falsified", "messages whose values are falsified"};

}  // namespace
}  // namespace urja
