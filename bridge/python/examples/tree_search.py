"""A day of the home on time of use, searched: many futures of one present, side by side in one batch.

What the simulator can do that a recorded data set cannot: go on from the same state with other actions. Here a beam of plants, each with
another charge in its battery, tries a few powers for an hour; of those that end with about the same charge the cheapest is kept and copied
(`branch`) for the next hour. The search knows the day that comes (it steps the very plant that it plans for), so what it finds is near the
best that anybody could have done: a yardstick, not a controller. Beside it the scenario's own rule on the same day.
"""
import sys
import time

import numpy as np

import urja_gym

SCENARIO, SEED = "home_time_of_use", int(sys.argv[1]) if len(sys.argv) > 1 else 0
BEAM, HOUR = 48, 3600.0
LEVELS = np.linspace(-1, 1, 9)  # of the battery's power, as a share of what it can

rule = urja_gym.make(SCENARIO, policy="rule", split="test")
rule.reset(seed=SEED)
steps, idle = rule.schema.episode_steps, np.zeros(len(rule.schema.actions), np.float32)
by_rule = sum(rule.step(idle)[1] for _ in range(steps))
rule.close()

# Lanes: a group for each plant of the beam with a lane for each level, and a shelf that holds the beam while groups are filled anew.
groups = np.arange(BEAM * len(LEVELS)).reshape(BEAM, len(LEVELS))
shelf = groups.size + np.arange(BEAM)
envs = urja_gym.make_vec(SCENARIO, groups.size + BEAM, split="test", autoreset_mode="Disabled")
envs.reset(seed=[SEED] * envs.num_envs)  # all lanes are the same plant on the same day
charge = next(i for i, q in enumerate(envs.schema.state) if q.name == "battery.state_of_charge")
which = next(i for i, a in enumerate(envs.schema.actions) if a.name == "battery.power")

actions = np.zeros((envs.num_envs, len(envs.schema.actions)), np.float32)
actions[groups, which] = LEVELS
earned = np.zeros(envs.num_envs)  # sum of rewards of each lane's past
done, alive, start = 0, groups[:1].ravel(), time.monotonic()  # at first the groups are all alike: one is enough
while done < steps:
    many = min(round(HOUR / envs.schema.interval_s), steps - done)
    _, rewards, *_ = envs.step_many(np.broadcast_to(actions, (many, *actions.shape)))
    earned += rewards
    done += many
    # The best past of each band of charge. What is left in the battery at the end has its price in the reward.
    states = envs.state()[:, charge]
    band = np.minimum((states * BEAM).astype(int), BEAM - 1)
    beam = np.array([max(alive[band[alive] == b], key=lambda lane: earned[lane]) for b in np.unique(band[alive])])
    if done < steps:
        envs.branch(beam, shelf[: len(beam)])
        envs.branch(np.repeat(shelf[: len(beam)], len(LEVELS)), groups[: len(beam)].ravel())
        earned[groups[: len(beam)]] = earned[beam][:, None]
        alive = groups[: len(beam)].ravel()

best = max(earned[beam])
print(f"{SCENARIO}, day of seed {SEED}, in {envs.schema.currency} (energy that is left in the battery counted):")
print(f"  rule    {-by_rule / envs.schema.reward_scale:8.3f}")
print(f"  search  {-best / envs.schema.reward_scale:8.3f}   {done * envs.num_envs} steps in {time.monotonic() - start:.2f} s")
envs.close()
