// Messages are lost, all channels of an asset together. Whoever reads keeps the last one. Bursts: rate, duration, length: random (Gilbert-Elliott).
// Signature: numbers of messages are missing, in all channels of the asset at once (handbook 12.7).
#include "faults/clock.hpp"

namespace urja {
namespace {

struct LinkLoss : FaultClock {
  using Settings = FaultSettings;
  Lanes lost_share;
  Lanes loss;

  static void declare(Declare& d) {
    FaultClock::declare<LinkLoss>(d, {"link"});
    d.effect("age", Sign::rises);
    d.parameter<&LinkLoss::lost_share>("1", 0.3, {0, 1}, "of messages");
    d.output<&LinkLoss::loss>("1", "share of messages").onto("target.loss", Effect::term);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    loss = level * lost_share;
  }
};

const Registered<LinkLoss> registered{"link_loss", "messages that are lost"};

}  // namespace
}  // namespace urja
