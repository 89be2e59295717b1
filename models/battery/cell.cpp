// A single cell driven by its current: for laboratory tests and parameter fits. The equations are those of cell.hpp.
#include "models/battery/cell.hpp"

namespace urja {
namespace {

struct DrivenCell : Cell {
  Lanes current;

  static void declare(Declare& d) {
    d.base<DrivenCell, Cell>();
    d.input<&DrivenCell::current>("A", 0, {-1e5, 1e5}, "out of the cell: discharge > 0", telemetered);
    d.output<&Cell::voltage>("V", "at the terminals, at the end of the step", observable | telemetered);
  }
  void limits(const Step& s, const Settings& t) { at_begin(s, t, {0, 0}); }
  void advance(const Step& s, const Settings& t) {
    Elements room;
    live(s, at_middle(s, t, current, 0, room), current, open_over(t, current + leaking()), lanes(1));
  }
};

const Registered<DrivenCell> registered{"cell", "lithium-ion cell driven by its current"};

}  // namespace
}  // namespace urja
