"""The smallest program: 64 villages for a day under actions by chance."""
import urja_gym

envs = urja_gym.make_vec("village", num_envs=64)
observations, info = envs.reset(seed=0)
for _ in range(envs.schema.episode_steps):
    observations, rewards, terminated, truncated, info = envs.step(envs.action_space.sample())
print(f"{observations.shape[1]} observations; cost of a day by chance: {-rewards.mean() * 96:.2f} a day at the last hour's rate")
