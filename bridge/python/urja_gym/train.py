"""Trains PPO (or DQN, where the actions are choices) of Stable-Baselines3 on a task of the suite:

    python -m urja_gym.train Urja/Village-v0 --minutes 8 --seed 0 --out village_ppo.zip
    python -m urja_gym.benchmark Urja/Village-v0 --model Urja/Village-v0=village_ppo.zip

The time is wall-clock. Every so often the policy acts, without noise, in the episodes of the validation split; the best one of these is what
is saved, and beside it its learning curve (`.json`: seconds, steps, cost of validation, cost of the rule and the bound there). Test
episodes are not looked at.
"""
from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

from . import REGISTERED
from .benchmark import episodes

VALIDATION = 2_000_000  # first seed of validation episodes


def train(task: str, algorithm: str = "ppo", minutes: float = 8, seed: int = 0, out: str | Path = "model.zip", envs: int = 256, report=print, **make) -> dict:
    """The learning curve; the model is in `out`."""
    import torch
    from stable_baselines3 import DQN, PPO
    from stable_baselines3.common.callbacks import BaseCallback

    from .sb3 import SB3VecEnv

    torch.set_num_threads(2)
    begin, seeds = time.monotonic(), 24
    rule, bound, currency = episodes(task, "rule", seeds, bounds=True, first_seed=VALIDATION, split="validation", **make)
    curve = {"task": task, "algorithm": algorithm, "seed": seed, "currency": currency, "rule": float(rule.mean()), "bound": float(bound.mean()),
             "seconds": [], "steps": [], "cost": []}  # fmt: skip
    best = [np.inf]

    class Judge(BaseCallback):
        """Ends in time; judges the policy on validation episodes, about thirty times; keeps the best."""

        next_look = 0.0

        def _on_step(self) -> bool:
            now = time.monotonic() - begin
            if now >= self.next_look:
                cost = float(episodes(task, lambda o: self.model.predict(o, deterministic=True)[0], seeds, first_seed=VALIDATION, split="validation", **make)[0].mean())
                if cost < best[0]:
                    best[0] = cost
                    self.model.save(out, exclude=["policy.optimizer", "replay_buffer"])
                for key, value in (("seconds", now), ("steps", self.num_timesteps), ("cost", cost)):
                    curve[key].append(value)
                closed = (curve["rule"] - cost) / (curve["rule"] - curve["bound"])
                report(f"{task} {algorithm} seed {seed}: {now:5.0f} s {self.num_timesteps:>9,} steps  {cost:10.3f} {currency}, closes {100 * closed:6.1f} %")
                self.next_look = now + minutes * 60 / 30
            return now < minutes * 60

    env = SB3VecEnv(REGISTERED.get(task, task), envs, **make)
    env.seed(seed * 100_000)
    if algorithm == "ppo":
        from stable_baselines3.common.vec_env import VecNormalize

        env = VecNormalize(env, norm_obs=False, gamma=0.998)  # rewards of about one: costs are cents here and thousands there
        # Rollouts of a few days; what is left at the end has its value, so the discount may be near one. Little noise: what is stored and
        # taken back for nothing costs more than it teaches.
        steps = 24576 // envs
        # Rates and noise fall with the time that is left.
        left = lambda _: max(0.02, 1 - (time.monotonic() - begin) / (minutes * 60))  # noqa: E731
        model = PPO("MlpPolicy", env, n_steps=steps, batch_size=steps * envs // 8, n_epochs=6, gamma=0.998, gae_lambda=0.97, learning_rate=lambda p: 4e-4 * left(p),
                    clip_range=0.2, ent_coef=0.0, seed=seed, device="cpu", policy_kwargs={"net_arch": [128, 128], "log_std_init": -2.0})  # fmt: skip
    else:
        model = DQN("MlpPolicy", env, learning_rate=5e-4, buffer_size=400_000, batch_size=512, train_freq=4, gradient_steps=8, gamma=0.998, learning_starts=20_000,
                    target_update_interval=2_000, exploration_fraction=0.02, exploration_final_eps=0.05, seed=seed, device="cpu",
                    policy_kwargs={"net_arch": [128, 128]})  # fmt: skip
    try:
        model.learn(10**9, callback=Judge())
    finally:
        env.close()
    Path(out).with_suffix(".json").write_text(json.dumps(curve))
    return curve


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m urja_gym.train", description="Trains a policy of Stable-Baselines3 on a task.")
    parser.add_argument("task", help=f"of {', '.join(REGISTERED)}, or a scenario")
    parser.add_argument("--algorithm", choices=("ppo", "dqn"), default="ppo")
    parser.add_argument("--minutes", type=float, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--envs", type=int, default=256)
    parser.add_argument("--out", default="model.zip", help="file of the model")
    given = parser.parse_args(arguments)
    train(given.task, given.algorithm, given.minutes, given.seed, given.out, given.envs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
