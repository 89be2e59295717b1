"""Checks every set in ../sets and prints the figures of README.md; exit status 1 if one fails.

  python check.py REFERENCE_FOLDER
"""
import glob
import os
import re
import sys

import numpy as np
import yaml

from cell import Cell, number

failed = False


def check(good, text):
    global failed
    failed |= not good
    print(f"{'ok  ' if good else 'FAIL'} {text}")


def against_reference(cell, path):
    """Every segment of constant input is stepped at 1 s; two rows with one time are the jump between segments."""
    rows = np.genfromtxt(path, delimiter=",", names=True)
    s, v1, celsius = rows["soc"][0], 0.0, rows["T_K"][0] - 273.15
    error = dict.fromkeys(("V", "T", "soc"), 0.0)
    for k in range(len(rows) - 1):
        steps = round(rows["t_s"][k + 1] - rows["t_s"][k])
        if steps:
            out = cell.run([rows["I_A"][k + 1]] * steps, 1.0, 20.0, s, v1, celsius)
            v, s, celsius, v1 = out[-1]
        else:
            v = cell.ocv(s) - v1 - rows["I_A"][k + 1] * cell.coefficients(s, celsius)[0]
        for name, here, there in (("V", v, rows["V"]), ("T", celsius + 273.15, rows["T_K"]), ("soc", s, rows["soc"])):
            error[name] = max(error[name], abs(here - there[k + 1]))
    return error


folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "sets")
cells, packs = {}, []
for path in sorted(glob.glob(os.path.join(folder, "*.yaml"))):
    entry = yaml.safe_load(open(path))
    check(entry["set"] == os.path.basename(path)[:-5], f"{entry['set']}: named as its file")
    if entry["model"] == "cell":
        cells[entry["set"]] = Cell(path)
    else:
        packs.append(entry)

for name, cell in cells.items():
    v = cell.ocv_values
    check(min(np.diff(v)) > 0, f"{name}: open-circuit voltage {v[0]:.4g} .. {v[-1]:.4g} V strictly increasing, least rise {1e3 * min(np.diff(v)):.3f} mV per {cell.ocv_step}")
    check(cell.value["voltage_min"] < v[0] and v[-1] < cell.value["voltage_max"], f"{name}: open-circuit voltage inside the window")
    table = np.array(cell.circuit)
    tau = table[..., 1] * table[..., 2]
    check(table.min() > 0, f"{name}: R0 {1e3 * table[..., 0].min():.2f} .. {1e3 * table[..., 0].max():.2f} mohm, R1 {1e3 * table[..., 1].min():.2f} .. "
          f"{1e3 * table[..., 1].max():.2f} mohm, C1 {table[..., 2].min():.0f} .. {table[..., 2].max():.0f} F, R1 C1 {tau.min():.0f} .. {tau.max():.0f} s")
    print(f"     {name}: {cell.value['capacity']:.4g} Ah, {cell.energy():.3f} Wh, {100 * 730.5 * cell.value['leakage'] / cell.value['capacity']:.2f} %/month, "
          f"thermal {cell.value['heat_capacity'] * cell.value['thermal_resistance']:.0f} s")

for pack in packs:
    value = {k: number(x) for k, x in pack["values"].items()}
    cell = cells[pack["cell"]]
    n, m = round(value["cells_in_series"]), round(value["cells_in_parallel"])
    energy = cell.energy() * n * m / 1000
    wanted = float(re.search(r"# ([\d.]+) kWh", open(os.path.join(folder, pack["set"] + ".yaml")).read()).group(1))
    check(abs(energy / wanted - 1) < 0.02, f"{pack['set']}: {n} x {m} = {n * m} cells, {energy:.2f} kWh ({100 * (energy / wanted - 1):+.2f} %), "
          f"{n * cell.value['voltage_min']:.0f} .. {n * cell.value['voltage_max']:.0f} V, {value['rating']:g} kW")
    eta = 1 / (1 + value["standby"] + value["quadratic"])
    low = n * cell.ocv(value["state_of_charge_min"])
    need = value["rating"] * 1000 / eta / low / m
    check(need < cell.value["discharge_current_max"], f"{pack['set']}: converter {100 * eta:.1f} % at rating; rated discharge at the low end asks {need:.2f} A a cell of {cell.value['discharge_current_max']:g} A")
    need = value["rating"] * 1000 / low / m
    check(need < cell.value["charge_current_max"], f"{pack['set']}: rated charge asks at most {need:.2f} A a cell of {cell.value['charge_current_max']:g} A")

error = against_reference(cells["nmc_kokam"], os.path.join(sys.argv[1], "battery_thevenin_kokam_nmc_1rc.csv"))
check(error["V"] < 5e-5 and error["T"] < 5e-4 and error["soc"] < 1e-9,
      f"nmc_kokam against battery_thevenin_kokam_nmc_1rc.csv at 1 s: V {1e3 * error['V']:.4f} mV (0.05), T {1e3 * error['T']:.3f} mK (0.5), state of charge {error['soc']:.1e}")
sys.exit(failed)
