"""Many microgrids as a `gymnasium.vector.VectorEnv`: one message a step for all of them."""
from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from .batch import Batch, Masks, Result, Task, Totals
from .env import RENDER_MODES, _again
from .picture import draw
from .schema import Schema

_MODES = {AutoresetMode.NEXT_STEP: "next_step", AutoresetMode.SAME_STEP: "same_step", AutoresetMode.DISABLED: "disabled"}


class UrjaVectorEnv(VectorEnv):
    """N lanes. Observations float32 [N, O], reward float64 [N], flags bool [N]. `info` has each column as float64 [N] under its name, and
    under "_name" which lanes have it: all but those that this step has reset (NEXT_STEP), where it is 0. Lanes that were reset have what
    was drawn for their new episode under "draws". Arguments: see `urja_gym.make_vec`.

    Lane i is, bit for bit, the `UrjaEnv` with its seed."""

    def __init__(
        self, scenario: str | os.PathLike | None = None, num_envs: int = 1, *, autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None, copy: bool = True, **task: Any,
    ):  # fmt: skip
        if render_mode is not None and render_mode not in RENDER_MODES:
            raise ValueError(f"render_mode {render_mode!r}: allowed are None, {', '.join(map(repr, RENDER_MODES))}")
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self._arguments = dict(
            scenario=scenario, num_envs=num_envs, autoreset_mode=self.autoreset_mode, render_mode=render_mode, copy=copy, **task
        )
        self.num_envs, self.render_mode = num_envs, render_mode
        self.metadata = {"render_modes": RENDER_MODES, "render_fps": 8, "autoreset_mode": self.autoreset_mode}
        self.batch = Batch(Task(scenario, **task), num_envs, _MODES[self.autoreset_mode], copy)
        self._ended = np.zeros(num_envs, np.bool_)  # which lanes the next step resets, under NEXT_STEP
        self._keys: list[tuple[str, str]] = []
        self._spaces: tuple[gymnasium.Space, gymnasium.Space] | None = None

    def __reduce__(self):
        return _again, (type(self), self._arguments, self.spec)

    @property
    def schema(self) -> Schema:
        """Names, units and bounds of everything."""
        return self.batch.schema

    @property
    def single_observation_space(self) -> gymnasium.spaces.Box:
        self.batch.schema
        return self.batch.observation_space

    @property
    def single_action_space(self) -> gymnasium.Space:
        self.batch.schema
        return self.batch.actions.space

    @property
    def observation_space(self) -> gymnasium.spaces.Box:
        return self._batched()[0]

    @property
    def action_space(self) -> gymnasium.Space:
        return self._batched()[1]

    def _batched(self) -> tuple[gymnasium.Space, gymnasium.Space]:
        if self._spaces is None:  # made once: a space keeps the state of its sampling
            self._spaces = tuple(batch_space(s, self.num_envs) for s in (self.single_observation_space, self.single_action_space))
        return self._spaces

    # ---- episodes ----

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begins an episode in every lane, or in those of options["reset_mask"] (bool [N]). `seed` s: lane i has s + i; a list: one for
        each lane, None for its next episode. Without: each lane's next episode (of a seed by chance, where none was ever given)."""
        mask = (options or {}).get("reset_mask")
        if mask is not None:
            if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_ or mask.shape != (self.num_envs,) or not mask.any():
                raise ValueError(f"reset_mask must be a bool array of shape ({self.num_envs},) with at least one True, got {mask!r}")
        if isinstance(seed, (int, np.integer)):
            super().reset(seed=int(seed))
            seeds: Sequence[int | None] | None = [(int(seed) + lane) % (1 << 64) for lane in range(self.num_envs)]
        elif seed is not None:
            if len(seed) != self.num_envs:
                raise ValueError(f"{len(seed)} seeds for {self.num_envs} lanes")
            seeds = list(seed)
        else:
            seeds = None
        if self.batch.seeds is None and (seeds is None or None in seeds):
            first = int(self.np_random.integers(1 << 62))
            seeds = [first + lane if seeds is None or seeds[lane] is None else seeds[lane] for lane in range(self.num_envs)]
        result = self.batch.reset(seeds, mask)
        lanes = np.ones(self.num_envs, np.bool_) if mask is None else mask.copy()
        self._ended &= ~lanes
        info: dict[str, Any] = {}
        self._add_draws(info, result, lanes)
        return result.observations, info

    def step(self, actions) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """One control interval (schema.interval_s) in every lane. `actions`: an element of `action_space`, [N, A] where all are boxes."""
        batch = self.batch
        if batch._schema is None:
            batch.request(0)  # says that reset comes first
        result = batch.result(batch.step(batch.actions.flat(actions, (self.num_envs,))))
        return result.observations, result.reward, result.terminated, result.truncated, self._info(result)

    def step_many(self, actions) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """`actions` [T, N, A] (discrete ones as index): T intervals in one request. Reward and columns are summed, flags or-ed,
        observations and `final_obs` those of the last one. `_name` in `info` is true everywhere, and `final_info` has the sums over all T."""
        result = self.batch.step_many(self.batch.actions.flat(actions, np.shape(actions)[:2]))
        begun, self._ended = self._ended | result.went_on, np.zeros(self.num_envs, np.bool_)
        info = self._info(result)
        if self.autoreset_mode is AutoresetMode.NEXT_STEP:
            self._ended = result.over
            if begun.any():
                self._add_draws(info, result, begun)
        return result.observations, result.reward, result.terminated, result.truncated, info

    def _info(self, result: Result) -> dict[str, Any]:
        """The info of a step, by Gymnasium's convention: [N] arrays, and beside each which lanes have it."""
        ended = result.terminated | result.truncated
        next_step = self.autoreset_mode is AutoresetMode.NEXT_STEP
        stepped = ~self._ended if next_step else np.ones(self.num_envs, np.bool_)
        if not self._keys:
            self._keys = [(name, f"_{name}") for name in self.batch.column_names]
        info: dict[str, Any] = {}
        for (name, mask), column in zip(self._keys, result.columns):
            info[name] = column
            info[mask] = stepped
        if next_step:
            if self._ended.any():
                self._add_draws(info, result, self._ended)
            self._ended = ended
        elif result.final_index is not None:
            self._add_finals(info, result)
        return info

    def _add_draws(self, info: dict[str, Any], result: Result, lanes: np.ndarray) -> None:
        """What was drawn for the episodes that have just begun in `lanes` [N]."""
        if self.batch.draw_names:
            draws: dict[str, Any] = {}
            for name, values in zip(self.batch.draw_names, result.draws):
                draws[name], draws[f"_{name}"] = np.where(lanes, values, 0.0), lanes
            info["draws"], info["_draws"] = draws, lanes

    def _add_finals(self, info: dict[str, Any], result: Result) -> None:
        """SAME_STEP: the last observation and the columns of the episodes that this step has ended."""
        ended = np.zeros(self.num_envs, np.bool_)
        ended[result.final_index] = True
        final = np.full(self.num_envs, None, object)
        for lane, row in zip(result.final_index, result.final_observations):
            final[lane] = row
        columns: dict[str, Any] = {}
        for (name, mask), column in zip(self._keys, result.columns):
            columns[name], columns[mask] = np.where(ended, column, 0.0), ended
        info["final_obs"], info["_final_obs"] = final, ended
        info["final_info"], info["_final_info"] = columns, ended
        self._add_draws(info, result, ended)

    # ---- trees ----

    def snapshot(self) -> int:
        """Keeps the state of all lanes; the number is for restore() and drop()."""
        return self.batch.snapshot()

    def restore(self, snapshot: int, mask: np.ndarray | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        """Puts all lanes, or those of `mask` (bool [N]), back into a snapshot."""
        if mask is not None:
            mask = np.asarray(mask)
            if mask.dtype != np.bool_ or mask.shape != (self.num_envs,):
                raise ValueError(f"mask must be a bool array of shape ({self.num_envs},), got {mask!r}")
        return self._placed(self.batch.restore(snapshot, mask))

    def branch(self, from_lanes, to_lanes) -> tuple[np.ndarray, dict[str, Any]]:
        """Makes each lane of `to_lanes` a copy of that of `from_lanes` (arrays or single numbers), in order: branch(0, range(1, 8)) is
        eight futures of lane 0."""
        return self._placed(self.batch.branch(np.asarray(from_lanes), np.asarray(to_lanes)))

    def _placed(self, result: Result) -> tuple[np.ndarray, dict[str, Any]]:
        self._ended = result.terminated | result.truncated
        info: dict[str, Any] = {}
        self._add_draws(info, result, np.ones(self.num_envs, np.bool_))
        return result.observations, info

    def drop(self, snapshot: int) -> None:
        """Frees a snapshot."""
        self.batch.drop(snapshot)

    # ---- what else can be asked ----

    def masks(self) -> Masks:
        """The feasible interval of each box action (low, high: [N, A]) and the allowed choices of the discrete ones ([N, W])."""
        return self.batch.masks()

    def action_masks(self) -> np.ndarray:
        """[N, W] bool, as MaskablePPO of sb3-contrib asks for it."""
        return self.batch.masks().allowed

    def totals(self) -> Totals:
        """Sums of the columns: of the running episodes, of the ones before, and those' length in steps."""
        return self.batch.totals()

    def state(self) -> np.ndarray:
        """[N, S] float64: the true plants (schema.state)."""
        return self.batch.state()

    def bounds(self) -> np.ndarray:
        """[N] float64, right after a reset: the least that any policy's episode can cost, as schema.cost(info) summed up counts it."""
        return self.batch.bounds()

    def advice(self, policy: str = "perfect_foresight") -> np.ndarray:
        """[N, A] float32: what a planner of the server (schema.policies) would do now in each lane, as step() takes it. It may know what will
        come, so it serves to learn from; choices are their indices."""
        return self.batch.advice(policy)

    def render(self) -> tuple[np.ndarray | str, ...] | None:
        """A picture (uint8 [H, W, 3]) or a text of every lane, by `render_mode`."""
        if self.render_mode is None:
            gymnasium.logger.warn("render() without a render_mode: say make_vec(..., render_mode='rgb_array') or 'ansi'")
            return None
        return tuple(self.render_lane(lane) for lane in range(self.num_envs))

    def render_lane(self, lane: int) -> np.ndarray | str:
        """The same of one lane; a picture where there is no `render_mode`."""
        told = self.batch.describe(lane)
        return told["text"] if self.render_mode == "ansi" else draw(told, self.schema)

    def close_extras(self, **kwargs: Any) -> None:
        self.batch.close()
