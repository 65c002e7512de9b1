"""Tables that markdown can show and pictures that are pictures."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, timedelta

import pytest

from khaos_swap_assets.domain.reporting.month_end import MonthEnd
from khaos_swap_assets.domain.reporting.tables import (
    draw_gap_by_cause,
    draw_gap_by_month,
    draw_value_by_day,
    markdown_table,
    summary_table,
    unbroken,
    worst_rows,
)
from khaos_swap_assets_tests.domain.test_month_end import RETURNS, a_row, an_exception, months

PNG = b"\x89PNG\r\n\x1a\n"
WIDTH, HEIGHT = slice(16, 20), slice(20, 24)


@pytest.fixture
def month() -> MonthEnd:
    exceptions = [
        an_exception("value_gap", "R2", 100),
        an_exception("sku_unknown", "R1", 250, subject="RMA-R1/A|B", message="no\nsuch code"),
    ]
    return months(RETURNS, exceptions)[0]


def test_a_cell_cannot_break_its_table() -> None:
    assert markdown_table(("a", "b"), [("1|2", "x\ny")]) == "| a | b |\n| --- | --- |\n| 1\\|2 | x y |\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("-£1.00", "‑£1.00"),
        ("gap -5", "gap ‑5"),
        ("(-€2.50)", "(‑€2.50)"),
        ("2026-03-10", "2026-03-10"),
        ("RMA-2026-01001", "RMA-2026-01001"),
        ("non-stock - no", "non-stock - no"),
    ],
)
def test_an_amount_below_zero_stays_in_one_line(text: str, shown: str) -> None:
    assert unbroken(text) == shown
    assert shown in markdown_table(("a",), [(text,)])


def test_the_worst_say_rma_money_owner_and_what_to_do(month: MonthEnd) -> None:
    first, second = worst_rows(month.worst)
    assert list(first) == ["rma", "at_risk", "owner", "what_to_do"]
    assert list(first.values())[:3] == ["RMA-R1", "£2.50", "data management"]
    assert first["what_to_do"].startswith("no such code. Correct the")
    assert (second["rma"], second["what_to_do"].startswith("it is wrong. Compare")) == ("RMA-R2", True)


def test_the_summary_has_a_column_a_currency() -> None:
    found = months([*RETURNS, a_row("E1", 900, 800, currency="EUR")])
    lines = summary_table(found).splitlines()
    assert lines[0] == "|  | GBP | EUR |"
    assert "| Refunded | £110.00 | €9.00 |" in lines
    assert "| of it without a known rate of VAT | £110.00 | €9.00 |" in lines
    assert "| Gap (credited less refunded) | ‑£8.00 | ‑€1.00 |" in lines
    assert "| Unreconciled (issued less refunded) | ‑£11.00 | ‑€1.00 |" in lines


def test_a_month_without_refunds_is_said_in_words() -> None:
    assert summary_table([]) == "No refund in this month.\n"


def test_the_gap_is_a_picture_with_a_panel_a_currency(month: MonthEnd) -> None:
    one = draw_gap_by_cause({"GBP": month.causes})
    two = draw_gap_by_cause({"GBP": month.causes, "EUR": {"quantity": -100, "goods": 0}})
    assert one.startswith(PNG)
    assert two[HEIGHT] == (2 * int.from_bytes(one[HEIGHT])).to_bytes(4)
    assert one[WIDTH] == two[WIDTH]


def test_gaps_by_month_have_a_panel_a_currency_that_is_apart() -> None:
    legs = {"goods": -100, "delivery": 395, "fee": 0}
    pounds = [("2026-02", "GBP", legs), ("2026-03", "GBP", {"goods": 5})]
    one = draw_gap_by_month([*pounds, ("2026-03", "USD", {"goods": 0})])
    two = draw_gap_by_month([*pounds, ("2026-03", "EUR", legs)])
    assert one.startswith(PNG)
    assert int.from_bytes(two[HEIGHT]) == 2 * int.from_bytes(one[HEIGHT])
    assert draw_gap_by_month(pounds) != draw_gap_by_month(pounds[:1])


def test_nothing_to_show_is_a_picture_too() -> None:
    assert draw_gap_by_cause({}).startswith(PNG)
    assert draw_value_by_day([]).startswith(PNG)


@pytest.mark.parametrize("days", [1, 62])
def test_value_by_day_has_a_panel_a_currency(days: int) -> None:
    pounds = [(date(2026, 3, 1) + timedelta(days=day), "GBP", 100 * day) for day in range(days)]
    one, two = draw_value_by_day(pounds), draw_value_by_day([*pounds, (date(2026, 3, 1), "EUR", 5)])
    assert one.startswith(PNG)
    assert int.from_bytes(two[HEIGHT]) == 2 * int.from_bytes(one[HEIGHT])


def test_pictures_show_what_they_are_given_in_the_order_of_days() -> None:
    first, second = (date(2026, 3, 1), "GBP", 100), (date(2026, 3, 2), "GBP", 200)
    assert draw_value_by_day([first, second]) == draw_value_by_day([second, first])
    assert draw_value_by_day([first]) != draw_value_by_day([(date(2026, 3, 1), "GBP", 200)])


def test_matplotlib_is_not_imported_with_the_module() -> None:
    code = "import sys, khaos_swap_assets.domain.reporting.tables; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
