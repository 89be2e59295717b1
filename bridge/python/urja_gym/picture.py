"""A lane as a picture, drawn with numpy alone: powers as bars from a common zero, what is stored as gauges, prices and the rest as text.

Each value's place follows from its unit: W, kW and MW are powers; shares (1, %) are gauges; money and all else are lines of text.
"""
from __future__ import annotations

import os
import re
import struct
import zlib
from typing import Any

import numpy as np

from .font import HEIGHT, WIDTH, text_dots
from .schema import Schema

SIZE = (360, 640)  # pixels: height, width
PAPER, INK, FAINT, GRID = (250, 250, 247), (38, 44, 52), (134, 140, 148), (224, 226, 226)
SUPPLY, DEMAND, LOW, TRACK = (46, 125, 90), (196, 98, 45), (190, 60, 55), (232, 234, 232)  # into the bus, out of it, a low store
_TO_KW = {"W": 1e-3, "kW": 1.0, "MW": 1e3}
_MINUS = str.maketrans({"−": "-", "–": "-", "·": ".", "₂": "2", "²": "2", "€": "E"})  # noqa: RUF001


class Canvas:
    """uint8 [H, W, 3], with rectangles and text. Coordinates in pixels from the top left; what leaves the picture is cut off."""

    def __init__(self, height: int, width: int):
        self.pixels = np.empty((height, width, 3), np.uint8)
        self.pixels[:] = PAPER

    def box(self, x: float, y: float, width: float, height: float, colour) -> None:
        left, top = max(0, round(x)), max(0, round(y))
        self.pixels[top : max(top, round(y + height)), left : max(left, round(x + width))] = colour

    def text(self, x: float, y: float, text: str, colour=INK, scale: int = 1, align: str = "left") -> None:
        dots = text_dots(text.translate(_MINUS), scale)
        if align == "right":
            x -= dots.shape[1] - scale
        x, y = round(x), round(y)
        spot = self.pixels[max(0, y) : y + dots.shape[0], max(0, x) : x + dots.shape[1]]
        dots = dots[max(0, -y) :, max(0, -x) :][: spot.shape[0], : spot.shape[1]]
        spot[dots] = colour


def _short(value: float) -> str:
    """Three digits that matter, without an exponent: 0.212, 4.31, 57.4, 1250."""
    size = abs(value)
    if size < 5e-4:
        return "0"
    return f"{value:.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}" if size >= 1 else f"{value:.3f}"


def _fit(text: str, width: int, scale: int = 1) -> str:
    """`text`, its end cut to `width` pixels."""
    most = width // (WIDTH * scale)
    return text if len(text) <= most else text[: most - 2] + ".."


def _plain(name: str) -> str:
    return re.sub(r"[./](ac_)?power$", "", name).replace("state_of_charge", "charge").replace("_", " ")


def _nice_limit(value: float) -> float:
    """The next of 1, 2, 5 times a power of ten: a scale that stays while values move a little."""
    if value <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(step * power for step in (1, 2, 5, 10) if step * power >= value * (1 - 1e-9)))


def draw(told: dict[str, Any], schema: Schema) -> np.ndarray:
    """uint8 [360, 640, 3] of what RENDER told: {text, time, values: [{name, value, unit}]}. Power is shown in kW, positive into the bus."""
    height, width = SIZE
    canvas = Canvas(height, width)
    canvas.text(16, 14, _fit(schema.title or schema.scenario, 430, 1), INK)
    canvas.text(width - 16, 14, str(told.get("time", "")), INK, 1, "right")
    canvas.box(16, 30, width - 32, 1, GRID)

    values = [(str(v["name"]), float(v["value"]), str(v.get("unit", ""))) for v in told.get("values", ())]
    values = [row for row in values if np.isfinite(row[1])]
    powers = [(n, v * _TO_KW[u]) for n, v, u in values if u in _TO_KW]
    shares = [(n, v / 100 if u == "%" else v) for n, v, u in values if u in ("1", "%", "") and 0 <= v <= (100 if u == "%" else 1)]
    rest = [(n, v, u) for n, v, u in values if u not in _TO_KW and n not in {name for name, _ in shares}]

    _powers(canvas, powers, 16, 44, 372, height - 26)
    column = 412
    y = _shares(canvas, shares[:6], column, 44, width - 16 - column)
    _texts(canvas, rest, column, y + 8, width - 16 - column, height - 16)
    return canvas.pixels


def _powers(canvas: Canvas, powers: list[tuple[str, float]], x: int, y: int, width: int, bottom: int) -> None:
    canvas.text(x, y, "POWER, kW", FAINT)
    canvas.text(x + width, y, "into the bus +", FAINT, 1, "right")
    if not powers:
        return
    room = bottom - y - 20
    shown = powers[: max(1, room // 13)]
    pitch = min(58, room // len(shown))
    names, numbers = 118, 46
    left, right = x + names, x + width - numbers
    zero, half = (left + right) / 2, (right - left) / 2 - 2
    limit = _nice_limit(max(abs(value) for _, value in shown))
    top = y + 16
    for share in (-1, -0.5, 0.5, 1):
        canvas.box(zero + share * half, top, 1, pitch * len(shown), GRID)
    for row, (name, value) in enumerate(shown):
        middle = top + row * pitch + pitch / 2
        thick = min(26, pitch - 5)
        length = half * min(1.0, abs(value) / limit)
        canvas.box(zero if value > 0 else zero - length, middle - thick / 2, length, thick, SUPPLY if value > 0 else DEMAND)
        canvas.text(x, middle - HEIGHT / 2, _fit(_plain(name), names - 6), INK)
        canvas.text(x + width, middle - HEIGHT / 2, _short(value), INK, 1, "right")
    canvas.box(zero, top, 1, pitch * len(shown), FAINT)
    end = top + pitch * len(shown) + 4
    for share in (-1, 1):
        label = _short(share * limit).rstrip("0").rstrip(".") if limit < 100 else _short(share * limit)
        canvas.text(zero + share * half + (3 * len(label) if share > 0 else -3 * len(label)), end, label, FAINT, 1, "right" if share > 0 else "left")
    if len(powers) > len(shown):
        canvas.text(x, end, f"and {len(powers) - len(shown)} more", FAINT)


def _shares(canvas: Canvas, shares: list[tuple[str, float]], x: int, y: int, width: int) -> int:
    """Gauges; returns where they end."""
    if not shares:
        return y
    canvas.text(x, y, "SHARES", FAINT)
    y += 16
    for name, value in shares:
        canvas.text(x, y, _fit(_plain(name), width - 40), INK)
        canvas.text(x + width, y, f"{100 * value:.0f}%", INK, 1, "right")
        canvas.box(x, y + 11, width, 9, TRACK)
        canvas.box(x, y + 11, width * value, 9, LOW if value < 0.2 else SUPPLY)
        y += 30
    return y


def _texts(canvas: Canvas, rest: list[tuple[str, float, str]], x: int, y: int, width: int, bottom: int) -> None:
    if not rest:
        return
    prices = [row for row in rest if "/kWh" in row[2] or "/MWh" in row[2]]
    for name, value, unit in prices[:1]:  # the one that decisions go by, large
        canvas.text(x, y, _fit(name.replace("_", " "), width), FAINT)
        canvas.text(x, y + 13, _short(value), INK, 2)
        canvas.text(x + 12 * len(_short(value)) + 6, y + 20, unit, FAINT)
        y += 42
    for name, value, unit in [row for row in rest if row not in prices[:1]]:
        if y > bottom - 12:
            return
        number = f"{_short(value)} {unit}".strip()
        canvas.text(x, y, _fit(name.replace("_", " "), width - WIDTH * (len(number) + 1)), INK)
        canvas.text(x + width, y, number, FAINT, 1, "right")
        y += 14


def write_png(path: str | os.PathLike, pixels: np.ndarray) -> None:
    """uint8 [H, W, 3] as a PNG file: three chunks, one deflated stream, no filter (https://www.w3.org/TR/png-3/)."""
    height, width, _ = pixels.shape

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = np.zeros((height, 1 + 3 * width), np.uint8)  # each row begins with its filter: 0, none
    rows[:, 1:] = pixels.reshape(height, -1)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)))
        file.write(chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)) + chunk(b"IEND", b""))
