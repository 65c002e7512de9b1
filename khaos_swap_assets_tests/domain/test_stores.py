"""Ids of several stores, and which orders of Khaos are whose: what may be two stores' is nobody's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.domain.documents.postings import LONGEST_REFERENCE, reference_for
from khaos_swap_assets.domain.records.stores import NAME, OrderNaming, OrderNamings, bare, qualified, spoken
from khaos_swap_assets_tests.domain import records

STORES = st.from_regex(NAME, fullmatch=True)
IDS = st.text(min_size=1, max_size=40)
MAIN, OUTLET = OrderNaming(ref_format="KCC{0}"), OrderNaming("outlet", "OUT{0}")
OPEN, OPEN_OUTLET = OrderNaming(), OrderNaming("outlet")
NAMED, NAMED_OUTLET = OrderNaming(names=("#LX{0}", "SW-P{0}")), OrderNaming("outlet", names=("#OUT{0}",))


@given(STORES, IDS)
def test_an_id_comes_back_as_its_store_wrote_it(store: str, told: str) -> None:
    assert bare(store, qualified(store, told)) == told
    assert spoken({store}, qualified(store, told)) == told
    assert (qualified("", told), bare("", told), spoken((), told)) == (told, told, told)


@given(STORES, STORES, IDS, IDS)
def test_no_two_stores_have_an_id_in_common(one: str, other: str, first: str, second: str) -> None:
    is_same = (one, first) == (other, second)
    assert (qualified(one, first) == qualified(other, second)) == is_same


@given(STORES, st.from_regex(r"[A-Z0-9-]{1,20}", fullmatch=True), st.integers(1, 9))
def test_equal_rmas_of_two_stores_have_two_references(store: str, rma: str, ordinal: int) -> None:
    own, others = reference_for(rma, ordinal, ()), reference_for(qualified(store, rma), ordinal, ())
    assert own != others
    assert len(others) <= LONGEST_REFERENCE


@pytest.mark.parametrize(
    ("namings", "name", "ref"),
    [
        ((MAIN,), "#1001", "KCC1001"),
        ((OPEN,), "outlet:#1001", "outlet:#1001"),
        ((MAIN, OUTLET), "#1001", "KCC1001"),
        ((MAIN, OUTLET), "outlet:#1001", "OUT1001"),
        ((MAIN, OUTLET), "outlet:SW-P022", "OUTSW-P022"),
        ((OPEN, OUTLET), "#1001", "1001"),
        ((OPEN, OUTLET), "#OUT1001", ""),
        ((OPEN, OUTLET), "outlet:#1001", ""),
        ((OPEN, OPEN_OUTLET), "#1001", ""),
        ((OPEN, OPEN_OUTLET), "outlet:#1001", ""),
        ((NAMED, NAMED_OUTLET), "#LX1001", "LX1001"),
        ((NAMED, NAMED_OUTLET), "outlet:#OUT1001", "OUT1001"),
        ((NAMED, NAMED_OUTLET), "SW-P022", "SW-P022"),
        ((NAMED, NAMED_OUTLET), "outlet:SW-P022", ""),
        ((NAMED, NAMED_OUTLET), "#OUT1001", ""),
        ((NAMED, NAMED_OUTLET), "#D7", ""),
        ((NAMED, OUTLET), "outlet:#1001", "OUT1001"),
        ((MAIN, OUTLET), " ", ""),
    ],
)
def test_a_reference_is_told_where_one_store_alone_can_have_it(
    namings: tuple[OrderNaming, ...], name: str, ref: str
) -> None:
    found = OrderNamings(namings)
    assert found.ref(name) == ref
    assert found.is_doubtful(name) == (not ref and bool(name.strip()))


@given(st.lists(st.tuples(STORES, st.sampled_from(["{0}", "KCC{0}", "OUT{0}", "{0}X"])), max_size=3), IDS, IDS)
def test_no_reference_is_ever_that_of_two_stores(stores: list[tuple[str, str]], one: str, other: str) -> None:
    formats = {"": "KCC{0}", **dict(stores)}
    namings = OrderNamings(OrderNaming(store, ref_format) for store, ref_format in formats.items())
    if len(formats) == 1:
        return
    told = {ref: store for store in formats if (ref := namings.ref(qualified(store, one)))}
    for store in formats:
        ref = namings.ref(qualified(store, other))
        assert not ref or told.get(ref, store) == store


def test_a_return_is_doubtful_by_any_of_its_orders() -> None:
    namings = OrderNamings((NAMED, NAMED_OUTLET))
    sold = records.returned(order_name="#LX1001")
    exchanged = records.returned(records.line("P1", 100, 1, original_order_name="#D7"), order_name="#LX1001")
    assert (namings.refs(sold), namings.is_doubtful_of(sold)) == (("LX1001",), False)
    assert (namings.refs(exchanged), namings.is_doubtful_of(exchanged)) == ((), True)
