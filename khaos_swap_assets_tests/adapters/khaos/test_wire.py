from __future__ import annotations

import logging
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from khaos_swap_assets.adapters.khaos import wire
from khaos_swap_assets.adapters.khaos.wire import KhaosRowFault


@pytest.mark.parametrize(
    ("spelt", "expected"),
    [("-1", True), ("1", True), ("true", True), ("TRUE", True), ("0", False), ("false", False), ("", False)],
)
def test_booleans(spelt: str, expected: bool) -> None:
    assert wire.to_bool(spelt) is expected


@pytest.mark.parametrize("spelt", ["yes", "2", "-2", "N/A"])
def test_other_words_are_no_booleans(spelt: str) -> None:
    with pytest.raises(ValueError, match="neither true nor false"):
        wire.to_bool(spelt)


@pytest.mark.parametrize(
    ("spelt", "expected"),
    [
        ("03/11/2025", date(2025, 11, 3)),
        ("3/1/2025", date(2025, 1, 3)),
        ("03/11/2025 23:59:59", date(2025, 11, 3)),
        ("2025-11-03", date(2025, 11, 3)),
        ("2025-11-03T10:22:05", date(2025, 11, 3)),
        ("2025-11-03 10:22:05", date(2025, 11, 3)),
        ("2025-07-01T23:30:00.000Z", date(2025, 7, 1)),
        ("2025-07-01T23:30:00+00:00", date(2025, 7, 2)),
        ("2025-07-01T23:30:00+01:00", date(2025, 7, 1)),
        ("1899-12-30T00:00:00.000Z", None),
        ("1899-12-31T00:00:00", None),
        ("30/12/1899", None),
        ("", None),
        ("  ", None),
    ],
)
def test_dates(spelt: str, expected: date | None) -> None:
    assert wire.to_date(spelt) == expected


@pytest.mark.parametrize("spelt", ["31/02/2025", "2025-13-01", "11.03.2025", "tomorrow", "2025-11", "N/A"])
def test_other_words_are_no_dates(spelt: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        wire.to_date(spelt)


@pytest.mark.parametrize(("spelt", "expected"), [("2", 2), ("2.0", 2), ("-3", -3), ("1E1", 10), ("0", 0), (" 4 ", 4)])
def test_quantities(spelt: str, expected: int) -> None:
    assert wire.to_quantity(spelt) == expected


@pytest.mark.parametrize("spelt", ["1.5", "0.999", "", "NaN", "INF", "1e99", "9" * 15, "2,0"])
def test_other_words_are_no_quantities(spelt: str) -> None:
    with pytest.raises(ValueError, match="number"):
        wire.to_quantity(spelt)


@pytest.mark.parametrize(
    ("spelt", "currency", "expected"),
    [
        ("84.99", "GBP", 8499),
        ("-84.99", "GBP", -8499),
        ("169.9800", "GBP", 16998),
        ("84.9899999999999949", "GBP", 8499),
        ("1.6998E2", "GBP", 16998),
        ("0", "EUR", 0),
        (".5", "GBP", 50),
        ("1200", "JPY", 1200),
        ("1.234", "KWD", 1234),
    ],
)
def test_money(spelt: str, currency: str, expected: int) -> None:
    assert wire.to_money(spelt, currency) == expected


@pytest.mark.parametrize(
    ("spelt", "currency"),
    [("84.995", "GBP"), ("1.2", "JPY"), ("£5", "GBP"), ("1,200.00", "GBP"), ("", "GBP"), ("NaN", "GBP"), ("5", "??")],
)
def test_other_words_are_no_money(spelt: str, currency: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        wire.to_money(spelt, currency)


@given(st.integers(-(10**11), 10**11))
def test_money_and_its_delphi_double_agree(pence: int) -> None:
    assert wire.to_money(f"{Decimal(pence) / 100:f}", "GBP") == pence
    assert wire.to_money(repr(pence / 100), "GBP") == pence


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_both_spellings_of_a_date_agree(day: date) -> None:
    assert wire.to_date(f"{day:%d/%m/%Y}") == wire.to_date(day.isoformat()) == day


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2025, 7, 1, 12, 0, 5, 9, tzinfo=UTC), "2025-07-01T13:00:05"),
        (datetime(2025, 1, 1, 12, tzinfo=UTC), "2025-01-01T12:00:00"),
    ],
)
def test_queries_are_asked_in_london_time(moment: datetime, expected: str) -> None:
    assert wire.to_london(moment).isoformat() == expected


ROW = etree.fromstring('<R CODE=" A1 "><T NET="5"> x <B>y</B></T><N>1.5</N><D>nope</D><C>gbp</C><E/></R>')


@pytest.mark.parametrize(
    ("path", "expected"),
    [("@CODE", "A1"), ("T", "x y"), ("T/@NET", "5"), ("T/B", "y"), ("T/@GONE", ""), ("GONE", ""), ("E", "")],
)
def test_texts_by_path(path: str, expected: str) -> None:
    assert wire.text(ROW, path) == expected


def test_absent_values_have_defaults() -> None:
    assert wire.flag(ROW, "GONE", default=True) is True
    assert wire.day(ROW, "GONE") is None
    assert wire.number(ROW, "GONE") is None
    assert wire.number(ROW, "N") == Decimal("1.5")
    assert wire.currency(ROW, "C") == "GBP"


@pytest.mark.parametrize(
    ("read", "words"),
    [
        (lambda: wire.required(ROW, "E"), "E is missing"),
        (lambda: wire.quantity(ROW, "N"), "N: '1.5' is no whole number"),
        (lambda: wire.quantity(ROW, "GONE"), "GONE is missing"),
        (lambda: wire.day(ROW, "D"), "D: 'nope' is no date"),
        (lambda: wire.money(ROW, "D", "GBP"), "D: 'nope' is no number"),
        (lambda: wire.flag(ROW, "D"), "D: 'nope' is neither"),
        (lambda: wire.currency(ROW, "D"), "D: 'NOPE' is no currency code"),
    ],
)
def test_a_bad_value_names_its_field(read: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read()  # type: ignore[operator]


def test_a_bad_row_loses_only_itself() -> None:
    rows = etree.fromstring(
        "<L><R><C>A</C><Q>1</Q></R><R><C>B</C><Q>x</Q></R><R><Q>y</Q></R><R><C>D</C><Q>4</Q></R></L>"
    )
    good, faults = wire.read_rows(rows, lambda row: wire.quantity(row, "Q"), "C")
    assert good == [1, 4]
    assert faults[0] == KhaosRowFault("B", "Q: 'x' is no number")
    assert len(faults[1].subject) == 16
    assert faults[1].subject == wire.subject_of(rows[2], "C")


def test_a_row_on_which_our_reading_fails_loses_only_itself(caplog: pytest.LogCaptureFixture) -> None:
    rows = etree.fromstring("<L><R><C>A</C></R><R><C>B</C></R></L>")
    odd = {"A": "fine"}
    with caplog.at_level(logging.ERROR):
        good, faults = wire.read_rows(rows, lambda row: odd[wire.text(row, "C")], "C")
    assert (good, faults) == (["fine"], [KhaosRowFault("B", "it cannot be read by a fault of ours: KeyError: 'B'")])
    (told,) = caplog.records
    assert (told.getMessage(), bool(told.exc_info)) == ("reading B failed; all other rows go on", True)
