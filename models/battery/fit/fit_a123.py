"""Fits the A123 26650 cell to measured data and writes sets/lfp_a123.yaml; prints how well it does.

  python fit_a123.py DATA_FOLDER ../sets/lfp_a123.yaml      (needs numpy and pyyaml; a minute; no random numbers)

Open-circuit voltage: mean of the C/30 charge and discharge branches at 25 degC, each over its own counted charge.
Circuit: one linear least-squares problem per temperature on the 1 s drive cycle (script 1, from the end of the first rest on,
state of charge above 0.05). Unknown are R0 and R1 at 21 states of charge and an offset of the open-circuit voltage that is free
over state of charge, so that hysteresis and errors of the open-circuit voltage do not leak into the resistances. R1 C1 is one
number per temperature, the best of a grid. Neighbouring nodes are tied by a penalty on their difference; nodes outside the
data hold the value of the last node inside.
"""
import csv
import gzip
import os
import sys

import numpy as np

from cell import Cell
from write import circuit, row

TEMPERATURES = [5, 25, 45]                                  # measured
DRIVE = {5: "dyn_45_P05", 25: "dyn_50_P25", 45: "dyn_50_P45"}
NODES = np.arange(21) / 20
OFFSET_NODES = np.concatenate([np.arange(15) / 100, np.arange(15, 101, 5) / 100])     # finer where the curve is steep
TAUS = range(12, 81, 2)                                     # s
PENALTY = 300.0                                             # A^2, on the difference of neighbouring resistances
LOWEST = 0.05                                               # state of charge below which the drive cycle is not used


def load(name):
    with gzip.open(os.path.join(sys.argv[1], name + ".csv.gz"), "rt") as file:
        lines = csv.reader(file)
        header = next(lines)
        return dict(zip(header, np.array([[float(x) for x in line] for line in lines]).T))


def counted(scripts):
    """Charge efficiency of the counters and the capacity in Ah: all discharge over all charge, then scripts 1 and 2."""
    efficiency = sum(x["discharge_ah"][-1] for x in scripts) / sum(x["charge_ah"][-1] for x in scripts)
    return efficiency, sum(x["discharge_ah"][-1] - efficiency * x["charge_ah"][-1] for x in scripts[:2])


def branches(celsius):
    """Discharge and charge branch (state of charge, voltage), capacity, rested voltages at full and empty."""
    scripts = [load(f"ocv_P{celsius:02}_script{k}") for k in (1, 2, 3, 4)]
    efficiency, capacity = counted(scripts)
    down, up = scripts[0], scripts[2]
    d, u = down["step"] == 2, up["step"] == 2
    return dict(down=(1 - down["discharge_ah"][d] / capacity, down["voltage_v"][d]),
                up=(efficiency * up["charge_ah"][u] / capacity, up["voltage_v"][u]), capacity=capacity,
                full=down["voltage_v"][down["step"] == 1][-1], empty=up["voltage_v"][up["step"] == 1][-1])


def at(branch, s, reach=0.0025):
    """Value at s of a straight line through the samples within reach: the logger resolves 0.16 mV."""
    near = np.abs(branch[0] - s) <= reach
    if branch[0].min() > s or branch[0].max() < s:
        return np.nan
    return np.polyfit(branch[0][near] - s, branch[1][near], 1)[1]


def open_circuit(b):
    """Mean and half difference on the grid 0.01. The ends are rested voltages: one branch is missing there."""
    inner = np.arange(1, 100) / 100
    down, up = (np.array([at(b[k], s) for s in inner]) for k in ("down", "up"))
    mean = np.concatenate([[b["empty"]], (down + up) / 2, [b["full"]]])
    return mean, (up - down) / 2


def hats(x, nodes):
    k = np.clip(np.searchsorted(nodes, x, side="right") - 1, 0, len(nodes) - 2)
    f = np.clip((x - nodes[k]) / (nodes[k + 1] - nodes[k]), 0, 1)
    a = np.zeros((len(x), len(nodes)))
    a[np.arange(len(x)), k], a[np.arange(len(x)), k + 1] = 1 - f, f
    return a


def lag(u, tau):
    """Exact first-order response of every column at 1 s, the row's input held during its step."""
    gain, state, out = -np.expm1(-1 / tau), np.zeros(u.shape[1]), np.empty_like(u)
    for k in range(len(u)):
        state = state + gain * (u[k] - state)
        out[k] = state
    return out


def drive(celsius):
    """Script 1 with the state of charge by the counters: full at the start, empty after script 2."""
    one, two = load(DRIVE[celsius] + "_script1"), load(DRIVE[celsius] + "_script2")
    net = one["discharge_ah"] - one["charge_ah"]
    capacity = net[-1] + two["discharge_ah"][-1] - two["charge_ah"][-1]
    first = np.flatnonzero(one["step"] == 5)[0]
    return dict(i=one["current_a"], v=one["voltage_v"], s=1 - net / capacity, capacity=capacity, first=first)


def fit(d, ocv):
    n, m = len(NODES), len(OFFSET_NODES)
    drop = np.interp(d["s"], np.arange(101) / 100, ocv) - d["v"]
    use = (np.arange(len(drop)) >= d["first"]) & (d["s"] > LOWEST)
    driven, offset = hats(d["s"], NODES) * d["i"][:, None], hats(d["s"], OFFSET_NODES)
    tie, loose = np.diff(np.eye(n), axis=0) * PENALTY ** 0.5, np.diff(np.eye(m), axis=0)
    ties = np.zeros((2 * n - 2 + m - 1, 2 * n + m))
    ties[:n - 1, :n], ties[n - 1:2 * n - 2, n:2 * n], ties[2 * n - 2:, 2 * n:] = tie, tie, loose
    best = None
    for tau in TAUS:
        a = np.hstack([driven, lag(driven, tau), offset])[use]
        x = np.linalg.lstsq(np.vstack([a, ties]), np.concatenate([drop[use], np.zeros(len(ties))]), rcond=None)[0]
        rmse = np.sqrt(np.mean((drop[use] - a @ x) ** 2))
        if best is None or rmse < best["rmse"]:
            best = dict(rmse=rmse, tau=float(tau), r0=x[:n], r1=x[n:2 * n], offset=x[2 * n:])
    return best


def between(cold, warm, t_cold, t_warm, t):
    """Straight in log value over inverse absolute temperature (Arrhenius)."""
    k = lambda c: 1 / (c + 273.15)
    w = (k(t) - k(t_warm)) / (k(t_cold) - k(t_warm))
    return cold ** w * warm ** (1 - w)


def rounded(x):
    return np.vectorize(lambda v: float(f"{v:.4g}"))(x)


def rms(x):
    return 1e3 * np.sqrt(np.mean(x ** 2))


data = {t: branches(t) for t in TEMPERATURES}
curve = {t: open_circuit(data[t]) for t in TEMPERATURES}
ocv, half_width = curve[25]
drives = {t: drive(t) for t in TEMPERATURES}
fits = {t: fit(drives[t], ocv) for t in TEMPERATURES}
dynamic = {t: counted([load(f"{DRIVE[t]}_script{k}") for k in (1, 2, 3)])[1] for t in TEMPERATURES}
capacity = float(f"{np.mean([data[t]['capacity'] for t in TEMPERATURES] + [dynamic[t] for t in TEMPERATURES]):.3f}")

columns = {t: (fits[t]["r0"], fits[t]["r1"], np.full(len(NODES), fits[t]["tau"])) for t in TEMPERATURES}
for cold, warm in ((5, 25), (25, 45)):
    columns[(cold + warm) // 2] = tuple(between(a, b, cold, warm, (cold + warm) / 2) for a, b in zip(columns[cold], columns[warm]))
grid = sorted(columns)
series, pair, tau = (np.array([columns[t][k] for t in grid]).T for k in range(3))
pair = rounded(pair)

text = f"""# A123 26650 iron-phosphate cell as one RC pair, fitted by fit/fit_a123.py to the measured data of G. Plett's ESC toolbox.
# Measured are 5, 25 and 45 degC; the columns 15 and 35 degC are Arrhenius means of their neighbours. Below state of charge
# {LOWEST} and above 0.9 the circuit holds its last fitted value. Hysteresis is left out: half width {1e3 * np.median(half_width[19:90]):.0f} mV (median, 25 degC,
# state of charge 0.2 .. 0.9), so the model reads that much high while discharging, low while charging, and loses too little.
# Errors against the measurement stand in README.md.
set: lfp_a123
model: cell
source: "github batterysim/esctoolbox-python, A123 OCV and DYN tests (data of G. Plett, UCCS)"
licence: "MIT (batterysim); thermal numbers published by Perez et al. 2012 and Lin et al. 2014"
assumed:
  - "capacity is the mean of six tests ({min(min(x["capacity"] for x in data.values()), min(dynamic.values())):.3f} .. {max(x["capacity"] for x in data.values()):.3f} Ah): C/30 tests {np.mean([x["capacity"] for x in data.values()]):.3f}, drive tests {np.mean(list(dynamic.values())):.3f} Ah"
  - "open-circuit voltage of 25 degC at every temperature, no hysteresis, no entropic heat, capacity does not change with temperature"
  - "columns 15 and 35 degC by interpolation of log R0, log R1 and log R1 C1 over 1/T; the cell is taken to be as warm as its chamber"
  - "one thermal node: core and surface together (62.7 + 4.5 J/K), both resistances in series (1.94 + 3.08 K/W)"
  - "voltage window is that of the tests"
  - "charge limit 1 C, as the other iron-phosphate cell of the handbook (5.3); discharge limit 9 A, about the largest current in all drive tests (pulses): not data-sheet limits"
  - "self-discharge 2 % of capacity a month (730.5 h) at every temperature and state of charge"
values:
  capacity: {capacity} Ah
  heat_capacity: 67.2 J/K
  thermal_resistance: 5.02 K/W      # cell to ambient
  voltage_min: 2.0 V
  voltage_max: 3.6 V
  charge_current_max: {capacity} A
  discharge_current_max: 9 A
  leakage: {0.02 * capacity / 730.5:.3g} A
tables:
  open_circuit_voltage:
    over: {{state_of_charge: {{from: 0, to: 1, step: 0.01}}}}
    unit: V
    values:
{row(ocv, 5)}
"""
text += circuit("{from: 5 degC, to: 45 degC, step: 10 degC}", 4, series, pair, tau / pair)
assert not np.isnan(ocv).any() and np.diff([float(f"{v:.5g}") for v in ocv]).min() > 0, "open-circuit voltage must rise"
open(sys.argv[2], "w").write(text)

# ---- report
cell = Cell(sys.argv[2])
print(f"capacity {capacity} Ah; energy {cell.energy():.3f} Wh; open-circuit voltage {ocv[0]:.3f} .. {ocv[-1]:.3f} V, least rise {1e3 * np.diff(ocv).min():.2f} mV per 0.01")
for t in TEMPERATURES:
    f, d, (mean, half) = fits[t], drives[t], curve[t]
    h = 1e3 * half[19:90]
    print(f"\n{t} degC: capacity C/30 {data[t]['capacity']:.4f}, drive {dynamic[t]:.4f} Ah ({d['capacity']:.4f} with charge efficiency 1)"
          f"\n  half width between branches, 0.2 .. 0.9: median {np.median(h):.1f}, {h.min():.1f} .. {h.max():.1f} mV; mean of branches less that of 25 degC: {1e3 * (mean - ocv)[20:91].min():+.1f} .. {1e3 * (mean - ocv)[20:91].max():+.1f} mV"
          f"\n  fit: R1 C1 {f['tau']:.0f} s, residual {1e3 * f['rmse']:.2f} mV with free offset; R0 {1e3 * f['r0'][10]:.2f}, R1 {1e3 * f['r1'][10]:.2f} mohm at 0.5; offset {1e3 * np.min(f['offset'][15:]):.0f} .. {1e3 * np.max(f['offset'][15:]):.0f} mV from 0.15 on")
    for name, q in (("set's capacity", capacity), ("test's own capacity", d["capacity"])):
        out = cell.run(d["i"], 1.0, t, capacity=q)
        e, body = out[:, 0] - d["v"], d["s"] > 0.1
        print(f"  whole model, {name} {q:.3f} Ah: RMSE {rms(e):.1f} mV; above state of charge 0.1 {rms(e[body]):.1f} mV, bias {1e3 * e[body].mean():+.1f}, spread {1e3 * e[body].std():.1f}; "
              f"warmest {out[:, 2].max() - t:+.2f} K; state of charge at the end {out[-1, 1]:.3f} (counted {d['s'][-1]:.3f})")

print("\nnot used in the fit: charge at a constant 0.77 A from empty, 25 degC (drive script 3), state of charge 0.1 .. 0.9")
for t in TEMPERATURES:
    x = load(DRIVE[t] + "_script3")
    c = x["step"] == 11
    efficiency, q = counted([load(f"{DRIVE[t]}_script{k}") for k in (1, 2, 3)])
    out = cell.run(x["current_a"][c], 1.0, 25, s=0.0, capacity=q / efficiency)
    e, body = out[:, 0] - x["voltage_v"][c], (out[:, 1] > 0.1) & (out[:, 1] < 0.9)
    print(f"  after {t} degC: RMSE {rms(e[body]):.1f} mV, bias {1e3 * e[body].mean():+.1f} mV")

print("\nleave one out: R0 and R1 of 25 degC at 0.5 from 5 and 45 degC, mohm")
for k, name in ((0, "R0"), (1, "R1")):
    a, b, c = (columns[t][k][10] * 1e3 for t in TEMPERATURES)
    print(f"  {name}: fitted {b:.2f}, straight in T {(a + c) / 2:.2f}, straight in log over 1/T {between(a, c, 5, 45, 25):.2f}")
