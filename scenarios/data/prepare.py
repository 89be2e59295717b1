#!/usr/bin/env python3
"""Makes the CSV files of the scenario library from their origins: prepare.py DATA_FOLDER [OUT_FOLDER]

DATA_FOLDER holds a folder for each origin (load_citylearn_2022_homes/ and so on). The committed files come out byte for byte.
Standard library only. What the columns mean and what to beware of stands in each folder's SOURCE.md.
"""
import csv
import gzip
import math
import random
import sys
from datetime import datetime, timedelta
from pathlib import Path

HOME_COLUMNS = ["month", "hour", "day_type", "non_shiftable_load", "solar_generation"]


def rows_of(path):
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="") as file:
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


def ausgrid(origin, out):
    """A year of half hours: eight months as measured, the four that lie elsewhere copied from the weeks beside them."""
    measured = {datetime.fromisoformat(row["time_local"]): row for row in rows_of(origin / "ausgrid_c12_2011-2012.csv.gz")}
    rows, t, copied = [], datetime(2011, 7, 1), 0
    while t < datetime(2012, 7, 1):
        # Four weeks earlier or later is the same weekday; the last resort is the year before, 48 weeks back.
        near = [t, t - timedelta(days=28), t + timedelta(days=28)] if t.day <= 15 else [t, t + timedelta(days=28), t - timedelta(days=28)]
        source = next(s for s in [*near, t - timedelta(days=336)] if s in measured)
        copied += source != t
        row = measured[source]
        rows.append([row["load_kw"], f"{float(row['pv_kw']) / 1.04 * 1000:.1f}", int(source != t)])
        t += timedelta(minutes=30)
    write(out / "home.csv", ["load_kw", "pv_w_per_kw", "copied"], rows)
    print(f"  {copied} half hours copied")


def reference_hospital(origin, out):
    name = "RefBldgHospitalNew2004_7.1_5.0_3C_USA_CA_SAN_FRANCISCO.csv.gz"
    rows = [[f"{float(row['Electricity:Facility [kW](Hourly)']):.2f}"] for row in rows_of(origin / name)]
    write(out / "hospital_san_francisco.csv", ["electricity_kw"], rows)


def dc_fast(origin, out):
    """Two stations: the sessions of October and November 2022, and those of 24 weeks earlier laid on the same weekdays."""
    sessions = []
    for row in rows_of(origin / "sessions_2022-04_2023-02.csv"):
        arrival = datetime.fromisoformat(row["arrival_local"])
        for station, weeks in (("measured", 0), ("24 weeks later", 24)):
            begin = arrival + timedelta(weeks=weeks)
            end = begin + timedelta(minutes=int(float(row["stay_min"])))  # the origin names the last minute of the stay
            if datetime(2022, 10, 1) <= begin and end < datetime(2022, 12, 1):
                sessions.append([str(begin), str(end), f"{float(row['energy_wh']) / 1000:.3f}", f"{float(row['pmax_w']) / 1000:.1f}",
                                 row["soc_arrival_pct"], row["soc_departure_pct"], station])
    header = ["arrival", "departure", "energy_kwh", "maximum_kw", "soc_arrival_pct", "soc_departure_pct", "station"]
    write(out / "sessions.csv", header, sorted(sessions))


def uci_household(origin, out):
    """A Sunday and an hour, minute by minute; an empty minute takes the one before."""
    rows, last = [], ""
    for row in rows_of(origin / "uci_household_2006-12-16_to_2007-01-07.csv.gz"):
        if "2006-12-24 00:00" <= row["time_local"] < "2006-12-25 01:00":
            last = row["Global_active_power"] or last
            rows.append([last])
    write(out / "sunday.csv", ["active_power_kw"], rows)


# ---- one second out of one minute ----

LATITUDE, LONGITUDE, KM = 39.9106, -105.2347, 1.855


def cos_zenith_and_distance(utc_day, utc_hour):
    """Of the sun, with the distance factor of the year: Spencer 1971, good to a few tenths of a degree."""
    g = 2 * math.pi * (utc_day - 1 + utc_hour / 24) / 365
    declination = (0.006918 - 0.399912 * math.cos(g) + 0.070257 * math.sin(g) - 0.006758 * math.cos(2 * g) + 0.000907 * math.sin(2 * g)
                   - 0.002697 * math.cos(3 * g) + 0.00148 * math.sin(3 * g))
    minutes = 229.18 * (0.000075 + 0.001868 * math.cos(g) - 0.032077 * math.sin(g) - 0.014615 * math.cos(2 * g) - 0.040849 * math.sin(2 * g))
    hour_angle = math.radians(15 * (utc_hour + minutes / 60 - 12) + LONGITUDE)
    latitude = math.radians(LATITUDE)
    distance = 1.00011 + 0.034221 * math.cos(g) + 0.00128 * math.sin(g) + 0.000719 * math.cos(2 * g) + 0.000077 * math.sin(2 * g)
    return math.sin(latitude) * math.sin(declination) + math.cos(latitude) * math.cos(declination) * math.cos(hour_angle), distance


def clear_sky(second):
    """Global light of a clear sky [W/m2] at second 0 .. 86399 after midnight MST of 2018-10-14: Laue 1970 with 10 % diffuse light."""
    hour = (second + 0.5) / 3600 + 7
    cos_zenith, distance = cos_zenith_and_distance(287 + hour // 24, hour % 24)
    if cos_zenith <= 0.01:
        return 0.0
    air_mass = 1 / (cos_zenith + 0.50572 * (96.07995 - math.degrees(math.acos(cos_zenith))) ** -1.6364)
    beam = (1 - 0.14 * KM) * 0.7 ** (air_mass ** 0.678) + 0.14 * KM
    return 1.1 * 1361 * distance * beam * cos_zenith


def exponential(dice, mean):
    return -mean * math.log(1 - dice.random())


def normal(dice):
    return math.sqrt(-2 * math.log(1 - dice.random())) * math.cos(2 * math.pi * dice.random())


def states_of_minute(dice, sunny, share, speed, chord):
    """Sun (True) or cloud in each second: chords in turn, stretched so that `share` of the minute is sunny."""
    if share < 0.03 or share > 0.97:
        return [share > 0.5] * 60
    pieces, length = [], 0.0
    while length < 60 or len(pieces) < 2:
        piece = exponential(dice, chord[sunny] / speed) + 1
        pieces.append([sunny, piece])
        length += piece
        sunny = not sunny
    have = {s: sum(p for state, p in pieces if state == s) for s in (False, True)}
    want = {True: 60 * share, False: 60 * (1 - share)}
    states = []
    end = 0.0
    for state, piece in pieces:
        end += piece * want[state] / have[state]
        states += [state] * (min(60, round(end)) - len(states))
    return (states + [pieces[-1][0]] * 60)[:60]


def one_second_texture(minutes, seed):
    """1,440 minute means of global light -> 86,400 seconds that keep them, by chords of cloud and gap (handbook 2.5)."""
    dice = random.Random(seed)
    clear = [clear_sky(s) for s in range(86400)]
    clear_minute = [sum(clear[60 * m:60 * m + 60]) / 60 for m in range(1440)]
    kc = [minutes[m] / clear_minute[m] if clear_minute[m] > 60 else None for m in range(1440)]
    speed = min(25.0, max(2.0, 8 * math.exp(0.4 * normal(dice))))  # m/s, of the day
    chord = {False: 250.0, True: 250.0}                            # m, means
    index = [0.0] * 86400
    sunny, level, edge, since = False, 0.4, 20.0, 1e9
    lit = [m for m in range(1440) if kc[m] is not None]
    for m in lit:
        window = [kc[i] for i in range(m - 12, m + 13) if 0 <= i < 1440 and kc[i] is not None]
        low, high = min(window), max(window)
        broken = high > 0.8 and high - low > 0.3
        gap = max(1.05, *(k for k in kc[m - 1:m + 2] if k is not None)) if broken else high
        share = min(1.0, max(0.0, (kc[m] - low) / (gap - low))) if broken else 0.0
        if broken:
            states = states_of_minute(dice, sunny, share, speed, chord)
        else:
            states, low = [False] * 60, kc[m]
        for s in range(60):
            if states[s] != sunny or (s == 0 and m == lit[0]):
                sunny, since = states[s], 0.0
                edge = (15 + 35 * dice.random()) / speed  # s
                # Beta(4, 4) about the cloud's level by the mean of ordered uniforms: between 0.75 and 1.25 of it.
                level = 0.75 + 0.5 * sorted(dice.random() for _ in range(7))[3]
                brightening = 0.05 + 0.25 * dice.random()
                fade = 5 + 10 * dice.random()
            since += 1
            target = gap + (brightening * math.exp(-since / fade) if broken else 0) if sunny else low * (level if broken else 1)
            before = index[60 * m + s - 1] if (m, s) != (lit[0], 0) else target
            left = max(1.0, (max(3.0, edge) if broken else 20) - since + 1)  # s until the edge has passed
            index[60 * m + s] = before + (target - before) / left
    # Back to the minute means: a line through the minutes' errors, taken off again and again, and then what is left.
    for _ in range(40):
        error = {m: kc[m] - sum(index[60 * m:60 * m + 60]) / 60 for m in lit}
        for m in lit:
            for s in range(60):
                x = (s - 29.5) / 60
                beside = error.get(m - 1, error[m]) if x < 0 else error.get(m + 1, error[m])
                index[60 * m + s] = min(1.55, max(0.03, index[60 * m + s] + error[m] * (1 - abs(x)) + beside * abs(x)))
    tenths = []
    for m in range(1440):
        if kc[m] is None:
            light = [minutes[m]] * 60
        else:
            light = [index[60 * m + s] * clear[60 * m + s] for s in range(60)]
            light = [x * minutes[m] * 60 / sum(light) for x in light]
        done = owed = 0.0
        for x in light:  # rounded to tenths so that the minute's sum keeps its own
            owed += 10 * x
            tenth = round(owed - done)
            done += tenth
            tenths.append(tenth)
    return tenths, clear


def broken_clouds(origin, out):
    rows = [[f"{max(0.0, float(row['Global PSP [W/m^2]'])):.3f}", f"{float(row['Temperature @ 2m [deg C]']):.2f}"]
            for row in rows_of(origin / "midc_20181014.txt.gz")]
    write(out / "minutes.csv", ["ghi", "air_temperature"], rows)
    seconds_from_minutes(out / "minutes.csv", out)


def seconds_from_minutes(file, out):
    rows = rows_of(file)
    minutes, air = [float(row["ghi"]) for row in rows], [float(row["air_temperature"]) for row in rows]
    tenths, clear = one_second_texture(minutes, seed=20181014)
    rows = [[f"{g / 10:.1f}" if g else "0", f"{air[s // 60]:.1f}"] for s, g in enumerate(tenths)]
    write(out / "seconds.csv", ["ghi", "air_temperature"], rows)
    index = [g / 10 / c for g, c in zip(tenths, clear, strict=True) if c > 60]
    steps = [abs(b - a) for a, b in zip(index, index[1:])]
    error = max(abs(sum(tenths[60 * m:60 * m + 60]) / 600 - minutes[m]) / (sum(clear[60 * m:60 * m + 60]) / 60)
                for m in range(1440) if clear[60 * m] > 60)
    print(f"  minute means kept to {error:.1e} of the clear sky; index {min(index):.3f} to {max(index):.3f}; "
          f"changes above 0.2 in a second: {sum(d > 0.2 for d in steps) / len(steps):.1e}, largest {max(steps):.2f}")
    histogram = [0] * 17
    for k in index:
        histogram[int(k * 10)] += 1
    print("  seconds by index, steps of 0.1:", *histogram)
    shown = [0] * 17
    for s in range(13 * 3600, 14 * 3600 + 900):
        shown[int(tenths[s] / 10 / clear[s] * 10)] += 1
    print("  of those from 13:00 to 14:15 MST:", *shown)


def monsoon_village(out):
    """Synthetic: half hours of a week in a village of forty homes, and its drinking water. Shapes by hour, with noise."""
    dice = random.Random(722)
    #          hour of day: 0    1    2    3    4    5    6    7    8    9   10   11   12   13   14   15   16   17   18   19   20   21   22   23
    shapes = {"clinic": [1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 1.4, 1.8, 2.6, 3.2, 3.4, 3.4, 3.2, 2.8, 2.8, 2.8, 2.6, 2.2, 2.0, 1.8, 1.6, 1.4, 1.2, 1.2],
              "homes": [3.2, 3.0, 2.9, 2.8, 3.0, 3.8, 4.6, 4.4, 3.6, 3.2, 3.2, 3.4, 3.6, 3.8, 3.8, 3.6, 3.6, 4.2, 6.4, 8.6, 9.2, 8.2, 6.0, 4.2],
              "shops": [0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.6, 1.0, 1.8, 5.0, 6.0, 6.0, 5.2, 3.0, 3.0, 5.0, 5.4, 4.0, 3.2, 3.0, 2.2, 0.8, 0.4, 0.4]}
    rows = []
    for n in range(7 * 48):
        t = datetime(2016, 7, 22) + timedelta(minutes=30 * n)
        closed = {"shops": 0.35 if t.weekday() == 6 else 1}
        rows.append([str(t)] + [f"{hours[t.hour] * closed.get(name, 1) * (0.85 + 0.3 * dice.random()):.2f}" for name, hours in shapes.items()])
    write(out / "loads.csv", ["time", "clinic_kw", "homes_kw", "shops_kw"], rows)
    jobs = []
    for day in range(22, 29):
        for begin, end in (("06:00", "10:00"), ("10:00", "17:00")):
            jobs.append([f"2016-07-{day} {begin}:00", f"2016-07-{day} {end}:00", 5, 3, 1])
    write(out / "water_jobs.csv", ["earliest", "latest", "energy_kwh", "power_kw", "interruptible"], jobs)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    data, out = Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) == 3 else Path(__file__).parent)
    citylearn(data / "load_citylearn_2022_homes", out / "citylearn_2022")
    ev_workplace(data / "ev_workplace_dataverse", out / "ev_workplace")
    ausgrid(data / "load_ausgrid_customer12", out / "ausgrid_customer12")
    reference_hospital(data / "load_doe_reference_buildings", out / "reference_hospital")
    dc_fast(data / "ev_desl_epfl_dc_fast", out / "dc_fast_epfl")
    uci_household(data / "load_uci_household_1min", out / "uci_household")
    broken_clouds(data / "irradiance_high_resolution", out / "broken_clouds")
    monsoon_village(out / "monsoon_village")
