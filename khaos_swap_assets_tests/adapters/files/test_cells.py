"""Single cells: what is read, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from khaos_swap_assets.adapters.files import cells

GOOD: list[tuple[Callable[[str], Any], str, Any]] = [
    (cells.code, " A ", " A "),
    (cells.key, " A ", "A"),
    (cells.note, " x" + "y" * 300, "x" + "y" * 199),
    (cells.currency, " gbp ", "GBP"),
    (cells.quantity, "2", 2),
    (cells.quantity, "2.0", 2),
    (cells.quantity, "0", 0),
    (cells.quantity, "-0", 0),
    (cells.vat_percent, "20", Decimal(20)),
    (cells.vat_percent, "20%", Decimal(20)),
    (cells.vat_percent, "0.2", Decimal(20)),
    (cells.vat_percent, "0.5%", Decimal("0.5")),
    (cells.vat_percent, "0", Decimal(0)),
    (cells.flag, "Yes", True),
    (cells.flag, "0", False),
    (cells.day, "2026-02-28", date(2026, 2, 28)),
    (cells.day, "2026-04-30T23:30:00Z", date(2026, 5, 1)),
    (cells.moment, "2026-02-28", datetime(2026, 2, 28, tzinfo=UTC)),
    (cells.moment, "2026-02-28 10:00:00+01:00", datetime(2026, 2, 28, 9, tzinfo=UTC)),
    (cells.pack, "A:2;B:1;", (("A", 2), ("B", 1))),
    (cells.pack, "A:B:3", (("A:B", 3),)),
]
BAD: list[tuple[Callable[[str], Any], str, str]] = [
    (cells.code, "a\nb", "line break"),
    (cells.code, "a\x00", "control"),
    (cells.code, "x" * 201, "longer than 200"),
    (cells.currency, "pounds", "no currency code"),
    (cells.quantity, "-1", "negative"),
    (cells.quantity, "1.5", "whole number"),
    (cells.quantity, "1e3", "no number"),
    (cells.quantity, "９", "no number"),
    (cells.quantity, "1" * 40, "no number"),
    (cells.quantity, "999999999999", "whole number"),
    (cells.quantity, "NaN", "no number"),
    (cells.vat_percent, "101", "VAT rate"),
    (cells.vat_percent, "-5", "VAT rate"),
    (cells.flag, "maybe", "yes nor no"),
    (cells.day, "2026-02-30", "calendar"),
    (cells.day, "31/12/2025", "YYYY-MM-DD"),
    (cells.day, "0001-01-01", "years 1990 to 2100"),
    (cells.moment, "yesterday", "YYYY-MM-DD"),
    (cells.moment, "n/a", "YYYY-MM-DD"),
    (cells.moment, "9999-12-31T23:59:59-12:00", "YYYY-MM-DD"),
    (cells.pack, "A2", "CODE:qty"),
    (cells.pack, "A:x", "no number"),
]
MONEY = [("12.50", "GBP", 1250), ("0", "GBP", 0), ("-0.00", "GBP", 0), ("12", "JPY", 12), ("1.234", "KWD", 1234)]
NO_MONEY = ["NaN", "Infinity", "-0.01", "1,234.50", "12,50", "£5", "1e400", "1" * 30, "0.001", "=1+1", "0x10", "١٢"]


@pytest.mark.parametrize(("read", "text", "value"), GOOD)
def test_good_cells(read: Callable[[str], Any], text: str, value: Any) -> None:
    assert read(text) == value


@pytest.mark.parametrize(("read", "text", "reason"), BAD)
def test_bad_cells(read: Callable[[str], Any], text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read(text)


@pytest.mark.parametrize(("text", "currency", "pence"), MONEY)
def test_money(text: str, currency: str, pence: int) -> None:
    assert cells.money(text, currency) == pence


@pytest.mark.parametrize("text", NO_MONEY)
def test_what_is_no_money(text: str) -> None:
    with pytest.raises(ValueError, match=r"no amount|no plausible|decimals|negative"):
        cells.money(text, "GBP")
