"""How files write numbers and days: what is read, what settles it, and what stays a question."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.adapters.files import forms
from khaos_swap_assets.domain.money.amounts import from_pence, to_pence

AMOUNTS = [
    ("£1,234.50", ".", "1234.50", "GBP"),
    ("(12.00)", ".", "-12.00", ""),
    ("-£12.00", ".", "-12.00", "GBP"),
    ("£-12.00", ".", "-12.00", "GBP"),
    ("12.00-", ".", "-12.00", ""),
    ("(£1,000)", ".", "-1000", "GBP"),
    ("1.234,50 €", ",", "1234.50", "EUR"),
    ("1 234,50", ",", "1234.50", ""),
    ("1\u00a0234,50", ",", "1234.50", ""),
    ("GBP 12.5", ".", "12.5", "GBP"),
    ("12.5 EUR", ".", "12.5", "EUR"),
    ("\u221212.00", ".", "-12.00", ""),
]


@pytest.mark.parametrize(("text", "decimal", "plain", "currency"), AMOUNTS)
def test_amounts_as_people_write_them(text: str, decimal: str, plain: str, currency: str) -> None:
    assert forms.amount(text, decimal) == forms.PlainAmount(plain, currency)


@pytest.mark.parametrize("text", ["1,23.4", "12,50", "1.234.5", "twelve", "", "£", "1,2345", "--5", "=1+1"])
def test_what_is_no_amount_with_a_point(text: str) -> None:
    with pytest.raises(ValueError, match="no number"):
        forms.amount(text)


DECIMALS = [
    (["12.50", "1,234.50"], "."),
    (["12,50", "3"], ","),
    (["1.234,50"], ","),
    (["1,234"], "."),
    (["12,50", "12.50"], "."),
    ([], "."),
]


@pytest.mark.parametrize(("texts", "decimal"), DECIMALS)
def test_a_comma_is_the_decimal_only_where_the_file_shows_it(texts: list[str], decimal: str) -> None:
    assert forms.decimal_of(texts) == decimal


@given(st.integers(-(10**9), 10**9))
def test_an_amount_is_the_same_in_each_way_to_write_it(pence: int) -> None:
    plain = from_pence(pence, "GBP")
    pounds = f"{abs(plain):,f}"
    ways = [(f"£{pounds}", "."), (f"{pounds.translate(str.maketrans(',.', '.,'))} €", ","), (pounds, ".")]
    sign = "-" if pence < 0 else ""
    found = {to_pence(forms.amount(sign + text, decimal).text, "GBP") for text, decimal in ways}
    assert found == {pence}


DAYS = [
    ("03/02/2026", "uk", "2026-02-03"),
    ("03/02/2026", "us", "2026-03-02"),
    ("3/2/26", "uk", "2026-02-03"),
    ("3.2.2026 14:05", "uk", "2026-02-03T14:05:00"),
    ("03-02-2026 2:05:09 pm", "uk", "2026-02-03T14:05:09"),
    ("12/01/2026 12:00 AM", "uk", "2026-01-12T00:00:00"),
    ("46056", "", "2026-02-03"),
    ("3-Feb-26", "", "3 Feb 2026"),
    ("2026-02-03", "", "2026-02-03"),
]


@pytest.mark.parametrize(("text", "order", "iso"), DAYS)
def test_days_as_exports_write_them(text: str, order: str, iso: str) -> None:
    assert forms.iso_day(text, order) == iso


def test_a_day_that_may_be_two_is_asked_about() -> None:
    with pytest.raises(ValueError, match="--dates uk"):
        forms.iso_day("03/02/2026")


ORDERS = [
    (["03/02/2026", "31/03/2026"], "uk", "31/03/2026", False),
    (["03/02/2026", "03/31/2026"], "us", "03/31/2026", False),
    (["03/02/2026", "04/05/2026"], "", "", False),
    (["31/03/2026", "03/31/2026"], "", "", True),
    (["2026-02-03", ""], "", "", False),
]


@pytest.mark.parametrize(("cells", "order", "proof", "mixed"), ORDERS)
def test_a_value_over_twelve_settles_the_order_and_is_the_proof(
    cells: list[str], order: str, proof: str, mixed: bool
) -> None:
    found = forms.day_order(enumerate(cells, start=2))
    assert (found.order, found.proof, found.is_mixed) == (order, proof, mixed)
