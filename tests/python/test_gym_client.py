"""The Python client of the gym against a stub of the protocol: test_gym_client.py URJA SOURCE_DIR [NAME ...]

What a good server does never (answers that are lost, sessions that are over, mixed actions) is asked of gym_stub.py, and conformance, autoreset
modes and determinism too: a mistake is the client's here. test_gym_program.py asks the program some of the same.
"""
import contextlib
import copy
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

from gym_worlds import FOLDER, MODES, SOURCE, STUB, ends, raised, rows, run, same, stub, together

import gymnasium
import msgpack
import numpy as np
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode

import urja_gym
from urja_gym import messagepack
from urja_gym.picture import draw, write_png
from urja_gym.program import Server


# ---- the wire ----


def test_messagepack():
    values = [
        None, True, False, 0, 1, 127, 128, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**64 - 1, -1, -32, -33, -128, -129, -32769, -(2**31) - 1,
        -(2**63), 0.0, -1.5, 1e300, "", "a" * 31, "a" * 32, "é" * 200, "x" * 70000, b"", b"\x00" * 300, [], list(range(15)), list(range(16)),
        list(range(70000)), {}, {"a": 1}, {str(i): i for i in range(16)}, {"deep": [{"er": [1, "two", None]}]},
    ]  # fmt: skip
    for value in values:
        assert messagepack.pack(value) == msgpack.packb(value), value
        assert messagepack.unpack(msgpack.packb(value)) == value
    whole = msgpack.packb({"a": [1, "two", 3.0, b"four"]})
    for cut in range(len(whole)):
        raised(ValueError, lambda: messagepack.unpack(whole[:cut]))
    raised(ValueError, lambda: messagepack.unpack(whole + b"\x00"))
    raised(ValueError, lambda: messagepack.unpack(b"\xc1"))
    raised(OverflowError, lambda: messagepack.pack(2**64))
    raised(TypeError, lambda: messagepack.pack({1, 2}))


def test_errors_have_types():
    import urja_gym.errors as errors

    page = (SOURCE / "bridge/PROTOCOL.md").read_text()
    table = page[page.index("| code | |") :]
    codes = {word.strip("`,") for line in table.splitlines() if line.startswith("| `") for word in line.split("|")[1].split()}
    assert codes - {"MAGIC", "HEADER", "TYPE"} == errors.BY_CODE.keys(), codes ^ errors.BY_CODE.keys()
    for code in codes:
        error = errors.from_meta({"code": code, "text": "why", "field": "f", "index": 3, "retryable": True})
        again = pickle.loads(pickle.dumps(error))
        assert isinstance(error, urja_gym.UrjaGymError) and error.code == code and (error.field, error.index, error.retryable) == ("f", 3, True)
        assert type(again) is type(error) and (again.text, again.index) == ("why", 3)


def test_server_errors_leave_the_episode():
    """A refused step changes nothing: the same actions give what they give without it."""
    with contextlib.closing(urja_gym.make(**stub())) as env, contextlib.closing(urja_gym.make(**stub())) as undisturbed:
        raised(urja_gym.StateError, lambda: env.step(np.zeros(2)))
        env.reset(seed=5), undisturbed.reset(seed=5)
        assert raised(urja_gym.NanAction, lambda: env.step([0.0, np.nan])).index == 1
        assert raised(urja_gym.OutOfRange, lambda: env.step([3.0, 0.0])).index == 0
        raised(ValueError, lambda: env.step([0.0, 0.0, 0.0]))
        for _ in range(5):
            assert same(env.step([0.5, 0.0]), undisturbed.step([0.5, 0.0]))
    assert raised(urja_gym.MetaError, lambda: urja_gym.make(**stub(), split="tomorrow").reset()).field == "split"
    assert raised(urja_gym.LimitError, lambda: urja_gym.make_vec(**stub(), num_envs=5000).reset()).field == "envs"
    with contextlib.closing(urja_gym.make(**stub(fail="INTERNAL"))) as env:
        env.reset()
        raised(urja_gym.ServerDefect, lambda: env.step([0.0, 0.0]))


def test_busy_server_is_asked_again():
    with contextlib.closing(urja_gym.make(**stub(busy=3))) as env, contextlib.closing(urja_gym.make(**stub())) as free:
        env.reset(seed=5), free.reset(seed=5)
        assert same(env.step([0.5, 0.0]), free.step([0.5, 0.0]))
    with contextlib.closing(urja_gym.make(**stub(busy=99))) as env:
        env.reset(seed=5)
        assert raised(urja_gym.BusyError, lambda: env.step([0.5, 0.0])).retryable


def test_lost_answer_is_asked_for_again():
    """The third step's answer is lost: asked for again with the same number, it comes, and the step was not done twice."""
    with contextlib.closing(urja_gym.make(**stub(lose=3), timeout=0.3)) as env, contextlib.closing(urja_gym.make(**stub())) as sure:
        env.reset(seed=1), sure.reset(seed=1)
        for _ in range(6):
            assert same(env.step([0.3, 0.1]), sure.step([0.3, 0.1]))


def test_no_answer():
    silent = FOLDER / "silent"
    with contextlib.closing(urja_gym.make(endpoint=f"ipc://{silent}", timeout=0.3)) as env:
        start = time.monotonic()
        assert "urja gym" in str(raised(urja_gym.NoAnswer, env.reset))
        assert isinstance(raised(TimeoutError, env.reset), urja_gym.NoAnswer) and time.monotonic() - start < 8


def test_lease():
    """A session that is over says so on step, and only reset makes a new one: of the same seeds, from their first episodes."""
    with contextlib.closing(urja_gym.make(**stub(lease=0.5))) as env:
        first = env.reset(seed=9)
        env.step([0.1, 0.1])
        time.sleep(0.8)
        assert "reset()" in str(raised(urja_gym.SessionError, lambda: env.step([0.1, 0.1])))
        raised(urja_gym.StateError, lambda: env.step([0.1, 0.1]))
        assert same(env.reset(), first)
        time.sleep(0.8)
        assert same(env.reset(seed=9), first)
    with contextlib.closing(urja_gym.make_vec(**stub(lease=0.5), num_envs=2)) as envs:
        envs.reset(seed=9)
        time.sleep(0.8)  # a reset of one lane must not begin the other anew
        raised(urja_gym.SessionError, lambda: envs.reset(options={"reset_mask": np.array([True, False])}))
        envs.reset()


# ---- the process ----


def test_program_is_found():
    environment = {k: v for k, v in os.environ.items() if k != "URJA_PROGRAM"}
    ask = "import urja_gym; print(urja_gym.find_program())"
    run = lambda **more: subprocess.run(
        [sys.executable, "-c", ask], capture_output=True, text=True, cwd="/", env=environment | {"PYTHONPATH": str(SOURCE / "bridge/python")} | more
    )  # fmt: skip
    assert run(PATH=f"{FOLDER}:{os.environ['PATH']}").stdout.strip() == str(STUB.resolve())
    assert run(URJA_PROGRAM=str(STUB)).stdout.strip() == str(STUB.resolve())
    assert "URJA_PROGRAM" in run(URJA_PROGRAM="/nowhere/urja").stderr
    raised(urja_gym.ProgramNotFound, lambda: urja_gym.find_program("/nowhere/urja"))
    alone = FOLDER / "alone"  # the package without its repository
    subprocess.run(["cp", "-r", SOURCE / "bridge/python/urja_gym", alone / "urja_gym"], check=True) if alone.mkdir() is None else None
    assert "./urja build" in run(PATH="/usr/bin:/bin", PYTHONPATH=str(alone)).stderr
    (alone / "urja_gym/_repository.py").write_text(f"PATH = {str(SOURCE)!r}\n")  # what setup.py writes
    found = run(PATH="/usr/bin:/bin", PYTHONPATH=str(alone))
    assert found.stdout.strip() == str(SOURCE / "build/release/urja") or f"{SOURCE / 'urja'} build" in found.stderr


def test_scenario_is_found():
    assert urja_gym.find_scenario("home_time_of_use").stem == "home_time_of_use"
    assert urja_gym.find_scenario(SOURCE / "scenarios/village.yaml") == SOURCE / "scenarios/village.yaml"
    assert "village" in str(raised(urja_gym.ScenarioNotFound, lambda: urja_gym.find_scenario("vilage")))
    raised(FileNotFoundError, lambda: urja_gym.find_scenario("nowhere/village.yaml"))
    raised(ValueError, lambda: urja_gym.make())
    raised(ValueError, lambda: urja_gym.make("village", endpoint="tcp://127.0.0.1:1", set={"a": 1}))


def test_server_that_does_not_start():
    talker = FOLDER / "talker"
    talker.write_text("#!/bin/sh\necho 'village.yaml:3:1: no such key' >&2\nexit 2\n")
    talker.chmod(0o755)
    assert "no such key" in str(raised(urja_gym.ServerEnded, urja_gym.make("village", program=talker).reset))


def test_server_ends_with_the_client(world=stub):
    env = urja_gym.make(**world())
    env.reset(seed=0)
    server = env.batch._connection.server.process.pid
    env.close(), env.close()
    assert ends(server)
    raised(urja_gym.StateError, env.reset)


def test_server_that_dies_is_noticed(world=stub):
    with contextlib.closing(urja_gym.make(**world())) as env:
        first = env.reset(seed=3)
        os.kill(env.batch._connection.server.process.pid, signal.SIGKILL)
        start = time.monotonic()
        raised(urja_gym.ServerEnded, lambda: env.step(np.zeros(env.action_space.shape)))
        assert time.monotonic() - start < 5
        assert same(env.reset(), first)


def test_killed_client_leaves_no_server(world=stub):
    """Killed with a forked child that lives on: the child has let go of the pipe."""
    code = f"""
import os, sys, time
sys.path.insert(0, {str(SOURCE / "bridge/python")!r})
from pathlib import Path, PosixPath
import urja_gym
env = urja_gym.make(**{world()!r})
env.reset(seed=0)
child = os.fork()
if child == 0:
    time.sleep(60)
connection = env.batch._connection
print(connection.server.process.pid, child, connection.endpoint.removeprefix("ipc://"), flush=True)
time.sleep(60)
"""
    client = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    server, child, socket = client.stdout.readline().split()
    server, child = int(server), int(child)
    client.kill(), client.wait(), client.stdout.close()
    try:
        assert ends(server), "the server outlives its client"
        assert not Path(socket).exists(), "its socket file outlives it"
    finally:
        os.kill(child, signal.SIGKILL)


def _in_child(env, pipe):
    try:
        try:
            env.step(np.zeros(env.action_space.shape))
            pipe.send("a step without reset")
        except urja_gym.StateError:
            pipe.send([env.reset(seed=4), env.step(np.zeros(env.action_space.shape)), env.batch._connection.server.process.pid])
        env.close()
    except BaseException as error:  # noqa: BLE001
        pipe.send(repr(error))


def test_fork(world=stub):
    with contextlib.closing(urja_gym.make(**world())) as env:
        first, step = env.reset(seed=4), env.step(np.zeros(env.action_space.shape))
        mine = env.batch._connection.server.process.pid
        here, there = multiprocessing.Pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # fork of a process with threads (ZeroMQ's), which is what is tested
            child = multiprocessing.get_context("fork").Process(target=_in_child, args=(env, there))
            child.start()
        there.close()
        told = here.recv()
        assert isinstance(told, list), told
        assert same(told[0], first) and same(told[1], step) and told[2] != mine
        child.join(10)
        assert child.exitcode == 0
        assert same(env.reset(seed=4), first) and env.batch._connection.server.process.pid == mine  # the parent's goes on


def test_pickle_and_copy(world=stub):
    """A pickle holds arguments and no connection; what it makes is the same environment."""
    with contextlib.closing(urja_gym.make(**world())) as env, contextlib.closing(urja_gym.make_vec(**world(), num_envs=3)) as envs:
        unconnected = pickle.dumps(env)
        first = env.reset(seed=2)
        for again in (pickle.loads(unconnected), pickle.loads(pickle.dumps(env)), copy.deepcopy(env)):
            assert same(again.reset(seed=2), first)
            again.close()
        firsts = envs.reset(seed=2)
        again = pickle.loads(pickle.dumps(envs))
        assert again.num_envs == 3 and same(again.reset(seed=2), firsts)
        again.close()
    sub = gymnasium.vector.AsyncVectorEnv([lambda: urja_gym.make(**world())] * 2)
    try:
        assert same(sub.reset(seed=2)[0], firsts[0][:2])
    finally:
        sub.close()


def test_lazy():
    """Made, a wrong program and all, without a process; the first reset finds out."""
    env = urja_gym.make("village", program="/nowhere/urja")
    raised(urja_gym.ProgramNotFound, env.reset)
    raised(urja_gym.ProgramNotFound, lambda: env.action_space)


def test_endpoint():
    """Two clients of one server, and its scenario must be the one that is meant."""
    server = Server(STUB, SOURCE / "scenarios/village.yaml", {}, "tcp")
    try:
        assert server.endpoint.startswith("tcp://127.0.0.1:")
        a, b = urja_gym.make(endpoint=server.endpoint), urja_gym.make("village", endpoint=server.endpoint)
        assert same(a.reset(seed=1), b.reset(seed=1)) and same(a.step([0.1, 0]), b.step([0.1, 0]))
        a.close()
        b.step([0.1, 0])
        b.close()
        assert server.is_running()
        raised(ValueError, urja_gym.make("off_grid_village", endpoint=server.endpoint).reset)
    finally:
        server.close()


# ---- Gymnasium ----


def test_check_env(world=stub):
    for settings in ({}, {"actions": "discrete"}, {"actions": "several"}, {"actions": "mixed"}) if world is stub else ({},):
        env = urja_gym.make(**world(**settings))
        check_env(env)
        env.close()


def test_spaces():
    kinds = {"box": gymnasium.spaces.Box, "discrete": gymnasium.spaces.Discrete, "several": gymnasium.spaces.MultiDiscrete, "mixed": gymnasium.spaces.Dict}
    for actions, kind in kinds.items():
        with contextlib.closing(urja_gym.make_vec(**stub(actions=actions), num_envs=3)) as envs:
            assert type(envs.single_action_space) is kind and envs.action_space is envs.action_space
            envs.reset(seed=0)
            envs.step(envs.action_space.sample())
    with contextlib.closing(urja_gym.make(**stub(actions="mixed"))) as env:  # order of the schema, not of the kinds
        env.reset()
        flat = env.batch.actions.flat({"box": np.array([0.5], np.float32), "discrete": np.array([1, 2])}, ())
        assert flat.tolist() == [1.0, 0.5, 2.0]


def against_single_envs(make, make_vec, lanes, steps, mode):
    """Gymnasium's meaning of each mode, acted out with single environments: every array, flag and info to the bit."""
    envs, singles = make_vec(num_envs=lanes, autoreset_mode=mode), [make() for _ in range(lanes)]
    assert envs.metadata["autoreset_mode"] is mode
    names = [column.name for column in envs.schema.columns]
    ended, seen = np.zeros(lanes, bool), 0
    observations, info = envs.reset(seed=40)
    for lane, env in enumerate(singles):
        observation, told = env.reset(seed=40 + lane)
        assert same(observations[lane], observation)
        for name, value in told.get("draws", {}).items():
            assert info["draws"][name][lane] == value and info["draws"][f"_{name}"][lane]
    for step, actions in enumerate(rows(envs.single_action_space, steps, lanes)):
        observations, rewards, terminated, truncated, info = envs.step(together(envs.single_action_space, actions))
        assert observations.dtype == np.float32 and rewards.dtype == np.float64 and terminated.dtype == truncated.dtype == np.bool_
        over = np.zeros(lanes, bool)
        for lane, env in enumerate(singles):
            if mode is AutoresetMode.NEXT_STEP and ended[lane]:
                observation, drawn = env.reset()
                reward, term, trunc, told = 0.0, False, False, dict.fromkeys(names, 0.0)
                assert not info[f"_{names[0]}"][lane] and info.get("_draws", [True] * lanes)[lane]
            else:
                observation, reward, term, trunc, told = env.step(actions[lane])
                assert info[f"_{names[0]}"][lane]
            over[lane] = term or trunc
            if mode is AutoresetMode.SAME_STEP:
                assert ("final_obs" in info and info["_final_obs"][lane]) == over[lane]
                if over[lane]:
                    assert same(info["final_obs"][lane], observation), (step, lane)
                    assert all(info["final_info"][n][lane] == told[n] and info["final_info"][f"_{n}"][lane] for n in names)
                    observation, drawn = env.reset()
            assert same(observations[lane], observation), (mode, step, lane)
            assert (rewards[lane], terminated[lane], truncated[lane]) == (reward, term, trunc), (mode, step, lane)
            for name in names:
                assert info[name][lane] == told[name] and info[name].dtype == np.float64, (mode, step, lane, name)
        seen += over.sum()
        if mode is AutoresetMode.DISABLED and over.any():
            raised(urja_gym.StateError, lambda: envs.step(together(envs.single_action_space, actions)))
            observations, info = envs.reset(options={"reset_mask": over})
            for lane in np.flatnonzero(over):
                assert same(observations[lane], singles[lane].reset()[0])
            over[:] = False
        ended = over
    assert seen >= lanes, "no episode ended: nothing was tested"
    for env in (envs, *singles):
        env.close()


def test_autoreset_modes():
    for actions in ("box", "mixed"):
        settings = stub(length=7, actions=actions)
        for mode in MODES:
            against_single_envs(lambda: urja_gym.make(**settings), lambda **more: urja_gym.make_vec(**settings, **more), 5, 40, mode)


def test_reset_arguments():
    with contextlib.closing(urja_gym.make_vec(**stub(), num_envs=3, autoreset_mode="Disabled")) as envs:
        raised(urja_gym.StateError, lambda: envs.reset(options={"reset_mask": np.array([True, False, False])}))
        first, _ = envs.reset(seed=10)
        again, _ = envs.reset(seed=[10, None, 12])  # lane 1 goes to its next episode
        assert same(first[[0, 2]], again[[0, 2]]) and not same(first[1], again[1])
        alone, _ = envs.reset(seed=[1, 11, 1], options={"reset_mask": np.array([False, True, False])})
        assert same(alone, first)
        for wrong in (np.zeros(3, bool), np.ones(2, bool), [True] * 3, np.ones(3)):
            raised(ValueError, lambda: envs.reset(options={"reset_mask": wrong}))
        raised(ValueError, lambda: envs.reset(seed=[1, 2]))
    with contextlib.closing(urja_gym.make(**stub())) as a, contextlib.closing(urja_gym.make(**stub())) as b:
        assert not same(a.reset()[0], b.reset()[0]), "without a seed two environments must not live through the same episodes"


def test_copies(world=stub):
    """copy=True: what was returned stays. copy=False: observations are views that nobody may write."""
    for copied in (True, False):
        with contextlib.closing(urja_gym.make_vec(**world(), num_envs=4, copy=copied)) as envs:
            one, _ = envs.reset(seed=0)
            kept = one.copy()
            two, rewards, terminated, truncated, info = envs.step(np.zeros(envs.action_space.shape))
            assert one.flags.writeable == two.flags.writeable == copied
            assert all(a.flags.writeable for a in (rewards, terminated, truncated))
            rewards += 1
            assert not copied or same(one, kept)


def test_trees(world=stub):
    """A snapshot goes on as the original went on; a branch is one lane in many places."""
    with contextlib.closing(urja_gym.make_vec(**world(), num_envs=4)) as envs:
        envs.reset(seed=0)
        actions = [np.stack(row) for row in rows(envs.single_action_space, 6, 4)]
        for row in actions[:3]:
            before = envs.step(row)
        mark = envs.snapshot()
        after = [envs.step(row) for row in actions[3:]]
        back, _ = envs.restore(mark)
        assert same(back, before[0])
        assert all(same(envs.step(row), then) for row, then in zip(actions[3:], after))
        mixed, _ = envs.restore(mark, np.array([True, False, False, True]))
        assert same(mixed[[0, 3]], before[0][[0, 3]]) and same(mixed[[1, 2]], after[-1][0][[1, 2]])
        envs.drop(mark)
        raised(urja_gym.UrjaGymError, lambda: envs.restore(mark))
        copies, _ = envs.branch(2, range(4))
        assert all(same(copies[lane], copies[2]) for lane in range(4))
        together_ = envs.step(np.repeat(actions[0][2:3], 4, axis=0))
        assert all(same(together_[0][lane], together_[0][0]) and together_[1][lane] == together_[1][0] for lane in range(4))


def test_step_many(world=stub):
    """T steps in one message: the last observation, and reward and columns summed in turn, to the bit."""
    with contextlib.closing(urja_gym.make_vec(**world(), num_envs=3)) as one, contextlib.closing(urja_gym.make_vec(**world(), num_envs=3)) as many:
        one.reset(seed=8), many.reset(seed=8)
        actions = np.array(rows(one.single_action_space, 5, 3))
        steps = [one.step(row) for row in actions]
        observations, rewards, _, _, info = many.step_many(actions)
        assert same(observations, steps[-1][0])
        assert same(rewards, sum(s[1] for s in steps))
        for column in one.schema.columns:
            assert same(info[column.name], sum(s[4][column.name] for s in steps)), column.name


def test_step_many_over_ends(world=stub):
    """What is said of lanes that end within T steps is what single steps lead to, whichever of the T they end in; and so is the step after."""
    made = [urja_gym.make_vec(**world(), num_envs=5) for _ in range(2)]
    with contextlib.closing(made[0]) as one, contextlib.closing(made[1]) as many:
        one.reset(seed=3), many.reset(seed=3)
        length = one.schema.episode_steps
        over = []
        for t in (length, 1, length + 3, length - 4, 1):
            actions = np.array(rows(one.single_action_space, t, 5, seed=t))
            steps = [one.step(row) for row in actions]
            told = many.step_many(actions)
            assert same(told[0], steps[-1][0])
            for flag in (2, 3):
                assert same(told[flag], np.any([s[flag] for s in steps], axis=0)), t
            single, after = (envs.step(np.stack(rows(one.single_action_space, 1, 5)[0])) for envs in (one, many))
            assert all(map(same, single[:4], after[:4]))
            name = one.schema.columns[0].name
            assert same(single[4]["_" + name], after[4]["_" + name]), t
            assert ("draws" in single[4]) == ("draws" in after[4])
            over.append((~single[4]["_" + name]).any())
        assert any(over) and not all(over)


def test_wrong_arrays(world=stub):
    """What has a wrong shape or type is refused before anything is sent, over shared memory too."""
    with contextlib.closing(urja_gym.make(**world())) as env:
        env.reset(seed=2**64 - 1)
        width = env.batch.actions.size
        for shape in ((4,), (4, width + 1), (4, 2, width), (0, width)):
            raised(ValueError, lambda: env.step_many(np.zeros(shape, np.float32)))
        raised(ValueError, lambda: env.reset(seed=2**64))
    with contextlib.closing(urja_gym.make_vec(**world(), num_envs=2)) as envs:
        envs.reset(seed=2**64 - 1)
        assert envs.batch.seeds.tolist() == [2**64 - 1, 0]
        mark = envs.snapshot()
        for mask in (np.array([0.5, 0.5]), np.array([1, 0]), np.array([True])):
            raised(ValueError, lambda: envs.restore(mark, mask))
    raised(urja_gym.NoAnswer, urja_gym.make(endpoint="nowhere").reset)


def test_questions(world=stub):
    """masks, totals, state: shapes, and that the totals are the sums."""
    with contextlib.closing(urja_gym.make_vec(**world(), num_envs=3)) as envs:
        envs.reset(seed=1)
        steps = [envs.step(np.stack(row)) for row in rows(envs.single_action_space, 4, 3)]
        totals, masks, state, schema = envs.totals(), envs.masks(), envs.state(), envs.schema
        for column in schema.columns:
            assert np.allclose(totals.running[column.name], sum(s[4][column.name] for s in steps), rtol=1e-12, atol=1e-12), column.name
        assert masks.low.shape == masks.high.shape == (3, len(schema.actions)) and (masks.low <= masks.high).all()
        assert state.shape == (3, len(schema.state)) and np.isfinite(state).all()
        reward = -schema.reward_scale * sum(c.price * steps[0][4][c.name] for c in schema.columns)
        assert np.allclose(reward, steps[0][1], rtol=1e-12, atol=1e-12), "the reward is what the page says"


def test_render(world=stub):
    with contextlib.closing(urja_gym.make(**world(), render_mode="rgb_array")) as env:
        env.reset(seed=0)
        picture = env.render()
        assert picture.shape == (360, 640, 3) and picture.dtype == np.uint8 and len(np.unique(picture.reshape(-1, 3), axis=0)) > 4
        assert same(picture, env.render())
        write_png(FOLDER / "p.png", picture)
        assert (FOLDER / "p.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
        odd = [{"name": "a.power", "value": float("nan"), "unit": "kW"}, {"name": "a.power", "value": -1e9, "unit": "W"}, {"name": "ß", "value": 1e12, "unit": "€"}]
        for values in ([], odd, odd * 40):
            assert draw({"time": "", "values": values}, env.schema).shape == picture.shape
    with contextlib.closing(urja_gym.make_vec(**world(), num_envs=2, render_mode="ansi")) as envs:
        envs.reset(seed=0)
        assert len(envs.render()) == 2 and all(isinstance(text, str) and text for text in envs.render())
    raised(ValueError, lambda: urja_gym.make("village", render_mode="human"))


def test_wrappers(world=stub):
    """Gymnasium's own vector wrappers accept it."""
    envs = gymnasium.wrappers.vector.RecordEpisodeStatistics(urja_gym.make_vec(**world(), num_envs=3))
    envs = gymnasium.wrappers.vector.NormalizeObservation(envs)
    envs.reset(seed=0)
    for _ in range(5):
        envs.step(envs.action_space.sample())
    envs.close()


def test_pettingzoo(world=stub):
    try:
        from pettingzoo.test import parallel_api_test

        from urja_gym.pettingzoo import owner, parallel_env
    except ImportError as error:
        print(f"  skipped: {error}")
        return
    assert [owner(n) for n in ("battery.power", "homes.3.battery.power", "homes.3.relay", "price", "site.b.power")] == [
        "battery", "homes.3", "homes.3", "", "site.b"]  # fmt: skip
    for rewards in ("shared", "own"):
        env = parallel_env(**world(), rewards=rewards)
        parallel_api_test(env, 400)
        env.close()
    with contextlib.closing(parallel_env(**world(), rewards="own")) as own, contextlib.closing(urja_gym.make(**world())) as whole:
        own.reset(seed=3), whole.reset(seed=3)
        actions = {a: own.action_space(a).sample() for a in own.agents}
        row = np.concatenate([np.atleast_1d(actions[a]) for a in own.possible_agents])
        order = np.concatenate([own._actions[a] for a in own.possible_agents])
        flat = np.zeros(len(row), np.float32)
        flat[order] = row
        parts, total = own.step(actions)[1], whole.step(flat)[1]
        assert np.isclose(sum(parts.values()), total, rtol=1e-9, atol=1e-12)
        assert same(own.state(), whole.state())


if __name__ == "__main__":
    sys.exit(1 if run(dict(globals())) else 0)
