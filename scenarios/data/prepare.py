#!/usr/bin/env python3
"""Makes citylearn_2022/*.csv and ev_workplace/sessions.csv from the origins: prepare.py DATA_FOLDER [OUT_FOLDER]

DATA_FOLDER holds load_citylearn_2022_homes/ and ev_workplace_dataverse/. The committed files come out byte for byte.
Standard library only. What the columns mean and what to beware of stands in each folder's SOURCE.md.
"""
import csv
import gzip
import sys
from datetime import datetime
from pathlib import Path

HOME_COLUMNS = ["month", "hour", "day_type", "non_shiftable_load", "solar_generation"]


def rows_of(path):
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(path, header, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
    print(f"{path}: {len(rows)} rows")


def citylearn(origin, out):
    for n in range(1, 11):
        rows = rows_of(origin / f"Building_{n}.csv.gz")
        write(out / f"building_{n}.csv", HOME_COLUMNS, [[row[c] for c in HOME_COLUMNS] for row in rows])
    price, carbon = rows_of(origin / "pricing.csv.gz"), rows_of(origin / "carbon_intensity.csv.gz")
    both = [[p["electricity_pricing"], c["carbon_intensity"]] for p, c in zip(price, carbon, strict=True)]
    write(out / "price_and_carbon.csv", ["electricity_pricing", "carbon_intensity"], both)


def mended(stamp):  # the origin writes the years 2014 and 2015 as 0014 and 0015
    if not stamp.startswith("00"):
        raise ValueError(f"unexpected year in {stamp!r}")
    return str(datetime.strptime("20" + stamp[2:], "%Y-%m-%d %H:%M:%S"))


def ev_workplace(origin, out):
    sessions, impossible = [], 0
    for row in rows_of(origin / "workplace_sessions_first70pct.csv.gz"):
        arrival, departure = mended(row["created"]), mended(row["ended"])
        if departure <= arrival or float(row["kwhTotal"]) <= 0:
            impossible += 1
            continue
        sessions.append([arrival, departure, row["kwhTotal"], row["stationId"], row["locationId"]])
    write(out / "sessions.csv", ["arrival", "departure", "energy_kwh", "station", "location"], sorted(sessions))
    print(f"  {impossible} impossible sessions dropped")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    data, out = Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) == 3 else Path(__file__).parent)
    citylearn(data / "load_citylearn_2022_homes", out / "citylearn_2022")
    ev_workplace(data / "ev_workplace_dataverse", out / "ev_workplace")
