"""The planners' linear programs against HiGHS (scipy): test_planning.py URJA SOURCE_DIR

urja_tests writes random problems and their least cost; here each is formulated anew, in W and Wh, from what the problem means."""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import lil_matrix


class Program:
    """Columns and rows by name."""

    def __init__(self):
        self.cost, self.low, self.high, self.equal, self.most = [], [], [], [], []

    def column(self, low, high, cost=0.0):
        self.cost.append(cost), self.low.append(low), self.high.append(high)
        return len(self.cost) - 1

    def solve(self):
        def matrix(rows):
            m = lil_matrix((len(rows), len(self.cost)))
            for r, (terms, _) in enumerate(rows):
                for column, factor in terms:
                    m[r, column] += factor
            return m.tocsr(), [right for _, right in rows]

        equal, equal_right = matrix(self.equal)
        most, most_right = matrix(self.most)
        result = linprog(self.cost, A_ub=most, b_ub=most_right, A_eq=equal, b_eq=equal_right,
                         bounds=list(zip(self.low, self.high)), method="highs",
                         options={"primal_feasibility_tolerance": 1e-9, "dual_feasibility_tolerance": 1e-9})
        assert result.status == 0, result.message
        return result.fun


def least_cost(p):
    n, h = len(p["pv"]), p["interval"] / 3600
    lp, per_wh = Program(), 1e-3
    bus = [[] for _ in range(n)]
    right = np.zeros(n)
    grid = []
    for t in range(n):
        i = lp.column(0, p["import_limit"][t], per_wh * h * p["import_price"][t])
        e = lp.column(0, p["export_limit"][t], -per_wh * h * p["export_price"][t])
        bus[t] += [(i, 1), (e, -1), (lp.column(0, p["pv"][t]), 1)]
        grid.append((i, e))
        if p["exclusive"] and p["exclusive"][t]:
            lp.most.append(([(c, 1 / limit) for c, limit in ((i, p["import_limit"][t]), (e, p["export_limit"][t])) if limit > 0], 1))
    for z in p["zones"]:
        for t in range(n):
            bus[t].append((lp.column(0, z["demand"][t], per_wh * h * z["value"]), 1))
            right[t] += z["demand"][t]
    dearest = max([1.0] + [z["value"] for z in p["zones"]])
    for s in p["storages"]:
        energy = None
        for t in range(n):
            c, d = lp.column(0, s["charge"]), lp.column(0, s["discharge"], per_wh * h * s["wear"])
            topped = lp.column(0, None if s["loss"] > 0 else 0, per_wh * dearest)
            last = t == n - 1
            now = lp.column(s["low"], s["high"], -per_wh * (s["holding"] + (s["terminal"] if last else 0)))
            terms = [(now, 1), (c, -s["in"] * h), (d, h / s["out"]), (topped, -1)] + ([(energy, -1)] if energy is not None else [])
            (lp.most if s["waste"] else lp.equal).append((terms, -s["loss"] * h + (s["start"] if t == 0 else 0)))
            bus[t] += [(c, -1), (d, 1)]
            energy = now
        if s["missing"] > 0:
            lp.most.append(([(energy, -1), (lp.column(0, None, per_wh * s["missing"]), -1)], -s["wanted"]))
    for g in p["gensets"]:
        for t in range(n):
            bus[t].append((lp.column(0, g["rating"][t], per_wh * h * g["cost"]), 1))
    paid = 0
    if p["windows"]:
        peaks = [lp.column(reached, None, 1e-3 * p["demand_charge"]) for reached in p["peak_reached"]]
        paid = 1e-3 * p["demand_charge"] * sum(p["peak_reached"])
        for w in p["windows"]:  # energy of the window over its length
            hours = p["window"] / 3600
            lp.most.append(([(grid[t][0], h / hours) for t in range(w["first"], w["last"])] + [(peaks[w["month"]], -1)], -w["before"] / hours))
    if p["change_limit"] is not None:
        for t in range(n):
            before = [] if t == 0 else [(grid[t - 1][0], -1), (grid[t - 1][1], 1)]
            if t == 0 and p["power_before"] is None:
                continue
            at = p["power_before"] if t == 0 else 0
            beyond = lp.column(0, None, 1e-3 * p["change_price"])
            change = [(grid[t][0], 1), (grid[t][1], -1)] + before
            lp.most.append((change + [(beyond, -1)], p["change_limit"] + at))
            lp.most.append(([(c, -f) for c, f in change] + [(beyond, -1)], p["change_limit"] - at))
    feeders = [[[] for _ in range(n)] for _ in p["feeder_limits"]]
    for e in p["sessions"]:
        given = []
        for t in range(n):
            overlap = min(e["departure"], (t + 1) * p["interval"]) - max(e["arrival"], t * p["interval"])
            if overlap <= 0:
                continue
            c = lp.column(0, e["power"] * overlap / p["interval"], per_wh * h * e["waiting"] * t)
            given.append((c, h))
            bus[t].append((c, -1))
            if e["feeder"] >= 0:
                feeders[e["feeder"]][t].append((c, 1))
        later = max(0.0, e["departure"] - max(e["arrival"], n * p["interval"])) / 3600 * e["power"]
        wanted = max(0.0, e["energy"] - later)
        lp.most.append((given, e["energy"]))
        unmet = lp.column(0, wanted, per_wh * e["unmet"])
        lp.most.append(([(c, -f) for c, f in given] + [(unmet, -1)], -wanted))
    for limit, of in zip(p["feeder_limits"], feeders):
        lp.most += [(terms, limit) for terms in of if terms]
    lp.equal += [(bus[t], right[t]) for t in range(n)]
    return lp.solve() - paid


def main(urja):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "problems.json"
        tests = Path(urja).parent / "tests" / "urja_tests"
        subprocess.run([tests, "planning: problems for the oracle"], check=True, capture_output=True,
                       env={**os.environ, "URJA_ORACLE": str(file)})
        problems = json.loads(file.read_text())
    assert len(problems) >= 20
    wrong, worst = 0, 0.0
    for k, p in enumerate(problems):
        other = least_cost(p)
        miss = abs(p["cost"] - other) / max(1e-3, abs(other))
        worst = max(worst, miss)
        if miss > 1e-7:
            print(f"problem {k}: {p['cost']:.12g}, HiGHS {other:.12g}")
            wrong += 1
    print(f"{len(problems)} problems, largest difference {worst:.1e}")
    return wrong


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1]) else 0)
