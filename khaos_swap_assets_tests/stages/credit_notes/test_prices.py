"""Khaos may ignore our prices: however the page lies, at most one document is out of which that could be seen.

Belongs here: a whole town with a Khaos that goes by the sale, or by us. Stays out: the rule (``test_feed_limits``,
``domain.test_sale_prices``) and many seeds (``prove.odd_prices``).
"""

from __future__ import annotations

import pytest

from khaos_swap_assets.stages.credit_notes.stopping import feed_problems
from khaos_swap_assets_tests.lending import lend
from khaos_swap_assets_tests.prove.odd_prices import FEE, Page, credited_apart, planned
from khaos_swap_assets_tests.stages.town import Town

PLACES = {"first": (2,), "second": (3,), "last": (7,), "first, second and last": (2, 3, 7), "all": (2, 3, 4, 5, 6, 7)}


@pytest.mark.parametrize("odd", PLACES.values(), ids=PLACES)
def test_a_khaos_that_ignores_prices_is_found_out_by_one_document(database_url: str, odd: tuple[int, ...]) -> None:
    town = planned(Town(database_url), Page(7, odd), ignores=True)
    for _ in range(4):
        town.pull()
        town.sync()
    assert credited_apart(town) == {f"RMA{odd[0]}": FEE}
    assert "value_gap" in town.kinds()
    with lend(town.url) as conn:
        told = feed_problems(conn, settings=town.settings, now=town.now)
    assert any("no document leaves until a person settles it" in line for line in told)


def test_a_khaos_that_honours_prices_gets_everything(database_url: str) -> None:
    town = planned(Town(database_url), Page(7, (2, 3, 7)), ignores=False)
    pages = []
    for _ in range(3):
        pages.append(sorted(note.associated_ref for note in town.pull()))
        town.sync()
    assert pages == [["RMA2", "RMA4", "RMA5", "RMA6"], ["RMA3", "RMA7"], []]
    assert credited_apart(town) == {}
    assert town.one("SELECT count(*) FROM recon.postings WHERE state = 'confirmed'") == 7
