"""A day of the home on time of use, searched: many futures of one present, side by side in one batch.

What the simulator can do that a recorded data set cannot: go on from the same state with other actions. Here a beam of plants, each with
another charge in its battery, tries a few powers for a quarter of an hour; of those that end with about the same charge the cheapest is kept
and copied (`branch`) for the next. The search steps the very plant that it plans for, so it knows the day that comes: what it finds is
near the best that anybody could have done, a yardstick and not a controller. Beside it the scenario's own rule on the same day.
"""
import sys
import time

import numpy as np

import urja_gym

SCENARIO, SEED = "home_time_of_use", int(sys.argv[1]) if len(sys.argv) > 1 else 0
BEAM = 48
LEVELS = np.array([-5e3, -2.5e3, -1e3, 0, 1e3, 2.5e3, 5e3])  # W; and one more choice: what the house lacks or has too much just now

rule = urja_gym.make(SCENARIO, policy="rule", split="test")
rule.reset(seed=SEED)
steps, idle = rule.schema.episode_steps, np.zeros(len(rule.schema.actions), np.float32)
by_rule = sum(rule.schema.cost(rule.step(idle)[4]) for _ in range(steps))
rule.close()

# Lanes: a group for each plant of the beam with a lane for each choice, and a shelf that holds the beam while groups are filled anew.
groups = np.arange(BEAM * (len(LEVELS) + 1)).reshape(BEAM, -1)
shelf = groups.size + np.arange(BEAM)
physical = {"gym.normalised_actions": False, "gym.normalised_observations": False}
envs = urja_gym.make_vec(SCENARIO, groups.size + BEAM, split="test", autoreset_mode="Disabled", set=physical)
observations, _ = envs.reset(seed=[SEED] * envs.num_envs)  # all lanes are the same plant on the same day
column = {o.name: i for i, o in enumerate(envs.schema.observations)}
charge = next(i for i, q in enumerate(envs.schema.state) if q.name == "battery.state_of_charge")
low, high = envs.single_action_space.low[0], envs.single_action_space.high[0]

power = np.zeros((envs.num_envs, 1), np.float32)  # of the battery, out of it
spent = np.zeros(envs.num_envs)  # cost of each lane's past
lanes, start = groups[0], time.monotonic()  # at first all groups are alike: one is enough
for step in range(steps):
    balance = -(observations[:, column["pv.power"]] + observations[:, column["home.power"]])
    power[groups, 0] = np.column_stack([np.broadcast_to(LEVELS, (BEAM, len(LEVELS))), balance[groups[:, 0]]]).clip(low, high)
    observations, _, _, _, info = envs.step(power)
    spent += envs.schema.cost(info)
    # The cheapest past of each band of charge. What is left in the battery at the end has its price in the cost.
    band = np.minimum((envs.state()[:, charge] * BEAM).astype(int), BEAM - 1)
    order = lanes[np.lexsort((spent[lanes], band[lanes]))]
    beam = order[np.unique(band[order], return_index=True)[1]]
    if step + 1 < steps:
        envs.branch(beam, shelf[: len(beam)])
        observations, _ = envs.branch(np.repeat(shelf[: len(beam)], groups.shape[1]), groups[: len(beam)].ravel())
        spent[groups[: len(beam)]] = spent[beam][:, None]
        lanes = groups[: len(beam)].ravel()

print(f"{SCENARIO}, day of seed {SEED}, cost in {envs.schema.currency}, what is left in the battery counted:")
print(f"  rule    {by_rule:8.3f}")
print(f"  search  {spent[beam].min():8.3f}   {steps * envs.num_envs} steps in {time.monotonic() - start:.2f} s")
envs.close()
