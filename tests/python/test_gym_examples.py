"""The example clients print what the Python client finds, and the examples run: test_gym_examples.py URJA SOURCE_DIR

The C++ one is built beside the program; the one for Node needs node and, beside the build folders, what
`npm install --prefix build zeromq@6 @msgpack/msgpack@3` puts there. What is missing is said and left out; where URJA_TEST_CLIENTS is
"required", as under ./urja test, it is an error."""
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(sys.argv[2]) / "bridge/python"))
try:
    import numpy as np

    import urja_gym
    from urja_gym.program import Server
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

URJA, SOURCE = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()


def left_out(what):
    if os.environ.get("URJA_TEST_CLIENTS") == "required":
        raise AssertionError(what)
    print(f"left out: {what}")


def clients(folder):
    """Commands of the example clients that can be run here."""
    if (program := URJA.parent / "gym_example_client").exists():
        yield "C++", [program]
    else:
        left_out(f"C++, {program} is not built")
    packages = SOURCE / "build/node_modules"
    if shutil.which("node") and (packages / "zeromq").is_dir() and (packages / "@msgpack").is_dir():
        (folder / "node_modules").symlink_to(packages)  # Node looks for packages in the folders above the script
        shutil.copy(SOURCE / "bridge/examples/gym_client.mjs", folder)
        yield "Node", ["node", folder / "gym_client.mjs"]
    else:
        left_out(f"Node, node or {packages} is not there")


def by_python(endpoint):
    """The same four environments and day with the Python client; the sum in the same order. The examples reset without seeds, so
    that lanes have the seeds 0 .. 3."""
    envs = urja_gym.make_vec(num_envs=4, endpoint=endpoint)
    envs.reset(seed=0)
    total, zero = 0.0, np.zeros((4, len(envs.schema.actions)), np.float32)
    for _ in range(96):
        for reward in envs.step(zero)[1].tolist():
            total += reward
    envs.close()
    return total


def main():
    folder = Path(tempfile.mkdtemp(prefix="urja-gym-test-"))
    stub = folder / "urja"
    stub.write_text(f'#!/bin/sh\nexec {sys.executable} {SOURCE}/tests/python/gym_stub.py "$@"\n')
    stub.chmod(0o755)
    has_gym = "--bind" in subprocess.run([URJA, "gym", "--help"], capture_output=True, text=True).stdout
    if not has_gym:
        print(f"{URJA} has no command `gym`: the clients speak to the stub only, the examples are left out")
    commands = dict(clients(folder))
    for program in (stub, URJA) if has_gym else (stub,):
        server = Server(program, urja_gym.find_scenario("village", URJA), {}, "tcp")
        expected = by_python(server.endpoint)
        assert np.isfinite(expected) and expected != 0
        for language, command in commands.items():
            done = subprocess.run([*command, server.endpoint], capture_output=True, text=True, timeout=120)
            assert done.returncode == 0, f"{language}: {done.stderr}"
            assert float(done.stdout) == expected, f"{language}: {done.stdout.strip()}, Python: {expected!r}"
            print(f"{language}: {done.stdout.strip()}")
        server.close()
        for command in commands.values():  # nobody there, or no endpoint: an error, no hang
            assert subprocess.run(command, capture_output=True, timeout=120).returncode != 0
    if has_gym:
        environment = os.environ | {"URJA_PROGRAM": str(URJA), "PYTHONPATH": str(SOURCE / "bridge/python"), "PYTHONWARNINGS": "error"}
        for example in sorted((SOURCE / "bridge/python/examples").glob("*.py")):
            done = subprocess.run([sys.executable, example], capture_output=True, text=True, timeout=300, cwd=folder, env=environment)
            assert done.returncode == 0, f"{example.name}: {done.stderr}"
            print(f"{example.name}:\n{done.stdout}")
            if example.name == "tree_search.py":
                cost = {words[0]: float(words[1]) for words in map(str.split, done.stdout.splitlines()[1:])}
                assert cost["search"] < cost["rule"], "a search that knows the day finds nothing better than a rule"
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
