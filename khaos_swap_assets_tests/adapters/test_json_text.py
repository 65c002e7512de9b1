"""JSON from outside: one value that nobody can read costs its record at most, and no text is a trap."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from khaos_swap_assets.adapters import json_text
from khaos_swap_assets.adapters.json_text import loads, tolerant
from khaos_swap_assets.adapters.swap.raw import cleaned, content_hash

DEEP = "[" * 300 + "1" + "]" * 300
TOWER = '{"a":' * 50_000 + "1" + "}" * 50_000


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("9" * 5000, "9" * 5000),
        ("-" + "9" * 200, "-" + "9" * 200),
        ("1e99999999999999999999", "1e99999999999999999999"),
        ("0." + "1" * 5000, "0." + "1" * 5000),
        ("1E+3", Decimal(1000)),
        ("NaN", "NaN"),
        ('"\\ud800"', "\ud800"),
    ],
    ids=lambda value: str(value)[:20].encode("utf-8", "replace").decode(),
)
def test_a_number_that_no_amount_needs_is_text(value: str, read: Any) -> None:
    assert loads(f'{{"a": {value}, "b": 7}}') == {"a": read, "b": 7}


@pytest.mark.parametrize("deep", [DEEP, TOWER], ids=["deep", "tower"])
def test_what_lies_too_deep_costs_only_itself(deep: str) -> None:
    found = cleaned(tolerant(f'{{"rows": [{{"a": {deep}, "b": "]}}\\""}}, {{"b": 2}}]}}'.encode()))
    assert [one["b"] for one in found["rows"]] == [']}"', 2]
    assert "\ufffd" in json.dumps(found, ensure_ascii=False)
    assert len(content_hash(found)) == 64


def test_a_strict_reader_refuses_a_tower() -> None:
    with pytest.raises(ValueError, match="too deep"):
        loads(TOWER)


def test_bytes_that_are_no_text_cost_only_their_value() -> None:
    assert tolerant(b'[{"a": "caf\xe9"}, {"a": "fine"}]') == [{"a": "caf\ufffd"}, {"a": "fine"}]
    with pytest.raises(ValueError, match="utf-8"):
        loads(b'["caf\xe9"]')


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "[{}", TOWER[:-1], '"'])
def test_what_is_no_json_stays_none(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        tolerant(text.encode())


def test_more_values_than_any_honest_text_are_refused_before_they_are_made() -> None:
    with pytest.raises(ValueError, match="more values"):
        loads("[" + "1," * json_text.MOST_VALUES + "1]")
