// A battery's converter passes on only a share of its rating, both ways.
#include "faults/clock.hpp"

namespace urja {
namespace {

struct ConverterDerate : FaultClock {
  using Settings = FaultSettings;
  Lanes lost_share, rating;

  static void declare(Declare& d) {
    FaultClock::declare<ConverterDerate>(d, {"battery"}, "temperature");
    d.effect("power_max", Sign::falls);
    d.parameter<&ConverterDerate::lost_share>("1", 0.5, {0, 1}, "of the rating");
    d.output<&ConverterDerate::rating>("1", "share of the rating that is left").onto("target.rating", Effect::factor);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    rating = most(1 - level * lost_share, 1e-6);
  }
};

const Registered<ConverterDerate> registered{"converter_derate", "battery converter limited to a share of its rating"};

}  // namespace
}  // namespace urja
