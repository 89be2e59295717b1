"""Microgrids of the physics engine Urja as Gymnasium environments.

    import urja_gym
    envs = urja_gym.make_vec("village", num_envs=1024)       # or the path of a scenario of your own
    observations, info = envs.reset(seed=0)                  # float32 [1024, O]; what they are: envs.schema.observations
    observations, rewards, terminated, truncated, info = envs.step(envs.action_space.sample())

The simulation runs in a server, the program `urja gym`, which is started with the first reset and ends with this process;
`endpoint="tcp://..."` connects to one that runs already. bridge/PROTOCOL.md of the repository says how they speak.
"""
from __future__ import annotations

import os
from typing import Any

import gymnasium
from gymnasium.vector import AutoresetMode

from .batch import Masks, Task, Totals
from .env import UrjaEnv
from .errors import (
    BusyError, ChecksumError, LimitError, MetaError, NanAction, NoAnswer, OutOfRange, ProgramNotFound, ProtocolError, ScenarioNotFound,
    SchemaError, SequenceError, ServerDefect, ServerEnded, SessionError, ShapeError, StateError, UrjaGymError, VersionError,
)  # fmt: skip
from .picture import write_png
from .program import find_program, find_scenario
from .schema import Schema
from .vector import UrjaVectorEnv

__version__ = "0.1.0"

# id -> scenarios/gym/NAME.yaml: a fixed suite, by which results can be compared
REGISTERED = {
    "Urja/Village-v0": "village",
    "Urja/OffGridVillage-v0": "off_grid_village",
    "Urja/HomeTimeOfUse-v0": "home_time_of_use",
    "Urja/HomeTimeOfUseDiscrete-v0": "home_time_of_use_discrete",
    "Urja/CommercialDemandCharge-v0": "commercial_demand_charge",
    "Urja/WorkplaceEv-v0": "workplace_ev",
    "Urja/TenHomes-v0": "ten_homes",
    "Urja/CloudyDay-v0": "cloudy_day",
    "Urja/VillageFaults-v0": "village_faults",
}

for _id, _scenario in REGISTERED.items():
    if _id not in gymnasium.registry:  # a reload of this module is no news
        gymnasium.register(
            _id, entry_point="urja_gym.env:UrjaEnv", vector_entry_point="urja_gym.vector:UrjaVectorEnv", kwargs={"scenario": _scenario}
        )


def make(
    scenario: str | os.PathLike | None = None, *, endpoint: str | None = None, program: str | os.PathLike | None = None, split: str = "train",
    policy: str = "agent", threads: int = 1, render_mode: str | None = None, copy: bool = True, set: dict[str, Any] | None = None,
    transport: str = "auto", timeout: float = 60.0, server_key: str | None = None, keys: str | os.PathLike | None = None,
) -> UrjaEnv:  # fmt: skip
    """One microgrid as a `gymnasium.Env`. Nothing starts before the first reset(), or before somebody asks for the spaces.

    scenario:    path of a scenario, or the name of a shipped one ("village": scenarios/gym/village.yaml).
    endpoint:    of a running server ("tcp://127.0.0.1:40123", as `urja gym` prints it); None starts one that ends with this process.
    program:     the program `urja`, where $URJA_PROGRAM, PATH and the repository do not have it.
    split:       the part of the data from which episodes are drawn: "train", "validation", "test" or "all".
    policy:      "agent": what step() is given; "rule": the scenario's own controller, actions ignored (baselines in the same episodes).
    threads:     of the simulation. One leaves the other cores to the learner; results are the same bits for any number.
    render_mode: None, "rgb_array" (uint8 [360, 640, 3]) or "ansi" (text).
    copy:        False: observations are views on the message (read-only, valid until the next step), not copies.
    set:         values of the scenario other than in its file: {"assets.battery.packs": 2, "gym.episode.length": "7 d"}.
    transport:   "ipc" (socket file), "tcp" (loopback), or "auto": the fastest that there is.
    timeout:     s until an unanswered request is repeated, once; after the same time again NoAnswer is raised.
    server_key, keys: for an endpoint on another machine, which speaks CURVE only: the public key that `urja gym --curve-new` printed there,
                 and a file with a pair of this client's own, whose public key is in the server's `--curve-allow` file.
    """
    arguments = _task(endpoint, program, split, policy, threads, set, transport, timeout, server_key, keys)
    env = UrjaEnv(scenario, render_mode=render_mode, copy=copy, **arguments)
    env.spec = _spec(env._arguments)
    return env


def make_vec(
    scenario: str | os.PathLike | None = None, num_envs: int = 1, *, autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
    endpoint: str | None = None, program: str | os.PathLike | None = None, split: str = "train", policy: str = "agent", threads: int = 1,
    render_mode: str | None = None, copy: bool = True, set: dict[str, Any] | None = None, transport: str = "auto", timeout: float = 60.0,
    server_key: str | None = None, keys: str | os.PathLike | None = None,
) -> UrjaVectorEnv:  # fmt: skip
    """`num_envs` microgrids as a `gymnasium.vector.VectorEnv`: one message a step for all. Arguments as of make(), and

    autoreset_mode: gymnasium's AutoresetMode: NEXT_STEP (default), SAME_STEP (`info["final_obs"]`) or DISABLED
                    (reset(options={"reset_mask": bool [N]})).
    """
    arguments = _task(endpoint, program, split, policy, threads, set, transport, timeout, server_key, keys)
    return UrjaVectorEnv(scenario, num_envs, autoreset_mode=autoreset_mode, render_mode=render_mode, copy=copy, **arguments)


def _task(endpoint, program, split, policy, threads, overrides, transport, timeout, server_key, keys) -> dict[str, Any]:
    return dict(
        endpoint=endpoint, program=program, split=split, policy=policy, threads=threads, set=dict(overrides or {}), transport=transport,
        timeout=timeout, server_key=server_key, keys=keys,
    )  # fmt: skip


def _spec(arguments: dict[str, Any]) -> gymnasium.envs.registration.EnvSpec:
    """Gymnasium's tools (check_env, wrappers that record) ask an environment how it is made again."""
    return gymnasium.envs.registration.EnvSpec(
        id="Urja/Scenario-v0", entry_point="urja_gym.env:UrjaEnv", vector_entry_point="urja_gym.vector:UrjaVectorEnv", kwargs=dict(arguments)
    )


__all__ = [
    "REGISTERED", "AutoresetMode", "BusyError", "ChecksumError", "LimitError", "Masks", "MetaError", "NanAction", "NoAnswer", "OutOfRange",
    "ProgramNotFound", "ProtocolError", "ScenarioNotFound", "Schema", "SchemaError", "SequenceError", "ServerDefect", "ServerEnded",
    "SessionError", "ShapeError", "StateError", "Task", "Totals", "UrjaEnv", "UrjaGymError", "UrjaVectorEnv", "VersionError", "find_program",
    "find_scenario", "make", "make_vec", "write_png",
]  # fmt: skip
