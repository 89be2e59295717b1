"""Bills to the cent against calculations by hand, written out in bills/*/README.md: test_bills.py URJA SOURCE_DIR"""
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

MONEY = {"cost_energy", "cost_demand", "revenue_export", "cost_total"}


def main(urja, source):
    cases = sorted((source / "tests/library/bills").glob("*/expected.json"))
    assert len(cases) >= 2
    wrong = 0
    for case in cases:
        readme = (case.parent / "README.md").read_text()
        for bill in json.loads(case.read_text()):
            assert MONEY <= bill["expected"].keys(), f"{case}: a bill has {MONEY}"
            with tempfile.TemporaryDirectory() as folder:
                run = subprocess.run([urja, "run", str(case.parent / bill["run"][0]), *bill["run"][1:], "--json", "--out", folder + "/r.h5", "--report",
                                      folder + "/r.html"], capture_output=True, text=True, cwd=folder)
            name = f"{case.parent.name}: {' '.join(bill['run'])}"
            if run.returncode:
                print(f"{name}: exit code {run.returncode}: {run.stderr}")
                wrong += 1
                continue
            kpis = json.loads(run.stdout)
            for key, value in bill["expected"].items():
                shown = f"{value:.2f}" if key in MONEY else f"{value:g}"
                if value and not re.search(rf"(?<![\d.]){re.escape(shown)}(?![\d])", readme):
                    print(f"{name}: {key} {shown} does not stand in README.md")
                    wrong += 1
                if abs(kpis[key] - value) > (1e-6 if key in MONEY else 1e-9 * abs(value)):
                    print(f"{name}: {key} is {kpis[key]}, by hand {value}")
                    wrong += 1
            print(f"{name}: {len(bill['expected'])} figures")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
