// The price signal is gone: whoever decides by it keeps the last price that came. The bill goes by the true one.
// Signature: the price stands still and its age grows; the market's own record has moved on.
#include "faults/clock.hpp"

namespace urja {
namespace {

struct PriceSignalLoss : FaultClock {
  using Settings = FaultSettings;
  Lanes missing;

  static void declare(Declare& d) {
    FaultClock::declare<PriceSignalLoss>(d, {"sensor"});
    d.effect("age", Sign::rises);
    for (Role& r : d.roles()) r.tag = "price";
    d.output<&PriceSignalLoss::missing>("1", "probability that a price does not come").onto("target.missing", Effect::term);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    missing = one_if(level > 0.5);
  }
};

const Registered<PriceSignalLoss> registered{"price_signal_loss", "price signal that does not come any more"};

}  // namespace
}  // namespace urja
