"""Steps through memory that this process shares with a server on the same host. bridge/PROTOCOL.md, "Shared memory"; all else goes over the
socket. No dependency: mmap, and the futex system call by ctypes where a wait is long enough to sleep."""
from __future__ import annotations

import ctypes
import mmap
import os
import threading
import time
from collections.abc import Callable

import numpy as np

from . import messagepack
from .connection import ERROR, RESET, STEP, STEP_MANY, Reply
from .errors import NoAnswer, ServerEnded, SessionError, from_meta

# Places of the control words, as u32 from the segment's begin.
_REQUEST, _TYPE, _T, _SERVER_SLEEPS, _REPLY, _REPLY_TYPE, _REPLY_T, _REPLY_SIZE, _CLIENT_SLEEPS, _OVER = 0, 1, 2, 16, 32, 33, 34, 35, 48, 64
_LOOKS = 1_000  # looks at the reply's number, about 40 us, before others are let onto this core between two looks
_YIELDS = 2_000  # such looks before sleeping
_LOOKS_AMONG_OTHERS = 10  # where the server needs all cores: who looks on stands in its way

_SYS_FUTEX = {"x86_64": 202, "aarch64": 98}.get(os.uname().machine)
_WAIT, _WAKE = 0, 1
_libc = ctypes.CDLL(None, use_errno=True)


class _Timespec(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long)]


class SharedLine:
    """`told` is SHARED's meta, `threads` those of the server's simulation. Raises OSError where the memory cannot be reached: another host,
    another user, another container."""

    def __init__(self, told: dict, is_running: Callable[[], bool], timeout: float, threads: int = 1):
        if _SYS_FUTEX is None:
            raise OSError(f"no futex known on {os.uname().machine}")
        file = os.open(told["path"], os.O_RDWR | os.O_CLOEXEC)
        try:
            if os.fstat(file).st_size != told["bytes"]:
                raise OSError(f"{told['path']} is something else")
            self.memory = mmap.mmap(file, told["bytes"])
        finally:
            os.close(file)
        whole = memoryview(self.memory)
        self.words = whole.cast("I")
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        at, size = told["request_at"], told["request_bytes"]
        self.request = np.frombuffer(self.memory, np.float32, size // 4, at)
        self.replies = [whole[at : at + told["reply_bytes"]] for at in told["reply_at"]]
        self.number = self.words[_REQUEST]
        self.is_running, self.timeout = is_running, timeout
        crowded = threads >= len(os.sched_getaffinity(0))
        self._looks, self._yields = range(_LOOKS_AMONG_OTHERS if crowded else _LOOKS), 0 if crowded else _YIELDS
        self._lock = threading.Lock()
        self._asked = (0, 0)
        self._one: np.ndarray | None = None  # the request area in the shape of one step's actions

    def step(self, actions: np.ndarray) -> Reply:
        """`actions` float32 of any shape, as many numbers as a step takes."""
        if self._one is None or self._one.shape != actions.shape:
            self._one = self.request[: actions.size].reshape(actions.shape)
        self._one[...] = actions
        return self._ask(STEP, 1)

    def reset(self) -> Reply:
        """The next episode in all lanes."""
        return self._ask(RESET, 0)

    def fits(self, actions: np.ndarray) -> bool:
        """Whether so many steps go through at once."""
        return actions.size <= self.request.size

    def step_many(self, actions: np.ndarray) -> Reply:
        """`actions` float32 [T, N, A] that fits."""
        self.request[: actions.size] = actions.reshape(-1)
        return self._ask(STEP_MANY, len(actions))

    def _ask(self, type: int, t: int) -> Reply:
        words = self.words
        area = self.replies[self.round(type, t)]
        return Reply(words[_REPLY_TYPE], 0, 0, 0, words[_REPLY_T], None, area[: words[_REPLY_SIZE]])

    def round(self, type: int = STEP, t: int = 1) -> int:
        """Has the request area answered; which of the two replies it is."""
        words = self.words
        self.number = number = (self.number + 1) & 0xFFFFFFFF
        if self._asked != (type, t):
            words[_TYPE], words[_T] = self._asked = (type, t)
        words[_REQUEST] = number
        with self._lock:  # a full barrier, and Python has no other: what was written is seen before what is read next
            pass
        if words[_SERVER_SLEEPS]:
            self._futex(_REQUEST, _WAKE, 1)
        for _ in self._looks:
            if words[_REPLY] == number:
                break
        else:
            self._wait_for(number)
        if words[_REPLY_TYPE] == ERROR:
            raise from_meta(messagepack.unpack(bytes(self.replies[number & 1][: words[_REPLY_SIZE]])))
        return number & 1

    def _wait_for(self, number: int) -> None:
        words, let_others = self.words, os.sched_yield
        for _ in range(self._yields):
            let_others()
            if words[_REPLY] == number:
                return
        end = time.monotonic() + 2 * self.timeout
        while words[_REPLY] != number:
            if words[_OVER]:
                raise SessionError("the server has ended this session")
            words[_CLIENT_SLEEPS] = 1
            with self._lock:
                pass
            seen = words[_REPLY]
            if seen != number:
                self._futex(_REPLY, _WAIT, seen, 0.02)  # a wake-up that got lost costs no more than this
            words[_CLIENT_SLEEPS] = 0
            if words[_REPLY] == number:
                return
            if not self.is_running():
                raise ServerEnded("the server has ended")
            if time.monotonic() > end:
                raise NoAnswer(f"the server has not answered in twice {self.timeout:g} s; a larger `timeout` helps where steps are long")

    def _futex(self, word: int, what: int, value: int, seconds: float = 0.0) -> None:
        wait = _Timespec(int(seconds), int(seconds % 1 * 1e9))
        _libc.syscall(_SYS_FUTEX, ctypes.c_void_p(self.address + 4 * word), what, value, ctypes.byref(wait), None, 0)
