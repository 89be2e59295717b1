"""The Python client of the gym against the program: test_gym_program.py URJA SOURCE_DIR [NAME ...]"""
import contextlib
import subprocess
import sys
import time

from gym_worlds import FOLDER, MODES, SOURCE, URJA, raised, rows, run, same

import gymnasium
import numpy as np
import test_gym_client as client
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode

import urja_gym


def shipped(name):
    return lambda **_: {"scenario": name, "program": URJA}


def test_registered():
    for name, scenario in urja_gym.REGISTERED.items():
        with contextlib.closing(gymnasium.make(name, program=URJA)) as env:
            check_env(env.unwrapped)
            print(f"  {name}: {len(env.unwrapped.schema.observations)} observations, {env.action_space}")
        with contextlib.closing(gymnasium.make_vec(name, num_envs=2, program=URJA)) as envs:
            envs.reset(seed=0)
            envs.step(envs.action_space.sample())


def test_program_conformance():
    village = shipped("village")
    for test in (client.test_server_ends_with_the_client, client.test_server_that_dies_is_noticed, client.test_killed_client_leaves_no_server, client.test_fork,
                 client.test_pickle_and_copy, client.test_copies, client.test_trees, client.test_step_many, client.test_step_many_over_ends, client.test_wrong_arrays, client.test_questions, client.test_render,
                 client.test_wrappers):  # fmt: skip
        print(f"  {test.__name__}")
        test(village)


def test_program_pettingzoo():
    for scenario in urja_gym.REGISTERED.values():
        client.test_pettingzoo(shipped(scenario))
    from urja_gym.pettingzoo import parallel_env

    with contextlib.closing(parallel_env("ten_homes", program=URJA)) as env:
        observations, _ = env.reset(seed=0)
        names = [o.name for o in env.env.schema.observations]
        assert env.possible_agents == [f"homes.{k}" for k in range(1, 11)]
        seen = [names[i] for i in env._sees["homes.3"]]
        assert "homes.3.battery.state_of_charge" in seen and "grid.power" in seen and not any(n.startswith("homes.4.") for n in seen)
        assert observations["homes.3"].shape == (len(seen),) == env.observation_space("homes.3").shape


def test_program_autoreset_modes():
    """Every task in every mode, with short episodes; the village's own day to its end."""
    for scenario in urja_gym.REGISTERED.values():
        with contextlib.closing(urja_gym.make(scenario, program=URJA)) as env:
            interval = env.schema.interval_s
        for mode in MODES:
            arguments = {"scenario": scenario, "program": URJA, "set": {"gym.episode.length": f"{5 * interval:g} s"}}
            client.against_single_envs(lambda: urja_gym.make(**arguments), lambda **more: urja_gym.make_vec(**arguments, **more), 3, 13, mode)
    arguments = {"scenario": "village", "program": URJA}
    client.against_single_envs(
        lambda: urja_gym.make(**arguments), lambda **more: urja_gym.make_vec(**arguments, **more), 3, 2 * 96 + 5, AutoresetMode.SAME_STEP
    )


def test_program_transports_and_threads():
    """The same bits for ipc, tcp, and one, two or three threads."""
    told = []
    for transport, threads in (("shm", 1), ("ipc", 1), ("tcp", 1), ("shm", 2), ("shm", 3), ("ipc", 2), ("ipc", 3)):
        with contextlib.closing(urja_gym.make_vec("village_faults", 20, program=URJA, transport=transport, threads=threads)) as envs:
            run = [envs.reset(seed=6)]
            run += [envs.step(np.stack(row)) for row in rows(envs.single_action_space, 60, 20)]
            told.append(run)
    for run in told[1:]:
        assert all(map(same, run, told[0]))


def test_program_refuses():
    with contextlib.closing(urja_gym.make("village", program=URJA)) as env:
        raised(urja_gym.StateError, lambda: env.step(np.zeros(9)))
        env.reset(seed=0)
        zero = np.zeros(env.action_space.shape)
        assert raised(urja_gym.NanAction, lambda: env.step(zero * np.nan)).index == 0
        assert raised(urja_gym.OutOfRange, lambda: env.step(zero + 2)).index == 0
        env.step(zero)
        raised(urja_gym.UrjaGymError, lambda: env.restore(99))
        env.step(zero)
    assert raised(urja_gym.MetaError, lambda: urja_gym.make("village", program=URJA, split="tomorrow").reset()).field == "split"
    raised(urja_gym.MetaError, lambda: urja_gym.make("village", program=URJA, policy="wizard").reset())
    raised(urja_gym.LimitError, lambda: urja_gym.make_vec("village", (1 << 20) + 1, program=URJA).reset())
    assert "colour" in str(raised(urja_gym.ServerEnded, lambda: urja_gym.make("village", program=URJA, set={"assets.battery.colour": "red"}).reset()))


def test_program_heartbeat():
    """A session at somebody else's server outlives its lease while its client lives, even one that only thinks."""
    file = SOURCE / "scenarios/gym/home_time_of_use.yaml"
    server = subprocess.Popen([URJA, "gym", file, "--lease", "0.6", "--until-stdin-closes"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    endpoint = server.stdout.readline().split()[1].decode()
    try:
        for transport in ("ipc", "shm"):
            with contextlib.closing(urja_gym.make(endpoint=endpoint, transport=transport)) as env:
                env.reset(seed=1)
                env.step(np.zeros(env.action_space.shape))
                time.sleep(2)
                env.step(np.zeros(env.action_space.shape))
                connection = env.batch._connection
                connection._over.set()  # as if the process had died
                time.sleep(2)
                raised(urja_gym.SessionError, lambda: env.step(np.zeros(env.action_space.shape)))
    finally:
        server.stdin.close()
        server.stdout.close()
        server.wait(10)


def test_program_curve():
    """A server with keys lets in who is on its list and nobody else."""
    new = lambda name: subprocess.run([URJA, "gym", "--curve-new", FOLDER / name], check=True, capture_output=True, text=True).stdout.strip()
    server_key, known, _ = new("server"), new("client"), new("stranger")
    (FOLDER / "allowed").write_text(known + "\n")
    command = [URJA, "gym", urja_gym.find_scenario("village"), "--bind", "tcp://127.0.0.1:0", "--until-stdin-closes"]
    command += ["--curve-secret", FOLDER / "server", "--curve-allow", FOLDER / "allowed"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        endpoint = server.stdout.readline().split()[1]
        with contextlib.closing(urja_gym.make(endpoint=endpoint, server_key=server_key, keys=FOLDER / "client")) as env:
            env.reset(seed=0)
        for wrong in ({"server_key": server_key, "keys": FOLDER / "stranger"}, {}):
            raised(urja_gym.NoAnswer, urja_gym.make(endpoint=endpoint, timeout=1, **wrong).reset)
    raised(ValueError, lambda: urja_gym.make("village", keys=FOLDER / "client"))


if __name__ == "__main__":
    sys.exit(1 if run(dict(globals())) else 0)
