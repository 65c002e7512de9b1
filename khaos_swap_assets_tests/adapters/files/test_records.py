"""Bytes become text and text becomes records: which encoding is meant, and that a broken quote loses no line."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khaos_swap_assets.adapters.files.records import (
    UnreadableError,
    csv_records,
    decoded,
    has_surrogate,
)


@pytest.mark.parametrize(
    ("data", "text", "encoding", "damaged"),
    [
        (b"", "", "UTF-8", False),
        (b"plain", "plain", "UTF-8", False),
        (b"\xef\xbb\xbfa,b", "a,b", "UTF-8", False),
        ("£5 café".encode(), "£5 café", "UTF-8", False),
        ("£5 café".encode("cp1252"), "£5 café", "Windows-1252", False),
        (b"\x80 5", "€ 5", "Windows-1252", False),
        (b"\xef\xbb\xbf\x80", "\udc80", "UTF-8", True),
        ("££".encode() + b"\xa3", "££\udca3", "UTF-8", True),
        ("£".encode() + b"\xa3\xa3", "Â£££", "Windows-1252", False),
    ],
)
def test_the_encoding_is_what_most_of_the_text_speaks_for(data: bytes, text: str, encoding: str, damaged: bool) -> None:
    found = decoded(data)
    assert (found.text, found.encoding, found.is_damaged) == (text, encoding, damaged)


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_read_with_and_without_its_mark(codec: str) -> None:
    found = decoded("a,b\n£1,é\n".encode(codec))
    assert (found.text, found.encoding) == ("a,b\n£1,é\n", "UTF-16")


def test_damaged_utf_16_is_named() -> None:
    with pytest.raises(UnreadableError, match="UTF-16 and is damaged"):
        decoded(b"\xff\xfea\x00b")


@settings(max_examples=50)
@given(st.text(max_size=60).filter(lambda text: not text.startswith("\ufeff")))
def test_all_text_survives_utf_8(text: str) -> None:
    found = decoded(text.encode())
    assert (found.text, found.is_damaged) == (text, False)


@settings(max_examples=50)
@given(st.binary(max_size=60).filter(lambda data: not data.startswith((b"\xff\xfe", b"\xfe\xff"))))
def test_any_bytes_are_read_and_damage_is_told(data: bytes) -> None:
    found = decoded(data)
    assert has_surrogate(found.text) == found.is_damaged


cells = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)


@settings(max_examples=50)
@given(st.lists(st.lists(cells, min_size=2, max_size=4), max_size=6))
def test_what_a_careful_writer_quoted_is_read_back(rows: list[list[str]]) -> None:
    text = "".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n" for row in rows)
    found = list(csv_records(text, ","))
    assert [list(record.cells) for record in found] == rows
    assert not any(record.broken for record in found)


def test_a_record_knows_its_first_line_and_how_far_the_file_is_read() -> None:
    found = list(csv_records('a\n"b\nb"\n\nc\n', ","))
    assert [(record.line, list(record.cells)) for record in found] == [(1, ["a"]), (2, ["b\nb"]), (5, ["c"])]
    shares = [record.share for record in found]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_each_line_of_an_open_quote_is_a_record() -> None:
    found = list(csv_records('a,1\n"b,2\nc,3\nd,4\n', ","))
    assert [(record.line, bool(record.broken)) for record in found] == [(1, False), (2, True), (3, False), (4, False)]
