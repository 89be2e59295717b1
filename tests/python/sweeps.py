"""Sweep files as `urja sweep` writes them, for test_browser.py: invented numbers with the trade-offs of a home with PV and battery."""
import itertools
import random

KPIS = [("cost_total", "USD", "Net cost"), ("co2_kg", "kg", "CO₂ emitted"), ("import_kwh", "kWh", "Energy bought"),
        ("unserved_kwh", "kWh", "Demand not served"), ("self_sufficiency", "1", "Self-sufficiency"), ("peak_import_kw", "kW", "Highest import")]
KEYS = [("assets.battery.capacity", "number", "kWh"), ("assets.pv.rated", "number", "kW"), ("controller.model", "text", ""),
        ("assets.grid.price", "number", "USD/kWh")]


def figures(capacity, rated, controller, price):
    own = 1 - 0.75 * 2.7 ** (-rated / 9) - 0.1 * 2.7 ** (-capacity / 12)
    bought = 9000 * (1 - own) * {"hold": 1, "time_of_use": 0.96, "peak_shaving": 0.98}[controller]
    cost = 40 * capacity + 60 * rated + bought * price * {"hold": 1, "time_of_use": 0.82, "peak_shaving": 0.93}[controller]
    return {"cost_total": cost, "co2_kg": 0.31 * bought + 11 * capacity, "import_kwh": bought, "unserved_kwh": max(0, 40 - 3 * capacity),
            "self_sufficiency": own, "peak_import_kw": 9 - 0.1 * capacity - (2 if controller == "peak_shaving" else 0), "steps": 525600,
            "scenario": "home", "unserved_kwh_by_zone": {"critical": 0}}


def sweep(variants, keys=KEYS, **more):
    return {"urja_sweep": 1, "title": "How large a battery?", "scenario": "home", "scenario_text": "urja: 1\ntitle: Home\n",
            "sweep_text": "vary:\n  assets.battery.capacity: [5 kWh, 10 kWh]\n", "currency": "USD", "version": "0.1.0", "machine": "a test, 2 cores",
            "wall_s": 12.3, "variants_per_s": 80.1, "keys": [{"key": k, "kind": kind, "unit": unit} for k, kind, unit in keys],
            "kpis": [{"name": n, "unit": u, "label": label} for n, u, label in KPIS],
            "variants": [{"index": i + 1, **v} for i, v in enumerate(variants)], **more}


def one(values, name="", status="done", message=""):
    capacity, rated, controller, price = values
    kpis = figures(capacity, rated, controller or "hold", price or 0.3) if status == "done" else {}
    return {"name": name, "values": list(values), "status": status, "message": message, "kpis": kpis}


def grid():
    """A hundred variants on a grid, one the scenario as it is, two that failed."""
    values = itertools.product([0, 5, 10, 20, 40], [4, 8, 12, 16], ["hold", "time_of_use", None], [0.25, 0.4])
    variants = [one(v) for v in values]
    variants[0]["name"] = "base"
    variants[7].update(status="error", message="assets.battery.capacity: 0 kWh is below the least, 0.1 kWh", kpis={})
    variants[8].update(status="trouble", message="ledger: residual 2e-6 in step 17", kpis={})
    variants[9].update(status="not run", kpis={})
    return sweep(variants)


def drawn_at_random(n):
    source = random.Random(7)
    names = ["hold", "time_of_use", "peak_shaving"]
    return sweep([one((round(source.uniform(1, 40), 3), round(source.uniform(2, 16), 3), source.choice(names), round(source.uniform(0.1, 0.5), 4)))
                  for _ in range(n)])
