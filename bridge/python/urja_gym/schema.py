"""What an environment observes, does and tells, as SPEC says it: names, units and bounds, in the order of the arrays."""
from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import gymnasium
import numpy as np


@dataclass(frozen=True)
class Observation:
    name: str
    unit: str
    low: float
    high: float
    source: str  # measured, forecast, calendar, episode
    ahead_s: float = 0.0  # a forecast's distance, s
    lag_s: float = 0.0  # how old a measurement is, s
    doc: str = ""


@dataclass(frozen=True)
class Action:
    name: str
    unit: str
    kind: str  # box (a number) or discrete (an index into `values`)
    low: float = 0.0
    high: float = 0.0
    values: tuple = ()
    doc: str = ""


@dataclass(frozen=True)
class Column:
    """What `info` tells of each step. reward = -reward_scale * sum of price * column."""

    name: str
    unit: str
    price: float = 0.0
    in_cost: bool = False
    doc: str = ""


@dataclass(frozen=True)
class Quantity:
    name: str
    unit: str


@dataclass(frozen=True)
class Schema:
    """One batch's description. Times in seconds; `episode_steps` counts control intervals of `interval_s`, each of `interval_s / step_s`
    physics steps."""

    hash: int
    scenario: str
    title: str
    zone: str
    currency: str
    envs: int
    autoreset: str
    split: str
    policy: str
    policies: tuple[str, ...]
    interval_s: float
    step_s: float
    episode_steps: int
    observations: tuple[Observation, ...]
    normalised_observations: bool
    actions: tuple[Action, ...]
    normalised_actions: bool
    columns: tuple[Column, ...]
    reward_scale: float
    draws: tuple[Quantity, ...] = ()
    state: tuple[Quantity, ...] = ()
    raw: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)  # as the server sent it, later versions' keys too

    @staticmethod
    def from_meta(meta: dict, hash: int) -> Schema:
        told = meta["schema"]
        known = {f.name for f in fields(Schema)} & told.keys()
        kinds = {"observations": Observation, "actions": Action, "columns": Column, "draws": Quantity, "state": Quantity}
        values = {name: told[name] for name in known}
        for name, kind in kinds.items():
            values[name] = tuple(_make(kind, row) for row in told.get(name, ()))
        values["policies"] = tuple(told.get("policies", ()))
        return Schema(hash=hash, raw=told, **values)

    @property
    def prices(self) -> np.ndarray:
        """[C] price of each column."""
        return np.array([c.price for c in self.columns])

    def cost(self, info: dict[str, Any]) -> Any:
        """What a step cost in `currency`: float of an `UrjaEnv`'s info, [N] of a vector environment's. Penalties are not in it."""
        return sum(c.price * info[c.name] for c in self.columns if c.in_cost)

    @property
    def in_cost(self) -> np.ndarray:
        """[C] whether the column is part of the benchmark's cost."""
        return np.array([c.in_cost for c in self.columns], bool)


def _make(kind: type, row: dict):
    values = {f.name: row[f.name] for f in fields(kind) if row.get(f.name) is not None}
    if "values" in values:
        values["values"] = tuple(values["values"])
    return kind(**values)


def observation_space(schema: Schema) -> gymnasium.spaces.Box:
    """Box [O] of float32: -1 .. 1, or low .. high in each one's unit."""
    if schema.normalised_observations:
        return gymnasium.spaces.Box(-1.0, 1.0, (len(schema.observations),), np.float32)
    return gymnasium.spaces.Box(
        np.array([o.low for o in schema.observations], np.float32), np.array([o.high for o in schema.observations], np.float32)
    )


class ActionLayout:
    """The action space for a list of actions, and the way from its values to the flat float32 row that the server takes.

    All box: Box [A]. One discrete: Discrete. Several: MultiDiscrete. Both kinds: Dict(box=Box, discrete=MultiDiscrete)."""

    def __init__(self, actions: tuple[Action, ...], normalised: bool):
        self.size = len(actions)
        self.box = [i for i, a in enumerate(actions) if a.kind == "box"]
        self.discrete = [i for i, a in enumerate(actions) if a.kind == "discrete"]
        choices = [len(actions[i].values) for i in self.discrete]
        if normalised:
            box = gymnasium.spaces.Box(-1.0, 1.0, (len(self.box),), np.float32)
        else:
            low, high = (np.array([getattr(actions[i], end) for i in self.box], np.float32) for end in ("low", "high"))
            box = gymnasium.spaces.Box(low, high)
        if not self.discrete:
            self.space: gymnasium.Space = box
        elif self.box:
            self.space = gymnasium.spaces.Dict(box=box, discrete=gymnasium.spaces.MultiDiscrete(choices))
        else:
            self.space = gymnasium.spaces.Discrete(choices[0]) if len(choices) == 1 else gymnasium.spaces.MultiDiscrete(choices)
        self.mixed = bool(self.box and self.discrete)

    def flat(self, value, lead: tuple[int, ...]) -> np.ndarray:
        """`value`, an element of the space with leading axes `lead` (none, [N] or [T, N]), as contiguous float32 [*lead, A]."""
        if self.mixed and isinstance(value, dict):
            row = np.empty((*lead, self.size), np.float32)
            row[..., self.box] = np.asarray(value["box"]).reshape(*lead, len(self.box))
            row[..., self.discrete] = np.asarray(value["discrete"]).reshape(*lead, len(self.discrete))
            return row
        row = np.ascontiguousarray(value, np.float32)
        if row.shape != (*lead, self.size):
            if row.shape != lead or self.size != 1:  # one action for each lane may come without its axis
                raise ValueError(f"actions have shape {row.shape}, expected {(*lead, self.size)}")
            row = row.reshape(*lead, 1)
        return row
