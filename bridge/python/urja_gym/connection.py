"""One socket to a server, and the requests of urja-gym/1 over it: bridge/PROTOCOL.md is the reference, this file its client side.

`Connection.request(type, meta, blob) -> Reply` is all that the rest of the package knows of sockets; steps may go through shared memory
instead (shared.py).
"""
from __future__ import annotations

import contextlib
import os
import struct
import threading
import time
import weakref
from pathlib import Path
from typing import Any, NamedTuple

import zmq

from . import messagepack
from .errors import NoAnswer, ProtocolError, ServerEnded, from_meta
from .program import Server

(HELLO, WELCOME, MAKE, SPEC, RESET, STEP, STEP_MANY, RESULT, SNAPSHOT, RESTORE, BRANCH, DROP, RENDER, KPI, MASK, STATE, CLOSE, PING, PONG, ERROR,
 OK, TOTALS, MASKS, TRUTH, SHARE, SHARED, BOUND, BOUNDS, ADVICE, ADVISED) = range(1, 31)  # fmt: skip
HAS_MASK, HAS_SEEDS = 1, 2  # flags

# magic, major, minor, type, flags, session, seq, schema, n, t, crc, reserved: 48 bytes
HEADER = struct.Struct("<IBBBBQQQIIII")
MAGIC = int.from_bytes(b"URJG", "little")
_TYPE_AND_FLAGS = struct.Struct("<BB")  # at 6
_SEQ = struct.Struct("<Q")  # at 16
_N_AND_T = struct.Struct("<II")  # at 32


class Reply(NamedTuple):
    type: int
    session: int
    schema: int
    n: int
    t: int
    meta: Any  # what MessagePack held, None where there was none
    blob: memoryview  # bytes; its memory belongs to the message and lives as long as this view


class Connection:
    """A DEALER socket to `endpoint`, for one session. `server` is the process behind it where this client started it: that it has ended
    is then noticed within a second. A request that has no answer after `timeout` seconds is repeated once, with the same number, which
    the server answers without doing it again. `server_key` and `keys` encrypt it (CURVE): `keys` is a file of two lines, a public key and
    its secret one."""

    def __init__(
        self, endpoint: str, timeout: float, server: Server | None = None, server_key: str | None = None, keys: str | os.PathLike | None = None
    ):  # fmt: skip
        self.endpoint, self.timeout, self.server = endpoint, timeout, server
        self.pid = os.getpid()
        self.curve = None
        if keys is not None:
            public, secret = Path(keys).read_text().split()
            self.curve = (public.encode(), secret.encode(), server_key.encode())
        self.socket = _dealer(self.curve)
        self.socket.sndhwm = self.socket.rcvhwm = 0  # one request is under way at a time; its parts are never dropped
        self.socket.rcvtimeo = max(1, min(1000, int(timeout * 1000)))  # between two looks at whether the server still runs
        self.socket.sndtimeo = max(1, int(timeout * 1000))  # nothing is sent where the server refuses this client's key
        try:
            self.socket.connect(endpoint)
        except zmq.ZMQError as error:
            self.socket.close()
            raise NoAnswer(f"there is no endpoint {endpoint!r} ({error}): say what `urja gym` printed, such as tcp://127.0.0.1:5555 or ipc:///tmp/gym") from None
        self._over = threading.Event()
        self._end = weakref.finalize(self, _close_socket, self.socket, self.pid, self._over)
        self.header = bytearray(HEADER.size)  # one for all requests: a step changes its number and nothing else
        HEADER.pack_into(self.header, 0, MAGIC, 1, 0, HELLO, 0, 0, 0, 0, 0, 0, 0, 0)
        self.seq = -1
        self._kind = None  # (type, flags, n, t) that the header holds

    def open(self, session: int) -> None:
        """From here on all requests are those of `session`."""
        struct.pack_into("<Q", self.header, 8, session)

    def set_schema(self, schema: int) -> None:
        """From here on all requests name this schema."""
        struct.pack_into("<Q", self.header, 24, schema)

    def keep_alive(self, lease: float) -> None:
        """Keeps the session while this process lives, however long it asks nothing: a thread sends a PING three times in `lease` seconds."""
        header = HEADER.pack(MAGIC, 1, 0, PING, 0, struct.unpack_from("<Q", self.header, 8)[0], 0, 0, 0, 0, 0, 0)
        threading.Thread(target=_beat, args=(self.endpoint, self.curve, header, lease / 3, self._over), daemon=True, name="urja_gym heartbeat").start()

    def request(self, type: int, meta: dict | None = None, blob=b"", *, flags: int = 0, n: int = 0, t: int = 0) -> Reply:
        """Sends one request and waits for its reply. `blob`: anything with a contiguous buffer. Raises what the server raised; what may
        succeed later (BUSY) is tried again for a third of a second before that."""
        kind = (type, flags, n, t)
        if kind != self._kind:
            _TYPE_AND_FLAGS.pack_into(self.header, 6, type, flags)
            _N_AND_T.pack_into(self.header, 32, n, t)
            self._kind = kind
        parts = (self.header, b"" if meta is None else messagepack.pack(meta), blob)
        reply = self._round(parts)
        if reply.type != ERROR:
            return reply
        for wait in (0.01, 0.02, 0.04, 0.08, 0.16):
            error = from_meta(reply.meta if isinstance(reply.meta, dict) else {})
            if not error.retryable:
                break
            time.sleep(wait)
            reply = self._round(parts)  # with a number of its own: that of the refused one is used
            if reply.type != ERROR:
                return reply
        raise error

    def _round(self, parts) -> Reply:
        """One request, under the next number, and its reply."""
        self.seq += 1
        _SEQ.pack_into(self.header, 16, self.seq)
        try:
            self._send(parts)
        except zmq.Again:
            raise NoAnswer(self._no_answer()) from None
        return self._receive(parts)

    def _send(self, parts) -> None:
        socket = self.socket
        socket.send(parts[0], zmq.SNDMORE)  # copied: the header changes with the next request
        socket.send(parts[1], zmq.SNDMORE)
        socket.send(parts[2])

    def _receive(self, parts) -> Reply:
        """The reply to the request of this number; late ones to earlier requests are passed over."""
        socket = self.socket
        deadline, repeated = time.monotonic() + self.timeout, False
        while True:
            try:
                header = socket.recv()
            except zmq.Again:
                if self.server is not None and not self.server.is_running():
                    raise ServerEnded(f"the server has ended:\n{self.server.last_words() or 'it said nothing'}") from None
                if time.monotonic() < deadline:
                    continue
                if repeated:
                    raise NoAnswer(self._no_answer()) from None
                with contextlib.suppress(zmq.Again):
                    self._send(parts)
                deadline, repeated = time.monotonic() + self.timeout, True
                continue
            if not header and socket.rcvmore:  # the delimiter that a REQ would need
                header = socket.recv()
            meta = socket.recv() if socket.rcvmore else b""
            blob = socket.recv(copy=False).buffer if socket.rcvmore else memoryview(b"")
            while socket.rcvmore:
                socket.recv()
            if len(header) != HEADER.size:
                raise ProtocolError(f"{self.endpoint} answers with a header of {len(header)} bytes: it does not speak urja-gym/1")
            magic, major, _, type, _, session, seq, schema, n, t, _, _ = HEADER.unpack(header)
            if magic != MAGIC or (major != 1 and type != ERROR):
                raise ProtocolError(f"{self.endpoint} does not speak urja-gym/1")
            if seq == self.seq:
                return Reply(type, session, schema, n, t, messagepack.unpack(meta) if meta else None, blob)

    def _no_answer(self) -> str:
        if self.server is None:
            return (
                f"no answer from {self.endpoint} in twice {self.timeout:g} s. Does `urja gym` run there, was its line `urja-gym/1 ENDPOINT` "
                "this endpoint, and does it know this client's CURVE key where it asks for one? A larger `timeout` helps where steps are long."
            )
        return (
            f"the server (process {self.server.process.pid}) runs but has not answered in twice {self.timeout:g} s. "
            "A larger `timeout` helps where steps are long; close() ends it."
        )

    def close(self, polite: bool) -> None:
        """Closes the socket. `polite`: tells the server first, which frees the session's memory at once and not when its lease is over."""
        if polite and self.seq > 0 and self.pid == os.getpid():
            self.timeout, self.socket.rcvtimeo = 0.5, 500
            try:
                self.request(CLOSE)
            except Exception:  # it is over either way
                pass
        self._end()


def _dealer(curve: tuple[bytes, bytes, bytes] | None) -> zmq.Socket:
    socket = zmq.Context.instance().socket(zmq.DEALER)
    socket.linger = 0
    if curve is not None:
        socket.curve_publickey, socket.curve_secretkey, socket.curve_serverkey = curve
    return socket


def _beat(endpoint: str, curve, header: bytes, interval: float, over: threading.Event) -> None:
    """Heartbeats until the session is over, each over a socket of its own: the session's belongs to the thread that steps."""
    while not over.wait(interval):
        with contextlib.suppress(zmq.ZMQError), _dealer(curve) as socket:
            socket.rcvtimeo = socket.sndtimeo = max(1, int(1000 * interval))
            socket.connect(endpoint)
            socket.send_multipart([header, b"", b""])
            socket.recv_multipart()


def _close_socket(socket: zmq.Socket, owner: int, over: threading.Event) -> None:
    over.set()
    if os.getpid() == owner:  # a socket does not survive fork, and must not be touched there
        socket.close(0)
