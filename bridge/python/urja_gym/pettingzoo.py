"""A plant as several agents: a PettingZoo `ParallelEnv`, one agent for each asset (or member of a fleet) that has actions."""
from __future__ import annotations

import os
from typing import Any

import gymnasium
import numpy as np
from pettingzoo import ParallelEnv

from .env import UrjaEnv
from .schema import ActionLayout

REWARDS = ("shared", "own")


def owner(name: str) -> str:
    """Whose a name is: "homes.3" of homes.3.battery.power (a member of a fleet, by its number), else what stands before the last dot
    ("battery" of battery.power); nobody's ("") where there is none."""
    parts = name.replace("/", ".").split(".")
    for place, part in enumerate(parts[1:-1], 2):
        if part.isdigit():
            return ".".join(parts[:place])
    return ".".join(parts[:-1])


def parallel_env(scenario: str | os.PathLike | None = None, *, rewards: str = "shared", **arguments: Any) -> UrjaParallelEnv:
    """Arguments as of `urja_gym.make`, and `rewards`: "shared" gives every agent the plant's reward; "own" its own part of it: its own
    columns, and an equal share of those that are nobody's, so that the parts add up to the plant's."""
    return UrjaParallelEnv(scenario, rewards=rewards, **arguments)


class UrjaParallelEnv(ParallelEnv):
    """Agents act at once and end at once. Each observes (float32) what bears its name and what is no other agent's: grid, calendar,
    forecasts. `state()` has the truth of the whole plant. `info` of an agent has its own columns and those of nobody."""

    def __init__(self, scenario: str | os.PathLike | None = None, *, rewards: str = "shared", **arguments: Any):
        if rewards not in REWARDS:
            raise ValueError(f"rewards {rewards!r}: allowed are {', '.join(REWARDS)}")
        self.env = UrjaEnv(scenario, **arguments)
        self.rewards = rewards
        self.render_mode = self.env.render_mode
        schema = self.env.schema
        self.metadata = {"name": schema.scenario, "render_modes": self.env.metadata["render_modes"], "is_parallelizable": True}
        owners = [owner(action.name) for action in schema.actions]
        if "" in owners:
            raise ValueError("an action of this scenario belongs to no asset: it has no agents")
        self.possible_agents = list(dict.fromkeys(owners))
        self.agents: list[str] = []
        self._actions = {a: np.array([i for i, o in enumerate(owners) if o == a]) for a in self.possible_agents}
        self._layouts = {a: ActionLayout(tuple(schema.actions[i] for i in self._actions[a]), schema.normalised_actions) for a in self.possible_agents}
        whose = [self._whose(observation.name) for observation in schema.observations]
        self._sees = {a: np.array([i for i, o in enumerate(whose) if o in (a, "")], int) for a in self.possible_agents}
        whole = self.env.observation_space
        self.observation_spaces = {a: gymnasium.spaces.Box(whole.low[i], whole.high[i]) for a, i in self._sees.items()}
        self.action_spaces = {a: layout.space for a, layout in self._layouts.items()}
        self._column_owners = [self._whose(column.name) for column in schema.columns]
        self._prices = schema.reward_scale * schema.prices
        self._row = np.zeros(len(schema.actions), np.float32)

    def _whose(self, name: str) -> str:
        """The agent that a name belongs to, or "": nobody."""
        name = name.replace("/", ".")
        return next((a for a in self.possible_agents if name == a or name.startswith(a + ".")), "")

    def observation_space(self, agent: str) -> gymnasium.spaces.Box:
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> gymnasium.Space:
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict | None = None) -> tuple[dict[str, np.ndarray], dict[str, dict]]:
        observation, info = self.env.reset(seed=seed, options=options)
        self.agents = list(self.possible_agents)
        return self._seen(observation), {a: dict(info) for a in self.agents}

    def step(self, actions: dict[str, Any]):
        """An agent that says nothing keeps its last action."""
        for agent, action in actions.items():
            self._row[self._actions[agent]] = self._layouts[agent].flat(action, ())
        observation, reward, terminated, truncated, info = self.env.step(self._row)
        agents = self.agents
        seen = self._seen(observation)
        rewards = {a: reward for a in agents} if self.rewards == "shared" else self._own_rewards(agents, info)
        infos = {
            a: {name: value for (name, value), o in zip(info.items(), self._column_owners) if o in (a, "")} for a in agents
        }  # fmt: skip
        if terminated or truncated:
            self.agents = []
        return seen, rewards, {a: terminated for a in agents}, {a: truncated for a in agents}, infos

    def _seen(self, observation: np.ndarray) -> dict[str, np.ndarray]:
        return {a: observation[self._sees[a]] for a in self.agents}

    def _own_rewards(self, agents: list[str], info: dict[str, float]) -> dict[str, float]:
        terms = -self._prices * np.fromiter((info[c.name] for c in self.env.schema.columns), float, len(self._prices))
        common = sum(t for t, o in zip(terms, self._column_owners) if not o) / len(agents)
        return {a: float(common + sum(t for t, o in zip(terms, self._column_owners) if o == a)) for a in agents}

    def state(self) -> np.ndarray:
        """[S] float64: the true plant, all of it."""
        return self.env.state()

    def render(self) -> np.ndarray | str | None:
        return self.env.render()

    def close(self) -> None:
        self.env.close()
