// urja gym: serves a scenario's environments.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "bridge/commands.hpp"
#include "bridge/gym_server.hpp"
#include "bridge/terminal.hpp"

namespace urja {
namespace {

struct GymArguments {
  std::string scenario, new_keys;
  LoadOptions load;
  gym::Endpoint endpoint;
  gym::Limits limits;
  int threads = 0;
};

int gym_command(const GymArguments& a) {
  if (!a.new_keys.empty()) {
    fmt::print("{}\n", gym::new_curve_keys(a.new_keys));
    std::fprintf(stderr, "urja: key pair in %s; the line above is its public key\n", a.new_keys.c_str());
    return done;
  }
  if (a.scenario.empty()) {
    std::fprintf(stderr, "urja: which scenario? for example urja gym scenarios/village.yaml\n");
    return misused;
  }
  watch_interrupts();
  try {
    gym::Limits limits = a.limits;
    limits.shares = !gym::is_public(a.endpoint.bind);
    gym::Desk desk(
        [&](LoadOptions::Gym gym) {
          LoadOptions load = a.load;
          load.gym = gym;
          return load_scenario(a.scenario, load);
        },
        limits, version_text());
    gym::serve(desk, a.endpoint, limits, [](const std::string& bound) {
      fmt::print("urja-gym/1 {}\n", bound);
      std::fflush(stdout);
    });
  } catch (const ScenarioError& e) { return print_problems(e.problems); }
  return done;
}

}  // namespace

void add_gym(CLI::App& app, Command& chosen) {
  auto a = std::make_shared<GymArguments>();
  CLI::App* command = app.add_subcommand("gym", "serve a scenario's environments to learning agents, over ZeroMQ");
  command->footer(
      "Example: urja gym scenarios/village.yaml --bind ipc:///tmp/urja.sock\n"
      "Prints `urja-gym/1 ENDPOINT` when it is ready. The protocol: bridge/PROTOCOL.md.");
  command->add_option("scenario", a->scenario, "YAML file");
  add_load_options(*command, a->load);
  command->add_option("--bind", a->endpoint.bind, "tcp://127.0.0.1:0 (a free port, the default) or ipc://PATH");
  command->add_option("--envs", a->limits.envs, "most environments of a session")->check(CLI::Range(1, 1 << 24));
  command->add_option("--sessions", a->limits.sessions, "most sessions at a time")->check(CLI::Range(1, 1 << 20));
  command->add_option("--lease", a->limits.lease_s, "s after which a silent session is over")->check(CLI::Range(0.1, 86400.0));
  command->add_option("--most-threads", a->limits.threads, "of a session")->check(CLI::Range(1, 1024));
  command->add_option("--curve-secret", a->endpoint.curve_secret, "file with the server's CURVE keys; needed for other machines");
  command->add_option("--curve-allow", a->endpoint.curve_allow,
                      "file with the public keys of clients that may come in, a line each");
  command->add_option("--curve-new", a->new_keys, "make such a file of keys and print the public one");
  command->add_flag("--until-stdin-closes", a->endpoint.until_stdin_closes, "end with whoever started it");
  command->callback([a, &chosen] { chosen = [a] { return gym_command(*a); }; });
}

}  // namespace urja
