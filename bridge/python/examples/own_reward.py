"""An own reward and own observations: `info` has every term of the reward, and what prices leave out, as an array over all lanes.

Here: the bill as it is, and a price on energy drawn in the lane's dearest quarter of an hour so far; observations with the reading of the
battery's charge taken out, as if that sensor had never been bought.
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
        rewards = -info["cost_total"] - 0.02 * np.square(info["import_kwh"])  # the one line
        return observations[:, self.kept], rewards, terminated, truncated, info


envs = OwnTask(urja_gym.make_vec("village", num_envs=16))
observations, _ = envs.reset(seed=0)
total = np.zeros(16)
for _ in range(96):
    observations, rewards, terminated, truncated, info = envs.step(envs.action_space.sample())
    total += rewards
print(f"{observations.shape[1]} of {len(envs.env.schema.observations)} observations; own return of a day: {total.mean():.2f} +- {total.std():.2f}")
envs.close()
