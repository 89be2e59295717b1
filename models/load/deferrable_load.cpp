// Deferrable load: jobs that may wait (pumps, washing, water heating).
//
//   job = (earliest, latest, energy, power, interruptible)         earliest ........ latest
//                                                                     |  ####  ###   |      # served, at most `power`
//   owed = served + unmet + still open, for every job, exactly; what is not served by `latest` is unmet in that step.
//
//   when: early     a job runs as soon as it may
//   when: surplus   it takes what the balance offers (it stands in the merit list, before what would curtail or export) and
//                   by itself runs only when it has to, to be done in time; what it then needs only its relay can defer,
//                   since from its place in the list the balance would shed it before it asks the grid
// An open relay or a balance that sheds it defers it. A job that is not interruptible runs early in both modes, in one piece:
// once begun and given less than its power, it has failed and its rest is unmet at once.
//
// Up to four jobs may be open at a time: finish() lays the file's jobs into four queues, and says so if that cannot be done.
// Energy is served to what must run first, then queue by queue. Jobs whose `latest` lies before the episode are not owed;
// those that are open when it starts are owed in full. Times within a step are exact.
#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <string>
#include <vector>

#include "engine/declare.hpp"

namespace urja {
namespace {

constexpr int queues = 4;
constexpr double never = 1e18;     // s
constexpr double rounding = 1e-6;  // s

struct Job {
  double earliest, latest, energy, power;  // s since the plan's start, Wh, W
  bool in_one_piece;
};

std::string utc(double seconds) {
  const std::time_t t = static_cast<std::time_t>(seconds);
  std::tm parts{};
  gmtime_r(&t, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M UTC", &parts);
  return text.data();
}

struct DeferrableLoad {
  struct Settings {
    std::string priority, when;
    std::vector<std::vector<double>> jobs;  // as in the file
    std::array<std::vector<Job>, queues> queue;
    bool early = true;

    std::string finish(const PlanFacts& facts) {
      early = when == "early";
      std::vector<Job> sorted;
      for (std::size_t k = 0; k < jobs.size(); ++k) {
        const std::vector<double>& r = jobs[k];
        const std::string name = "jobs: job " + std::to_string(k + 1);
        const double hours = (r[1] - r[0]) / 3600;
        if (!(r[0] < r[1])) return name + ": `latest` must be after `earliest`";
        if (!(r[2] > 0) || !(r[3] > 0)) return name + ": energy and power must be positive";
        if (r[2] > r[3] * hours * (1 + 1e-9)) {
          return name + " cannot be done: it needs " + std::to_string(r[2] / r[3]) + " h at its power and has " +
                 std::to_string(hours) + " h";
        }
        sorted.push_back({r[0] - facts.start, r[1] - facts.start, r[2], r[3], r[4] < 0.5});
      }
      std::stable_sort(sorted.begin(), sorted.end(), [](const Job& a, const Job& b) { return a.earliest < b.earliest; });
      for (auto& q : queue) q.clear();
      for (const Job& job : sorted) {
        // The next job of a queue is taken up at the end of the step in which the one before ends.
        const auto free = [&](const std::vector<Job>& q) {
          return q.empty() || job.earliest >= std::ceil((q.back().latest - rounding) / facts.step) * facts.step - rounding;
        };
        const auto q = std::find_if(queue.begin(), queue.end(), free);
        if (q == queue.end())
          return "jobs: more than " + std::to_string(queues) + " jobs are open at " + utc(facts.start + job.earliest);
        q->push_back(job);
      }
      return "";
    }
  };

  Port ac;
  Lanes stuck_open, stuck_closed;
  Lanes relay;
  Lanes next[queues], earliest[queues], latest[queues], power_of[queues], in_one_piece[queues], begun[queues], owed[queues];
  Lanes demand, served, unmet_power, wanted, open_energy;
  Lanes possible[queues], needed[queues];

  static void declare(Declare& d) {
    d.port<&DeferrableLoad::ac>();
    d.parameter<&DeferrableLoad::stuck_open>("1", 0, {0, 1}, "1: the relay does not close", hook);
    d.parameter<&DeferrableLoad::stuck_closed>("1", 0, {0, 1},
                                               "1: the relay does not open, and nobody can shed what is behind it", hook);
    d.input<&DeferrableLoad::relay>("1", 1, {0, 1}, "1 = closed, 0 = deferred", observable | actionable | telemetered);
    d.state<&DeferrableLoad::next>("1", 0, {}, "number of the queue's job that comes next");
    d.state<&DeferrableLoad::earliest>("s", never, {}, "of the queue's job, since the plan's start");
    d.state<&DeferrableLoad::latest>("s", never, {}, "of the queue's job, since the plan's start");
    d.state<&DeferrableLoad::power_of>("W", 0, {0, 1e12}, "of the queue's job");
    d.state<&DeferrableLoad::in_one_piece>("1", 0, {0, 1}, "1: the queue's job must not be interrupted");
    d.state<&DeferrableLoad::begun>("1", 0, {0, 1}, "1: the queue's job has begun");
    d.state<&DeferrableLoad::owed>("Wh", 0, {0, 1e15}, "what the queue's job still needs");
    d.output<&DeferrableLoad::demand>("W", "what it would draw by itself with a closed relay", observable);
    d.output<&DeferrableLoad::served>("W", "consumed", sink | observable).kpi("served_kwh");
    d.output<&DeferrableLoad::unmet_power>("W", "not served by the deadline, booked in the step of the deadline", observable)
        .kpi("deferred_unmet_kwh");
    d.output<&DeferrableLoad::wanted>("W", "served and unmet", observable).kpi("load_kwh");
    d.output<&DeferrableLoad::open_energy>("Wh", "owed by the jobs that are open at the end of the step", observable);
    d.scratch<&DeferrableLoad::possible>();
    d.scratch<&DeferrableLoad::needed>();
    d.tag<&Settings::priority>("deferrable", {"critical", "semi_critical", "non_critical", "deferrable"},
                               "zone in which it is shed");
    d.choice<&Settings::when>("early", {"early", "surplus"}, "runs as soon as it may, or on surplus and at the last moment");
    d.events<&Settings::jobs>(
        {{"earliest", "time"}, {"latest", "time"}, {"energy", "Wh"}, {"power", "W"}, {"interruptible", "1", false, 1}},
        "the jobs, one a line");
  }

  // The first job that ends after `time`; what ended before is returned as missed [Wh]. Rare, hence lane by lane.
  Lanes take_up(int k, const Mask& due, const Lanes& time, const std::vector<Job>& queue) {
    Lanes missed = Lanes::Zero();
    if (!some(due)) return missed;
    for (int i = 0; i < width; ++i) {
      if (!due[i]) continue;
      std::size_t n = static_cast<std::size_t>(next[k][i]);
      for (; n < queue.size() && queue[n].latest <= time[i] + rounding; ++n) missed[i] += queue[n].energy;
      const Job job = n < queue.size() ? queue[n] : Job{never, never, 0, 0, false};
      next[k][i] = static_cast<double>(n + 1);
      earliest[k][i] = job.earliest;
      latest[k][i] = job.latest;
      power_of[k][i] = job.power;
      in_one_piece[k][i] = job.in_one_piece ? 1 : 0;
      begun[k][i] = 0;
      owed[k][i] = job.energy;
    }
    return missed;
  }

  void begin(const Step& s, const Settings& plan) {
    for (int k = 0; k < queues; ++k) {
      next[k] = Lanes::Zero();
      take_up(k, Mask::Constant(true), s.time, plan.queue[static_cast<std::size_t>(k)]);
    }
  }

  void limits(const Step& s, const Settings& plan) {
    const Lanes end = s.time + s.dt;
    Lanes all_possible = Lanes::Zero(), all_needed = Lanes::Zero();
    for (int k = 0; k < queues; ++k) {
      const Lanes open = most(least(end, latest[k]) - most(s.time, earliest[k]), 0);
      possible[k] = least(owed[k], power_of[k] * open * (1 / 3600.0));
      const Lanes later = power_of[k] * most(latest[k] - most(end, earliest[k]), 0) * (1 / 3600.0);
      needed[k] =
          plan.early ? possible[k] : Lanes(pick(in_one_piece[k] > 0, possible[k], clamp(owed[k] - later, lanes(0), possible[k])));
      all_possible += possible[k];
      all_needed += needed[k];
    }
    const Lanes on =
        one_if(most(relay * (1 - stuck_open), stuck_closed) > 0.5 && ac.voltage >= 0.5) + 0 * relay;  // a NaN stays one
    const Lanes per_hour = 3600 / s.dt;
    demand = all_needed * per_hour;
    ac.p_min = -all_possible * per_hour * on;
    ac.p_wish = -demand * on;
    ac.p_max = plan.early ? Lanes(ac.p_wish * stuck_closed) : ac.p_wish;
    ac.q = ac.q_min = ac.q_max = Lanes::Zero();
  }

  void advance(const Step& s, const Settings& plan) {
    const Lanes end = s.time + s.dt;
    Lanes left = -ac.p * s.dt * (1 / 3600.0), lost = Lanes::Zero(), open = Lanes::Zero();
    Lanes given[queues];
    for (int k = 0; k < queues; ++k) {
      given[k] = least(needed[k], left);
      left -= given[k];
    }
    for (int k = 0; k < queues; ++k) {
      const Lanes more = least(possible[k] - needed[k], left);
      left -= more;
      given[k] += more;
      begun[k] = pick(given[k] > 0, lanes(1), begun[k]);
      owed[k] = most(owed[k] - given[k], 0);
      const Mask failed = in_one_piece[k] > 0 && begun[k] > 0 && given[k] < possible[k] * (1 - 1e-9);
      const Mask due = latest[k] <= end + rounding;
      const Mask over = failed || due;
      lost += pick(over, owed[k], lanes(0));
      owed[k] = pick(over, lanes(0), owed[k]);
      lost += take_up(k, due, end, plan.queue[static_cast<std::size_t>(k)]);
      open += pick(earliest[k] < end, owed[k], lanes(0));
    }
    served = -ac.p;
    unmet_power = lost * (3600 / s.dt);
    wanted = served + unmet_power;
    open_energy = open;
  }
};

const Registered<DeferrableLoad> registered{"deferrable_load",
                                            "jobs that may wait: energy owed between an earliest and a latest time"};

}  // namespace
}  // namespace urja
