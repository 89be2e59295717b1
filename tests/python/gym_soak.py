"""Soak of the gym: ten million steps while a hundred clients are killed: gym_soak.py URJA SCENARIO [STEPS]

Two clients step on and check every episode against an undisturbed run of their own; beside them, clients start, make batches and
snapshots, and are killed with SIGKILL at random moments. At the end the server must hold no more memory than with the two alone, and
no file in /dev/shm. Prints what it found; not part of the tests, since it takes minutes."""
import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bridge/python"))
import urja_gym

URJA, SCENARIO = sys.argv[1], sys.argv[2]
STEPS = int(float(sys.argv[3])) if len(sys.argv) > 3 else 10_000_000
LEASE, KILLS, ENVS = 5, 100, 512

VICTIM = """
import sys; sys.path.insert(0, {path!r})
import numpy as np, urja_gym
envs = urja_gym.make_vec(num_envs={n}, endpoint={endpoint!r})
envs.reset(seed=1)
print("on", flush=True)
zero = np.zeros((envs.num_envs, len(envs.schema.actions)), np.float32)
while True:
    envs.step(zero)
    if np.random.random() < 0.1: envs.snapshot()
"""


def memory(pid):
    return next(int(line.split()[1]) for line in open(f"/proc/{pid}/status") if line.startswith("VmRSS")) // 1024


def digest(envs, seed, steps, rng_seed):
    rng, h = np.random.default_rng(rng_seed), hashlib.sha256()
    shape = (envs.num_envs, len(envs.schema.actions))
    observations, _ = envs.reset(seed=seed)
    h.update(observations.tobytes())
    for _ in range(steps):
        observations, rewards, *_ = envs.step(rng.uniform(-1, 1, shape).astype(np.float32))
        h.update(observations.tobytes()), h.update(rewards.tobytes())
    return h.hexdigest()


def main():
    shm_before = set(os.listdir("/dev/shm"))
    server = subprocess.Popen([URJA, "gym", SCENARIO, "--lease", str(LEASE), "--until-stdin-closes"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True)
    endpoint = server.stdout.readline().split()[1]
    watched = [urja_gym.make_vec(num_envs=ENVS, endpoint=endpoint) for _ in range(2)]
    want = [digest(envs, 7 + k, 96, k) for k, envs in enumerate(watched)]
    calm = memory(server.pid)
    rng, victims, killed, done, apart, highest = random.Random(3), [], 0, 2 * 96 * ENVS, 0, calm
    begin = time.time()
    while done < STEPS or killed < KILLS:
        while len(victims) < 4 and killed + len(victims) < KILLS:
            code = VICTIM.format(path=str(Path(urja_gym.__file__).parents[1]), n=rng.choice([1, 64, 1024]), endpoint=endpoint)
            victims.append((subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL),
                            time.time() + rng.uniform(0.1, 4)))
        for victim in [v for v in victims if v[1] < time.time()]:
            victim[0].send_signal(signal.SIGKILL), victim[0].wait()
            victims.remove(victim)
            killed += 1
        for k, envs in enumerate(watched):
            apart += digest(envs, 7 + k, 96, k) != want[k]
            done += 96 * ENVS
        highest = max(highest, memory(server.pid))
    time.sleep(LEASE + 1.5)
    for envs in watched:  # their leases are renewed by a request
        envs.schema
    left, now = set(os.listdir("/dev/shm")) - shm_before, memory(server.pid)
    print(f"{done:,} steps of the two in {time.time() - begin:.0f} s, {killed} clients killed; episodes that differ: {apart}; "
          f"server {calm} MB before, {highest} MB at most, {now} MB after; left in /dev/shm: {sorted(left)}")
    server.stdin.close()
    server.wait(10)
    good = apart == 0 and not left and now < calm + 0.2 * (highest - calm) + 16
    print("holds" if good else "DOES NOT HOLD")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
