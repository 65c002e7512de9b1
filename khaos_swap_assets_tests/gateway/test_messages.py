"""A request body: never longer than allowed, never a float, never anything but an object."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest
from fastapi import HTTPException, Request
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.gateway import messages
from khaos_swap_assets.gateway.messages import (
    MAX_BYTES,
    UNREADABLE,
    announced,
    body_of,
    object_of,
    parsed,
    whole,
    whole_numbers,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


def a_request(*chunks: bytes, is_cut: bool = False, delay: float = 0, **headers: str) -> Request:
    """A request whose body comes in these chunks; ``is_cut``: the sender goes away after them."""
    told: list[dict[str, Any]] = [{"type": "http.request", "body": one, "more_body": True} for one in chunks]
    told.append({"type": "http.disconnect"} if is_cut else {"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(delay)
        return told.pop(0)

    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": raw}, receive)


def refused(request: Request) -> tuple[int, str]:
    with pytest.raises(HTTPException) as caught:
        asyncio.run(body_of(request))
    assert caught.value.headers == {"Connection": "close"}
    return caught.value.status_code, caught.value.detail


@given(st.lists(st.binary(max_size=50), max_size=6))
def test_a_body_is_its_chunks_in_order(chunks: list[bytes]) -> None:
    assert asyncio.run(body_of(a_request(*chunks))) == b"".join(chunks)


def test_one_megabyte_is_read_and_a_byte_more_is_not() -> None:
    half = b"x" * (MAX_BYTES // 2)
    assert len(asyncio.run(body_of(a_request(half, half)))) == MAX_BYTES
    assert refused(a_request(half, half, b"x")) == (413, "longer than 1 MB")


def test_what_is_announced_too_long_is_refused_before_it_is_read() -> None:
    request = a_request(content_length=str(MAX_BYTES + 1))
    request._receive = None  # type: ignore[assignment]
    assert refused(request) == (413, "longer than 1 MB")


def test_a_sender_that_goes_away_is_no_fault_of_ours() -> None:
    assert refused(a_request(b"{", is_cut=True)) == (400, "the sender went away")


def test_a_body_that_dawdles_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "SECONDS", 0.02)
    code, said = refused(a_request(b"{", b"}", delay=0.05))
    assert (code, said.startswith("the body was not whole after")) == (408, True)


@pytest.mark.parametrize(
    ("header", "size"),
    [("12", 12), ("0", 0), ("", 0), ("-5", 0), ("+5", 0), ("1e9", 0), ("12 ", 0), ("٣", 0), ("9" * 30, 0)],
)
def test_only_a_plain_number_announces_a_size(header: str, size: int) -> None:
    raw = [(b"content-length", header.encode("utf-8"))]
    request = Request({"type": "http", "method": "POST", "path": "/", "headers": raw})
    assert announced(request) == size


@given(st.dictionaries(st.text(st.characters(codec="utf-8", exclude_characters="\0")), JSON, max_size=4))
def test_an_object_comes_through_without_a_float_and_without_nul(told: dict[str, Any]) -> None:
    made = object_of(json.dumps(told).encode())
    assert isinstance(made, dict)
    assert "\\u0000" not in json.dumps(made, default=str)
    assert not list(floats(made))


def floats(value: Any) -> Any:
    if isinstance(value, float):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from floats(part)


@pytest.mark.parametrize("body", [b"[]", b"1", b'"text"', b"null", b"true"])
def test_other_json_is_no_object(body: bytes) -> None:
    with pytest.raises(HTTPException, match="the body is no JSON object"):
        object_of(body)


@pytest.mark.parametrize("body", [b"", b"{", b"{'a': 1}", b"\xff\xfe", b'{"a": 1} {"b": 2}'])
def test_what_is_no_json_says_so(body: bytes) -> None:
    for read in (parsed, object_of):
        with pytest.raises(HTTPException) as caught:
            read(body)
        assert (caught.value.status_code, caught.value.detail) == (400, "the body is no JSON")


def test_a_tower_of_brackets_is_refused_and_not_a_crash() -> None:
    with pytest.raises(HTTPException) as caught:
        object_of(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}")
    assert caught.value.status_code == 400


@pytest.mark.parametrize(
    ("body", "kept"), [(b'{"a": 1}', {"a": 1}), (b"not json", {UNREADABLE: "not json"}), (b"[1]", {UNREADABLE: "[1]"})]
)
def test_what_a_known_sender_says_is_kept_whole_whatever_it_is(body: bytes, kept: dict[str, Any]) -> None:
    assert whole(body) == kept


def test_bytes_that_are_no_text_are_kept_as_far_as_they_are() -> None:
    assert whole(b"a\xffb\x00c")[UNREADABLE].startswith("a�b")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2.0", 2),
        ("-2.0", -2),
        ("2.5", Decimal("2.5")),
        ("2", Decimal(2)),
        ("1e3", 1000),
        ("1e15", Decimal("1e15")),
        ("NaN", None),
        ("Infinity", None),
    ],
)
def test_a_whole_fraction_is_a_number_and_no_other_is(text: str, expected: object) -> None:
    found = whole_numbers({"quantity": Decimal(text)})["quantity"]
    assert isinstance(found, int if isinstance(expected, int) or text == "2" else Decimal)
    if expected is not None:
        assert found == expected


@pytest.mark.parametrize("told", [[Decimal("2.0")], "text", None, 3])
def test_what_is_no_object_stays_as_it_is(told: object) -> None:
    assert whole_numbers(told) is told
