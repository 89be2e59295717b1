"""An own reward and own observations: `info` has every amount that the scenario names, as an array over all lanes.

Here: the bill as it is, and a price on the square of what is drawn from the grid, which flattens; observations without the reading of the
battery's charge, as if that sensor had never been bought. An amount that the scenario's reward does not name gets a column by a price of 0.
"""
import gymnasium
import numpy as np

import urja_gym


class OwnTask(gymnasium.vector.VectorWrapper):
    def __init__(self, envs: urja_gym.UrjaVectorEnv):
        super().__init__(envs)
        self.kept = [i for i, o in enumerate(envs.schema.observations) if o.name != "battery.state_of_charge"]
        self.single_observation_space = gymnasium.spaces.Box(-1, 1, (len(self.kept),), np.float32)
        self.observation_space = gymnasium.vector.utils.batch_space(self.single_observation_space, envs.num_envs)

    def reset(self, **arguments):
        observations, info = self.env.reset(**arguments)
        return observations[:, self.kept], info

    def step(self, actions):
        observations, _, terminated, truncated, info = self.env.step(actions)
        rewards = -info["cost_total"] - 0.002 * info["import_kwh"] ** 2  # the one line
        return observations[:, self.kept], rewards, terminated, truncated, info


envs = OwnTask(urja_gym.make_vec("village", num_envs=16, set={"gym.reward.penalty.import_kwh": "0 USD/kWh"}))
observations, _ = envs.reset(seed=0)
total = np.zeros(16)
for _ in range(96):
    observations, rewards, terminated, truncated, info = envs.step(envs.action_space.sample())
    total += rewards
print(f"{observations.shape[1]} of {len(envs.env.schema.observations)} observations; own return of a day: {total.mean():.2f} +- {total.std():.2f}")
envs.close()
