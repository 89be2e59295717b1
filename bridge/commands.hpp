#pragma once
// The commands of the program `urja`. Each registers its options and, when chosen, runs and returns the exit code:
// 0 done, 1 the run failed, 2 bad usage or configuration.
#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace urja {

struct LoadOptions;
using Command = std::function<int()>;

void add_run(CLI::App& app, Command& chosen);
void add_sweep(CLI::App& app, Command& chosen);
void add_validate(CLI::App& app, Command& chosen);
void add_probe(CLI::App& app, Command& chosen);
void add_describe(CLI::App& app, Command& chosen);
void add_report(CLI::App& app, Command& chosen);
void add_export(CLI::App& app, Command& chosen);
void add_import(CLI::App& app, Command& chosen);
void add_schema(CLI::App& app, Command& chosen);
void add_init(CLI::App& app, Command& chosen);
void add_bench(CLI::App& app, Command& chosen);
void add_gym(CLI::App& app, Command& chosen);

inline constexpr int done = 0, failed = 1, misused = 2;

// What `urja describe scenario` (data, calendar, sweep, gym) prints; null for any other word.
const char* language_topic(const std::string& topic);

// --set, --seed, --from and --to of a command, into `load`, which must live as long as the command.
void add_load_options(CLI::App& command, LoadOptions& load);

// Whether a file is there that may not be replaced; says so.
bool in_the_way(const std::string& file, bool force);

// "0.1.0 (abc1234, g++ 12.2.0, x86-64-v3)"
std::string version_text();
// "AMD EPYC .., 2 cores"
std::string machine_text();

}  // namespace urja
