"""Good files made bad, one random wound at a time; the same seed makes the same wounds."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

TOKENS = (
    *("=1+1", "+44", "-1", "@x", "-0.00", "NaN", "Infinity", "null", "None", "1e999", "9" * 400, "0x1F", "1_000"),
    *('"', '""', "'", ",", ";", "\n", "\r", "\r\n", "\t", "\x00", "\u2028", "\ufeff", "\ud800", "٣", "é", "💥"),
    *("31/02/2026", "0001-01-01", "9999-12-31T23:59:59-12:00", "{", "}", "[", "]", ":", "\\ud800", "\\", "true"),
    *("<script>", "A" * 1_000_000, "1" * 5_000, " ", "gbp", "XXX", "JPY", "CN1", "RMA1"),
)
CODECS = ("cp1252", "utf-8-sig", "utf-16", "latin-1", "utf-8")
Wound = Callable[[random.Random, bytes], bytes]


def mutate(chance: random.Random, path: Path) -> None:
    """Wound a file one to three times."""
    data = path.read_bytes()
    for _ in range(chance.randint(1, 3)):
        data = chance.choice(WOUNDS)(chance, data)
    path.write_bytes(data)


def _place(chance: random.Random, data: bytes) -> int:
    return chance.randint(0, len(data))


def _token(chance: random.Random, data: bytes) -> bytes:
    at = _place(chance, data)
    return data[:at] + chance.choice(TOKENS).encode("utf-8", "surrogatepass") + data[at:]


def _cell(chance: random.Random, data: bytes) -> bytes:
    """Another value in place of a cell or a JSON value."""
    lines = data.split(b"\n")
    row = chance.randrange(len(lines))
    separator = b": " if lines[row].startswith(b"{") else b","
    cells = lines[row].split(separator)
    cells[chance.randrange(len(cells))] = chance.choice(TOKENS).encode("utf-8", "surrogatepass")
    lines[row] = separator.join(cells)
    return b"\n".join(lines)


def _cut(chance: random.Random, data: bytes) -> bytes:
    start = _place(chance, data)
    return data[:start] + data[start + chance.choice((1, 2, 20, 500)) :]


def _truncated(chance: random.Random, data: bytes) -> bytes:
    return data[: _place(chance, data)]


def _byte(chance: random.Random, data: bytes) -> bytes:
    at = _place(chance, data)
    return data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]


def _line_again(chance: random.Random, data: bytes) -> bytes:
    lines = data.split(b"\n")
    lines.insert(chance.randrange(len(lines) + 1), chance.choice(lines))
    return b"\n".join(lines)


def _shuffled(chance: random.Random, data: bytes) -> bytes:
    head, *lines = data.split(b"\n")
    chance.shuffle(lines)
    return b"\n".join([head, *lines])


def _recoded(chance: random.Random, data: bytes) -> bytes:
    return data.decode("utf-8", "replace").encode(chance.choice(CODECS), "replace")


def _separated(chance: random.Random, data: bytes) -> bytes:
    return data.replace(b",", chance.choice((b";", b"\t", b",,")))


WOUNDS: tuple[Wound, ...] = (
    _token,
    _cell,
    _cell,
    _cut,
    _truncated,
    _byte,
    _line_again,
    _shuffled,
    _recoded,
    _separated,
)
