"""Parameters of the plant in Cyprus from healthy days: fit.py PV_CYPRUS_2014.csv.gz

The days are those of whole months that no scenario here runs: March and June for the faults of April, September and December for those of
October (in between a DC current sensor or its scaling was changed: 3 % more current and less efficiency from September on, which the data's
README does not tell). Of each quantity a median or a straight line, in bright light; nothing is tuned to what the scenarios compare.

  gamma   -0.47 %/K   from the data's README (datasheet), and so is the rating of the inverter, 1 kW: that of the four modules of 250 W
  u0, u1  light / (module - air) = u0 + u1 wind                                    [Faiman 2008], least squares
  rated   median of  P_DC / (light/1000 (1 + gamma (module - 25)))
  V, beta V_DC = V (1 + beta (module - 25)), least squares
  eta     median of  P_AC / (P_DC (-0.0162 z + 0.9858 - 0.0059/z) / 0.9637),  z = P_DC / 1 kW      [Dobos 2014, eq. 11]
"""
import csv
import gzip
import sys
from datetime import datetime

import numpy as np

GAMMA, INVERTER = -0.0047, 1000.0


def load(path):
    with gzip.open(path, "rt") as file:
        rows = list(csv.reader(file))
    values = np.array([[float(cell or "nan") for cell in row[1:]] for row in rows[1:]])
    months = np.array([datetime.fromisoformat(row[0]).month for row in rows[1:]])
    return months, {name: values[:, k] for k, name in enumerate(rows[0][1:])}


def line(x, y):
    return np.linalg.lstsq(np.stack([np.ones_like(x), x], 1), y, rcond=None)[0]


def fit(months, data, chosen):
    bright = np.isin(months, chosen) & (data["G_pyrano"] > 400) & (data["P_AC"] < 3000)
    of = {name: column[bright] for name, column in data.items()}
    light, above = of["G_pyrano"], of["T_mod"] - 25
    warm = of["T_mod"] - of["T_air"] > 5
    u0, u1 = line(of["u_w"][warm], (light / (of["T_mod"] - of["T_air"]))[warm])
    v, slope = line(above, of["V_DC"])
    z = of["P_DC"] / INVERTER
    curve = (-0.0162 * z + 0.9858 - 0.0059 / z) / 0.9637
    warmth = 1 + GAMMA * above
    rated = np.median(of["P_DC"] / (light / 1000 * warmth))
    print(f"months {chosen}: {bright.sum()} rows brighter than 400 W/m2")
    print(f"  rated {rated:.0f} W, by the reference cell {np.median(of['P_DC'] / (of['G_c-Si'] / 1000 * warmth)):.0f} W;"
          f" dc_ac_ratio {rated / INVERTER:.3f}; pyranometer over reference cell {np.median(light / of['G_c-Si']):.4f}")
    print(f"  u0 {u0:.1f} W/(m2 K), u1 {u1:.2f} W s/(m3 K); voltage_at_maximum {v:.1f} V, voltage_coefficient {slope / v:.5f} 1/K;"
          f" efficiency {np.median(of['P_AC'] / of['P_DC'] / curve):.4f}")


if __name__ == "__main__":
    months, data = load(sys.argv[1])
    fit(months, data, [3, 6])
    fit(months, data, [9, 12])
