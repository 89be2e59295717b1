"""Faults of a measured plant: test_measured.py URJA SOURCE_DIR

Each scenario in scenarios/faults/measured runs with its fault, and once more without (the baseline). What a fault does to a channel, weather
taken out, is

    effect = sum(x) / sum(baseline) while it is there, over the same in the hours without any fault

of x = measured and x = simulated. The bands come from what the data and the model are said to be, not from what comes out:

  2 %   of the healthy sum: the DC side of the model on other days (Dobos 2014: PVWatts is good to a few per cent of an hour)
  more  where data and model differ in what the fault itself does; each says why

The data are of licence class C and not shipped: without them all of it is skipped.
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np

SKIPPED = 77
wrong = []


def expect(holds, text):
    if not holds:
        wrong.append(text)
        print("  WRONG:", text)


class Case:
    def __init__(self, urja, file, folder):
        self.name = file.stem
        self.kpis, self.with_fault = self.run(urja, file, folder / "with.h5", [])
        faults = [f["id"] for f in self.kpis["faults"]]
        self.without = self.run(urja, file, folder / "without.h5", [f"--set=faults.{name}.severity=0" for name in faults])[1]
        self.time = self.with_fault["time"][:]
        self.there = np.zeros(len(self.time), bool)
        for name in faults:
            self.there |= self.with_fault[f"faults/{name}"][:] > 0.5
        # The result brings its own baseline, from a lane beside.
        for name, data in self.with_fault["without_faults/pv"].items():
            expect(np.array_equal(data[:], self.simulated(name, self.without)), f"{self.name}: /without_faults/pv/{name} is not the run without faults")
        self.light = self.without["channels/pv/plane_of_array_irradiance"][:] > 100
        self.day = ((self.time + 7200) // 86400).astype(int)
        self.day -= self.day[0]

    def run(self, urja, file, out, more):
        run = subprocess.run([urja, "run", str(file), "--json", "--out", str(out), *more], capture_output=True, text=True)
        assert run.returncode == 0, f"{file}: exit code {run.returncode}: {run.stderr}"
        return json.loads(run.stdout), h5py.File(out)

    def measured(self, channel):
        return self.with_fault[f"reference/pv/{channel}"][:]

    def simulated(self, channel, file=None):
        """As the plant's sensor shows it, where it has one."""
        file = file or self.with_fault
        return file[f"measured/pv/{channel}" if f"measured/pv/{channel}" in file else f"channels/pv/{channel}"][:]

    def effect(self, channel, where=None, healthy=None):
        base = self.simulated(channel, self.without)
        where = self.there & self.light if where is None else where
        healthy = ~self.there & self.light if healthy is None else healthy
        both = []
        for x in (self.measured(channel), self.simulated(channel)):
            good = np.isfinite(x)
            both.append((x[where & good].sum() / base[where & good].sum()) / (x[healthy & good].sum() / base[healthy & good].sum()))
        return both

    def compare(self, channel, band, why, *where, what=""):
        measured, simulated = self.effect(channel, *where)
        print(f"  {self.name}: {channel}{what}: measured {measured:.3f}, simulated {simulated:.3f}, band {band}")
        expect(abs(measured - simulated) <= band, f"{self.name}: {channel}{what}: measured {measured:.3f}, simulated {simulated:.3f}, more than {band} apart ({why})")
        return measured, simulated

    def healthy(self):
        """Hours without a fault: DC power within 5 % of the sum, 0.98 correlated (both by light, which has its own sensor)."""
        good = ~self.there & self.light & np.isfinite(self.measured("dc_power"))
        m, s = self.measured("dc_power")[good], self.simulated("dc_power")[good]
        bias, r = s.sum() / m.sum() - 1, np.corrcoef(m, s)[0, 1]
        print(f"  {self.name}: healthy hours: DC energy {bias:+.1%}, correlation {r:.4f}")
        expect(abs(bias) < 0.05 and r > 0.98, f"{self.name}: healthy DC energy is off by {bias:+.1%}, correlation {r:.4f}")


def inverter_trip(c):
    for channel in ("dc_power", "dc_current"):
        c.compare(channel, 0.02, "both are nothing")
    # The meter of the AC side shows 8 to 15 W when there is none: 10 W of about 500.
    c.compare("power", 0.04, "the AC meter's offset")
    # The data's fault is V x 1.18, the model's open circuit 1.22 V_mp, a usual module's; the plant's own is not known.
    m, s = c.compare("dc_voltage", 0.05, "1.18 in the data, 1.22 in the model")
    expect(m > 1.1 and s > 1.1, "the voltage does not rise to that of the open circuit")


def shading_in_the_morning(c):
    # Data: 0.6 x 0.97 = 0.582 of the power, modules as warm as without it. Model: 0.6 of the light, and cells that are cooler by
    # 0.4 x G / 35 W/(m2 K): 4 K at 400 W/m2, 2 % of the power; together up to 6 % of 0.6, 0.04, and 0.02 for the days.
    m, s = c.compare("dc_power", 0.06, "voltage and warmth of the data's fault")
    expect(0.5 < m < 0.7 and 0.5 < s < 0.7, "the dip is not 30 to 50 % deep")
    c.compare("dc_current", 0.04, "3 % of the voltage")
    afternoon = ~c.there & c.light & (c.day >= 3) & ((c.time + 7200) % 86400 > 11 * 3600)
    c.compare("dc_power", 0.03, "nothing is wrong then", afternoon, ~c.there & c.light & (c.day < 3), what=" in the afternoon")


def inverter_derating(c):
    # Full sun: the plant would give more than the limit. Both hold 550 W to the meter's 10 W.
    full = c.there & (c.simulated("power", c.without) > 620)
    m, s = c.measured("power")[full], c.simulated("power")[full]
    print(f"  {c.name}: plateau: measured {m.mean():.1f} W (within {np.ptp(m):.1f}), simulated {s.mean():.1f} W, {full.sum()} rows")
    expect(full.sum() > 20, "the sun was never full")
    expect(abs(m.mean() - s.mean()) < 10 and np.ptp(m) < 10 and np.ptp(s) < 10, "the plateaus differ")
    # DC voltage moves up: 1.06 in the data; the model's parabola gives 1 + 0.22 sqrt(1 - 550/P): 1.06 to 1.13 for P of 600 to 850 W.
    m, s = c.compare("dc_voltage", 0.07, "1.06 in the data, more in the model the more is left", full, what=" on the plateau")
    expect(m > 1.02 and s > 1.02, "the voltage does not rise")
    c.compare("dc_power", 0.03, "days")


def soiling_in_october(c):
    # On 10 October the plant's DC side was switched off from about 10:00 to 14:00: in the healthy base of the data too.
    outage = c.day == 9
    healthy = ~c.there & c.light
    for day in (1, 4, 7, 10, 12):
        c.compare("dc_power", 0.05, "days differ by as much without dust", (c.day == day) & c.light, healthy, what=f" on day {day}")
    c.compare("dc_current", 0.03, "days", c.there & c.light & ~outage)
    last = (c.day >= 11) & c.there & c.light
    m, s = c.effect("dc_power", last, healthy)
    expect(0.75 < m < 0.88 and 0.75 < s < 0.88, f"at the end not about 18 to 20 % are lost: {m:.3f}, {s:.3f}")


def irradiance_sensor_gain(c):
    # Of the light both sensors see alike: from 08:15 on, before which something shades the reference cell.
    clear = c.light & ((c.time + 7200) % 86400 > 9 * 3600)
    m, s = c.compare("plane_of_array_irradiance", 0.02, "two sensors, other hours of sun", c.there & clear, ~c.there & clear)
    expect(abs(m - 1.15) < 0.02, f"the data's pyranometer reads {m:.3f} of the reference cell")
    c.compare("dc_power", 0.03, "nothing is wrong with the plant", c.there & clear, ~c.there & clear)


def current_sensor_gain(c):
    m, s = c.compare("dc_current", 0.03, "days")
    expect(abs(m - 0.9) < 0.03, "current")
    c.compare("dc_power", 0.03, "days")
    c.compare("power", 0.03, "nothing is wrong with the plant")


checks = (inverter_trip, shading_in_the_morning, inverter_derating, soiling_in_october, irradiance_sensor_gain, current_sensor_gain)


def main(urja, source):
    data = source / "../shared/data/pv_faults_injected_on_real/cyprus_apr_oct_with_faults.csv.gz"
    folder = source / "scenarios/faults/measured"
    found = {p.stem for p in folder.glob("*.yaml")}
    expect(found == {c.__name__ for c in checks} | {"cyprus_april", "cyprus_october"}, f"scenarios without a check, or the other way round: {found}")
    if not data.is_file():
        # What a user reads who has not the data.
        run = subprocess.run([urja, "validate", str(folder / "inverter_trip.yaml")], capture_output=True, text=True)
        expect(run.returncode == 2 and "does not ship them" in run.stdout + run.stderr, f"no word of the missing data: {run.stdout}{run.stderr}")
        print(f"skipped: data not there ({data})")
        return 1 if wrong else SKIPPED
    for check in checks:
        with tempfile.TemporaryDirectory() as out:
            case = Case(urja, folder / f"{check.__name__}.yaml", Path(out))
            case.healthy()
            check(case)
            case.with_fault.close()
            case.without.close()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
