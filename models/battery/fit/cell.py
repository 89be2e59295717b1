"""The engine's cell (models/battery), written a second time in plain Python to judge parameter sets with.

V = OCV(s) - V1 - I R0;  dV1/dt = -V1/(R1 C1) + I/C1;  ds/dt = -I/(3600 Q);  C dT/dt = I (OCV - V) - (T - T_amb)/R_th
I > 0 discharges; R0, R1, C1 are bilinear over (state of charge, temperature), clamped at the edges; every state is stepped
exactly with coefficients taken at the middle of the step. Self-discharge is left out here: it is invisible within hours.
"""
from math import exp, expm1

import numpy as np
import yaml


def number(text):
    return float(str(text).split()[0].rstrip("%"))


def grid(axis):
    start, stop, step = (number(axis[k]) for k in ("from", "to", "step"))
    count = round((stop - start) / step)
    assert abs(start + count * step - stop) < 1e-9, f"step {step} does not divide {start}..{stop}"
    return start, step, count + 1


class Cell:
    def __init__(self, path):
        with open(path) as file:
            self.set = yaml.safe_load(file)
        self.value = {key: number(text) for key, text in self.set["values"].items()}
        table = self.set["tables"]["open_circuit_voltage"]
        self.ocv_start, self.ocv_step, count = grid(table["over"]["state_of_charge"])
        self.ocv_values = [float(v) for v in table["values"]]
        assert len(self.ocv_values) == count
        table = self.set["tables"]["circuit"]
        self.s_start, self.s_step, self.s_count = grid(table["over"]["state_of_charge"])
        self.t_start, self.t_step, self.t_count = grid(table["over"]["temperature"])
        columns = [table["columns"][k]["values"] for k in ("series_resistance", "pair_resistance", "pair_capacitance")]
        for column in columns:
            assert len(column) == self.s_count and all(len(row) == self.t_count for row in column)
        # [row][column] -> (R0, R1, C1)
        self.circuit = [[tuple(float(c[i][j]) for c in columns) for j in range(self.t_count)] for i in range(self.s_count)]

    @staticmethod
    def locate(x, start, step, count):
        f = (x - start) / step
        k = min(max(int(f), 0), count - 2)
        return k, min(max(f - k, 0.0), 1.0)

    def ocv(self, s):
        k, f = self.locate(s, self.ocv_start, self.ocv_step, len(self.ocv_values))
        return self.ocv_values[k] * (1 - f) + self.ocv_values[k + 1] * f

    def energy(self):
        """Wh from full to empty at zero current."""
        v = np.array(self.ocv_values)
        return float(self.value["capacity"] * self.ocv_step * (v.sum() - (v[0] + v[-1]) / 2))

    def coefficients(self, s, celsius):
        i, f = self.locate(s, self.s_start, self.s_step, self.s_count)
        j, g = self.locate(celsius, self.t_start, self.t_step, self.t_count)
        a, b, c, d = self.circuit[i][j], self.circuit[i + 1][j], self.circuit[i][j + 1], self.circuit[i + 1][j + 1]
        wa, wb, wc, wd = (1 - f) * (1 - g), f * (1 - g), (1 - f) * g, f * g
        return [wa * a[n] + wb * b[n] + wc * c[n] + wd * d[n] for n in range(3)]

    def run(self, current, dt, ambient, s=1.0, v1=0.0, celsius=None, capacity=None):
        """Voltage, state of charge and temperature at the end of every step; current[k] flows during step k."""
        charge = 3600 * (capacity or self.value["capacity"])
        heat, resistance = self.value["heat_capacity"], self.value["thermal_resistance"]
        celsius = ambient if celsius is None else celsius
        keep = exp(-dt / (heat * resistance))
        out = np.empty((len(current), 4))
        for k, i in enumerate(current):
            after = s - i * dt / charge
            r0, r1, c1 = self.coefficients((s + after) / 2, celsius)
            e = -expm1(-dt / (r1 * c1))
            mean = i * r1 + (v1 - i * r1) * e * r1 * c1 / dt
            v1 += (i * r1 - v1) * e
            settled = ambient + resistance * i * (mean + i * r0)
            celsius = settled + (celsius - settled) * keep
            s = after
            r0 = self.coefficients(s, celsius)[0]
            out[k] = self.ocv(s) - v1 - i * r0, s, celsius, v1
        return out
