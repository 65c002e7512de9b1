"""What is kept of a message that was not believed: short, without mail or token, and no more than so many an hour."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import Request
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.adapters.store.arrivals import HEAD_BYTES, HEADS_AN_HOUR
from khaos_swap_assets.gateway.refusals import Heads, refusal

NOW = datetime(2026, 3, 10, 12, 59, 59, tzinfo=UTC)
PARTS = st.text("abcXYZ019_-", min_size=10, max_size=30)


def a_request(host: str | None = "203.0.113.5", **headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    client = (host, 1) if host else None
    return Request({"type": "http", "method": "POST", "path": "/", "headers": raw, "client": client})


def test_an_hour_has_a_hundred_heads_and_the_next_begins_anew() -> None:
    heads = Heads()
    taken = [heads.take(b"x", NOW) for _ in range(HEADS_AN_HOUR + 5)]
    assert taken.count(b"x") == HEADS_AN_HOUR
    assert taken[HEADS_AN_HOUR:] == [None] * 5
    assert heads.take(b"x", NOW + timedelta(seconds=1)) == b"x"


def test_nothing_has_no_head_and_takes_no_place() -> None:
    heads = Heads()
    assert [heads.take(b"", NOW) for _ in range(HEADS_AN_HOUR * 2)] == [None] * HEADS_AN_HOUR * 2
    assert heads.take(b"x", NOW) == b"x"


def test_a_long_body_is_cut() -> None:
    assert Heads().take(b"y " * HEAD_BYTES, NOW) == (b"y " * HEAD_BYTES)[:HEAD_BYTES]


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        (b'{"email": "a.patel+1@example.co.uk"}', b'{"email": "***"}'),
        (b"a@b,c@d;<e@f>", b"***,***;<***>"),
        (b"no mail: @home", b"no mail: @home"),
        (b"eyJhbGciOi.eyJyZXR1cm4.c2lnbmF0dXJl rest", b"*** rest"),
        (b"eyJhbGciOi.eyJyZXR1cm4. unsigned", b"*** unsigned"),
        (b"10.0.0.1 and 1.2.3", b"10.0.0.1 and 1.2.3"),
    ],
)
def test_mail_and_tokens_are_masked(raw: bytes, kept: bytes) -> None:
    assert Heads().take(raw, NOW) == kept


@given(PARTS, PARTS, PARTS, st.text("abcdef .", max_size=20))
def test_no_token_gets_through_whatever_stands_around_it(one: str, two: str, three: str, around: str) -> None:
    kept = Heads().take(f"{around} {one}.{two}.{three} {around}".encode(), NOW) or b""
    assert two.encode() not in kept
    assert b"***" in kept


def test_a_body_is_told_by_its_size_and_hash() -> None:
    found = refusal(a_request(content_length="999"), b"body", "bad_signature", b"head", NOW)
    assert (found.size_bytes, found.body_hash) == (4, hashlib.sha256(b"body").hexdigest())
    assert (found.reason, found.sender, found.head, found.received_at) == ("bad_signature", "203.0.113.5", b"head", NOW)


def test_one_that_was_not_read_has_the_size_that_it_announced_and_no_hash() -> None:
    found = refusal(a_request(None, content_length="999"), b"", "too_long", None, NOW)
    assert (found.size_bytes, found.body_hash, found.sender) == (999, "", "")
