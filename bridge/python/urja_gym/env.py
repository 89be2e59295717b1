"""One microgrid as a `gymnasium.Env`."""
from __future__ import annotations

import os
import struct
from typing import Any

import gymnasium
import numpy as np

from .batch import Batch, Masks, Task, Totals
from .connection import STEP
from .errors import NoAnswer, ServerEnded, SessionError
from .picture import draw
from .schema import Schema

RENDER_MODES = ["rgb_array", "ansi"]


class UrjaEnv(gymnasium.Env):
    """One lane. Observations float32 [O] (schema.observations), actions as schema.actions makes the space, reward in
    -currency * reward_scale. `info` of a step has each column (schema.columns) as a float in its unit, that of a reset what domain
    randomisation has drawn under "draws". Arguments: see `urja_gym.make`."""

    metadata = {"render_modes": RENDER_MODES, "render_fps": 8}

    def __init__(self, scenario: str | os.PathLike | None = None, *, render_mode: str | None = None, copy: bool = True, **task: Any):
        if render_mode is not None and render_mode not in RENDER_MODES:
            raise ValueError(f"render_mode {render_mode!r}: allowed are None, {', '.join(map(repr, RENDER_MODES))}")
        self._arguments = dict(scenario=scenario, render_mode=render_mode, copy=copy, **task)
        self.render_mode = render_mode
        self.batch = Batch(Task(scenario, **task), 1, "disabled", copy)
        self._shared: _Shared | None = None
        self._numbers: struct.Struct | None = None  # the columns of one lane, read without numpy

    def __reduce__(self):  # a copy elsewhere is a new environment made of the same arguments
        return _again, (type(self), self._arguments, self.spec)

    @property
    def schema(self) -> Schema:
        """Names, units and bounds of everything."""
        return self.batch.schema

    @property
    def observation_space(self) -> gymnasium.spaces.Box:
        self.batch.schema
        return self.batch.observation_space

    @property
    def action_space(self) -> gymnasium.Space:
        self.batch.schema
        return self.batch.actions.space

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        """The first episode of `seed`; without one the next episode (of a seed by chance, where none was ever given)."""
        super().reset(seed=seed)
        if seed is None and self.batch.seeds is None:
            seed = int(self.np_random.integers(1 << 63))
        result = self.batch.reset(None if seed is None else [seed])
        if self._numbers is None:
            self._numbers = struct.Struct(f"<{self.batch.layout.c}d")
        return result.observations[0], self._reset_info(result)

    def _reset_info(self, result) -> dict[str, Any]:
        return {"draws": dict(zip(self.batch.draw_names, result.draws[:, 0].tolist()))} if self.batch.draw_names else {}

    def step(self, action) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """One control interval (schema.interval_s)."""
        batch = self.batch
        line = batch._line
        if line is not None:
            if self._shared is None or self._shared.line is not line:
                self._shared = _Shared(batch, line, self._numbers)
            return self._shared.step(action)
        if self._numbers is None:
            batch.request(STEP)  # says that reset comes first
        blob = batch.step(batch.actions.flat(action, ())).blob
        layout = batch.layout
        observation = np.frombuffer(blob, np.float32, layout.o)
        if not batch.copy:
            observation.flags.writeable = False
        (reward,) = _DOUBLE.unpack_from(blob, layout.reward)
        info = dict(zip(batch.column_names, self._numbers.unpack_from(blob, layout.columns)))
        return (
            observation.copy() if batch.copy else observation,
            reward, blob[layout.terminated] != 0, blob[layout.truncated] != 0, info,
        )  # fmt: skip

    def step_many(self, actions: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """`actions` [T, A]: T intervals in one request; reward and columns summed. The episode must last as long."""
        self.batch.schema
        actions = np.ascontiguousarray(actions, np.float32)
        if actions.ndim != 2 or actions.shape[1] != self.batch.actions.size or not len(actions):
            raise ValueError(f"actions of shape {actions.shape}: [T, {self.batch.actions.size}] belong here, T of them at least one")
        result = self.batch.step_many(actions[:, None, :])
        info = dict(zip(self.batch.column_names, result.columns[:, 0].tolist()))
        return result.observations[0], float(result.reward[0]), bool(result.terminated[0]), bool(result.truncated[0]), info

    def snapshot(self) -> int:
        """Keeps the present state; the number is for restore() and drop()."""
        return self.batch.snapshot()

    def restore(self, snapshot: int) -> tuple[np.ndarray, dict[str, Any]]:
        """Goes back to a snapshot; what follows is bit for bit what followed then, for the same actions."""
        result = self.batch.restore(snapshot)
        return result.observations[0], self._reset_info(result)

    def drop(self, snapshot: int) -> None:
        """Frees a snapshot."""
        self.batch.drop(snapshot)

    def masks(self) -> Masks:
        """The feasible interval of each box action (low, high: [A]) and the allowed choices of the discrete ones ([W])."""
        return Masks(*(part[0] for part in self.batch.masks()))

    def action_masks(self) -> np.ndarray:
        """[W] bool, as MaskablePPO of sb3-contrib asks for it."""
        return self.batch.masks().allowed[0]

    def totals(self) -> Totals:
        """Sums of the columns: of the running episode, of the one before, and that one's length in steps. Arrays of one element."""
        return self.batch.totals()

    def state(self) -> np.ndarray:
        """[S] float64: the true plant (schema.state). What sensors show of it is in the observations."""
        return self.batch.state()[0]

    def render(self) -> np.ndarray | str | None:
        """uint8 [H, W, 3] or a text, by `render_mode`."""
        if self.render_mode is None:
            gymnasium.logger.warn("render() without a render_mode: say make(..., render_mode='rgb_array') or 'ansi'")
            return None
        told = self.batch.describe(0)
        return told["text"] if self.render_mode == "ansi" else draw(told, self.schema)

    def close(self) -> None:
        self.batch.close()


_DOUBLE = struct.Struct("<d")


class _Shared:
    """The step through shared memory, with everything that a step needs looked up beforehand: a few microseconds are all it takes."""

    def __init__(self, batch: Batch, line, numbers: struct.Struct):
        layout = batch.layout
        self.batch, self.line, self.names, self.copy = batch, line, batch.column_names, batch.copy
        self.seen = [np.frombuffer(area, np.float32, layout.o) for area in line.replies]
        for view in self.seen:
            view.flags.writeable = False
        self.columns, self.at_columns, self.at_reward = numbers.unpack_from, layout.columns, layout.reward
        self.at_terminated, self.at_truncated = layout.terminated, layout.truncated
        self.action = line.request[: batch.actions.size]
        self.shape = self.action.shape
        self.flat = batch.actions.flat

    def step(self, action) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        if action.__class__ is np.ndarray and action.shape == self.shape:
            self.action[:] = action
        else:
            self.action[:] = self.flat(action, ())
        try:
            which = self.line.round()
        except (SessionError, NoAnswer, ServerEnded):
            self.batch._drop_connection()
            raise
        area = self.line.replies[which]
        return (
            self.seen[which].copy() if self.copy else self.seen[which],
            _DOUBLE.unpack_from(area, self.at_reward)[0], area[self.at_terminated] != 0, area[self.at_truncated] != 0,
            dict(zip(self.names, self.columns(area, self.at_columns))),
        )  # fmt: skip


def _again(kind: type, arguments: dict, spec):
    env = kind(**arguments)
    env.spec = spec
    return env
