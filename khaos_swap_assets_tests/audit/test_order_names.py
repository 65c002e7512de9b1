"""How Khaos writes the orders of Swap, found from the two files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.adapters.files.layouts import OrderRow
from khaos_swap_assets.audit.order_names import OrderNames, naming_of
from khaos_swap_assets.domain.records.stores import OrderNaming

FORMS = [
    (["#LX1", "#LX2"], {"LX1", "LX2"}, "{0}", "LX1"),
    (["#LX1", "#LX2"], {"KCCLX1", "KCCLX2", "X9"}, "KCC{0}", "KCCLX1"),
    (["#LX1", "#LX2"], {"#LX1", "#LX2"}, "{0}", "#LX1"),
    (["LX1", "LX2"], {"LX1", "LX2"}, "{0}", "LX1"),
    (["#1001", "#1002", "#1003"], {"SHOP-1001", "SHOP-1002", "21003"}, "SHOP-{0}", "SHOP-1001"),
    (["#1", "#2", "#3", "#4"], {"A1", "9"}, "{0}", "1"),
    ([], {"A1"}, "{0}", "1"),
    (["", "#"], {"A1"}, "{0}", "1"),
    (["#1", "#2"], {"{1", "{2"}, "{0}", "1"),
]


@pytest.mark.parametrize(("names", "refs", "ref_format", "first"), FORMS)
def test_forms(names: list[str], refs: set[str], ref_format: str, first: str) -> None:
    naming = naming_of(names, refs)
    assert naming.ref_format == ref_format
    assert naming.ref(names[0] if names and len(names[0]) > 1 else "#1") == first


def test_names_as_they_are_win_over_a_prefix() -> None:
    names = [f"#{number}" for number in range(100, 200)]
    refs = {str(number) for number in range(100, 200)} | {f"EU{number}" for number in range(100, 199)}
    assert naming_of(names, refs) == OrderNaming()


@given(st.sets(st.integers(1000, 9999), min_size=1, max_size=30), st.text("ABC-", max_size=4))
def test_any_prefix_is_found_whatever_the_order(numbers: set[int], prefix: str) -> None:
    names = [f"#{number}" for number in numbers]
    refs = {f"{prefix}{number}" for number in numbers}
    found = naming_of(names, refs)
    assert all(found.ref(name) in refs for name in names)
    assert found == naming_of(list(reversed(names)), refs)


def order_row(order_ref: str, so_code: str = "", currency: str = "GBP") -> OrderRow:
    return OrderRow(2, order_ref, so_code, "", None, currency, "", "S", 1, 999, None, 0, None, None)


ORDERS = OrderNames(
    [
        order_row("KCC1001", "SO7"),
        order_row("KCC1001", "SO8"),
        order_row("KCC1002", "SO9", "EUR"),
        order_row("kcc1002"),
    ],
    OrderNaming(ref_format="KCC{0}"),
)


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("KCC1001", "KCC1001"),
        ("#1001", "KCC1001"),
        ("1001", "KCC1001"),
        (" kcc1001", "KCC1001"),
        ("SO7", "KCC1001"),
        ("so8", "KCC1001"),
        ("KCC1002", "KCC1002"),
        ("Kcc1002", ""),
        ("1003", ""),
        ("RMA1001", ""),
        ("", ""),
    ],
)
def test_an_order_is_known_by_each_of_its_names(text: str, ref: str) -> None:
    assert ORDERS.ref_of(text) == ref


def test_the_currency_of_an_order() -> None:
    assert [ORDERS.currency_of(ref) for ref in ("KCC1001", "KCC1002", "?")] == ["GBP", "EUR", ""]
