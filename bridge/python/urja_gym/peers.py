"""Others' environments, on their own standard tasks, with actions drawn beforehand: python -m urja_gym.bench --peers FOLDER makes a virtual
environment for each in FOLDER, and runs this file there. What differs from ours stands in DIFFERS.
"""
from __future__ import annotations

import os
import subprocess
import sys
import time
import venv
from pathlib import Path

# name -> what pip installs. python-microgrid needs NumPy 1; EV2Gym does not name all that it imports.
PEERS = {
    "python-microgrid": ["python-microgrid", "numpy<2", "setuptools<81"],
    "EV2Gym": ["ev2gym", "setuptools<81", "pandapower", "numba", "psutil", "multicopula"],
}
DIFFERS = {
    "python-microgrid": "microgrid 0 of pymgrid25 (load, PV, battery, grid), steps of 1 h; a battery of constant efficiency, no faults, no sensors",
    "EV2Gym": "its PublicPST example: 20 charging stations, steps of 15 min; no battery, no PV; batteries of vehicles in detail",
}
SECONDS = 10


def speed(env, seconds: float) -> float:
    """Steps per second, resets included."""
    actions = [env.action_space.sample() for _ in range(64)]
    env.reset()
    steps, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < seconds:
        told = env.step(actions[steps & 63])
        steps += 1
        if any(told[2:-1]):
            env.reset()
    return steps / (time.perf_counter() - begin)


def python_microgrid() -> float:
    from pymgrid.envs import ContinuousMicrogridEnv

    return speed(ContinuousMicrogridEnv.from_scenario(microgrid_number=0), SECONDS)


def ev2gym() -> float:
    import ev2gym
    from ev2gym.models.ev2gym_env import EV2Gym

    package = Path(ev2gym.__file__).parent
    os.chdir(package.parent)  # it opens ./ev2gym/data
    return speed(EV2Gym(config_file=str(package / "example_config_files/PublicPST.yaml"), save_replay=False, save_plots=False), SECONDS)


def measure(name: str, folder: Path) -> float | str:
    """Steps per second of one peer, installed into folder/name where it is not yet; or what went wrong."""
    home = folder / name
    python = home / "bin/python"
    try:
        if not python.exists():
            venv.create(home, with_pip=True)
            subprocess.run([python, "-m", "pip", "-q", "install", *PEERS[name]], check=True, capture_output=True, text=True)
        told = subprocess.run([python, "-W", "ignore", __file__, name], check=True, capture_output=True, text=True, timeout=300)
        return float(told.stdout.split()[-1])
    except subprocess.CalledProcessError as wrong:
        return (wrong.stderr.strip().splitlines() or ["it said nothing"])[-1]
    except subprocess.TimeoutExpired:
        return "no answer within five minutes"


if __name__ == "__main__":
    print({"python-microgrid": python_microgrid, "EV2Gym": ev2gym}[sys.argv[1]]())
