"""One batch of lanes on a server: what `UrjaEnv`, `UrjaVectorEnv` and the adapters have in common.

Connects when it is first needed (the first reset, or when somebody asks for the spaces), so that an environment can be made, pickled and
sent to a worker before anything runs. After a fork the child has no connection and makes its own at its next reset.
"""
from __future__ import annotations

import os
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from .connection import (
    ADVICE, BOUND, BRANCH, DROP, HAS_MASK, HAS_SEEDS, HELLO, KPI, MAKE, MASK, RENDER, RESET, RESTORE, SHARE, SHARED, SNAPSHOT, SPEC, STATE, STEP, STEP_MANY,
    WELCOME, Connection, Reply,
)  # fmt: skip
from .errors import NoAnswer, ProtocolError, SequenceError, ServerEnded, SessionError, StateError, UrjaGymError
from .program import Server, find_program, find_scenario
from .schema import ActionLayout, Schema, observation_space
from .shared import SharedLine

TRANSPORTS = ("auto", "shm", "ipc", "tcp")


@dataclass(frozen=True)
class Task:
    """Which environment, and on which server. The arguments that `make` and `make_vec` share:

    scenario:  path of a scenario, or the name of a shipped one ("village").
    endpoint:  of a server that runs already; None starts one that ends with this process.
    program:   the program `urja` where it is not to be looked for.
    split:     from which part of the data episodes are drawn: "train", "validation", "test" or "all".
    policy:    "agent": the actions given to step(). Baselines in the same episodes, which ignore them: "rule" (the scenario's own
               controller), "hold", "greedy", "rolling_lp", "dynamic_programming", "perfect_foresight".
    threads:   of the simulation in the server.
    set:       values of the scenario that are other than in the file: {"assets.battery.packs": 2, "gym.episode.length": "7 d"}.
    transport: "auto": steps through shared memory where the server is on this host, else over the socket; "shm": an error where that
               cannot be; "ipc" (a socket file), "tcp" (loopback): over such a socket.
    timeout:   s until an unanswered request is repeated, once; after the same time again it is an error.
    server_key, keys: CURVE, for an endpoint on another machine: the public key of the server, and a file with this client's own pair.
    """

    scenario: str | os.PathLike | None = None
    endpoint: str | None = None
    program: str | os.PathLike | None = None
    split: str = "train"
    policy: str = "agent"
    threads: int = 1
    set: dict[str, Any] = field(default_factory=dict)
    transport: str = "auto"
    timeout: float = 60.0
    server_key: str | None = None
    keys: str | os.PathLike | None = None

    def __post_init__(self):
        if self.scenario is None and self.endpoint is None:
            raise ValueError("give a scenario (a path, or the name of a shipped one), or the endpoint of a running server")
        if self.endpoint is not None and self.set:
            raise ValueError("`set` changes the scenario of a server that is started; the one at `endpoint` runs already")
        if (self.server_key is None) != (self.keys is None) or (self.keys is not None and self.endpoint is None):
            raise ValueError("CURVE takes all three: `endpoint`, its `server_key`, and `keys` (a file that `urja gym --curve-new FILE` makes)")
        if self.transport not in TRANSPORTS:
            raise ValueError(f"transport {self.transport!r}: allowed are {', '.join(TRANSPORTS)}")

    def connect(self, envs: int, autoreset: str) -> tuple[Connection, Schema, float]:
        """A session with its batch made, its schema, and how long (s) it lives without a request."""
        server = None
        endpoint = self.endpoint
        if endpoint is None:
            program = find_program(self.program)
            server = Server(program, find_scenario(self.scenario, program), self.set, self.transport)
            endpoint = server.endpoint
        connection = Connection(endpoint, min(self.timeout, 10.0), server, self.server_key, self.keys)
        try:
            welcome = _expect(connection.request(HELLO, {"client": "urja_gym"}), WELCOME)
            if server is None and self.scenario is not None:
                asked, served = os.fspath(self.scenario), str(welcome.meta["scenario"])
                if _stem(asked) != _stem(served):
                    raise ValueError(f"the server at {endpoint} serves {served!r}, not {asked!r}")
            connection.open(welcome.meta["session"])
            connection.timeout = self.timeout
            wish = {"envs": envs, "autoreset": autoreset, "split": self.split, "threads": self.threads, "policy": self.policy}
            spec = _expect(connection.request(MAKE, wish, n=envs), SPEC)
            schema = Schema.from_meta(spec.meta, spec.meta["schema_hash"])
            connection.set_schema(schema.hash)
            if server is None:
                connection.keep_alive(float(welcome.meta.get("lease_s", 60)))
        except BaseException:
            connection.close(polite=False)
            if server is not None:
                server.close()
            raise
        return connection, schema, float(welcome.meta.get("lease_s", 60))

    def share(self, connection: Connection, n: int) -> SharedLine | None:
        """The way through shared memory, where the server offers one and this process can reach it."""
        if self.transport not in ("auto", "shm"):
            return None
        server = connection.server
        try:
            told = _expect(connection.request(SHARE, n=n), SHARED).meta
            return SharedLine(told, (lambda: True) if server is None else server.is_running, self.timeout, self.threads)
        except (OSError, UrjaGymError) as error:
            if self.transport == "shm":
                raise ProtocolError(f"no shared memory with the server at {connection.endpoint}: {error}") from error
            return None


def _stem(path: str) -> str:
    return os.path.basename(path).removesuffix(".yaml").removesuffix(".yml")


def _expect(reply: Reply, type: int) -> Reply:
    if reply.type != type:
        raise ProtocolError(f"a reply of type {reply.type} where {type} belongs")
    return reply


class Masks(NamedTuple):
    """What is feasible in the next control interval."""

    low: np.ndarray  # [N, A] float32, as actions are scaled; of box actions
    high: np.ndarray  # [N, A] float32
    allowed: np.ndarray  # [N, W] bool; W is the sum of the discrete actions' choices, in order


class Totals(NamedTuple):
    """Sums of the columns since each lane's episode began, and of the one before it."""

    running: dict[str, np.ndarray]  # name -> [N] float64
    last: dict[str, np.ndarray]  # name -> [N] float64
    length: np.ndarray  # [N] uint32, steps of the episode before


class Result:
    """The arrays of one RESULT. `observations` are a view on the message where `copy` is False; all else may be kept and changed."""

    __slots__ = ("observations", "reward", "terminated", "truncated", "columns", "draws", "final_index", "final_observations", "over", "went_on")

    def __init__(self, blob: memoryview, t: int, layout: ResultLayout, copy: bool):
        N, O = layout.n, layout.o
        own = np.frombuffer(blob, np.uint8)
        if len(own) < layout.size(t):
            raise ProtocolError(f"a result of {len(own)} bytes where {layout.size(t)} belong")
        if copy:
            own = own.copy()
            self.observations = np.ndarray((N, O), np.float32, own, 0)
            shift = 0
        else:
            self.observations = np.ndarray((N, O), np.float32, own, 0)
            self.observations.flags.writeable = False
            shift = layout.reward
            own = own[shift:].copy()
        self.reward = np.ndarray((N,), np.float64, own, layout.reward - shift)
        self.terminated = np.ndarray((N,), np.bool_, own, layout.terminated - shift)
        self.truncated = np.ndarray((N,), np.bool_, own, layout.truncated - shift)
        self.columns = np.ndarray((layout.c, N), np.float64, own, layout.columns - shift)
        self.draws = np.ndarray((layout.d, N), np.float64, own, layout.draws - shift)
        self.final_index = np.ndarray((t,), np.uint32, own, layout.final_index - shift) if t else None
        self.final_observations = np.ndarray((t, O), np.float32, own, layout.final_observations(t) - shift) if t else None


def aligned(offset: int) -> int:
    """Where the next array of a blob begins: at a multiple of 64 bytes."""
    return (offset + 63) & ~63


class ResultLayout:
    """Offsets of RESULT's arrays in bytes, for `n` lanes and a schema."""

    def __init__(self, n: int, schema: Schema):
        self.n, self.o, self.c, self.d = n, len(schema.observations), len(schema.columns), len(schema.draws)
        self.reward = aligned(n * self.o * 4)
        self.terminated = aligned(self.reward + n * 8)
        self.truncated = aligned(self.terminated + n)
        self.columns = aligned(self.truncated + n)
        self.draws = aligned(self.columns + self.c * n * 8)
        self.final_index = aligned(self.draws + self.d * n * 8)
        self._end = (self.draws + self.d * n * 8) if self.d else (self.columns + self.c * n * 8) if self.c else self.truncated + n

    def final_observations(self, t: int) -> int:
        return aligned(self.final_index + t * 4)

    def size(self, t: int) -> int:
        """Bytes that a RESULT must have at least."""
        return self.final_observations(t) + t * self.o * 4 if t else self._end


def _joined(*arrays: np.ndarray) -> bytes | np.ndarray:
    """Arrays as a request's blob: each at a multiple of 64 bytes, zeros between."""
    if len(arrays) == 1:
        return arrays[0]
    blob = bytearray()
    for array in arrays:
        blob.extend(bytes(aligned(len(blob)) - len(blob)))
        blob.extend(array.tobytes())
    return bytes(blob)


class Batch:
    """`envs` lanes of a task, with one autoreset mode: `next_step`, `same_step` or `disabled`, all done by the server."""

    def __init__(self, task: Task, envs: int, autoreset: str, copy: bool = True):
        self.task, self.n, self.autoreset, self.copy = task, envs, autoreset, copy
        self._connection: Connection | None = None  # the step goes by this alone: None means that reset must come first
        self._line: SharedLine | None = None  # or by this, where there is one
        self._schema: Schema | None = None
        self.seeds: np.ndarray | None = None  # [N] uint64, those of the last reset that named some
        self.closed = False
        self._fresh = True  # the server has not been asked to reset all lanes yet
        _batches.add(self)

    # ---- connection ----

    @property
    def schema(self) -> Schema:
        """Names, units, bounds. Connects where that has not happened."""
        if self._schema is None:
            self._connect()
        return self._schema

    def _connect(self) -> Connection:
        if self.closed:
            raise StateError("the environment is closed")
        if self._connection is None:
            connection, schema, self.lease = self.task.connect(self.n, self.autoreset)
            if self._schema is not None and self._schema.hash != schema.hash:
                connection.close(polite=True)
                raise StateError("the server's scenario has changed since the spaces were made; make a new environment")
            self._connection, self._schema, self._fresh = connection, schema, True
            self.actions = ActionLayout(schema.actions, schema.normalised_actions)
            self.observation_space = observation_space(schema)
            self.layout = ResultLayout(self.n, schema)
            self.column_names = [c.name for c in schema.columns]
            self.draw_names = [d.name for d in schema.draws]
        return self._connection

    def _drop_connection(self, polite: bool = False) -> None:
        """Ends the session, and the server where it is our own."""
        connection, self._connection = self._connection, None
        self._line = None
        if connection is not None:
            connection.close(polite and connection.server is None)
            if connection.server is not None:
                connection.server.close()

    def close(self) -> None:
        self._drop_connection(polite=True)
        self.closed = True

    def request(self, type: int, meta: dict | None = None, blob=b"", *, flags: int = 0, t: int = 0) -> Reply:
        """A request that needs a session with episodes under way."""
        connection = self._connection
        if connection is None or self._fresh:
            raise StateError("the environment is closed" if self.closed else "call reset() first (after a fork too)")
        try:
            return connection.request(type, meta, blob, flags=flags, n=self.n, t=t)
        except SessionError as error:
            self._drop_connection()
            raise self._session_is_over(connection, error) from error
        except (NoAnswer, ServerEnded, ProtocolError, SequenceError):
            self._drop_connection()  # what the server has and has not done is unknown: only a new session is sure
            raise

    def _session_is_over(self, connection: Connection, error: SessionError) -> SessionError:
        return SessionError(
            f"the session at {connection.endpoint} is over ({error.text}); one that asks nothing for {self.lease:g} s is ended. "
            "Its episodes are lost: call reset() of all lanes, which makes a new one."
        )

    # ---- episodes ----

    def reset(self, seeds: Sequence[int | None] | None, mask: np.ndarray | None = None) -> Result:
        """Begins episodes in all lanes, or where `mask` [N] is true: the first one of each seed that is given, else the lane's next."""
        values = given = None
        if seeds is None and mask is None and self._line is not None:
            try:
                return self.result(self._line.reset())
            except (SessionError, NoAnswer, ServerEnded):
                self._drop_connection()  # a new session, below
        if seeds is not None:
            if any(s is not None and not 0 <= s < 1 << 64 for s in seeds):
                raise ValueError("a seed is a whole number from 0 to 2**64 - 1")
            given = np.array([s is not None for s in seeds])
            values = np.array([0 if s is None else s for s in seeds], np.uint64)
        if self._connection is None and self.seeds is not None:
            # a new session (after a fork, or when the lease was over) goes on with the old one's seeds, from their first episodes
            values = self.seeds.copy() if values is None else np.where(given, values, self.seeds)
            given = np.ones(self.n, bool)
        connection = self._connect()
        if mask is not None and self._fresh and not mask.all():
            raise StateError("the first reset is of all lanes: leave `reset_mask` out")
        if values is not None:
            self.seeds = values if self.seeds is None else np.where(given & (True if mask is None else mask), values, self.seeds)
        try:
            result = None
            if values is None or not given.all():  # lanes without a new seed go to their next episode
                lanes = mask if values is None else ~given if mask is None else mask & ~given
                if lanes is None or lanes.any():
                    result = self._reset(connection, None, lanes)
            if values is not None and given.any():
                lanes = mask if given.all() else given if mask is None else mask & given
                if lanes is None or lanes.any():
                    result = self._reset(connection, values, lanes)
            return result
        except SessionError as error:
            if self._fresh:
                raise
            self._drop_connection()  # the lease is over, and a reset of all lanes may make a new session
            if mask is not None and not mask.all():
                raise self._session_is_over(connection, error) from error
            return self.reset(seeds)
        except (NoAnswer, ServerEnded, ProtocolError, SequenceError):
            self._drop_connection()
            raise

    def _reset(self, connection: Connection, seeds: np.ndarray | None, mask: np.ndarray | None) -> Result:
        parts, flags = [], 0
        if seeds is not None:
            parts.append(np.ascontiguousarray(seeds, "<u8"))
            flags |= HAS_SEEDS
        if mask is not None:
            parts.append(np.ascontiguousarray(mask, np.uint8))
            flags |= HAS_MASK
        reply = connection.request(RESET, None, _joined(*parts) if parts else b"", flags=flags, n=self.n)
        if self._fresh:
            self._fresh = False
            self._line = self.task.share(connection, self.n)
        return Result(reply.blob, reply.t, self.layout, self.copy)

    def step(self, actions: np.ndarray) -> Reply:
        """One control interval. `actions`: contiguous float32 [N, A]."""
        line = self._line
        return self.request(STEP, None, actions) if line is None else self._through(line.step, actions)

    def _through(self, step, actions: np.ndarray) -> Reply:
        """A step through shared memory; what may go wrong is what may go wrong over the socket."""
        try:
            return step(actions)
        except (SessionError, NoAnswer, ServerEnded):
            self._drop_connection()
            raise

    def step_many(self, actions: np.ndarray) -> Result:
        """`actions` float32 [T, N, A]: T control intervals in one message; reward and columns summed, flags or-ed."""
        line = self._line
        if line is not None and line.fits(actions):
            return self._of_many(self._through(line.step_many, actions))
        return self._of_many(self.request(STEP_MANY, None, actions, t=len(actions)))

    def _of_many(self, reply: Reply) -> Result:
        """Beside the flags, which say what was within all steps: `over` [N], which lanes are so after the last one, and `went_on` [N], which
        have begun another episode."""
        result = self.result(reply)
        flags = [flag.view(np.uint8) for flag in (result.terminated, result.truncated)]
        result.over, result.went_on = (flags[0] == 1) | (flags[1] == 1), (flags[0] == 3) | (flags[1] == 3)
        result.terminated, result.truncated = flags[0] != 0, flags[1] != 0
        return result

    def result(self, reply: Reply) -> Result:
        return Result(reply.blob, reply.t, self.layout, self.copy)

    # ---- trees ----

    def snapshot(self) -> int:
        """Keeps the state of all lanes, episode, random numbers and faults included; the number is for restore() and drop()."""
        return self.request(SNAPSHOT).meta["snapshot"]

    def restore(self, snapshot: int, mask: np.ndarray | None = None) -> Result:
        """Puts lanes (all, or where `mask` [N] is true) back into a snapshot."""
        blob, flags = (b"", 0) if mask is None else (np.ascontiguousarray(mask, np.uint8), HAS_MASK)
        return self.result(self.request(RESTORE, {"snapshot": snapshot}, blob, flags=flags))

    def branch(self, from_lanes, to_lanes) -> Result:
        """Makes each lane of `to_lanes` a copy of that of `from_lanes`, in order; one number stands for all of its side."""
        pairs = np.stack(np.broadcast_arrays(np.atleast_1d(from_lanes), np.atleast_1d(to_lanes)), axis=1)
        return self.result(self.request(BRANCH, None, np.ascontiguousarray(pairs, "<u4")))

    def drop(self, snapshot: int) -> None:
        """Frees a snapshot."""
        self.request(DROP, {"snapshot": snapshot})

    # ---- what else can be asked ----

    def masks(self) -> Masks:
        reply = self.request(MASK)
        N, A = self.n, self.actions.size
        W = sum(len(self.schema.actions[i].values) for i in self.actions.discrete)
        blob = np.frombuffer(reply.blob, np.uint8).copy()
        second = aligned(N * A * 4)
        third = aligned(second + N * A * 4)
        return Masks(
            np.ndarray((N, A), np.float32, blob, 0), np.ndarray((N, A), np.float32, blob, second),
            np.ndarray((N, W), np.bool_, blob, third) if W else np.zeros((N, 0), np.bool_),
        )  # fmt: skip

    def totals(self) -> Totals:
        N, C = self.n, self.layout.c
        blob = np.frombuffer(self.request(KPI).blob, np.uint8).copy()
        second = aligned(C * N * 8)
        third = aligned(second + C * N * 8)
        running, last = (np.ndarray((C, N), np.float64, blob, at) for at in (0, second))
        return Totals(
            dict(zip(self.column_names, running)), dict(zip(self.column_names, last)), np.ndarray((N,), np.uint32, blob, third)
        )

    def state(self) -> np.ndarray:
        """[N, S] float64: the true plant, which `schema.state` names. For critics and tests, not for policies."""
        return np.frombuffer(self.request(STATE).blob, np.float64).reshape(self.n, -1).copy()

    def bounds(self) -> np.ndarray:
        """[N] float64: what no policy's episode can cost less than (schema.cost summed up), proven. Right after a reset of all lanes; an
        error where nothing is proven for the plant."""
        return np.frombuffer(self.request(BOUND).blob, np.float64).copy()

    def advice(self, policy: str) -> np.ndarray:
        """[N, A] float32: what a planner of the server would do now, as step() takes it."""
        return np.frombuffer(self.request(ADVICE, {"policy": policy}).blob, np.float32).reshape(self.n, -1).copy()

    def describe(self, lane: int) -> dict:
        """{text, time, values: [{name, value, unit}]} of one lane, for people."""
        return self.request(RENDER, {"lane": lane}).meta


_batches: weakref.WeakSet[Batch] = weakref.WeakSet()
_inherited: list[Connection] = []  # of the parent process: kept, so that nothing touches their sockets here


def _let_go_after_fork() -> None:
    for batch in list(_batches):
        if batch._connection is not None:
            _inherited.append(batch._connection)
            batch._connection = batch._line = None


os.register_at_fork(after_in_child=_let_go_after_fork)

__all__ = ["Batch", "Masks", "Result", "Task", "Totals", "UrjaGymError"]
