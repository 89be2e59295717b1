"""Trains PPO (or DQN, where the actions are choices) of Stable-Baselines3 on a task of the suite:

    python -m urja_gym.train Urja/Village-v0 --minutes 8 --seed 0 --out village_ppo.zip
    python -m urja_gym.benchmark Urja/Village-v0 --model Urja/Village-v0=village_ppo.npz

PPO begins where a planner leaves off, unless `--teacher none`: the policy first learns to do what the teacher (a planner of the server, by
default the one that knows the episode) would do, in episodes of the training split. In the first of them the teacher acts; then the policy
does, and asks in each state that it comes to what the teacher would do there (DAgger: Ross, Gordon and Bagnell 2011). From there on PPO
learns by itself.

The time is wall-clock, and the teacher's is in it. Every so often the policy acts, without noise, in the episodes of the validation split;
the best one of these is what is saved. Beside the model for Stable-Baselines3 (`.zip`) lies the policy alone, for numpy (`.npz`, see
learned.py), and its learning curve (`.json`: seconds, steps, cost of validation, cost of the rule and the bound there). Test episodes are
not looked at.
"""
from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
from gymnasium.vector import AutoresetMode

from . import REGISTERED, make_vec
from .benchmark import Episodes
from .learned import Spread, save

VALIDATION = 2_000_000  # first seed of validation episodes
TEACHING = 3_000_000  # and of those in which the teacher acts
VALIDATION_EPISODES = 24
LOOKS = 24  # at the validation episodes


class Lessons:
    """What an agent has seen [samples, O], and what the teacher would have done there [samples, A], as the policy says it (Spread)."""

    def __init__(self, task: str, teacher: str, spread: Spread, lanes: int = 64, **make) -> None:
        self.teacher, self.spread = teacher, spread
        self.envs = make_vec(REGISTERED.get(task, task), lanes, split="train", autoreset_mode=AutoresetMode.NEXT_STEP, **make)
        self.observations = self.envs.reset(seed=TEACHING)[0]
        self.under_way = np.ones(lanes, bool)  # where an episode is over there is nothing to learn
        self.seen: list[np.ndarray] = []
        self.told: list[np.ndarray] = []

    def attend(self, seconds: float, policy=None) -> None:
        """Goes on for so long; `policy` (observations -> actions) acts, or the teacher himself."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            told = self.envs.advice(self.teacher)
            self.seen.append(self.observations[self.under_way])
            self.told.append(self.spread.from_environment(told)[self.under_way])
            self.observations, _, terminated, truncated, _ = self.envs.step(told if policy is None else policy(self.observations))
            self.under_way = ~(terminated | truncated)

    def all(self) -> tuple[np.ndarray, np.ndarray]:
        return np.concatenate(self.seen), np.concatenate(self.told)

    def close(self) -> None:
        self.envs.close()


def learn_from(teacher: str, task: str, model, spread: Spread, seconds: float, seed: int, **make) -> tuple[int, float]:
    """The policy of `model` becomes the teacher's, as far as an agent sees what it needs for that. How many intervals it was taught, and the
    root mean square that is left in what it has not trained on."""
    lessons = Lessons(task, teacher, spread, **make)
    try:
        own = lambda o: spread.to_environment(model.predict(o, deterministic=True)[0])  # noqa: E731
        lessons.attend(0.2 * seconds)
        for _ in range(4):
            imitate(model, *lessons.all(), 0.06 * seconds, seed)
            lessons.attend(0.08 * seconds, own)
        observations, told = lessons.all()
        return len(observations), imitate(model, observations, told, 0.24 * seconds, seed) ** 0.5
    finally:
        lessons.close()


def imitate(model, observations: np.ndarray, actions: np.ndarray, seconds: float, seed: int) -> float:
    """The policy's mean action becomes what it was told. The mean square that is left in a tenth that is kept aside."""
    import torch

    policy, rng, end = model.policy, np.random.default_rng(seed), time.monotonic() + seconds
    parts = actor(policy)
    optimizer = torch.optim.Adam(parts, 1e-3)
    order = rng.permutation(len(observations))
    kept, used = order[: len(order) // 10], order[len(order) // 10 :]
    x, y = torch.as_tensor(observations), torch.as_tensor(actions)

    def error(rows) -> "torch.Tensor":
        return ((policy.get_distribution(x[rows]).distribution.mean - y[rows]) ** 2).mean()

    best, best_state = np.inf, None
    begin, batch = time.monotonic(), 512
    while time.monotonic() < end:
        for group in optimizer.param_groups:
            group["lr"] = 1e-3 * max(0.02, 1 - (time.monotonic() - begin) / seconds)
        picked = rng.permutation(used)
        for at in range(0, len(picked), batch):
            loss = error(picked[at : at + batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if time.monotonic() > end:
                break
        with torch.no_grad():
            left = float(error(kept))
        if left < best:
            best, best_state = left, {k: v.clone() for k, v in policy.state_dict().items()}
    policy.load_state_dict(best_state)
    return best


def actor(policy) -> list:
    """The parameters that choose actions, not those that judge them."""
    return [*policy.mlp_extractor.policy_net.parameters(), *policy.action_net.parameters()]


def same_days(env, group: int, seed: int, spread: Spread):
    """`env` (an SB3VecEnv) with lanes in groups that live through the same episodes, whose reward is by how much it was better than that of
    the others of the group at the same time: weather and demand fall out of it, what a lane did itself stays. What is taken off depends on
    nothing that the lane has done, so the gradient's mean is what it was. The end of an episode is the end: what is stored has its price
    there, and nothing comes after. Actions are spread (Spread)."""
    from stable_baselines3.common.vec_env import VecEnvWrapper

    class SameDays(VecEnvWrapper):
        def reset(self):
            self.venv._seeds = [seed * 100_000 + lane // group for lane in range(self.num_envs)]
            return self.venv.reset()

        def step_async(self, actions):
            self.venv.step_async(spread.to_environment(actions))

        def step_wait(self):
            observations, rewards, dones, infos = self.venv.step_wait()
            groups = rewards.reshape(-1, group)
            others = (groups.sum(1, keepdims=True) - groups) / (group - 1)
            for lane in np.flatnonzero(dones):
                infos[lane]["TimeLimit.truncated"] = False
            return observations, (groups - others).reshape(-1), dones, infos

    return SameDays(env)


def train(task: str, algorithm: str = "ppo", minutes: float = 8, seed: int = 0, out: str | Path = "model.zip", envs: int = 256, teacher: str | None = "perfect_foresight",
          threads: int = 2, linear: bool = False, noise: float = 0.2, report=print, **make) -> dict:  # fmt: skip
    """The learning curve; the model is in `out`. `linear`: the policy says powers as they are (Spread); `noise`: least standard deviation
    with which a taught policy begins to try things out."""
    import torch
    from stable_baselines3 import DQN, PPO
    from stable_baselines3.common.callbacks import BaseCallback
    from stable_baselines3.common.vec_env import VecNormalize

    from .sb3 import SB3VecEnv

    torch.set_num_threads(threads)
    begin = time.monotonic()
    spent = lambda: (time.monotonic() - begin) / (minutes * 60)  # noqa: E731
    with Episodes(task, "rule", VALIDATION_EPISODES, split="validation", **make) as judged:
        rule, bound, currency = judged.costs("rule", VALIDATION, bounds=True), judged.bound, judged.currency
    curve = {"task": task, "algorithm": algorithm, "seed": seed, "minutes": minutes, "teacher": teacher if algorithm == "ppo" else None, "currency": currency,
             "rule": float(rule.mean()), "bound": float(bound.mean()), "seconds": [], "steps": [], "cost": []}  # fmt: skip
    best = [np.inf]
    validation = Episodes(task, "agent", VALIDATION_EPISODES, split="validation", **make)
    spread = Spread.of(validation.envs.schema, linear)

    def look(model, steps: int) -> float:
        says = lambda o: model.predict(o, deterministic=True)[0]  # noqa: E731
        cost = float(validation.costs(says if algorithm == "dqn" else lambda o: spread.to_environment(says(o)), VALIDATION).mean())
        if cost < best[0]:
            best[0] = cost
            model.save(out, exclude=["policy.optimizer", "replay_buffer"])
            save(model, Path(out).with_suffix(".npz"), validation.envs.schema, spread, {key: curve[key] for key in ("task", "algorithm", "seed", "minutes", "teacher")})
        now = time.monotonic() - begin
        for key, value in (("seconds", now), ("steps", steps), ("cost", cost)):
            curve[key].append(value)
        closed = (curve["rule"] - cost) / (curve["rule"] - curve["bound"])
        report(f"{task} {algorithm} seed {seed}: {now:5.0f} s {steps:>9,} steps  {cost:10.3f} {currency}, closes {100 * closed:6.1f} %")
        return cost

    class Judge(BaseCallback):
        """Ends in time; judges the policy on validation episodes every so often; keeps the best."""

        next_look = 0.0
        waits = 0  # rollouts after which the actor moves

        def _on_rollout_start(self) -> None:
            if self.waits >= 0 and isinstance(self.model, PPO):
                for p in [*actor(self.model.policy), getattr(self.model.policy, "log_std", None)]:
                    if p is not None:
                        p.requires_grad_(self.waits == 0)
                self.waits -= 1

        def _on_step(self) -> bool:
            if spent() >= self.next_look:
                look(self.model, self.num_timesteps)
                self.next_look = spent() + 1 / LOOKS
            return spent() < 1

    env = SB3VecEnv(REGISTERED.get(task, task), envs, **make)
    judge = Judge()
    try:
        if algorithm == "ppo":
            env = same_days(env, 8, seed, spread)
            env = VecNormalize(env, norm_obs=False, gamma=0.998)  # rewards of about one: costs are cents here and thousands there
            # Rollouts of a few days; what is left at the end has its value, so the discount may be near one. Little noise: what is stored
            # and taken back for nothing costs more than it teaches. Rates fall with the time that is left.
            steps = 49152 // envs
            left = lambda: max(0.02, 1 - spent())  # noqa: E731
            model = PPO("MlpPolicy", env, n_steps=steps, batch_size=steps * envs // 8, n_epochs=5, gamma=0.998, gae_lambda=0.93, learning_rate=lambda p: 3e-4 * left(),
                        clip_range=0.2, ent_coef=0.0, seed=seed, device="cpu", policy_kwargs={"net_arch": {"pi": [128, 128], "vf": [128, 128]}, "log_std_init": -2.0})  # fmt: skip
            if teacher:
                count, left_over = learn_from(teacher, task, model, spread, 0.4 * minutes * 60, seed, **make)
                report(f"{task}: {count:,} intervals of {teacher}; root mean square left {left_over:.3f}")
                with torch.no_grad():
                    model.policy.log_std.fill_(np.log(max(left_over, noise)))
                judge.waits = 4  # the critic learns first what the teacher's policy is worth
        else:
            env.seed(seed * 100_000)
            model = DQN("MlpPolicy", env, learning_rate=5e-4, buffer_size=400_000, batch_size=512, train_freq=4, gradient_steps=8, gamma=0.998, learning_starts=20_000,
                        target_update_interval=2_000, exploration_fraction=0.02, exploration_final_eps=0.05, seed=seed, device="cpu",
                        policy_kwargs={"net_arch": [128, 128]})  # fmt: skip
        model.learn(10**9, callback=judge)
        look(model, model.num_timesteps)
    finally:
        env.close()
        validation.close()
    Path(out).with_suffix(".json").write_text(json.dumps(curve))
    return curve


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m urja_gym.train", description="Trains a policy of Stable-Baselines3 on a task.")
    parser.add_argument("task", help=f"of {', '.join(REGISTERED)}, or a scenario")
    parser.add_argument("--algorithm", choices=("ppo", "dqn"), default="ppo")
    parser.add_argument("--minutes", type=float, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--envs", type=int, default=256)
    parser.add_argument("--teacher", default="perfect_foresight", help="planner that PPO imitates first, or none (default perfect_foresight)")
    parser.add_argument("--threads", type=int, default=2, help="of the learner (default 2)")
    parser.add_argument("--linear", action="store_true", help="the policy says powers as they are, not spread around nothing")
    parser.add_argument("--noise", type=float, default=0.2, help="least standard deviation with which a taught PPO begins (default 0.2)")
    parser.add_argument("--out", default="model.zip", help="file of the model")
    given = parser.parse_args(arguments)
    train(given.task, given.algorithm, given.minutes, given.seed, given.out, given.envs, None if given.teacher == "none" else given.teacher, given.threads, given.linear, given.noise)
    return 0


if __name__ == "__main__":
    sys.exit(main())
