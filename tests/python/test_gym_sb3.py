"""The adapter for Stable-Baselines3 against Stable-Baselines3's own way with single environments: test_gym_sb3.py URJA SOURCE_DIR

Skipped where stable-baselines3 (and with it torch, 200 MB) is not installed: tests/requirements.txt does not ask for it."""
import contextlib
import pickle
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(sys.argv[2]) / "bridge/python"))
try:
    import numpy as np
    import torch
    from stable_baselines3 import PPO
    from stable_baselines3.common.env_checker import check_env
    from stable_baselines3.common.evaluation import evaluate_policy
    from stable_baselines3.common.monitor import Monitor
    from stable_baselines3.common.vec_env import DummyVecEnv

    import urja_gym
    from urja_gym.sb3 import SB3VecEnv
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

URJA, SOURCE = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()


def against_dummy(task, lanes, steps):
    """Observations, rewards, ends, last observations and Monitor's sums as DummyVecEnv of single environments has them, through resets."""
    ours = SB3VecEnv(num_envs=lanes, columns=True, **task)
    theirs = DummyVecEnv([lambda: Monitor(urja_gym.make(**task))] * lanes)
    for both in (ours, theirs):
        both.seed(70)
    assert np.array_equal(ours.reset(), theirs.reset())
    assert [i.get("draws") for i in ours.reset_infos] == [i.get("draws") for i in theirs.reset_infos]
    ours.action_space.seed(0)
    ends = 0
    for _ in range(steps):
        actions = np.stack([ours.action_space.sample() for _ in range(lanes)])
        (o1, r1, d1, i1), (o2, r2, d2, i2) = ours.step(actions), theirs.step(actions)
        assert np.array_equal(o1, o2) and o1.dtype == o2.dtype
        assert np.array_equal(r1, r2) and r1.dtype == r2.dtype and np.array_equal(d1, d2)
        for a, b, done in zip(i1, i2, d1):
            assert all(a[c] == b[c] for c in ours.columns())
            assert a.get("TimeLimit.truncated", False) == b["TimeLimit.truncated"]
            if done:
                ends += 1
                assert np.array_equal(a["terminal_observation"], b["terminal_observation"])
                assert a["episode"]["l"] == b["episode"]["l"] and abs(a["episode"]["r"] - b["episode"]["r"]) < 1e-5
            assert done == ("episode" in a) == ("terminal_observation" in a) == ("totals" in a)
    assert ends >= lanes
    assert np.array_equal(ours.reset(), theirs.reset())  # without seeds: each lane's next episode
    assert ours.env_is_wrapped(Monitor) == [True] * lanes and ours.get_attr("num_envs", 0) == [lanes]
    states = ours.env_method("state", indices=[1, 0])
    assert np.array_equal(states[0], theirs.envs[1].unwrapped.state())
    ours.close(), theirs.close()


def learns(task):
    """PPO runs on it, and evaluate_policy counts its episodes."""
    torch.set_num_threads(1)
    envs = SB3VecEnv(num_envs=4, **task)
    model = PPO("MlpPolicy", envs, n_steps=32, batch_size=32, n_epochs=1, seed=0).learn(256)
    assert model.num_timesteps == 256
    rewards, lengths = evaluate_policy(model, envs, n_eval_episodes=4, return_episode_rewards=True)
    assert len(rewards) == 4 and set(lengths) == {envs.envs.schema.episode_steps} or min(lengths) > 0
    envs.close()


def main():
    folder = Path(tempfile.mkdtemp(prefix="urja-gym-test-"))
    stub = folder / "urja"
    stub.write_text(f'#!/bin/sh\nexec {sys.executable} {SOURCE}/tests/python/gym_stub.py "$@"\n')
    stub.chmod(0o755)
    toy = {"scenario": str(SOURCE / "scenarios/village.yaml"), "program": stub, "set": {"stub.length": 9}}
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", category=DeprecationWarning)  # of torch
    tasks = {"toy": toy}
    if "--bind" in subprocess.run([URJA, "gym", "--help"], capture_output=True, text=True).stdout:
        tasks |= {name: {"scenario": name, "program": URJA} for name in ("village", "workplace_ev")}
        for scenario in urja_gym.REGISTERED.values():
            with contextlib.closing(urja_gym.make(scenario, program=URJA)) as env:
                check_env(env, warn=True)
    else:
        print(f"{URJA} has no command `gym`: only the stub is tested")
    for name, task in tasks.items():
        with contextlib.closing(urja_gym.make(**task)) as env:
            check_env(env, warn=True)
            steps = 2 * env.schema.episode_steps + 3
        against_dummy(task, 3, steps)
        learns(task)
        print(f"{name}: check_env, SB3VecEnv against DummyVecEnv over {steps} steps, PPO")
    try:
        SB3VecEnv(**{**toy, "set": {"stub.actions": "mixed"}})
        raise AssertionError("mixed actions were taken")
    except ValueError as error:
        assert "mixed" in str(error)
    assert pickle.loads(pickle.dumps(urja_gym.make(**toy))).batch.task.scenario == toy["scenario"]
    subprocess.run(["rm", "-rf", folder])
    return 0


if __name__ == "__main__":
    sys.exit(main())
