// Hold: commands every battery to 0 W. It moves only when all others are exhausted (a black bus is worse than a broken hold).
#include "engine/declare.hpp"

namespace urja {
namespace {

struct Hold {
  Lanes command, active;

  static void declare(Declare& d) {
    d.role({.name = "battery", .models = {"battery"}, .tag = "", .many = true, .optional = false, .doc = "held at 0 W"});
    d.output<&Hold::command>("W", "commanded: 0").to("battery.command");
    d.output<&Hold::active>("1", "1: it commands").to("battery.commanded");
  }
  void control(const Step&) {
    command = Lanes::Zero();
    active = Lanes::Ones();
  }
};

const Registered<Hold> registered{"hold", "keeps the battery at 0 W"};

}  // namespace
}  // namespace urja
