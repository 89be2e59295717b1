"""Writes sets/nmc_kokam.yaml from the table of Huria et al. 2012.

  python kokam.py REFERENCE_FOLDER/params/nmc_kokam_huria2012.csv ../sets/nmc_kokam.yaml

The table has uneven nodes (state of charge 0, .1, .25, .5, .75, .9, 1; 5, 20, 40 degC). All of them are nodes of the
even grids 0.05 and 5 K, so linear interpolation between them leaves the bilinear surface as it was.
"""
import sys

import numpy as np

from write import circuit, row

table = np.genfromtxt(sys.argv[1], delimiter=",", names=True)
s = np.arange(21) / 20
t = np.arange(5, 41, 5)
known = [5, 20, 40]


def surface(name):
    columns = [np.interp(s, table["soc"], table[f"{name}_{k}C"]) for k in known]
    return [[np.interp(x, known, [c[k] for c in columns]) for x in t] for k in range(len(s))]


ocv = np.interp(s, table["soc"], table["OCV_V_20C"])
text = f"""# Kokam 27.6 Ah nickel-manganese-cobalt pouch cell as one RC pair, from the table of Huria et al. 2012 (pulse tests at
# 5, 20 and 40 degC). The tables are the published nodes on even grids: the bilinear surface is unchanged. Only the 20 degC
# column of the open-circuit voltage and the 20 degC capacity are used (5 and 40 degC: 28.01 and 27.64 Ah, voltage within
# 20 mV). Made by fit/kokam.py; what was checked stands in README.md.
set: nmc_kokam
model: cell
source: "T. Huria, M. Ceraolo, J. Gazzarri, R. Jackey, High fidelity electrical model with thermal dependence for characterization and simulation of high power lithium battery cells, IEEE IEVC 2012"
licence: "published numbers, cite the source; table as in the project's reference vectors"
assumed:
  - "voltage window 3.0 to 4.2 V: usual for the chemistry; the published open-circuit voltage spans 3.50 to 4.19 V"
  - "current limits 1 C charge, 2 C discharge: the source table gives none"
  - "self-discharge 2 % of capacity a month (730.5 h) at every temperature and state of charge"
  - "thermal node 1.0 kg x 810.5328 J/(kg K) and 5 W/(m2 K) x 0.101908 m2 of still air, as in the reference vector"
  - "no hysteresis, no entropic heat, capacity does not change with temperature"
values:
  capacity: 27.63 Ah
  heat_capacity: 810.5328 J/K
  thermal_resistance: {1 / (5 * 0.101908):.9g} K/W      # cell to ambient: 1 / (5 W/(m2 K) x 0.101908 m2)
  voltage_min: 3.0 V
  voltage_max: 4.2 V
  charge_current_max: 27.63 A
  discharge_current_max: 55.26 A
  leakage: {0.02 * 27.63 / 730.5:.3g} A
tables:
  open_circuit_voltage:
    over: {{state_of_charge: {{from: 0, to: 1, step: 0.05}}}}
    unit: V
    values:
{row(ocv, 8)}
"""
text += circuit("{from: 5 degC, to: 40 degC, step: 5 degC}", 8, surface("R0_ohm"), surface("R1_ohm"), surface("C1_F"))
open(sys.argv[2], "w").write(text)
