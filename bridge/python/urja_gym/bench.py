"""How fast the gym is here: python -m urja_gym.bench [--repeat 5] [--json FILE]

Own loop, actions drawn beforehand, resets included, the median of five. Beside each figure, from the same run: a bare echo of the same
sizes over the same kind of socket, the engine in process (`urja bench gym`), an empty environment with the same spaces and info (what
Python alone costs), and Gymnasium's own meters. Unpinned and, where the system lets it, all on one core.
"""
from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import gymnasium
import numpy as np
import zmq
from gymnasium.utils.performance import benchmark_step, benchmark_vector_step

from . import find_program, make, make_vec
from .peers import DIFFERS, PEERS, measure
from .program import scenario_folders

REFERENCE = "bench/gym_reference.yaml"  # in the folder of scenarios


def median(work: Callable[[], float], repeat: int) -> float:
    return statistics.median(work() for _ in range(repeat))


def single(env, steps: int) -> float:
    """Steps per second of one environment, resets included."""
    rng = np.random.default_rng(0)
    shape = env.action_space.shape
    actions = [rng.uniform(-1, 1, shape).astype(np.float32) for _ in range(64)]
    env.reset(seed=1)
    begin = time.perf_counter()
    for k in range(steps):
        _, _, terminated, truncated, _ = env.step(actions[k & 63])
        if terminated or truncated:
            env.reset()
    return steps / (time.perf_counter() - begin)


def vector(envs, steps: int) -> float:
    """Environment steps per second of a batch."""
    rng = np.random.default_rng(0)
    actions = [rng.uniform(-1, 1, envs.action_space.shape).astype(np.float32) for _ in range(16)]
    envs.reset(seed=1)
    begin = time.perf_counter()
    for k in range(steps):
        envs.step(actions[k & 15])
    return steps * envs.num_envs / (time.perf_counter() - begin)


class Empty(gymnasium.Env):
    """The same spaces and info, and nothing behind them."""

    def __init__(self, like):
        self.observation_space, self.action_space = like.observation_space, like.action_space
        self._row = np.zeros(like.observation_space.shape, np.float32)
        self._names, self._values, self._steps = [c.name for c in like.schema.columns], [0.0] * len(like.schema.columns), like.schema.episode_steps
        self._k = 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._k = 0
        return self._row.copy(), {}

    def step(self, action):
        self._k += 1
        return self._row.copy(), 0.0, False, self._k >= self._steps, dict(zip(self._names, self._values))


def _echo(endpoint: str, size: int, ready) -> None:
    socket = zmq.Context().socket(zmq.ROUTER)
    socket.bind(endpoint)
    ready.set()
    answer = bytes(size)
    while True:
        frames = socket.recv_multipart(copy=False)
        if len(frames[-1]) == 0:
            return
        socket.send_multipart([frames[0].bytes, frames[1].bytes, b"", answer], copy=len(answer) < 16384)


def echo(sent: int, received: int, rounds: int, repeat: int) -> float:
    """Seconds of a round trip of such sizes, over ipc, to a process that only answers."""
    endpoint = f"ipc:///tmp/urja-echo-{os.getpid()}"
    ready = multiprocessing.get_context("fork").Event()
    process = multiprocessing.get_context("fork").Process(target=_echo, args=(endpoint, received, ready), daemon=True)
    process.start()
    ready.wait(10)
    with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
        socket.linger = 0
        socket.connect(endpoint)
        header, blob = bytes(48), bytes(sent)

        def once() -> float:
            begin = time.perf_counter()
            for _ in range(rounds):
                socket.send(header, zmq.SNDMORE), socket.send(b"", zmq.SNDMORE), socket.send(blob)
                socket.recv(), socket.recv(), socket.recv(copy=False)
            return (time.perf_counter() - begin) / rounds

        once()
        best = median(once, repeat)
        socket.send(header, zmq.SNDMORE), socket.send(b"", zmq.SNDMORE), socket.send(b"")
        process.join(5)
    Path(endpoint.removeprefix("ipc://")).unlink(missing_ok=True)
    return best


def rows(repeat: int, program: Path, say: Callable[[str], None]) -> list[dict]:
    scenario = next(folder / REFERENCE for folder in scenario_folders(program) if (folder / REFERENCE).is_file())
    found: list[dict] = []

    def add(name: str, value: float, against: str = "") -> None:
        found.append({"name": name, "env_steps_per_s": value, "against": against})
        say(f"{name:<58}{value:14,.0f} env-steps/s   {against}")

    native = json.loads(subprocess.run([program, "bench", "gym_reference", "--json"], check=True, capture_output=True, text=True).stdout)
    inside = {c["name"]: c["value"] * 1e6 for c in native["cases"]}
    for name in ("gym_one_lane", "gym_1024", "gym_1024_2_threads", "gym_16384_2_threads"):
        add(f"in process, no Python: {name}", inside[name])
    env = make(scenario, program=program)
    env.reset(seed=0)
    add("N 1, an empty environment", median(lambda: single(Empty(env), 50_000), repeat), "what Python alone allows")
    shm = median(lambda: single(env, 30_000), repeat)
    add("N 1, shared memory", shm, "asked: 250,000")
    add("N 1, shared memory, Gymnasium's benchmark_step", benchmark_step(env, target_duration=2, seed=1))
    env.close()
    env = make(scenario, program=program, transport="ipc")
    over_ipc = median(lambda: single(env, 4_000), repeat)
    layout = env.batch.layout
    bare = echo(4, layout.size(0), 4_000, repeat)
    add("N 1, ipc", over_ipc, f"{(1 / over_ipc) / (bare + 1 / inside['gym_one_lane']):.2f} x (bare echo + step); asked: 1.15")
    env.close()
    for n, threads, steps in ((64, 1, 2_000), (1024, 1, 300), (1024, 2, 300), (16384, 2, 20)):
        for transport in ("shm", "ipc"):
            envs = make_vec(scenario, n, program=program, transport=transport, threads=threads, copy=False)
            value = median(lambda: vector(envs, steps), repeat)
            key = f"gym_{n}_{threads}_threads" if threads > 1 else {1024: "gym_1024"}.get(n)
            share = f"{value / inside[key]:.2f} of in process" if key else ""
            if transport == "ipc":
                bare = echo(4 * n, envs.batch.layout.size(0), max(20, steps // 4), repeat)
                share += f"{', ' if share else ''}{(n / value) / (bare + (n / inside[key] if key else 0)):.2f} x (bare echo{' + step' if key else ''})"
            add(f"N {n}, {transport}, {threads} thread{'s' * (threads > 1)}, copy=False", value, share)
            if transport == "shm" and n == 1024 and threads == 1:
                add(f"N {n}, {transport}, Gymnasium's benchmark_vector_step", benchmark_vector_step(envs, target_duration=2, seed=1))
            envs.close()
    return found


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m urja_gym.bench", description="Measures how fast environments step here.")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--peers", type=Path, metavar="FOLDER", help="measure python-microgrid and EV2Gym too, installed into virtual environments there")
    given = parser.parse_args(arguments)
    program = find_program(None)
    result: dict[str, list[dict]] = {}
    for pinned in (False, True):
        if pinned:
            if not hasattr(os, "sched_setaffinity"):
                break
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # and with it all that is started from here
        print("all on one core" if pinned else "unpinned", flush=True)
        result["pinned" if pinned else "unpinned"] = rows(given.repeat, program, lambda line: print(line, flush=True))
    if given.peers is not None:
        print("others, unpinned, one environment", flush=True)
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
        for name in PEERS:
            value = measure(name, given.peers.resolve())
            if isinstance(value, str):
                print(f"{name}: not measured: {value}", flush=True)
                continue
            ours = {row["name"]: row["env_steps_per_s"] / value for row in result["unpinned"]}
            against = ", ".join(f"{what} {ours[what]:,.0f} x" for what in ours if "Gymnasium" not in what and "empty" not in what and "Python" not in what)
            print(f"{name:<20}{value:10,.0f} steps/s   {DIFFERS[name]}\n    {against}", flush=True)
            result.setdefault("peers", []).append({"name": name, "env_steps_per_s": value, "differs": DIFFERS[name]})
    if given.json:
        Path(given.json).write_text(json.dumps(result, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
