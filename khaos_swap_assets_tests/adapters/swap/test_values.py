"""Single values of Swap's JSON: what is tolerated, and that each fault names its field and no customer."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.adapters.swap.values import MOST_PENCE, MOST_UNITS, SPELLINGS, JsonRow, spelled, without_noise

LONDON = ZoneInfo("Europe/London")


def a_row(value: Any) -> JsonRow:
    return JsonRow({"field": value}, [], "products[0].")


@pytest.mark.parametrize("nothing", [None, "", "  ", "N/A", "n/a", "null", "-", "None"])
def test_nothing_is_written_in_many_ways(nothing: Any) -> None:
    row = a_row(nothing)
    assert not row.has("field")
    assert (row.pence("field", "GBP"), row.moment("field", LONDON), row.faults) == (0, None, [])


@pytest.mark.parametrize("value", [0, False, "0", [], "x", Decimal(0)])
def test_zero_says_something(value: Any) -> None:
    assert a_row(value).has("field")


@pytest.mark.parametrize(
    ("value", "text", "faults"),
    [
        (" ABC ", "ABC", []),
        (20417, "20417", []),
        (Decimal("1.50"), "1.50", []),
        (None, "", []),
        (True, "", ["products[0].field: is a truth value, not text"]),
        (["a"], "", ["products[0].field: is a list, not text"]),
        ({"a": 1}, "", ["products[0].field: is an object, not text"]),
    ],
)
def test_text(value: Any, text: str, faults: list[str]) -> None:
    row = a_row(value)
    assert (row.text("field"), row.faults) == (text, faults)


def test_the_spaces_of_a_code_are_kept() -> None:
    assert a_row(" ABC ").raw_text("field") == " ABC "


def test_a_key_is_the_first_field_that_says_anything() -> None:
    row = JsonRow({"a": "N/A", "b": None, "c": 17, "d": "later"}, [])
    assert (row.key("a", "b", "c", "d"), row.faults) == ("17", [])


@pytest.mark.parametrize(("value", "fault"), [("", "is empty"), ("n/a", "is empty"), ("R\ufffd1", "are no text")])
def test_a_key_that_identifies_nothing(value: str, fault: str) -> None:
    row = a_row(value)
    row.key("field")
    assert len(row.faults) == 1
    assert row.faults[0].startswith("products[0].field: ")
    assert row.faults[0].endswith(fault)


@pytest.mark.parametrize("word", SPELLINGS)
def test_known_words_have_one_spelling(word: str) -> None:
    assert {spelled(word.upper()), spelled(f" {word.lower()} "), spelled(word)} == {word}


@given(st.text(max_size=20))
def test_a_word_is_spelled_once_and_for_all(text: str) -> None:
    assert spelled(spelled(text)) == spelled(text)
    assert spelled(text).lower() == text.strip().lower() or spelled(text) in SPELLINGS


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"type": ["refund", "EXCHANGE"]}, ("Refund", "Exchange")),
        ({"type": ["refund", None, " ", 7]}, ("Refund",)),
        ({"type": [], "type_string": "Refund"}, ()),
        ({"type_string": "refund, Store Credit,,Barter"}, ("Refund", "Store Credit", "Barter")),
        ({"type": "Refund", "type_string": "Exchange"}, ("Exchange",)),
        ({}, ()),
    ],
)
def test_a_list_of_words(raw: dict[str, Any], words: tuple[str, ...]) -> None:
    assert JsonRow(raw, []).list_of("type", "type_string") == words


@pytest.mark.parametrize(
    ("value", "currency", "pence"),
    [
        (Decimal("81.05"), "GBP", 8105),
        ("81.05", "GBP", 8105),
        (81, "GBP", 8100),
        (Decimal("81.05000000000001"), "GBP", 8105),
        (Decimal("81.04999999999999"), "GBP", 8105),
        (Decimal("1200"), "JPY", 1200),
        (Decimal("1.234"), "KWD", 1234),
        (Decimal("-5.00"), "GBP", -500),
    ],
)
def test_amounts(value: Any, currency: str, pence: int) -> None:
    row = a_row(value)
    assert (row.pence("field", currency), row.faults) == (pence, [])


@pytest.mark.parametrize("value", [Decimal("81.055"), "eighty", True, [], Decimal("NaN"), Decimal("Infinity"), "1,5"])
def test_what_is_no_amount_is_a_fault_and_never_a_guess(value: Any) -> None:
    row = a_row(value)
    assert row.pence("field", "GBP") == 0
    assert len(row.faults) == 1


def test_half_a_yen_is_a_fault() -> None:
    row = a_row(Decimal("100.5"))
    row.pence("field", "JPY")
    assert row.faults == ["products[0].field: '100.5' has more decimals than JPY allows"]


def test_an_amount_that_no_table_can_hold_is_a_fault() -> None:
    row = JsonRow({"most": 9_999_999_999, "field": Decimal("9999999999.99")}, [])
    assert abs(row.pence("most", "GBP")) < MOST_PENCE
    assert row.faults == []
    row.pence("field", "KWD")
    assert row.faults == ["field: is too large an amount"]


@given(st.integers(-(10**9), 10**9))
def test_binary_noise_never_changes_a_penny(pence: int) -> None:
    amount = Decimal(repr(pence / 100))
    assert without_noise(amount) == Decimal(pence) / 100


@pytest.mark.parametrize("value", ["81.05", 7, None, Decimal("NaN"), Decimal("1E+20"), Decimal("0.005")])
def test_what_is_no_noise_stays(value: Any) -> None:
    assert str(without_noise(value)).rstrip("0") == str(value).rstrip("0")


@pytest.mark.parametrize(("value", "units"), [(1, 1), ("3", 3), (" 2 ", 2), (Decimal("2.0"), 2), (MOST_UNITS,) * 2])
def test_units(value: Any, units: int) -> None:
    row = a_row(value)
    assert (row.quantity("field"), row.faults) == (units, [])


@pytest.mark.parametrize("value", [0, -1, Decimal("1.5"), "two", "", None, True, [], MOST_UNITS + 1, "NaN", "Infinity"])
def test_what_is_no_number_of_units(value: Any) -> None:
    row = a_row(value)
    row.quantity("field")
    assert row.faults == ["products[0].field: is no whole number of units, at least 1"]


@pytest.mark.parametrize(
    ("value", "moment", "word"),
    [
        ("9 Mar 2026, 15:41:29", datetime(2026, 3, 9, 15, 41, 29, tzinfo=UTC), ""),
        ("1 Jul 2026, 00:30:00", datetime(2026, 6, 30, 23, 30, tzinfo=UTC), ""),
        ("Yes", None, "Yes"),
        (" processed ", None, "processed"),
        (True, None, "True"),
        ("1", None, "1"),
        ("Step 2 of 3", None, "Step 2 of 3"),
        ("a" * 100, None, "a" * 40),
        ("", None, ""),
        ("n/a", None, ""),
        (None, None, ""),
    ],
)
def test_a_marker_is_a_date_or_a_word_that_dates_nothing(value: Any, moment: datetime | None, word: str) -> None:
    row = a_row(value)
    assert (row.marker("field", LONDON), row.faults) == ((moment, word), [])


@pytest.mark.parametrize(
    ("value", "name"), [("sam@larchandfen.example", "sam"), ("Sam Reyes", "Sam Reyes"), ("N/A", ""), (None, "")]
)
def test_a_person_is_named_without_the_address(value: Any, name: str) -> None:
    assert a_row(value).person("field") == name


def test_a_date_that_cannot_be_read_is_told_by_its_shape() -> None:
    row = a_row("Priya 12345")
    assert row.marker("field", LONDON) == (None, "")
    assert row.faults == ["products[0].field: no date that we can read, shaped like 'AAAAA 99999'"]


@pytest.mark.parametrize(
    ("value", "flag"),
    [(True, True), ("True", True), (" yes ", True), ("1", True), (False, False), ("no", False), (1, False)],
)
def test_truth(value: Any, flag: bool) -> None:
    assert a_row(value).flag("field") is flag
