// Somebody sends again, with new stamps, what was sent some time ago, over and over.
// Signature: statistically normal; the correlation with its own past is 1, with its neighbours gone (handbook 12.7).
#include "faults/clock.hpp"

namespace urja {
namespace {

struct LinkReplay : FaultClock {
  using Settings = FaultSettings;
  Lanes span;
  Lanes replayed, recording;

  static void declare(Declare& d) {
    FaultClock::declare<LinkReplay>(d, {"link"});
    d.effect("measured", Sign::changes);
    d.parameter<&LinkReplay::span>("s", 3600, {1, 1e7}, "of the past that is sent again and again; at most 96 samples",
                                   held_by_link);
    d.output<&LinkReplay::replayed>("s", "how old what is sent is").onto("target.replayed", Effect::term);
    d.output<&LinkReplay::recording>("1", "1: what is sent is kept").onto("target.recording", Effect::term);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    replayed = level * span;
    recording = one_if(severity > 0);  // from the first step on: it keeps the past, and changes nothing
  }
};

const Registered<LinkReplay> registered{"link_replay", "old messages that are sent again as new ones"};

}  // namespace
}  // namespace urja
