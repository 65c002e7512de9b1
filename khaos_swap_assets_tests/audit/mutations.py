"""Good files made bad, one random wound at a time; the same seed makes the same wounds."""

from __future__ import annotations

import csv
import io
import random
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import xlsxwriter

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


def as_workbook(chance: random.Random, path: Path) -> Path:
    """A CSV file as a workbook beside it, numbers as numbers or as text; the CSV file goes."""
    target, is_typed = path.with_suffix(".xlsx"), chance.random() < 0.5
    with xlsxwriter.Workbook(str(target), {"strings_to_numbers": is_typed}) as book:
        sheet = book.add_worksheet(chance.choice(("Sheet1", "Notes & more", "x" * 31)))
        for number, cells in enumerate(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline=""))):
            sheet.write_row(number, 0, [cell or None for cell in cells])
    path.unlink()
    return target


def mutate_workbook(chance: random.Random, path: Path) -> None:
    """Wound a workbook one to three times: the parts in it, or now and then the archive itself."""
    if chance.random() < 0.15:
        mutate(chance, path)
        return
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for _ in range(chance.randint(1, 3)):
        own = [name for name in parts if "sheet" in name.lower() or "sharedStrings" in name]
        name = chance.choice(own if chance.random() < 0.8 else list(parts))
        parts[name] = chance.choice(XML_WOUNDS)(chance, parts[name])
    if chance.random() < 0.05:
        parts.pop(chance.choice(list(parts)))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


def _matched(pattern: bytes, *others: bytes) -> Wound:
    """Another text in place of one that the pattern finds."""

    def wound(chance: random.Random, data: bytes) -> bytes:
        found = list(re.finditer(pattern, data))
        if not found:
            return data
        one = chance.choice(found)
        return data[: one.start()] + chance.choice(others) + data[one.end() :]

    return wound


def _again(pattern: bytes) -> Wound:
    """What the pattern finds once more, somewhere else."""

    def wound(chance: random.Random, data: bytes) -> bytes:
        found = list(re.finditer(pattern, data))
        if not found:
            return data
        one, at = chance.choice(found)[0], chance.choice(found).start()
        return data[:at] + one + data[at:]

    return wound


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

XML_WOUNDS: tuple[Wound, ...] = (
    _token,
    _cut,
    _truncated,
    _byte,
    _matched(rb't="\w+"', b't="e"', b't="b"', b't="d"', b't="str"', b't="inlineStr"', b't="s"', b't="zz"', b""),
    _matched(rb"<v>[^<]*</v>", b"<v/>", b"<v>#N/A</v>", b"<v>1e308</v>", b"<v>-1</v>", b"<v>999999</v>", b"<v>nan</v>"),
    _matched(rb"<v>[^<]*</v>", b"<f>1+1</f><v>2</v>", b"<f>1+1</f>", b"<v>45000.5</v>", b"<v>0.1</v>", b""),
    _matched(rb'r="[A-Z]+\d+"', b'r="A1"', b'r="ZZ9"', b'r="XFD1048576"', b'r="0"', b'r=""', b""),
    _matched(rb'<row [^>]*r="\d+"', b'<row r="1"', b'<row r="1048577"', b"<row", b'<row r="-5"'),
    _matched(
        rb"<t[^>]*>[^<]*</t>", b"<t></t>", b"<t>&amp;#10;</t>", b"<t>&#0;</t>", b"<t>Total</t>", b"<t>&bogus;</t>"
    ),
    _matched(rb'name="[^"]*"', b'name=""', b'name="&lt;script&gt;"'),
    _matched(rb"<dimension[^>]*>", b"", b'<dimension ref="A1:XFD1048576"/>'),
    _again(rb"<row .*?</row>"),
    _again(rb"<c .*?</c>"),
    _again(rb"<si>.*?</si>"),
)
