// Some messages are overtaken by later ones and stand for them until the next.
// Signature: stamps that go back (handbook 12.7).
#include "faults/clock.hpp"

namespace urja {
namespace {

struct LinkReordering : FaultClock {
  using Settings = FaultSettings;
  Lanes share, late;
  Lanes reordered, late_by;

  static void declare(Declare& d) {
    FaultClock::declare<LinkReordering>(d, {"link"});
    d.effect("age", Sign::rises);
    d.parameter<&LinkReordering::share>("1", 0.3, {0, 1}, "of messages");
    d.parameter<&LinkReordering::late>("s", 60, {0, 1e7}, "that they come later", held_by_link);
    d.output<&LinkReordering::reordered>("1", "share of messages").onto("target.reordered", Effect::term);
    d.output<&LinkReordering::late_by>("s", "later").onto("target.late_by", Effect::term);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    reordered = level * share;
    late_by = pick(level > 0, late, 0.0);
  }
};

const Registered<LinkReordering> registered{"link_reordering", "messages that are overtaken by later ones"};

}  // namespace
}  // namespace urja
