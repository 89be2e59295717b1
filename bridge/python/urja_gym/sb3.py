"""The vector environment as Stable-Baselines3 wants it: `PPO("MlpPolicy", urja_gym.sb3.SB3VecEnv("village", 16))`.

Stable-Baselines3 takes no `gymnasium.vector.VectorEnv`. Its own VecEnv resets within the step that ends an episode (SAME_STEP, which the
server does) and wants a dict for each lane; only what it reads is in there, so that a thousand lanes stay cheap.
"""
from __future__ import annotations

import os
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env.base_vec_env import VecEnv, VecEnvIndices

from .vector import UrjaVectorEnv


class SB3VecEnv(VecEnv):
    """Arguments as of `urja_gym.make_vec`, without `autoreset_mode`; or `of`, a vector environment made with SAME_STEP.

    `infos[i]` of a step: when lane i's episode has ended, "terminal_observation", "TimeLimit.truncated", "episode" (r: sum of rewards,
    l: steps, as Monitor has it), and "totals": the sum of each column over the episode. With `columns=True` also each column of each
    step, as a float, which costs about a microsecond a lane; for numpy, `columns()` has them all as [N] arrays at no cost."""

    def __init__(
        self, scenario: str | os.PathLike | None = None, num_envs: int = 1, *, of: UrjaVectorEnv | None = None, columns: bool = False, **arguments: Any
    ):  # fmt: skip
        self.envs = of if of is not None else UrjaVectorEnv(scenario, num_envs, autoreset_mode=AutoresetMode.SAME_STEP, **arguments)
        if self.envs.autoreset_mode is not AutoresetMode.SAME_STEP:
            raise ValueError("Stable-Baselines3 needs autoreset_mode=SAME_STEP")
        if isinstance(self.envs.single_action_space, gymnasium.spaces.Dict):
            raise ValueError("Stable-Baselines3 takes no mixed (Dict) actions: make all of them box or all discrete in the scenario's gym block")
        self.with_columns = columns
        self._info: dict[str, Any] = {}
        self._actions: np.ndarray | None = None
        self._returns, self._lengths = np.zeros(self.envs.num_envs), np.zeros(self.envs.num_envs, np.int64)
        self._sums = np.zeros((len(self.envs.schema.columns), self.envs.num_envs))
        super().__init__(self.envs.num_envs, self.envs.single_observation_space, self.envs.single_action_space)

    def reset(self) -> np.ndarray:
        """[N, O]; with the seeds of seed(), else every lane's next episode."""
        seeds = None if all(seed is None for seed in self._seeds) else self._seeds
        observations, info = self.envs.reset(seed=seeds)
        self._reset_seeds()
        self._reset_options()
        self._returns[:], self._lengths[:], self._sums[:] = 0, 0, 0
        draws = {name: values for name, values in info.get("draws", {}).items() if not name.startswith("_")}
        self.reset_infos = [{"draws": {n: float(v[i]) for n, v in draws.items()}} if draws else {} for i in range(self.num_envs)]
        return observations

    def step_async(self, actions: np.ndarray) -> None:
        self._actions = actions

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        observations, rewards, terminated, truncated, info = self.envs.step(self._actions)
        self._info = info
        names = self.envs.batch.column_names
        self._returns += rewards
        self._lengths += 1
        for sums, name in zip(self._sums, names):
            sums += info[name]
        infos: list[dict[str, Any]] = (
            [dict(zip(names, row)) for row in np.stack([info[n] for n in names], 1).tolist()]
            if self.with_columns and names
            else [{} for _ in range(self.num_envs)]
        )
        done = terminated | truncated
        for lane in np.flatnonzero(done):
            infos[lane] |= {
                "terminal_observation": info["final_obs"][lane],
                "TimeLimit.truncated": bool(truncated[lane] and not terminated[lane]),
                "episode": {"r": float(self._returns[lane]), "l": int(self._lengths[lane])},
                "totals": dict(zip(names, self._sums[:, lane].tolist())),
            }
        self._returns[done], self._lengths[done], self._sums[:, done] = 0, 0, 0
        return observations, rewards.astype(np.float32), done, infos

    def columns(self) -> dict[str, np.ndarray]:
        """What the last step told: name -> float64 [N]."""
        return {name: self._info[name] for name in self.envs.batch.column_names}

    def close(self) -> None:
        self.envs.close()

    def get_images(self) -> list[np.ndarray | None]:
        return [self.envs.render_lane(lane) if self.render_mode == "rgb_array" else None for lane in range(self.num_envs)]

    # All lanes are one object: an attribute has the same value for each, and is set for all.

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        return [getattr(self.envs, attr_name) for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        if indices is not None and len(list(self._get_indices(indices))) != self.num_envs:
            raise ValueError("lanes of one batch have no attributes of their own; set it without indices")
        setattr(self.envs, attr_name, value)

    def env_method(self, method_name: str, *method_args, indices: VecEnvIndices = None, **method_kwargs) -> list[Any]:
        """`action_masks`, `state`: that lane's row; `render`: its picture; any other method's result for each lane, called once."""
        lanes = list(self._get_indices(indices))
        if method_name == "render":
            return [self.envs.render_lane(lane) for lane in lanes]
        result = getattr(self.envs, method_name)(*method_args, **method_kwargs)
        return [result[lane] for lane in lanes] if method_name in ("action_masks", "state") else [result for _ in lanes]

    def env_is_wrapped(self, wrapper_class: type[gymnasium.Wrapper], indices: VecEnvIndices = None) -> list[bool]:
        """True for Monitor, whose "episode" is in `infos`; no other wrapper is there."""
        return [issubclass(wrapper_class, Monitor) for _ in self._get_indices(indices)]
