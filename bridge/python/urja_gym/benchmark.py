"""The suite, honestly scored: python -m urja_gym.benchmark [TASK ...] [--policy NAME ...] [--seeds 20] [--model TASK=FILE]

Each policy acts in the same episodes, of the test split, on which nothing was trained. The cost is in the scenario's currency: the columns
that are `in_cost`, what the batteries hold at the end valued, penalties left out. The bound is a proven relaxation of the plant
(scenarios/gym/planners.hpp), so no policy can reach it; `perfect_foresight` is its plan, re-simulated. Closed is the share of the gap
between rule and bound, over all seeds together, with a 95 % interval by bootstrap over the seeds.

    from urja_gym.benchmark import score
    score("Urja/Village-v0", {"mine": lambda observations: my_actions})          # actions [N, A] for observations [N, O]
"""
from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
from gymnasium.vector import AutoresetMode

from . import REGISTERED, make_vec
from .errors import UrjaGymError
from .learned import Policy, load, shipped

NATIVE = ("rule", "hold", "greedy", "dynamic_programming", "rolling_lp", "perfect_foresight")
FIRST_SEED = 1_000_000  # far from those that a training begins with
Act = Callable[[np.ndarray], np.ndarray]


@dataclass
class Row:
    """One policy on one task. Costs are means over the seeds, in `currency`."""

    task: str
    policy: str
    cost: float
    cost_low: float  # 95 % interval
    cost_high: float
    closed: float  # share of the gap between rule and bound
    closed_low: float
    closed_high: float
    currency: str
    seeds: int


class Episodes:
    """Episodes of one split, one for each seed, in which one kind of policy acts as often as asked; to be closed, or used in `with`."""

    def __init__(self, task: str, policy: str | Act, seeds: int, **make) -> None:
        self.native = isinstance(policy, str) and policy in NATIVE
        make = {"split": "test", **make}
        self.envs = make_vec(REGISTERED.get(task, task), seeds, policy=policy if self.native else "agent", autoreset_mode=AutoresetMode.DISABLED, **make)
        self.currency = self.envs.schema.currency
        if isinstance(policy, Policy):
            policy.fits(self.envs.schema)
        self.bound: np.ndarray | None = None  # [seeds] of the episodes that costs() ran last, where asked for

    def costs(self, policy: str | Act, first_seed: int = FIRST_SEED, *, bounds: bool = False) -> np.ndarray:
        """[seeds] cost of each episode. `policy`: that of the constructor, "random" or a function of observations [seeds, O]."""
        envs, seeds = self.envs, self.envs.num_envs
        observations, _ = envs.reset(seed=first_seed)
        if bounds:
            self.bound = envs.bounds()
        if policy == "random":
            envs.action_space.seed(first_seed)
        cost, over = np.zeros(seeds), np.zeros(seeds, bool)
        idle = np.zeros((seeds, len(envs.schema.actions)), np.float32)
        while not over.all():
            actions = idle if self.native else envs.action_space.sample() if policy == "random" else policy(observations)
            observations, _, terminated, truncated, info = envs.step(actions)
            cost += np.where(over, 0.0, envs.schema.cost(info))
            ended = terminated | truncated
            over |= ended
            if ended.any() and not over.all():  # what is over must not stop the others, whether it counts still or not
                observations, _ = envs.reset(options={"reset_mask": ended})
        return cost

    def close(self) -> None:
        self.envs.close()

    def __enter__(self) -> Episodes:
        return self

    def __exit__(self, *_) -> None:
        self.close()


def episodes(task: str, policy: str | Act, seeds: int, *, bounds: bool = False, first_seed: int = FIRST_SEED, **make) -> tuple[np.ndarray, np.ndarray | None, str]:
    """[seeds] cost of one test episode for each seed, [seeds] bounds where asked for, and the currency."""
    with Episodes(task, policy, seeds, **make) as played:
        return played.costs(policy, first_seed, bounds=bounds), played.bound, played.currency


def score(task: str, policies: dict[str, str | Act] | None = None, seeds: int = 20, report=None, **make) -> list[Row]:
    """Rows of the table for one task: the rule, `policies` (name -> native name, "random" or a function), and the bound."""
    asked = dict(policies or {name: name for name in ("random", *NATIVE[1:])})
    asked.pop("rule", None)
    rng = np.random.default_rng(0)
    rule, bound, currency = episodes(task, "rule", seeds, bounds=True, **make)
    rows = []

    def add(name: str, cost: np.ndarray) -> None:
        pick = rng.integers(0, seeds, (4000, seeds))
        means = cost[pick].mean(1)
        gap = (rule - bound)[pick].mean(1)
        closed = (rule - cost)[pick].mean(1) / gap
        low, high = np.percentile(means, (2.5, 97.5))
        closed_low, closed_high = np.percentile(closed, (2.5, 97.5))
        rows.append(
            Row(task, name, float(cost.mean()), float(low), float(high), float((rule - cost).mean() / (rule - bound).mean()),
                float(closed_low), float(closed_high), currency, seeds)
        )  # fmt: skip
        if report:
            report(rows[-1])

    add("rule", rule)
    for name, policy in asked.items():
        try:
            add(name, episodes(task, policy, seeds, **make)[0])
        except UrjaGymError as error:
            if report:
                report(f"{'':<32}{name:<22} cannot: {error.text}")
    add("bound", bound)
    return rows


def line(row: Row | str) -> str:
    if isinstance(row, str):
        return row
    return (f"{row.task:<32}{row.policy:<22}{row.cost:12.3f} {row.currency} [{row.cost_low:.3f}, {row.cost_high:.3f}]"
            f"   closes {100 * row.closed:6.1f} % [{100 * row.closed_low:.1f}, {100 * row.closed_high:.1f}]")  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m urja_gym.benchmark", description="Scores policies on the suite's test episodes.")
    parser.add_argument("tasks", nargs="*", help=f"of {', '.join(REGISTERED)}; default: all")
    parser.add_argument("--policy", action="append", help=f"random, {', '.join(NATIVE[1:])}, learned (those that come with the package); default: all")
    parser.add_argument("--model", action="append", default=[], metavar="TASK=FILE", help="a policy (.npz) that train.py has saved, in place of the shipped ones")
    parser.add_argument("--seeds", type=int, default=20, help="test episodes, one for each seed (default 20)")
    parser.add_argument("--json", metavar="FILE", help="write the rows there, too")
    given = parser.parse_args(arguments)
    unknown = [t for t in given.tasks if t not in REGISTERED]
    if unknown:
        parser.error(f"no task {', '.join(unknown)}; there are {', '.join(REGISTERED)}")
    models = dict(m.split("=", 1) for m in given.model)
    rows = []
    for task in given.tasks or REGISTERED:
        asked = given.policy or ("random", *NATIVE[1:], "learned")
        policies: dict[str, str | Act] = {name: name for name in asked if name != "learned"}
        if task in models:
            policies["learned"] = load(models[task])
        elif "learned" in asked:
            policies |= {name: load(file) for name, file in shipped(task).items()}
        rows += score(task, policies, given.seeds, report=lambda row: print(line(row), flush=True))
    if given.json:
        with open(given.json, "w") as file:
            json.dump([asdict(row) for row in rows], file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
