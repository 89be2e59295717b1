"""What the tests of the gym's Python client share: the stub and the program as worlds for one and the same test, and how to compare."""
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(sys.argv[2]) / "bridge/python"))
try:
    import gymnasium
    import msgpack  # noqa: F401
    import numpy as np
    from gymnasium.vector import AutoresetMode
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

URJA, SOURCE = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
MODES = (AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP, AutoresetMode.DISABLED)
FOLDER = Path(tempfile.mkdtemp(prefix="urja-gym-test-"))
STUB = FOLDER / "urja"
STUB.write_text(f'#!/bin/sh\nexec {sys.executable} {SOURCE}/tests/python/gym_stub.py "$@"\n')
STUB.chmod(0o755)


def stub(**settings):
    """Arguments of make() for the stub with these settings."""
    return {"scenario": str(SOURCE / "scenarios/village.yaml"), "program": STUB, "set": {f"stub.{k}": v for k, v in settings.items()}}


def same(a, b):
    """Equal to the bit, in type and shape too."""
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, tuple):
        return isinstance(b, tuple) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    return type(a) is type(b) and a == b


def raised(kind, call):
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was not raised")


def ends(pid, within=5.0):
    """Whether a process is gone, or a zombie that nobody has waited for."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    return False


def rows(space, steps, lanes, seed=0):
    """[steps, lanes] actions of a single environment's space, drawn once."""
    space.seed(seed)
    return [[space.sample() for _ in range(lanes)] for _ in range(steps)]


def together(space, actions):
    """One step's actions as the vector environment wants them."""
    if isinstance(space, gymnasium.spaces.Dict):
        return {key: np.stack([a[key] for a in actions]) for key in space}
    return np.stack(actions)

def run(names):
    """Runs the functions test_* of `names`, or those whose names contain a word of the command line. Returns how many failed."""
    tests = {name: test for name, test in names.items() if name.startswith("test_") and callable(test)}
    wrong = 0
    for name, test in tests.items():
        if sys.argv[3:] and not any(word in name for word in sys.argv[3:]):
            continue
        start = time.monotonic()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                test()
            print(f"{name}: {time.monotonic() - start:.1f} s", flush=True)
        except Exception:
            wrong += 1
            print(f"{name}: FAILED")
            traceback.print_exc(file=sys.stdout)
    subprocess.run(["rm", "-rf", FOLDER])
    return wrong
