// PV plant with one inverter.
//
//   light -> cell temperature -> DC power -> inverter -> bus        (what the bus does not take moves the array up its curve)
//
//   T_hot  = T_air + G / (u0 + u1 wind)                                                       [Faiman 2008, eq. 5]
//   T_cell lags T_hot with the time constant tau, exact update                                [Prilliman et al. 2020, eq. 4]
//   p_dc   = rated G/1000 (1 + gamma (T_cell - 25)), step mean of T_cell                      [Dobos 2014, PVWatts v5, eq. 8]
//   p_ac   = eta/0.9637 (-0.0162 z + 0.9858 - 0.0059/z) p_dc, z = p_dc/p_dc0, p_ac <= eta p_dc0  [Dobos 2014, eq. 11]
//   V_dc   = V_mp (1 + beta (T_cell - 25)), higher when less than the maximum is taken: the power curve is a parabola about
//            its maximum that ends at V_oc                                                    [assumption]
// Soiling and shade act on the light, lost strings on the DC power.
#include "engine/declare.hpp"
#include "models/pv/plane_of_array_rows.hpp"
#include "models/ride_through.hpp"

namespace urja {
namespace {

constexpr double a = 0.0162, b = 0.9858, c = 0.0059, reference_efficiency = 0.9637;  // of the part-load curve

struct Pv : RideThrough {
  using Settings = ArraySurface;
  Port ac;
  Lanes rated, gamma, u0, u1, tau, dc_ac_ratio, efficiency, tare, transmission, array_share, derate, voltage_at_maximum,
      voltage_coefficient, open_circuit_ratio;
  Lanes available_limit;
  Lanes cell_temperature;
  Lanes plane_of_array_irradiance, ambient_temperature, wind_speed;
  Lanes dc_power, dc_voltage, dc_current, inverter_loss, available_power, curtailed;
  Lanes kept, mean_kept, inverter_dc_rating, array;
  Lanes hot, mean_temperature, dc_maximum;

  static void declare(Declare& d) {
    d.base<Pv, RideThrough>();
    d.port<&Pv::ac>().kpi("pv_kwh");
    d.parameter<&Pv::rated>("W", 5000, {1, 1e9}, "DC power at 1000 W/m2 and 25 degC", estimable);
    d.parameter<&Pv::gamma>("1/K", -0.004, {-0.01, 0}, "temperature coefficient of power", estimable).cite("Dobos 2014");
    d.parameter<&Pv::u0>("W/(m2 K)", 25, {5, 60}, "heat loss without wind").cite("Faiman 2008");
    d.parameter<&Pv::u1>("W s/(m3 K)", 6.84, {0, 20}, "heat loss by wind").cite("Faiman 2008");
    d.parameter<&Pv::tau>("s", 383, {60, 1200}, "thermal lag of the cell").cite("Prilliman et al. 2020, 11.1 kg/m2 at 2 m/s");
    d.parameter<&Pv::dc_ac_ratio>("1", 1, {0.5, 3}, "rated DC power over the inverter's DC rating");
    d.parameter<&Pv::efficiency>("1", 0.96, {0.5, 0.99}, "nominal inverter efficiency", hook).cite("Dobos 2014");
    d.parameter<&Pv::tare>("W", 1, {0, 1e5}, "inverter's own use at night");
    d.parameter<&Pv::transmission>("1", 1, {0, 1}, "share of light left by soiling and shade", hook | estimable);
    d.parameter<&Pv::array_share>("1", 1, {0, 1}, "share of the DC power that modules, strings and tracker still give",
                                  hook | estimable);
    d.parameter<&Pv::derate>("1", 1, {0, 1}, "share of the inverter's rating that is left", hook);
    d.parameter<&Pv::voltage_at_maximum>("V", 600, {1, 1500}, "DC voltage of the maximum power at 25 degC");
    d.parameter<&Pv::voltage_coefficient>("1/K", -0.003, {-0.01, 0}, "temperature coefficient of voltage");
    d.parameter<&Pv::open_circuit_ratio>("1", 1.22, {1.05, 1.5}, "open-circuit voltage over the one of the maximum");
    d.input<&Pv::available_limit>("1", 1, {0, 1}, "curtailment: largest power as share of the inverter's rating", actionable);
    d.state<&Pv::cell_temperature>("degC", 25, {-60, 500}, "at the end of the step", observable | telemetered);
    d.input<&Pv::plane_of_array_irradiance>("W/m2", 0, {0, 2000}, "on the modules", observable | telemetered | needed);
    d.input<&Pv::ambient_temperature>("degC", 25, {-60, 60}, "air at the modules", observable | telemetered);
    d.input<&Pv::wind_speed>("m/s", 1, {0, 70}, "at the modules' height", observable | telemetered);
    d.output<&Pv::dc_power>("W", "from the modules", source | telemetered | observable);
    d.output<&Pv::dc_voltage>("V", "of the array", telemetered);
    d.output<&Pv::dc_current>("A", "of the array", telemetered);
    d.output<&Pv::inverter_loss>("W", "in the inverter, own use included", loss);
    d.output<&Pv::available_power>("W", "AC power that the light would allow", observable).kpi("pv_available_kwh");
    d.output<&Pv::curtailed>("W", "possible but not taken", observable).kpi("curtailed_kwh");
    d.derived<&Pv::kept, &Pv::mean_kept, &Pv::inverter_dc_rating, &Pv::array>();
    d.scratch<&Pv::hot, &Pv::mean_temperature, &Pv::dc_maximum>();
    d.derive<&Pv::plane_of_array_irradiance, &Pv::ambient_temperature, &Pv::wind_speed>(
        "weather",
        {{"global_horizontal_irradiance", "W/m2", {-20, 2000}},
         {"direct_normal_irradiance", "W/m2", {-20, 2000}, false},
         {"diffuse_horizontal_irradiance", "W/m2", {-20, 2000}, false},
         {"ambient_temperature", "degC", {-60, 60}},
         {"wind_speed", "m/s", {0, 70}, false}},
        "weather of the site; the light on the modules follows from the sun's position", plane_of_array_rows, weather_doubts);
    d.setting<&Settings::surface_tilt>("deg", 20, {0, 90}, "of the modules; 0 = flat");
    d.setting<&Settings::surface_azimuth>("deg", 180, {0, 360}, "direction that the modules face, clockwise from north");
    d.setting<&Settings::albedo>("1", 0.2, {0, 1}, "light that the ground reflects");
    d.choice<&Settings::transposition>("perez", {"isotropic", "hay_davies", "perez"}, "model of the sky's brightness");
  }

  void prepare(const Step& s) {
    const Lag thermal = lag(s.dt, tau);
    kept = thermal.kept;
    mean_kept = thermal.mean_kept;
    inverter_dc_rating = rated / dc_ac_ratio;
    array = 1e-3 * rated * array_share;
    prepare_window();
  }

  void limits(const Step&) {
    const Lanes light = transmission * plane_of_array_irradiance;
    hot = ambient_temperature + light / (u0 + u1 * wind_speed);
    mean_temperature = hot + (cell_temperature - hot) * mean_kept;
    dc_maximum = most(array * light * (1 + gamma * (mean_temperature - 25)), 0);
    const Lanes z = dc_maximum / inverter_dc_rating;
    const Lanes rating = efficiency * inverter_dc_rating, on = connected(ac);
    available_power = most(least(rating / reference_efficiency * ((b - a * z) * z - c), rating), -tare);
    ac.p_min = -tare * on;
    ac.p_max = most(least(available_power, least(available_limit, derate) * rating), -tare) * on;
    ac.p_wish = ac.p_max;
    ac.q = ac.q_min = ac.q_max = Lanes::Zero();
  }

  void advance(const Step& s) {
    // The inverter's curve inverted exactly: the DC power that gives ac.p.
    const Lanes k = efficiency / reference_efficiency, y = c + most(ac.p, 0) / (k * inverter_dc_rating);
    const Lanes z = 2 * y / (b + most(b * b - 4 * a * y, 0).sqrt());
    const auto feeding = ac.p > 0;
    dc_power = pick(feeding, inverter_dc_rating * z, lanes(0));
    inverter_loss = pick(feeding, inverter_dc_rating * (z * (1 - b * k) + k * (a * z.square() + c)), -ac.p);
    curtailed = most(available_power - ac.p, 0);

    const Lanes taken = least(dc_power / most(dc_maximum, 1e-9), 1);
    const Lanes at_maximum = most(voltage_at_maximum * (1 + voltage_coefficient * (mean_temperature - 25)), 0);
    dc_voltage = pick(dc_maximum > 0, at_maximum * (1 + (open_circuit_ratio - 1) * most(1 - taken, 0).sqrt()), lanes(0));
    dc_current = dc_power / most(dc_voltage, 1e-3);

    cell_temperature = hot + (cell_temperature - hot) * kept;
    pass_time(s, ac);
  }
};

const Registered<Pv> registered{"pv", "PV plant with one inverter, from light to AC power"};

}  // namespace
}  // namespace urja
