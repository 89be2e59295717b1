"""What can go wrong, each with a type of its own: `except urja_gym.OutOfRange` says more than a text that must be searched.

A class for each error code of bridge/PROTOCOL.md, and four for what happens before or instead of an answer. An error that the server
sent has changed nothing: the session is as it was before the request.
"""
from __future__ import annotations


class UrjaGymError(RuntimeError):
    """Base of all. `code`: that of the protocol (None where no server said it); `field`: the key or quota that is meant; `index`: of
    the first wrong number, or the sequence number expected; `retryable`: the same request may succeed later."""

    code: str | None = None

    def __init__(self, text: str, field: str | None = None, index: int | None = None, retryable: bool = False):
        super().__init__(text)
        self.text, self.field, self.index, self.retryable = text, field, index, retryable

    def __reduce__(self):  # travels between processes (AsyncVectorEnv, Ray) with all of its parts
        return type(self), (self.text, self.field, self.index, self.retryable)

    def __str__(self) -> str:
        return f"{self.code}: {self.text}" if self.code else self.text


class ProgramNotFound(UrjaGymError, FileNotFoundError):
    """There is no program `urja`; the text says how to build it."""


class ScenarioNotFound(UrjaGymError, FileNotFoundError):
    """No such file, and no shipped scenario of this name."""


class ServerEnded(UrjaGymError, ConnectionError):
    """The server that this client started does not run (any more); the text has its last words."""


class NoAnswer(UrjaGymError, TimeoutError):
    """Nothing came back in time, although the request was repeated."""


class ProtocolError(UrjaGymError):
    """MAGIC, HEADER, TYPE: one side does not speak urja-gym/1 here. A defect, or something else listens at the endpoint."""


class VersionError(ProtocolError):
    """VERSION: the server speaks another major version of the protocol."""


class ChecksumError(UrjaGymError):
    """CHECKSUM: damaged on the way."""


class MetaError(UrjaGymError, ValueError):
    """META: an option (`field`) with a value that the server does not know or allow."""


class SessionError(UrjaGymError):
    """SESSION: unknown to the server, or its lease is over. `reset()` makes a new one."""


class SequenceError(UrjaGymError):
    """SEQ: neither the next request nor the last one again; `index` is the number expected."""


class SchemaError(UrjaGymError):
    """SCHEMA: the request was made for another scenario or version of it."""


class ShapeError(UrjaGymError, ValueError):
    """SHAPE: an array has not the size that lanes and schema make it."""


class NanAction(UrjaGymError, ValueError):
    """NAN_ACTION: `index` of the first one in the flattened actions."""


class OutOfRange(UrjaGymError, ValueError):
    """OUT_OF_RANGE: `index` of the first action that is outside of its bounds."""


class StateError(UrjaGymError):
    """STATE: not now; step before reset, or of a lane whose episode is over under AutoresetMode.DISABLED."""


class LimitError(UrjaGymError):
    """LIMIT: a quota of the server; `field` says which."""


class BusyError(UrjaGymError):
    """BUSY: too many requests wait there. The client has already tried again."""


class ServerDefect(UrjaGymError):
    """INTERNAL: a defect of the server."""


# each class has its code; ProtocolError stands for several, and for codes of later minor versions
BY_CODE: dict[str, type[UrjaGymError]] = {
    "VERSION": VersionError, "CHECKSUM": ChecksumError, "META": MetaError, "SESSION": SessionError, "SEQ": SequenceError,
    "SCHEMA": SchemaError, "SHAPE": ShapeError, "NAN_ACTION": NanAction, "OUT_OF_RANGE": OutOfRange, "STATE": StateError,
    "LIMIT": LimitError, "BUSY": BusyError, "INTERNAL": ServerDefect,
}  # fmt: skip
for _code, _type in BY_CODE.items():
    _type.code = _code


def from_meta(meta: dict) -> UrjaGymError:
    """The exception for the metadata of an ERROR message."""
    code = str(meta.get("code", "INTERNAL"))
    error = BY_CODE.get(code, ProtocolError)(
        str(meta.get("text", "the server gave no reason")), meta.get("field"), meta.get("index"), bool(meta.get("retryable", False))
    )
    error.code = code
    return error
