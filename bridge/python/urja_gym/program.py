"""Where the program `urja` and the shipped scenarios are, and a server of one's own.

A server that this client starts ends with it: `--until-stdin-closes`, and only this process holds the other end of that pipe. That holds
for a client that is killed (the kernel closes the pipe) and for one that has forked (the child closes its copy at once).
"""
from __future__ import annotations

import json
import os
import secrets
import select
import shutil
import subprocess
import tempfile
import time
import weakref
from pathlib import Path
from typing import Any

from .errors import ProgramNotFound, ScenarioNotFound, ServerEnded


def repository() -> Path | None:
    """The repository that this package was installed from, where there still is one."""
    try:
        from ._repository import PATH  # written by setup.py; not there in an editable install
    except ImportError:
        PATH = Path(__file__).resolve().parents[3]
    return Path(PATH) if (Path(PATH) / "bridge" / "PROTOCOL.md").is_file() else None


def find_program(program: str | os.PathLike | None = None) -> Path:
    """The program `urja`: `program`, or else $URJA_PROGRAM, or else the one on PATH, or else the repository's build/release/urja."""
    for given, by in ((program, "argument `program`"), (os.environ.get("URJA_PROGRAM"), "environment variable URJA_PROGRAM")):
        if given:
            path = shutil.which(given)  # takes a path as it is, and a bare name from PATH
            if path is None:
                raise ProgramNotFound(f"{by}: there is no program {os.fspath(given)!r}")
            return Path(path).resolve()
    if path := shutil.which("urja"):
        return Path(path).resolve()
    root = repository()
    if root is not None and os.access(root / "build/release/urja", os.X_OK):
        return root / "build/release/urja"
    if root is not None:
        raise ProgramNotFound(f"the program `urja` is not built yet. Build it (a few minutes) with:\n    {root / 'urja'} build")
    raise ProgramNotFound(
        "there is no program `urja`. In a clone of Urja's repository, `./urja build` builds it (a few minutes); then either\n"
        "    pip install CLONE/bridge/python         or\n"
        "    export URJA_PROGRAM=CLONE/build/release/urja"
    )


def scenario_folders(program: Path | None) -> list[Path]:
    """Where shipped scenarios lie: beside a program in its repository (build/PRESET/urja) or installed (bin/urja), this package's own."""
    roots = []
    if program is not None:
        roots += [program.parent / "../../scenarios", program.parent / "../share/urja/scenarios"]
    if (root := repository()) is not None:
        roots.append(root / "scenarios")
    return [folder for root in roots for folder in (root / "gym", root) if folder.is_dir()]


def find_scenario(scenario: str | os.PathLike, program: Path | None = None) -> Path:
    """The file of `scenario`: a path, or the bare name of a shipped one. "village" is scenarios/gym/village.yaml, which sets observations,
    actions and reward; one that has no such file is scenarios/NAME.yaml with the server's defaults."""
    path = Path(scenario).expanduser()
    if path.suffix in (".yaml", ".yml") or len(path.parts) > 1:
        if not path.is_file():
            raise ScenarioNotFound(f"there is no scenario file {str(path)!r} (looked from {os.getcwd()})")
        return path.resolve()
    folders = scenario_folders(program)
    for folder in folders:
        if (folder / f"{path.name}.yaml").is_file():
            return folder / f"{path.name}.yaml"
    known = sorted({file.stem for folder in folders for file in folder.glob("*.yaml")})
    raise ScenarioNotFound(
        f"there is no shipped scenario {path.name!r}; "
        + (f"known: {', '.join(known)}" if known else "and no folder of scenarios was found; give the path of a file")
    )


def _set_argument(key: str, value: Any) -> str:
    """One `--set`: text goes as it is ("2 h"), all else as JSON, which YAML reads (True is `true`, a list is a list)."""
    return f"{key}={value if isinstance(value, str) else json.dumps(value)}"


class Server:
    """`urja gym` as a child of this process, ready: `endpoint` is where it listens.

    `transport` "tcp" binds a free port of 127.0.0.1, all else a socket file that only this user may open."""

    def __init__(self, program: Path, scenario: Path, overrides: dict[str, Any], transport: str, start_timeout: float = 120.0):
        if transport == "tcp":
            bind = "tcp://127.0.0.1:0"
        else:  # sockets have short names (107 bytes), temporary folders sometimes long ones
            folders = (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp")
            folder = next((f for f in folders if f and len(f) < 60 and os.access(f, os.W_OK)), "/tmp")
            bind = f"ipc://{folder}/urja-gym-{os.getpid()}-{secrets.token_hex(4)}"
        command = [str(program), "gym", str(scenario), "--bind", bind, "--until-stdin-closes", "--lease", "86400"]  # it ends with this process
        for key, value in overrides.items():
            command += ["--set", _set_argument(key, value)]
        self.said = tempfile.TemporaryFile()  # a file and no pipe: nobody needs to read it for the server to go on
        # a session of its own: Ctrl-C in the client's terminal is for the client
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.said, start_new_session=True)
        self._end = weakref.finalize(self, _end, self.process, self.said, bind.removeprefix("ipc://"), os.getpid())
        self._words = ""
        _servers.add(self)
        line = self._first_line(time.monotonic() + start_timeout)
        if not line.startswith("urja-gym/1 "):
            self.close()
            raise ServerEnded(f"`{' '.join(command)}` did not start:\n{self.last_words() or line or 'it said nothing'}")
        self.endpoint = line.split()[1]

    def _first_line(self, deadline: float) -> str:
        """What the server says when it listens; empty when it ends, or says nothing until `deadline`."""
        said = b""
        out = self.process.stdout.fileno()
        while b"\n" not in said:
            ready, _, _ = select.select([out], [], [], max(0.0, deadline - time.monotonic()))
            part = os.read(out, 4096) if ready else b""
            if not part:
                return ""
            said += part
        return said.split(b"\n")[0].decode(errors="replace").strip()

    def is_running(self) -> bool:
        return self.process.poll() is None

    def last_words(self) -> str:
        """The end of what the server wrote to its stderr."""
        if not self.said.closed:
            self.said.seek(0)
            self._words = self.said.read().decode(errors="replace").strip()[-4000:]
        return self._words

    def close(self) -> None:
        """Ends the server and waits for it; a second time is nothing."""
        if self._end.alive:
            _stop(self.process)
            self.last_words()
            self._end()


def _stop(process: subprocess.Popen) -> None:
    """Lets the server end by itself, as its stdin closes; kills it after five seconds."""
    process.stdin.close()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _end(process: subprocess.Popen, said, socket: str, owner: int) -> None:
    if os.getpid() == owner:  # in a forked child the server belongs to the parent
        _stop(process)
        process.stdout.close()
        said.close()
        if socket.startswith("/"):
            Path(socket).unlink(missing_ok=True)  # of a server that was killed; any other has done so


_servers: weakref.WeakSet[Server] = weakref.WeakSet()


def _let_go_after_fork() -> None:
    """In the child: closes its copies of the pipes, so that the servers end with the parent and not with the last of its children."""
    for server in list(_servers):
        server.process.stdin.close()
        server.process.returncode = 0  # not this process's child: nothing to wait for
        server._end.detach()


os.register_at_fork(after_in_child=_let_go_after_fork)
