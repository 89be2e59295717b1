// The language of scenarios and sweeps on a page each, for `urja describe`. What models and faults know comes from their declarations.
#include <string>

#include "bridge/commands.hpp"

namespace urja {
namespace {

constexpr const char* scenario_page = R"(urja: 1                      version of the language
title: My plant              for the report
zone: Europe/Lisbon          IANA time zone; all times of the file are its local time
include: tariffs.yaml        or a list: other files whose keys hold as if they stood here; what this file says itself holds, an
                             empty value takes an included one out
run:
  from: 2024-01-01 00:00     local time, with an offset (2024-10-27 01:30+00:00) where the clock shows it twice
  to: 2025-01-01 00:00
  step: 1 min                20 ms to 1 d
  record: 15 min             of the result; a whole number of steps (default: the step, at least a minute)
  seed: 1                    of all random numbers
  channels: [battery, grid.power, "*.temperature"]     what the result holds; without it, all
data: {..}                   urja describe data, urja describe calendar
feeders:                     parts of the plant behind one cable; assets say `on: street`
  street: {limit: 60 kW}     most power over it, both ways
assets:
  battery: {model: battery, set: lfp_home_13kwh, state_of_charge: 50 %}      urja describe battery: keys, units, bounds, sets
  homes:                     a fleet: members alike, 1 to 4096; homes.3.pv is one of them
    fleet: 10
    members: {pv: {model: pv, rated: [4 kW, 5 kW, ..]}, load: {..}}          one value for all, or one each
balance: [battery, grid, pv] who takes what is left over within a step, in this order; loads that are not named come last, the least
                             important zone (`priority`) first: what nobody gives is unserved
controller: {model: self_consumption}                  urja describe lists them; it finds its battery and loads by itself
                             {model: rolling_lp, every: 15 min, horizon: 24 h, forecast_error: 10 %} and its like plan between steps
sensors:                     how well channels are measured: urja describe sensor. Controllers read what is measured, KPIs and bills what is
                             true. What is not named is perfect; a later entry adds to an earlier one
  grid.power: {set: meter_class_0_5s, noise: 20 W, interval: 5 s}
  homes.load.demand: {accuracy: 2 %}         of each member, with an error of its own; a list has one value for each
  "*.temperature": {noise: 0.5 K}            * stands for any text; a difference of temperatures is in K
links:                       how samples reach who decides: urja describe link
  battery: {delay: 2 s, jitter: 1 s, loss: 1 %}        all that it sends, or one channel; at most 96 messages are on their way
measurements:                what was measured at the plant that this is a model of: it changes nothing, the result has it beside the
                             simulated channels (/reference), and the report compares the two
  pv.dc_power: site.p_dc     a column of a data set, in a unit that fits; its gaps stay gaps
faults:                      urja describe faults
  gone: {kind: grid_outage, on: grid, at: 2024-08-03 14:00, duration: 2 h}   `every: 1 d` again and again
  shade: {kind: pv_shading, on: homes.3.pv, rate: 0.1 1/d, duration: 3 h, length: random}       at random, so often a day
  surge: {kind: load_surge, on: homes.load, after: gone, delay: 2 h, duration: 20 min, times: 3}
  meter: {kind: sensor_bias, on: grid.power, at: 2024-08-03 14:00, offset: -2 kW}              a sensor's is on a channel
  clouds: {kind: link_loss, on: battery, rate: 1 1/d, duration: 10 min, lost_share: 80 %}      a link's on all of an asset too
  onset: step (default), ramp or exponential (over `rise`), intermittent (`on_time`, `off_time`)

Every value with a dimension carries its unit (5 kW, 13 kWh, 15 min, 50 %); prices name their currency (0.30 EUR/kWh), one for the
whole scenario. Power is positive out of an asset into its bus. A constant may stand for a column (demand: 2 kW).
Change a value for one run with --set assets.battery.packs=2; many at once with urja sweep.
)";

constexpr const char* data_page = R"(data:
  site:
    file: site.csv           relative to this file, also packed with gzip; {member} counts from 1 in a fleet's data
    format: csv              default; or auto, epw, tmy3, mos for weather files, calendar for values typed in
    stamps:
      column: time           each row has its own stamp: 2024-01-01 00:00, 2024-01-01T00:00:00Z, with an offset, or seconds since 1970
                             (format: epoch); a stamp with an offset carries its own clock
      first: 2024-01-01 00:00, every: 1 h        instead: no stamps in the file
      every: 15 min          interval of the rows; default: the shortest distance between stamps
      mark: start            default: a row holds from its stamp on; end: up to its stamp
      clock: wall            default: the plant's local time; standard (without summer time), utc, or the name of a zone
      missing_hour: repeat   an hour that the clock shows twice is in the file once (or error)
      extra_hour: drop       rows of an hour that the clock skips (or error)
      from: 2024-03-01 00:00, to: 2024-04-01 00:00       only rows with stamps from the one on and before the other
    repeat: same_date        rows of another year, laid on the run's dates: the same day and month (28 February for the 29th);
                             same_weekday: the day of the same weekday nearest to it; at the same time on the file's clock
    not_shipped: text        where the file is not there, this is told: whose data they are, and how to get them
    place: {latitude: 38.7 deg, longitude: -9.1 deg, elevation: 100 m}       of weather in a CSV
    columns:
      demand:                our name; assets write `demand: site.demand`
        column: load_kw      the file's name (default: ours); {member} for members side by side
        unit: kW             of the file; energy in a row is kWh/h
        gap: error           default; hold, zero, linear, or typical (median of the same time on the days around); leave: stays a gap, for
                             `measurements`, and their default
        longest_gap: 2 h     longer ones are errors
        lowest: 0 W/m2       lower values are taken as this
        resample: hold       or mean; either way a value holds over its interval, and longer steps get the mean
        origin: measured     for readers; nothing depends on it

A weather CSV has global_horizontal_irradiance and ambient_temperature, and if it can direct_normal_irradiance,
diffuse_horizontal_irradiance and wind_speed; a PV plant writes `weather: site`.
)";

constexpr const char* calendar_page = R"(data:
  tariff:
    format: calendar         values typed in that follow the clock of the plant
    holidays: [2024-12-25, 2024-12-26]
    columns:
      price:                 assets write `price: tariff.price`
        unit: EUR/kWh
        otherwise: 0.21      where no period fits
        periods:             the first that fits holds
          - {days: holidays, value: 0.18}
          - {months: jun-sep, days: mon-fri, hours: "16:00-21:00", value: 0.55}
          - {from: 2024-03-01, to: 2024-04-01, value: 0.30}                  `to` is the first day that is not in it

months   jun, 6, nov-feb or a list        days   mon, mon-fri, weekdays, weekends, holidays, all or a list
hours    "06:30-09:00", or a list; "22:00-06:00" are the hours before six and those from ten on, of each day that fits
A holiday fits `holidays` and `all`, and a period that says no days.
)";

constexpr const char* sweep_page = R"(sweep: 1
title: How large a battery?
grid:                        each value with each of the others
  assets.battery.packs: [0.5, 1, 2]        keys are those of --set
  controller: [hold, {model: time_of_use, charge_below: 0.25 EUR/kWh}]
list:                        variants by name; what one does not say stays as in the scenario
  - {name: as it is}
  - {name: more sun, assets.pv.rated: 12 kW}
draw:                        at random
  method: latin_hypercube    default; or monte_carlo
  count: 200
  seed: 7
  of:
    assets.pv.rated: {uniform: [4 kW, 8 kW]}         log_uniform, whole (numbers), triangular: [low, most likely, high]
    assets.grid.export_price: {normal: {mean: 0.05 EUR/kWh, sd: 0.02 EUR/kWh, low: 0 EUR/kWh}}     lognormal: {median, sigma}
    assets.battery.set: {choice: [lfp_home_13kwh, nmc_100kwh]}
seeds: 3                     each of these with so many seeds
results: [battery, grid.power]             a result file for each variant, with these channels; `all`; without it, none

Of grid, list, draw and seeds there may be any: the sweep is their product. Variants that differ in numbers only (parameters, start
states, constant prices, feeders' limits, seeds) run side by side on one plan; a model, a set, a file, the step need one each.
urja sweep SCENARIO --sweep FILE writes variants.csv, sweep.json and report.html.
)";

constexpr const char* gym_page = R"(gym:                         what an agent sees, does and is paid for; every key has a default
  interval: 15 min           between two actions; the plant is simulated in steps of run.step, or of
  physics_step: 1 min
  controller: replace        default: the agent takes the place of the scenario's controller; `keep`: it acts beside it
  episode:
    length: 1 d
    start: random            default; `first`, or a local time of day: "00:00"
    split: [70 %, 15 %, 15 %]                train, validation, test: parts of each stretch of length
    by: 20 d                 of the data, so that all seasons are in all three
  observations:              as measured (sensors:, links:), clipped to their bounds, from -1 to 1
    - battery.state_of_charge                asset.channel: states, outputs, inputs that are observable
    - homes.*.load.power                     of each member; homes.load.power: their sum (of shares, temperatures: their mean)
    - {path: grid.power, low: -10 kW, high: 20 kW, lag: [0 s, 15 min, 1 h]}         bounds not given are those of short runs
    - {forecast: pv.available_power, ahead: [0 h, 1 h, 6 h], error: 15 %}          mean of the interval that begins then, of what no
                             action changes; `error`: its standard deviation a day ahead, growing with the root of the time
    - calendar               day, week and year, each as sine and cosine
    - remaining              share of the episode
  normalised_observations: no                in their units instead
  actions:
    - battery.power          commanded power out of the asset; or any actionable input: genset.run, load.relay,
    - {path: chargers.*.charger.power_limit, low: 0 kW, high: 7 kW}                grid.import_wish, pv.available_limit;
                             homes.battery.power says the same to each member
    - {path: genset.run, values: [0, 1]}     a choice; or `choices: 9` from low to high
  normalised_actions: no     in their units, not from -1 to 1
  reward:                    of a step: -scale (sum of price x amount)
    scale: 0.1
    cost:                    what policies are compared by: amounts have the names of the KPIs
      cost_total: 1          the bill; or in parts: cost_energy, cost_demand, cost_fuel, revenue_export: -1
      unserved_kwh.critical: 5 EUR/kWh
      battery_discharge_kwh: 0.03 EUR/kWh    wear
      stored_kwh: -0.2 EUR/kWh               a negative price is a value: of what is stored at the end
    penalty:                 shapes the reward only
      clipped_kwh: 0.01      commanded and not possible
      hot: {of: battery.temperature, above: 40 degC, price: 0.1}                   below, above, or
      ramps: {of: grid.power, ramp: 500 W, price: 1 EUR/kWh}                       ramp, from interval to interval
  terminate: [{of: battery.state_of_charge, below: 6 %}]
  randomise:                 for each episode
    battery.state_of_charge: {uniform: [20 %, 80 %]}                               distributions as in sweeps
    battery.capacity: {times: {uniform: [0.8, 1]}}                                 of the scenario's own value
  faults: {..}               as under `faults:`, while an agent trains

urja gym SCENARIO serves it (bridge/PROTOCOL.md), bridge/python is a client for Gymnasium; scenarios/gym has nine tasks.
)";

}  // namespace

const char* language_topic(const std::string& topic) {
  if (topic == "scenario" || topic == "run" || topic == "include" || topic == "language") return scenario_page;
  if (topic == "data") return data_page;
  if (topic == "calendar") return calendar_page;
  if (topic == "sweep") return sweep_page;
  if (topic == "gym") return gym_page;
  return nullptr;
}

}  // namespace urja
