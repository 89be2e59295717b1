"""MessagePack, as much of it as the metadata of urja-gym/1 needs: maps, lists, text, whole numbers, floats, booleans, nil, bytes.

By hand, so that the package depends on numpy, pyzmq and gymnasium only. Metadata are small and rare (never in a step), so this is
written to be read. No extension types: the protocol has none. Format: https://github.com/msgpack/msgpack/blob/master/spec.md
"""
from __future__ import annotations

import struct
from typing import Any

# first byte -> (how its length or value is written, bytes of that); the kinds that have a size class each
_UNSIGNED = {0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q"}
_SIGNED = {0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q"}
_FLOATS = {0xCA: ">f", 0xCB: ">d"}
_LENGTHS = {
    0xC4: (">B", "bytes"), 0xC5: (">H", "bytes"), 0xC6: (">I", "bytes"),
    0xD9: (">B", "text"), 0xDA: (">H", "text"), 0xDB: (">I", "text"),
    0xDC: (">H", "list"), 0xDD: (">I", "list"),
    0xDE: (">H", "map"), 0xDF: (">I", "map"),
}  # fmt: skip


def pack(value: Any) -> bytes:
    """`value` (dict, list, tuple, str, bytes, int, float, bool, None, in any nesting) as MessagePack, each in its shortest form."""
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):  # before int, of which it is a kind
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        if 0 <= value < 128:
            return bytes([value])
        if -32 <= value < 0:
            return struct.pack(">b", value)
        for code, form in (_UNSIGNED if value >= 0 else _SIGNED).items():
            try:
                return bytes([code]) + struct.pack(form, value)
            except struct.error:
                continue
        raise OverflowError(f"{value} does not fit into 64 bits")
    if isinstance(value, float):
        return struct.pack(">Bd", 0xCB, value)
    if isinstance(value, str):
        text = value.encode()
        return _head(len(text), 0xA0, 32, (0xD9, 0xDA, 0xDB)) + text
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _head(len(value), None, 0, (0xC4, 0xC5, 0xC6)) + bytes(value)
    if isinstance(value, dict):
        return _head(len(value), 0x80, 16, (0xDE, 0xDF)) + b"".join(pack(k) + pack(v) for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return _head(len(value), 0x90, 16, (0xDC, 0xDD)) + b"".join(map(pack, value))
    raise TypeError(f"MessagePack has no form for {type(value).__name__}")


def _head(length: int, short: int | None, short_below: int, codes: tuple[int, ...]) -> bytes:
    """The bytes in front of `length` elements: within the first byte where it fits, else the smallest of `codes` that can."""
    if short is not None and length < short_below:
        return bytes([short | length])
    for code in codes:
        form = _LENGTHS[code][0]
        if length < 1 << 8 * struct.calcsize(form):
            return bytes([code]) + struct.pack(form, length)
    raise OverflowError(f"{length} elements are more than MessagePack can count")


def unpack(data: bytes | memoryview) -> Any:
    """The one value that `data` holds. ValueError where it ends too early, goes on afterwards, or holds another type."""
    try:
        value, end = _unpack(memoryview(data), 0)
    except (IndexError, struct.error) as error:
        raise ValueError("the MessagePack ends too early") from error
    if end != len(data):
        raise ValueError(f"{len(data) - end} bytes behind the MessagePack")
    return value


def _unpack(data: memoryview, at: int) -> tuple[Any, int]:
    """The value at `at`, and where it ends."""
    code = data[at]
    at += 1
    if code < 0x80:
        return code, at
    if code >= 0xE0:
        return code - 256, at
    if code < 0x90:
        return _take(data, at, "map", code & 15)
    if code < 0xA0:
        return _take(data, at, "list", code & 15)
    if code < 0xC0:
        return _take(data, at, "text", code & 31)
    if code in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}[code], at
    for forms in (_UNSIGNED, _SIGNED, _FLOATS):
        if code in forms:
            return struct.unpack_from(forms[code], data, at)[0], at + struct.calcsize(forms[code])
    if code in _LENGTHS:
        form, kind = _LENGTHS[code]
        return _take(data, at + struct.calcsize(form), kind, struct.unpack_from(form, data, at)[0])
    raise ValueError(f"MessagePack of an unknown type (byte {code:#x})")


def _take(data: memoryview, at: int, kind: str, length: int) -> tuple[Any, int]:
    """`length` bytes or elements of a `kind` from `at` on, and where they end."""
    if kind in ("text", "bytes"):
        part = bytes(data[at : at + length])
        if len(part) != length:
            raise IndexError
        return part.decode() if kind == "text" else part, at + length
    elements = []
    for _ in range(length * (2 if kind == "map" else 1)):
        value, at = _unpack(data, at)
        elements.append(value)
    return (elements if kind == "list" else dict(zip(elements[::2], elements[1::2]))), at
