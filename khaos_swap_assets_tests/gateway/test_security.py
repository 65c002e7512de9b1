"""Who may speak: the right words over a private line, and nobody else, told apart by nothing but yes and no."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import HTTPException, Request
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from khaos_swap_assets.gateway.security import (
    basic_guard,
    bearer_guard,
    is_any,
    is_near,
    is_same,
    require_private_line,
)

ONE, TWO, EMPTY = SecretStr("pass:word"), SecretStr("earlier"), SecretStr("")
Guard = Callable[..., None]


def a_request(authorization: str = "", *, host: str | None = "127.0.0.1", scheme: str = "http") -> Request:
    headers = [(b"authorization", authorization.encode("latin-1"))] if authorization else []
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/", "scheme": scheme, "headers": headers}
    scope |= {"server": ("gateway", 80), "client": (host, 50000) if host is not None else None, "query_string": b""}
    return Request(scope)


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def code(guard: Guard, request: Request) -> int:
    """200, or how it was refused; -1 for a 401 that does not say what is asked for."""
    try:
        guard(request)
    except HTTPException as error:
        is_told = error.status_code != 401 or "WWW-Authenticate" in (error.headers or {})
        return error.status_code if is_told else -1
    return 200


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (basic("khaos:pass:word"), 200),
        (basic("khaos:earlier"), 200),
        (basic("khaos:pass:word").replace("Basic", "basic"), 200),
        (basic("khaos:Pass:word"), 401),
        (basic("Khaos:pass:word"), 401),
        (basic("khaos:"), 401),
        (basic("khaos"), 401),
        (basic(":pass:word"), 401),
        (basic(""), 401),
        ("Basic", 401),
        ("Basic !!!!", 401),
        ("Basic " + base64.b64encode(b"\xff\xfe").decode(), 401),
        ("Bearer pass:word", 401),
        ("", 401),
    ],
)
def test_user_and_one_of_the_passwords(header: str, expected: int) -> None:
    assert code(basic_guard("khaos", ONE, TWO), a_request(header)) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Bearer pass:word", 200),
        ("bearer  earlier ", 200),
        ("Bearer", 401),
        ("Bearer ", 401),
        ("Bearer pass:word2", 401),
        ("Basic pass:word", 401),
        ("pass:word", 401),
        ("", 401),
    ],
)
def test_one_of_the_tokens(header: str, expected: int) -> None:
    assert code(bearer_guard(ONE, TWO), a_request(header)) == expected


@pytest.mark.parametrize("header", [basic(":"), basic("khaos:"), "Bearer ", "Bearer", ""])
def test_a_secret_that_is_not_set_lets_nobody_in(header: str) -> None:
    for guard in (basic_guard("khaos", EMPTY, EMPTY), basic_guard("", EMPTY), bearer_guard(EMPTY), bearer_guard()):
        assert code(guard, a_request(header)) == 401


@pytest.mark.parametrize(
    ("scheme", "host", "is_private"),
    [
        ("http", "127.0.0.1", True),
        ("http", "127.9.9.9", True),
        ("http", "::1", True),
        ("http", "localhost", True),
        ("http", "10.0.0.5", False),
        ("http", "203.0.113.5", False),
        ("http", "", False),
        ("http", None, False),
        ("http", "127.0.0.1.evil.example", False),
        ("https", "203.0.113.5", True),
        ("https", None, True),
    ],
)
def test_a_secret_over_plain_http_is_refused_from_any_other_machine(
    scheme: str, host: str | None, is_private: bool
) -> None:
    request = a_request("Bearer pass:word", host=host, scheme=scheme)
    assert code(require_private_line, request) == (200 if is_private else 403)
    assert code(bearer_guard(ONE), request) == (200 if is_private else 403)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        *(("10.1.2.3", True), ("192.168.0.9", True), ("::1", True)),
        *(("192.168.0.8", False), ("8.8.8.8", False), ("name", False), (None, False)),
    ],
)
def test_who_is_near(host: str | None, expected: bool) -> None:
    assert is_near(a_request(host=host), "10.0.0.0/8, 192.168.0.9,::1,8.8.8.8") is expected
    assert not is_near(a_request(host=host), "")


@given(st.text(), st.text())
def test_a_secret_is_the_same_only_when_it_is_set_and_equal(given_: str, expected: str) -> None:
    assert is_same(given_, expected) is (
        bool(expected) and given_.encode("utf-8", "replace") == expected.encode("utf-8")
    )


@given(st.lists(st.text(min_size=1), max_size=4), st.text())
def test_any_of_several_secrets(secrets: list[str], word: str) -> None:
    assert is_any(word, [SecretStr(one) for one in secrets]) is (word in secrets)


def test_half_a_character_is_compared_and_not_a_crash() -> None:
    assert not is_same("\ud800", "word")
