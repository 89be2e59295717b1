"""The smallest program: 64 villages for a day under actions by chance."""
import urja_gym

envs = urja_gym.make_vec("village", num_envs=64)
observations, info = envs.reset(seed=0)
cost = 0.0
for _ in range(envs.schema.episode_steps):
    observations, rewards, terminated, truncated, info = envs.step(envs.action_space.sample())
    cost += envs.schema.cost(info).mean()
print(f"{observations.shape[1]} observations, {envs.single_action_space.shape[0]} actions; a day costs {cost:.2f} {envs.schema.currency}")
envs.close()
