// Messages come twice, the second time late: then an old value stands for a new one until the next message.
// Signature: the same stamp twice; values that jump back (handbook 12.7).
#include "faults/clock.hpp"

namespace urja {
namespace {

struct LinkDuplication : FaultClock {
  using Settings = FaultSettings;
  Lanes share, late;
  Lanes duplicates, late_by;

  static void declare(Declare& d) {
    FaultClock::declare<LinkDuplication>(d, {"link"});
    d.effect("age", Sign::rises);
    d.parameter<&LinkDuplication::share>("1", 0.3, {0, 1}, "of messages");
    d.parameter<&LinkDuplication::late>("s", 60, {0, 1e7}, "that the second one comes later", held_by_link);
    d.output<&LinkDuplication::duplicates>("1", "share of messages").onto("target.duplicates", Effect::term);
    d.output<&LinkDuplication::late_by>("s", "later").onto("target.late_by", Effect::term);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    duplicates = level * share;
    late_by = pick(level > 0, late, 0.0);
  }
};

const Registered<LinkDuplication> registered{"link_duplication", "messages that come a second time"};

}  // namespace
}  // namespace urja
