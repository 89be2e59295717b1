// Self-consumption: the merit list is this controller.
//
// The balance lets the battery take what the plant's own sources and loads leave, within the step, before the grid does; a
// controller that worked on the last step's powers could only do worse. So this one commands nothing.
#include "engine/declare.hpp"

namespace urja {
namespace {

struct SelfConsumption {
  static void declare(Declare&) {}
  void control(const Step&) {}
};

const Registered<SelfConsumption> registered{"self_consumption", "the merit list itself: commands nothing"};

}  // namespace
}  // namespace urja
