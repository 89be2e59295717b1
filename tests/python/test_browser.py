"""Reports, opened in Chromium: test_browser.py URJA SOURCE_DIR

Every plot is drawn, nothing is wider than a phone, no script fails, and the page asks for nothing, by its own account: what the
browser tells of exceptions, console, log and network. Without Chromium the test is skipped, except under ./urja test, which
installs it and says so in URJA_TEST_BROWSER.
"""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import browser
import h5py
import numpy
import sweeps

PHONE, DESKTOP = (390, 844, True), (1400, 900, False)
SKIPPED = 77
EVIL = "</script><script>window.evil=1</script><img src=x onerror='window.evil=2'>\"&<b>"
EVIL_NAME = "<img src=x onerror='window.evil=3'>"

# Shapes that a plot has drawn: paths with a stroke or a fill that can be seen, by the plot's name.
DRAWN = """Object.fromEntries([...document.querySelectorAll('.chart')].map((box) => [box.dataset.id,
  [...box.querySelectorAll('svg path')].filter((p) => {
    const seen = (name) => { const v = p.getAttribute(name); return v && v !== 'none' && v !== 'transparent'; };
    const size = p.getBBox();
    return (seen('stroke') || seen('fill')) && (size.width > 0 || size.height > 0);
  }).length]))"""
TOO_WIDE = """[...document.querySelectorAll('body *')].filter((e) => !e.closest('.scroll') && e.getBoundingClientRect().right > innerWidth + 1)
  .slice(0, 5).map((e) => `${e.tagName.toLowerCase()}.${e.getAttribute('class')}`)"""
CUT = """[...document.querySelectorAll('.chart')].flatMap((box) => [...box.querySelectorAll('svg text')].filter((t) => {
    const a = t.getBoundingClientRect(), b = box.getBoundingClientRect();
    return t.textContent.trim() && (a.left < b.left - 1 || a.right > b.right + 1 || a.top < b.top - 1 || a.bottom > b.bottom + 1);
  }).map((t) => `${box.dataset.id}: ${t.textContent}`)).slice(0, 5)"""
OVERLAPS = """(() => {   // texts of one plot that lie on each other
  const found = [];
  for (const box of document.querySelectorAll('.chart')) {
    const texts = [...box.querySelectorAll('svg text')].filter((t) => t.textContent.trim()).map((t) => [t.textContent, t.getBoundingClientRect()]);
    for (let i = 0; i < texts.length; ++i) for (let k = 0; k < i; ++k) {
      const [a, b] = [texts[i][1], texts[k][1]];
      const w = Math.min(a.right, b.right) - Math.max(a.left, b.left), h = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (w > 2 && h > 5) found.push(`${box.dataset.id}: ${texts[i][0]} | ${texts[k][0]}`);
    }
  }
  return found.slice(0, 5);
})()"""


class Check:
    def __init__(self):
        self.wrong = 0

    def that(self, good, what):
        if not good:
            self.wrong += 1
            print(f"WRONG: {what}", flush=True)

    def page(self, name, tab, plots, overlaps=True):
        """What holds for every page on every screen; plots: name -> fewest shapes."""
        self.that(not tab.complaints(), f"{name}: {tab.complaints()}")
        drawn = tab.run(DRAWN)
        self.that(set(drawn) == set(plots), f"{name}: has the plots {sorted(drawn)}, not {sorted(plots)}")
        for plot, least in plots.items():
            self.that(drawn.get(plot, 0) >= least, f"{name}: {plot} has drawn {drawn.get(plot)} shapes, at least {least} were expected")
        wide = tab.run(TOO_WIDE)
        self.that(not wide and tab.run("document.documentElement.scrollWidth <= innerWidth"), f"{name}: wider than the screen: {wide}")
        cut = tab.run(CUT)
        self.that(not cut, f"{name}: texts are cut off: {cut}")
        if overlaps:
            found = tab.run(OVERLAPS)
            self.that(not found, f"{name}: texts lie on each other: {found}")


def hover(tab, plot, across=0.5, down=0.4):
    """What the tooltip says with the pointer over a plot."""
    return pointed(tab, plot, f"[r.left + {across} * r.width, r.top + {down} * r.height]")


def hover_dot(tab, plot):
    """The same, over a dot of the plot: the last shape that is as large as one."""
    return pointed(tab, plot, """[...e.querySelectorAll('svg path')].map((p) => p.getBoundingClientRect())
        .filter((d) => d.width > 4 && d.width < 14 && Math.abs(d.width - d.height) < 1).map((d) => [d.left + d.width / 2, d.top + d.height / 2]).pop()""")


def pointed(tab, plot, point):
    x, y = tab.run(f"""(() => {{ const e = document.querySelector('.chart[data-id={plot}]'); e.scrollIntoView({{block: 'center'}});
        const r = e.getBoundingClientRect(); return {point}; }})()""")
    tip = ""
    for step in range(20):  # a plot may take its time before it looks at the pointer
        tab.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x + step % 2, y=y)
        tab.settle()
        tip = tab.run(f"""[...document.querySelectorAll('.chart[data-id={plot}] .tip')].map((e) => e.textContent).join()""")
        if tip:
            break
    return tip


def click_all(tab, selector):
    tab.run(f"document.querySelectorAll('{selector}').forEach((b) => {{ if (!b.disabled) b.click(); }})")
    tab.settle()


def two_weeks_of_a_village(check, chromium, urja, source, folder):
    """Two weeks in which the clocks of California are set back."""
    page = folder / "village.html"
    subprocess.run([urja, "run", source / "scenarios/village.yaml", "--from", "2016-11-01 00:00", "--to", "2016-11-15 00:00",
                    "--out", folder / "village.h5", "--report", page], check=True, capture_output=True)
    plots = {"flow": 13, "power": 6, "charge": 2, "temperature": 2, "price": 2, "cost": 3, "duration": 4, "heat": 14 * 24}
    for name, screen, dark in (("phone", PHONE, False), ("desktop", DESKTOP, False), ("desktop, dark", DESKTOP, True)):
        tab = chromium.open(page, *screen, dark=dark)
        check.page(f"village, {name}", tab, plots)
        if not dark:
            tab.close()
    check.that("PV" in hover(tab, "duration"), "no tooltip over the duration curves")
    tip = hover(tab, "power")
    check.that("homes.load" in tip, f"no tooltip over the power: {tip!r}")
    check.that("Mean power" in hover(tab, "heat"), "no tooltip over the map of days and hours")
    # the hour from one to two on 6 November, the sixth of fourteen columns
    tip = hover(tab, "heat", (56 + 5.5 / 14 * (tab.run("document.querySelector('.chart.heat').clientWidth") - 70)) / tab.run(
        "document.querySelector('.chart.heat').clientWidth"), (6 + 1.5 / 24 * (340 - 84)) / 340)
    check.that("6 Nov 2016" in tip and "came twice" in tip, f"the hour that comes twice says: {tip}")
    check.that("Bus" in hover(tab, "flow", 0.5, 0.5), "no tooltip over the energy flow")
    for what in ("[data-span]", "[data-move]", ".legend button", ".choices button"):
        click_all(tab, what)
        check.that(not tab.complaints(), f"village, after a click on {what}: {tab.complaints()}")
    tab.ask("Emulation.setDeviceMetricsOverride", width=900, height=700, deviceScaleFactor=1, mobile=False)
    tab.settle()
    tab.pdf(folder / "village.pdf")
    check.that(not tab.complaints(), f"village, printed: {tab.complaints()}")
    check.that((folder / "village.pdf").stat().st_size > 50_000, "the printed village is empty")
    tab.close()


def one_step(check, chromium, urja, source, folder):
    page = folder / "step.html"
    subprocess.run([urja, "run", source / "scenarios/village.yaml", "--set", "run.record=1 min", "--from", "2016-09-01 12:00",
                    "--to", "2016-09-01 12:01", "--out", folder / "step.h5", "--report", page], check=True, capture_output=True)
    tab = chromium.open(page, *PHONE)
    plots = tab.run(DRAWN)
    check.that("flow" in plots and "power" in plots and "heat" not in plots and "duration" not in plots, f"one step: {plots}")
    check.page("one step", tab, {name: 1 for name in plots})
    tab.close()


def faults(check, chromium, urja, source, folder):
    page = folder / "faults.html"
    broken = folder / "faults.yaml"
    broken.write_text(f"include: {source.resolve()}/tests/faults/plant.yaml\nfaults:\n"
                      "  dark: {kind: grid_outage, on: grid, at: 2024-06-01 11:00, duration: 2 h}\n"
                      "  '<b>': {kind: pv_shading, on: pv, at: 2024-06-01 08:00, duration: 1 d}\n".replace("'<b>'", "shade-of_a_tree_with_a_long_name"))
    subprocess.run([urja, "run", broken, "--out", folder / "faults.h5", "--report", page], check=True, capture_output=True)
    for screen in (PHONE, DESKTOP):
        tab = chromium.open(page, *screen)
        plots = tab.run(DRAWN)
        check.page("faults", tab, {name: 1 for name in plots})
        bands = tab.run("[...document.querySelectorAll('.chart path')].filter((p) => p.getAttribute('fill') === '#c0392b').length")
        check.that(bands >= 2, f"faults: {bands} bands")
        check.that(tab.run("document.body.innerText.includes('grid_outage on grid')"), "faults: no table")
        tab.close()


def measured(check, chromium, urja, source, folder):
    page = folder / "measured.html"
    (folder / "meter.csv").write_text("time,kw\n" + "".join(f"2024-06-01 {h:02}:00,{'' if h == 5 else h / 10}\n" for h in range(24)))
    (folder / "measured.yaml").write_text(
        f"include: {source.resolve()}/tests/faults/plant.yaml\nrun: {{from: 2024-06-01 00:00, to: 2024-06-02 00:00}}\n"
        "data: {meter: {file: meter.csv, stamps: {column: time}, columns: {pv: {column: kw, unit: kW}}}}\n"
        "measurements: {pv.power: meter.pv, pv.cell_temperature: }\nfaults: {shade: {kind: pv_shading, on: pv, at: 2024-06-01 08:00, duration: 6 h}}\n")
    subprocess.run([urja, "run", folder / "measured.yaml", "--out", folder / "measured.h5", "--report", page], check=True, capture_output=True)
    for screen in (PHONE, DESKTOP):
        tab = chromium.open(page, *screen)
        plots = tab.run(DRAWN)
        check.that(plots.get("compared", 0) >= 2, f"measured: drawn {plots}")
        check.page("measured", tab, {name: 1 for name in plots})
        check.that(tab.run("document.body.innerText.includes('What the fault does')"), "measured: no table")
        if screen is DESKTOP:
            check.that("measured at the plant" in hover(tab, "compared"), "no tooltip over the measured plot")
        tab.close()


def hostile_names(check, chromium, urja, source, folder):
    with h5py.File(folder / "evil.h5", "w") as file:
        for name in ("title", "zone", "currency", "scenario", "scenario_file", "version"):
            file.attrs[name] = EVIL
        file.attrs["included"] = '{"' + EVIL.replace('"', '\\"') + '": "' + EVIL.replace('"', '\\"') + '"}'
        file["time"] = 1470034800.0 + 3600 * numpy.arange(72)
        wave = 1000 * numpy.sin(numpy.arange(72))
        for k, asset in enumerate((EVIL_NAME, "grid {b|x}")):
            file[f"channels/{asset}/power"] = wave if k else -wave
            file[f"channels/{asset}/power"].attrs["unit"] = "W"
            file[f"channels/{asset}/state_of_charge"] = abs(wave) / 1000
    subprocess.run([urja, "report", folder / "evil.h5", "--out", folder / "evil.html"], check=True, capture_output=True)
    tab = chromium.open(folder / "evil.html", *DESKTOP)
    check.page("hostile names", tab, {"flow": 5, "power": 2, "charge": 1, "duration": 1, "heat": 48})
    seen = [hover(tab, plot, across) for plot in ("power", "flow", "duration", "heat", "charge") for across in (0.22, 0.3, 0.7)]
    check.that(sum("<img src=x" in tip for tip in seen) >= 4, f"too few tooltips with a hostile name: {seen}")
    check.that(tab.run("window.evil") is None and tab.run("document.querySelectorAll('img, main b b').length") == 0, "a name has become code")
    check.that(not tab.complaints(), f"hostile names: {tab.complaints()}")
    tab.close()


def sweep_page(urja, folder, name, content):
    (folder / f"{name}.json").write_text(json.dumps(content))
    subprocess.run([urja, "report", folder / f"{name}.json", "--out", folder / f"{name}.html"], check=True, capture_output=True)
    return folder / f"{name}.html"


def choose(tab, select, option):
    tab.run(f"{{ const s = document.getElementById('{select}'); s.value = [...s.options].find((o) => o.text.startsWith('{option}')).value;"
            " s.dispatchEvent(new Event('change')); }")
    tab.settle()


def sweep_of_a_grid(check, chromium, urja, source, folder):
    page = sweep_page(urja, folder, "grid", sweeps.grid())
    for name, screen, dark in (("phone", PHONE, False), ("dark phone", PHONE, True), ("desktop", DESKTOP, False)):
        tab = chromium.open(page, *screen, dark=dark)
        check.page(f"sweep, {name}", tab, {"trade": 117, "all": 117}, overlaps=name == "desktop")
        if name != "desktop":
            tab.close()
    column = "[...document.querySelectorAll('#best tbody tr')].map((r) => r.cells[1].textContent)"
    numbers = lambda: [float(t.replace(",", "")) for t in tab.run(column)]
    costs = numbers()
    check.that(len(costs) == 25 and costs == sorted(costs), f"the best by cost are {costs}")
    check.that(tab.run("document.querySelectorAll('.effect').length") == 4, "not every key has its effect")
    check.that(tab.run("document.querySelector('.effect').textContent").startswith("assets.battery.capacity"), "the largest effect is not first")
    choose(tab, "kpi", "Self-sufficiency")
    own = numbers()
    check.that(own == sorted(own, reverse=True) and own[0] > 0.8, f"the best by self-sufficiency are {own}")
    tab.run("document.querySelectorAll('#best thead button')[1].click()")
    check.that(numbers()[0] < 0.5, "a second click on a head does not turn the order")
    tab.run("document.getElementById('more').click()")
    check.that(len(numbers()) == 75, "More does not show more")
    choose(tab, "up", "Self-sufficiency")
    check.that("Variant" in hover_dot(tab, "trade"), "no tooltip over the trade-off")
    for width, height in ((390, 844), (1400, 900)):  # turned, and back
        tab.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        tab.settle()
        check.page(f"sweep, then {width} wide", tab, {"trade": 117, "all": 117}, overlaps=width > 1000)
    tall = tab.run("[...document.querySelectorAll('.chart')].filter((e) => e.clientHeight != e.querySelector('svg').getAttribute('height')).length")
    check.that(tall == 0, "a plot has kept the height of another width")
    tab.pdf(folder / "grid.pdf")
    check.that(not tab.complaints(), f"sweep: {tab.complaints()}")
    tab.close()


def other_sweeps(check, chromium, urja, source, folder):
    evil = sweeps.grid()
    for variant in evil["variants"]:
        variant["values"][2] = EVIL_NAME if variant["values"][2] == "hold" else EVIL
        variant["name"] = EVIL_NAME
    evil["keys"][0].update(key=EVIL_NAME, unit=EVIL_NAME)
    evil["kpis"][0].update(label=EVIL_NAME, unit=EVIL_NAME)
    failed = sweeps.sweep([sweeps.one((5, 4, "hold", 0.3), status="error", message="broken")])
    for name, content, plots in (("many", sweeps.drawn_at_random(4000), {"trade": 2500, "all": 2500}), ("one", sweeps.drawn_at_random(1), {"trade": 1}),
                                 ("failed", failed, {}), ("evil_sweep", evil, {"trade": 100, "all": 100})):
        page = sweep_page(urja, folder, name, content)
        check.that(page.stat().st_size < 5_000_000, f"the sweep {name} is larger than 5 MB")
        tab = chromium.open(page, *PHONE)
        check.page(f"sweep, {name}", tab, plots, overlaps=False)
        tab.close()
        tab = chromium.open(page, *DESKTOP)
        check.page(f"sweep, {name}", tab, plots, overlaps=False)
        if name == "evil_sweep":
            check.that("<img src=x" in hover_dot(tab, "trade"), "no tooltip with a hostile name")
            check.that(tab.run("window.evil") is None and tab.run("document.querySelectorAll('img').length") == 0, "a sweep's name has become code")
            check.that(not tab.complaints(), f"sweep, hostile names: {tab.complaints()}")
        tab.close()


def main(urja, source):
    path = browser.find()
    if not path:
        print("no Chromium here: install the Debian package chromium, or run ./urja test")
        return 1 if os.environ.get("URJA_TEST_BROWSER") == "required" else SKIPPED
    check = Check()
    with tempfile.TemporaryDirectory(prefix="urja_pages_") as folder, browser.Browser(path) as chromium:
        for test in (two_weeks_of_a_village, one_step, faults, measured, hostile_names, sweep_of_a_grid, other_sweeps):
            test(check, chromium, urja, source, Path(folder))
    return 1 if check.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
