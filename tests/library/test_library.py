"""Every scenario of the library runs, and its KPIs come out of its HDF5 file by another's arithmetic: test_library.py URJA SOURCE_DIR [NAME..]

Scenarios are found, not listed. Beside what holds for all of them:
  NAME/tariff.json   a typed-in tariff written down a second time, from its published source; every row's price is compared
  checks_of          what one scenario promises of its inputs
"""
import contextlib
import csv
import io
import json
import re
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import h5py
import numpy as np

HERE = Path(__file__).parent
CARBON_OF_FUEL = 2.697  # kg/l of diesel: EPA 2023, 10.21 kg/gal
# Notes of a run that are no sign of a mistake.
HARMLESS = [r"has not all of these dates|laid on", r"29 February"]
faults = []


def expect(holds, text):
    if not holds:
        faults.append(text)
        print("  WRONG:", text)


class Result:
    """An HDF5 file, and sums over it that know nothing of Urja but the names of its channels."""

    def __init__(self, path):
        self.file = h5py.File(path)
        self.attributes = self.file.attrs
        self.time = self.file["time"][:]
        self.record = float(self.attributes["record_s"])
        self.step = float(self.attributes["step_s"])
        self.hours = self.record / 3600
        kinds = json.loads(self.attributes["asset_kinds"])
        self.groups = {name: (kinds.get(name, ""), group) for name, group in self.file["channels"].items()}
        self.zone = ZoneInfo(self.attributes["zone"])

    def of(self, models, channel):
        """[T], over all assets and members of these models; None where there is none."""
        found = [self.row(group[channel]) for model, group in self.groups.values() if model in models and channel in group]
        return sum(found) if found else None

    def row(self, dataset):
        values = dataset[:]
        return values if values.ndim == 1 else values.sum(axis=1)

    def kwh(self, models, *channels):
        rows = [r for r in (self.of(models, c) for c in channels) if r is not None]
        return sum(float(r.sum()) for r in rows) * self.hours / 1000 if rows else None

    def last(self, models, channel):
        row = self.of(models, channel)
        return None if row is None else float(row[-1])

    def parameter(self, asset, name):
        return float(self.file[f"params/{asset}/{name}"][0, 0])

    def local(self):
        return [datetime.fromtimestamp(t, timezone.utc).astimezone(self.zone) for t in self.time]


def demand_charge(result, grid):
    """Highest mean of a window in each local month, times the charge, summed; None where the rows are too long for it."""
    window, charge = result.parameter(grid, "demand_window"), result.parameter(grid, "demand_charge")
    if charge == 0:
        return 0.0
    if window % result.record:
        return None
    imported = result.file[f"channels/{grid}/import_power"][:]
    number = (result.time // window).astype(np.int64)
    energy, begins = {}, {}
    for n, t, p in zip(number, result.time, imported):
        energy[n] = energy.get(n, 0.0) + p * result.record
        begins.setdefault(n, t)
    peaks = {}
    for n, joule in energy.items():
        local = datetime.fromtimestamp(begins[n], timezone.utc).astimezone(result.zone)
        month = (local.year, local.month)
        peaks[month] = max(peaks.get(month, 0.0), joule / window)
    return charge * sum(peaks.values()) / 1000


def recomputed(result):
    """KPIs, each from the recorded rows; those that the rows cannot tell are left out."""
    loads = ["load", "deferrable_load", "shiftable_load"]
    pv, chargers = ["pv", "pv_profile"], ["ev_charger"]
    k = {"load_kwh": result.kwh(loads, "wanted"), "served_kwh": result.kwh(loads, "served"),
         "unserved_kwh": float(result.file["plant/unserved_power"][:].sum()) * result.hours / 1000,
         "unserved_h": float(result.file["plant/interrupted"][:].sum()) * result.hours,
         "spilled_kwh": float(result.file["plant/spilled_power"][:].sum()) * result.hours / 1000,
         "pv_kwh": result.kwh(pv, "power"), "pv_available_kwh": result.kwh(pv, "available_power"), "curtailed_kwh": result.kwh(pv, "curtailed"),
         "battery_charge_kwh": result.kwh(["battery"], "charge_power"), "battery_discharge_kwh": result.kwh(["battery"], "discharge_power"),
         "battery_loss_kwh": result.kwh(["battery"], "converter_loss", "cell_loss"),
         "genset_kwh": result.kwh(["genset"], "generated"),
         "ev_kwh": result.kwh(chargers, "delivered_power"), "ev_unmet_kwh": result.kwh(chargers, "unmet_power"),
         "deferred_unmet_kwh": result.kwh(["deferrable_load"], "unmet_power"),
         "import_kwh": result.kwh(["grid"], "import_power"), "export_kwh": result.kwh(["grid"], "export_power")}
    cycles = [group["equivalent_full_cycles"][-1] for model, group in result.groups.values() if model == "battery"]
    if cycles:  # of the mean battery
        k["equivalent_full_cycles"] = float(np.mean(np.concatenate([np.atleast_1d(c) for c in cycles])))
    k = {key: value for key, value in k.items() if value is not None}
    got = k.get
    if k.get("pv_kwh", 0) > 0:
        k["self_consumption"] = min(1, max(0, 1 - (got("export_kwh", 0) + got("spilled_kwh", 0)) / k["pv_kwh"]))
    used = got("served_kwh", 0) + got("ev_kwh", 0)
    if used > 0:
        k["self_sufficiency"] = min(1, max(0, 1 - (got("import_kwh", 0) + got("genset_kwh", 0)) / used))
    co2 = 0.0
    if (litres := result.of(["genset"], "fuel_flow")) is not None:
        k["fuel_l"] = float(litres.sum()) * result.hours
        co2 += k["fuel_l"] * CARBON_OF_FUEL
        for name, (model, _) in result.groups.items():
            if model == "genset":
                k["cost_fuel"] = k["fuel_l"] * result.parameter(name, "fuel_price")
    for name, (model, group) in result.groups.items():
        if model != "grid":
            continue
        imported, exported = group["import_power"][:] * result.hours / 1000, group["export_power"][:] * result.hours / 1000
        k["cost_energy"] = float((imported * group["price"][:]).sum())
        k["revenue_export"] = float((exported * group["export_price"][:]).sum())
        co2 += float((imported * group["carbon"][:]).sum())
        if result.record == result.step:
            k["peak_import_kw"] = float(group["import_power"][:].max()) / 1000
        if (demand := demand_charge(result, name)) is not None:
            k["cost_demand"] = demand
    if "cost_energy" in k or "cost_fuel" in k:
        k["co2_kg"] = co2
        if "cost_demand" in k or "cost_energy" not in k:
            k["cost_total"] = got("cost_energy", 0) + got("cost_demand", 0) + got("cost_fuel", 0) - got("revenue_export", 0)
    return k


MONEY = {"cost_energy", "cost_demand", "cost_fuel", "cost_total", "revenue_export"}


def check_kpis(name, result, kpis):
    mine = recomputed(result)
    for key, value in mine.items():
        expect(key in kpis, f"{name}: no KPI {key}")
        told = kpis.get(key, float("nan"))
        bound = max(1e-6 * abs(value), 0.005 if key in MONEY else 1e-6)
        expect(abs(told - value) <= bound, f"{name}: {key} is {told!r}, recomputed {value!r}")
    # What the rows tell of the rest: no mean is above the peak, cycles and hours are those of the states.
    if "peak_import_kw" in kpis:
        means = result.of(["grid"], "import_power").max() / 1000
        expect(kpis["peak_import_kw"] >= means * (1 - 1e-9), f"{name}: peak_import_kw below a recorded mean, {means}")
    by_zone = sum(kpis.get("unserved_kwh_by_zone", {}).values())
    loads = result.kwh(["load", "shiftable_load"], "unserved_power") or 0.0
    expect(abs(by_zone - loads) <= max(1e-6 * loads, 1e-6), f"{name}: unserved_kwh_by_zone sums to {by_zone}, the loads' to {loads}")
    connected = result.of(["grid"], "connected")
    fails = any(f["kind"] in ("grid_outage", "grid_islanding") for f in kpis["faults"])
    if connected is not None and connected.min() == 1 and not fails:
        expect(kpis["unserved_kwh"] == 0, f"{name}: {kpis['unserved_kwh']} kWh unserved though the grid never failed")
    if connected is not None:
        off = connected == 0
        expect(not result.of(["grid"], "power")[off].any(), f"{name}: the grid gives or takes power while it is gone")
    for genset, (model, group) in result.groups.items():  # the fuel curve: idle fuel while it turns, also to cool down, and fuel per energy
        if model == "genset":
            idle = result.parameter(genset, "idle_fuel") * result.parameter(genset, "rating") / 1000
            for_energy = result.parameter(genset, "marginal_fuel") * mine["genset_kwh"]
            least = for_energy + idle * kpis["genset_run_h"]
            most = for_energy + idle * float((group["fuel_flow"][:] > 0).sum()) * result.hours
            expect(least * (1 - 1e-6) <= kpis["fuel_l"] <= most * (1 + 1e-6), f"{name}: fuel_l {kpis['fuel_l']}, the curve gives {least} to {most}")
    if "battery_charge_kwh" in mine:
        net = (result.of(["battery"], "power").sum()) * result.hours / 1000
        expect(abs(mine["battery_discharge_kwh"] - mine["battery_charge_kwh"] - net) < 1e-6 * mine["battery_charge_kwh"] + 1e-6,
               f"{name}: the battery's power sums to {net} kWh, discharge less charge to something else")
        stored = result.of(["battery"], "stored_power").sum() * result.hours / 1000
        expect(abs(net + stored + mine["battery_loss_kwh"]) < 1e-6 * mine["battery_charge_kwh"] + 1e-6,
               f"{name}: battery: out {net}, stored {stored}, lost {mine['battery_loss_kwh']} kWh do not cancel")
    return len(mine)


def check_audit(name, result):
    rows = [result.row(group["power"]) for _, group in result.groups.values() if "power" in group]
    largest = np.max(np.abs(rows), axis=0)
    off = np.abs(np.sum(rows, axis=0))
    expect(bool((off <= 1e-9 * largest + 1e-9).all()), f"{name}: the powers of all assets sum to up to {off.max()} W in a row")


def check_words(name, file, source):
    text = file.read_text()
    head = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        head.append(line)
    expect(len(head) >= 5, f"{name}: opens with {len(head)} lines of comment, five are wanted")
    whole = " ".join(line.lstrip("# ") for line in head)
    for part in ("What it shows: ", "Look at: ", "Change: ", "Inputs: "):
        expect(part in whole, f"{name}: its opening does not say {part!r}")
    inputs = whole.partition("Inputs: ")[2]
    table = (source / "scenarios/data/README.md").read_text()
    for folder in sorted(set(re.findall(r"data/([a-z0-9_]+)/", text))):
        row = next((line.split("|") for line in table.splitlines() if line.startswith(f"| `{folder}`")), None)
        expect(row is not None and (source / f"scenarios/data/{folder}/SOURCE.md").is_file(), f"{name}: {folder} has no SOURCE.md or no row in data/README.md")
        for kind in row[3].split(",") if row else []:
            expect(kind.strip() in inputs.lower(), f"{name}: its inputs are not called {kind.strip()}, as {folder} is")


def price_by(tariff, local):
    """Of the schedule that holds on that day, the value that began last. A holiday is like a weekend."""
    day = f"{local:%m-%d}"
    kind = "WEEKENDS" if local.weekday() >= 5 or f"{local:%Y-%m-%d}" in tariff.get("holidays", []) else "WEEKDAYS"
    for s in tariff["schedule"]:
        first, last = s["effective_start"], s["effective_end"]
        in_season = first <= day <= last if first <= last else day >= first or day <= last
        if in_season and s["dow_mask"] in ("ALL", kind):
            hour = local.hour + local.minute / 60 + local.second / 3600
            return [v for t, v in zip(s["times"], s["tariffs"]) if t <= hour][-1]
    raise ValueError(f"no schedule on {local}")


def check_tariff(name, result):
    file = HERE / name / "tariff.json"
    if not file.is_file():
        return
    tariff = json.loads(file.read_text())
    for asset, (model, group) in result.groups.items():
        if model != "grid":
            continue
        price = group["price"][:]
        mine = np.array([price_by(tariff, local) for local in result.local()])
        wrong = np.flatnonzero(np.abs(price - mine) > 1e-12)
        expect(wrong.size == 0, f"{name}: the price of {wrong.size} rows is not the tariff's, first at {result.local()[wrong[0]] if wrong.size else ''}: "
                                f"{price[wrong[:1]]} for {mine[wrong[:1]]}")
        charge = tariff.get("demand_charge", 0)
        expect(result.parameter(asset, "demand_charge") == charge, f"{name}: the demand charge is not {charge}")


def wall_rows(path, column, first, zone, until):
    """Hourly or half-hourly rows of a file with as many rows every day, as energies on the real time of `zone`: an hour that never was is
    left out, one that came twice counts twice."""
    with open(path, newline="") as file:
        values = [float(row[column]) for row in csv.DictReader(file)]
    per_day = 48 if len(values) > 10000 else 24
    at, total = first, 0.0
    while at < until:
        local = at.astimezone(zone)
        day = (local.date() - first.astimezone(zone).date()).days
        row = day * per_day + (local.hour * 60 + local.minute) * per_day // 1440
        total += values[row] * 24 / per_day
        at += timedelta(hours=24 / per_day)
    return total


def utc(zone, *when):
    return datetime(*when, tzinfo=zone).astimezone(timezone.utc)


def year_at_one_minute(name, result, kpis, source):
    zone = ZoneInfo("America/Los_Angeles")
    file = source / "scenarios/data/citylearn_2022/building_10.csv"
    span = (utc(zone, 2016, 8, 1), zone, utc(zone, 2017, 8, 1))
    load, pv = wall_rows(file, "non_shiftable_load", *span), wall_rows(file, "solar_generation", *span) * 5 / 1000
    expect(abs(kpis["load_kwh"] / load - 1) < 1e-9, f"{name}: load {kpis['load_kwh']} kWh, the file's rows give {load}")
    expect(abs(kpis["pv_available_kwh"] / pv - 1) < 1e-9, f"{name}: PV {kpis['pv_available_kwh']} kWh, the file's rows give {pv}")
    expect(kpis["steps"] == 525600, f"{name}: {kpis['steps']} steps")


def home_time_of_use(name, result, kpis, source):
    zone = ZoneInfo("Australia/Sydney")
    file = source / "scenarios/data/ausgrid_customer12/home.csv"
    span = (utc(zone, 2011, 7, 1), zone, utc(zone, 2012, 7, 1))
    load, pv = wall_rows(file, "load_kw", *span), wall_rows(file, "pv_w_per_kw", *span) * 4 / 1000
    expect(abs(kpis["load_kwh"] / load - 1) < 1e-9, f"{name}: load {kpis['load_kwh']} kWh, the file's rows give {load}")
    expect(abs(kpis["pv_available_kwh"] / pv - 1) < 1e-9, f"{name}: PV {kpis['pv_available_kwh']} kWh, the file's rows give {pv}")


def made_again(name, folder, make):
    """What prepare.py makes without an origin comes out byte for byte."""
    with tempfile.TemporaryDirectory() as out, contextlib.redirect_stdout(io.StringIO()):
        make(Path(out))
        made = sorted(Path(out).iterdir())
        same = [file.read_bytes() == (folder / file.name).read_bytes() for file in made]
    expect(made and all(same), f"{name}: prepare.py does not make {folder.name} as committed")


def cloudy_day_1s(name, result, kpis, source):
    """The seconds keep the measured minutes, and look as the handbook asks (2.5)."""
    sys.path.insert(0, str(source / "scenarios/data"))
    import prepare

    folder = source / "scenarios/data/broken_clouds"
    made_again(name, folder, lambda out: prepare.seconds_from_minutes(folder / "minutes.csv", out))
    seconds = np.loadtxt(folder / "seconds.csv", delimiter=",", skiprows=1)[:, 0]
    minutes = np.loadtxt(folder / "minutes.csv", delimiter=",", skiprows=1)[:, 0]
    expect(seconds.size == 86400 and minutes.size == 1440, f"{name}: {seconds.size} seconds of {minutes.size} minutes")
    clear = np.array([prepare.clear_sky(s) for s in range(86400)])
    by_minute = clear.reshape(1440, 60).mean(axis=1)
    high = by_minute > 60
    error = np.abs(seconds.reshape(1440, 60).mean(axis=1) - minutes)
    expect(float((error[high] / by_minute[high]).max()) < 1e-3, f"{name}: a minute's mean is off")
    expect(float(error.max()) < 0.01, f"{name}: a minute's mean is off by {error.max()} W/m2")
    index = (seconds / np.maximum(clear, 1e-9))[clear > 60]
    change = np.abs(np.diff(index))
    share = float((change > 0.2).mean())
    expect(0 <= index.min() and index.max() <= 1.6, f"{name}: the clear-sky index runs from {index.min()} to {index.max()}")
    expect(1e-4 <= share <= 5e-3, f"{name}: {share} of the seconds change by more than 0.2")
    expect(float(change.max()) < 0.6, f"{name}: it changes by {change.max()} in a second")
    broken = slice(13 * 3600, 14 * 3600 + 900)
    histogram = np.histogram(seconds[broken] / clear[broken], np.arange(0, 1.7, 0.1))[0]
    low, valley, top = histogram[3:6].max(), histogram[7:10].min(), histogram[10:12].max()
    expect(valley < 0.3 * min(low, top), f"{name}: the histogram has not two modes: {histogram}")
    print(f"  index {index.min():.3f} to {index.max():.3f}, {share:.1e} of the seconds change by more than 0.2, at most {change.max():.2f}")


def monsoon_week_india(name, result, kpis, source):
    sys.path.insert(0, str(source / "scenarios/data"))
    import prepare

    made_again(name, source / "scenarios/data/monsoon_village", prepare.monsoon_village)


def dc_fast_hub(name, result, kpis, source):
    with open(source / "scenarios/data/dc_fast_epfl/sessions.csv", newline="") as file:
        wanted = sum(float(row["energy_kwh"]) for row in csv.DictReader(file))
    got = kpis["ev_kwh"] + kpis["ev_unmet_kwh"]
    expect(abs(got / wanted - 1) < 1e-9, f"{name}: {got} kWh delivered and unmet, the sessions want {wanted}")


checks_of = {check.__name__: check for check in (year_at_one_minute, home_time_of_use, cloudy_day_1s, monsoon_week_india, dc_fast_hub)}


def every_controller(urja, source):
    """Each controller runs a home for a day and is recorded, and the file can be audited."""
    genset = ["--set", "assets.genset={model: genset, rating: 5 kW}", "--set", "balance=[battery, grid, genset, pv, home]"]
    known = json.loads(subprocess.run([urja, "describe", "--json"], check=True, capture_output=True, text=True).stdout)
    controllers = [m["name"] for m in known if m["controller"]]
    assert len(controllers) >= 6, controllers
    for name in controllers:
        with tempfile.TemporaryDirectory() as folder:
            more = genset if name == "backup_genset" else []  # the others do without
            run = subprocess.run([urja, "run", str(source / "scenarios/home_time_of_use.yaml"), "--set", f"controller={{model: {name}}}", *more, "--to",
                                  "2011-07-02 00:00", "--out", folder + "/r.h5", "--report", folder + "/r.html"], capture_output=True, text=True)
            expect(run.returncode == 0, f"controller {name}: exit code {run.returncode}: {run.stderr}")
            if run.returncode == 0:
                check_audit(f"controller {name}", Result(folder + "/r.h5"))


def main(urja, source, names):
    if not names:
        every_controller(urja, source)
    found = sorted(p for folder in ("scenarios", "scenarios/faults") for p in (source / folder).glob("*.yaml")
                   if re.search(r"^(assets|faults):", p.read_text(), re.M))
    assert len(found) >= 11, found
    for file in found:
        name = file.stem
        if names and name not in names:
            continue
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "r.h5"
            run = subprocess.run([urja, "run", str(file), "--json", "--out", str(out), "--report", str(Path(folder) / "r.html")],
                                 capture_output=True, text=True, cwd=folder)
            expect(run.returncode == 0, f"{name}: exit code {run.returncode}: {run.stderr[-500:]}")
            check_words(name, file, source)
            if run.returncode:
                continue
            kpis = json.loads(run.stdout)
            result = Result(out)
            notes = [n for n in json.loads(result.attributes["notes"]) if not any(re.search(h, n) for h in HARMLESS)]
            expect(not notes, f"{name}: notes: {notes}")
            expect(kpis["ledger_residual"] < 1e-9, f"{name}: ledger_residual {kpis['ledger_residual']}")
            check_audit(name, result)
            compared = check_kpis(name, result, kpis)
            check_tariff(name, result)
            if name in checks_of:
                checks_of[name](name, result, kpis, source)
            print(f"{name}: {compared} KPIs recomputed, {kpis['wall_s']:.2f} s")
            result.file.close()
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:]))
