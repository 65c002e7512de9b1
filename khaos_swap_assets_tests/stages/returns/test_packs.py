"""Components that come back out of a sold pack: matched, priced, credited; told where nobody can tell."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from khaos_swap_assets.adapters.store import inbox
from khaos_swap_assets.domain.orders import OrderLine
from khaos_swap_assets_tests.stages.town import Town, a_code, a_line, a_return, an_order

MATCHED = (
    "SELECT stock_code, order_line_no, sold_quantity, sold_gross_pence, problem FROM recon.matched_lines ORDER BY 1"
)
SET = a_code("SET", "id-SET", pack_components=(("HAT", 2), ("CAP", 1)))


def sells(town: Town, *lines: tuple[str, int, int], hat: int | None = 2000, cap: int | None = 2000) -> Town:
    """Order 1 of (Stock Code, units, pence); a SET holds two HATs and a CAP, which have prices of their own."""
    rows = tuple(OrderLine(at, *line) for at, line in enumerate(lines, 1))
    town.khaos.sell(replace(an_order(1), lines=rows))
    codes = (SET, a_code("HAT", sell_pence=hat), a_code("CAP", sell_pence=cap))
    town.khaos.items |= {code.stock_code: code for code in codes}
    town.khaos.levels |= {"HAT": 10, "CAP": 10, "SET": 10}
    return town


def comes_back(town: Town, *rows: tuple[str, int, int], number: int = 1, **changes: Any) -> Town:
    one = a_return(number, *(a_line(*row) for row in rows), order_name="#LX1", **changes)
    town.edit(one)
    town.sync()
    return town


def test_a_component_is_credited_at_its_share_of_the_pack(town: Town) -> None:
    comes_back(sells(town, ("SET", 1, 6000)), ("HAT", 1, 2000))
    assert town.ask(MATCHED) == [("HAT", 1, 2, 4000, "")]
    (note,) = town.pull()
    town.sync()
    town.sync()
    assert (note.gross_pence, note.lines) == (2000, (("HAT", 1),))
    assert town.kinds() == {}
    assert town.khaos.levels["HAT"] == 11


def test_components_beside_their_pack_at_no_price_are_not_sold_twice(town: Town) -> None:
    comes_back(sells(town, ("SET", 1, 6000), ("HAT", 2, 0), ("CAP", 1, 0)), ("HAT", 2, 4000))
    assert town.kinds() == {}
    assert town.ask("SELECT state FROM recon.drafts") == [("ready",)]
    comes_back(town, ("HAT", 1, 100), number=2)
    assert town.kinds() == {"over_return": "RMA2"}


def test_more_than_the_share_is_an_over_return(town: Town) -> None:
    comes_back(sells(town, ("SET", 1, 6000)), ("CAP", 1, 2100))
    assert town.kinds() == {"over_return": "RMA1"}


def test_what_nobody_can_tell_is_told_with_its_candidates_until_a_price_tells(town: Town) -> None:
    comes_back(sells(town, ("SET", 1, 6000), hat=None), ("HAT", 1, 2000))
    assert town.kinds() == {"pack_unclear": "RMA1/HAT"}
    assert town.one("SELECT suggestion FROM recon.exceptions WHERE closed_at IS NULL") == "line 1, in pack SET"
    town.khaos.items["HAT"] = a_code("HAT", sell_pence=2000)
    town.sync()
    assert town.kinds() == {}
    assert town.ask("SELECT state FROM recon.drafts") == [("ready",)]


def test_a_pushed_proportion_goes_before_the_own_prices(town: Town) -> None:
    sells(town, ("SET", 1, 6000))
    town.read()
    parts = [("id-HAT", 2, "0.5"), ("id-CAP", 1, "0.5")]
    items = [{"LinkedStockID": key, "Quantity": units, "ValueProportion": part} for key, units, part in parts]
    body = {
        "Items": [],
        "Deleted": [],
        "Relationships": [{"StockID": "id-SET", "PackType": "Pack", "PackItems": items}],
    }
    with town.tools.store() as conn:
        inbox.store_push(conn, event="StockUpload", body=body, now=town.now)
    comes_back(town, ("HAT", 1, 1500))
    assert town.ask(MATCHED) == [("HAT", 1, 2, 3000, "")]
    assert town.kinds() == {}
