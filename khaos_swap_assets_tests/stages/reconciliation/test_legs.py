"""The penny waterfall on live rows: each leg with its evidence, in the row, in the checks and in the month."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import psycopg
import pytest

from khaos_swap_assets.adapters.store.verdicts import LEG_COLUMNS
from khaos_swap_assets.domain.judging.waterfall import LEGS
from khaos_swap_assets.stages.reconciliation.checks import VALUE_KINDS, legs_of_month, legs_of_open
from khaos_swap_assets.stages.reconciliation.month_end import close_month
from khaos_swap_assets_tests.stages.tables import rows_of
from khaos_swap_assets_tests.stages.town import Town, a_line, a_note, a_return, connect

SUM = " + ".join(LEG_COLUMNS)


def audited(town: Town, *lines: Any, note: dict[str, Any] | None = None, **changes: Any) -> Town:
    """One return with one Credit Note by hand, read and judged."""
    town.with_settings(mode="audit", post_from=None).sells_and_takes_back(a_return(1, *lines, **changes))
    if note is not None:
        town.khaos.notes["CN1"] = replace(a_note("CN1", associated_ref="RMA1"), **note)
    town.sync()
    return town


def legs(town: Town, rma: str = "RMA1") -> dict[str, int]:
    (row,) = town.ask(f"SELECT {', '.join(LEG_COLUMNS)} FROM recon.reconciliation WHERE rma = %s", rma)
    return {leg: pence for leg, pence in zip(LEGS, row, strict=True) if pence}


TWO = (("HAT", 1), ("TIE", 1))


@pytest.mark.parametrize(
    ("lines", "changes", "note", "expected", "evidence"),
    [
        ((), {}, None, {"goods": -1000}, "no Credit Note"),
        ((), {}, {}, {}, ""),
        ((), {}, {"gross_pence": 1395, "delivery_gross_pence": 395}, {"delivery": 395}, "note: delivery"),
        ((), {"refund_pence": 705, "handling_fee_pence": 295}, {}, {"fee": 295}, "refund: handling_fee"),
        ((a_line(quantity=2),), {}, {"gross_pence": 500}, {"quantity": -500}, "HAT: 1 on the note, 2 returned"),
        ((), {}, {"gross_pence": 833}, {"tax": -167}, "the note holds net prices"),
        ((a_line(), a_line("TIE", pence=700)), {}, {}, {"goods": -700}, "refund: line TIE, not on the note"),
        ((a_line(), a_line("TIE", pence=700)), {}, {"gross_pence": 1701, "lines": TWO}, {"goods": 1}, "HAT, TIE"),
        ((), {"refund_pence": 900}, {}, {"unexplained": 100}, "no field accounts for it"),
    ],
)
def test_a_gap_is_told_leg_by_leg_with_the_field_that_says_so(
    town: Town,
    lines: tuple[Any, ...],
    changes: dict[str, Any],
    note: dict[str, Any] | None,
    expected: dict[str, int],
    evidence: str,
) -> None:
    pence = sum(line.cost_pence for line in lines or (a_line(),))
    audited(town, *lines, note=note, **{"refund_pence": pence, **changes})
    assert legs(town) == expected
    told = town.one("SELECT gap_evidence FROM recon.reconciliation")
    assert evidence in told
    assert bool(told) is bool(expected)


def test_u28_the_waterfall_of_a_live_return(town: Town) -> None:
    audited(
        town,
        a_line(pence=5855),
        note={"gross_pence": 6250, "delivery_gross_pence": 395},
        refund_pence=4060,
        store_credit_pence=1500,
        handling_fee_pence=295,
    )
    assert legs(town) == {"tender": 1500, "delivery": 395, "fee": 295}
    assert town.one("SELECT gap_pence FROM recon.reconciliation") == 2190
    assert town.one("SELECT message FROM recon.findings WHERE kind = 'value_gap'") == (
        "Refund £40.60, credited £62.50 by CN1: delivery £3.95 (note: delivery), fee £2.95 (refund: handling_fee), "
        "tender £15.00 (refund: gift card)"
    )
    assert town.one("SELECT money_at_risk_pence FROM recon.findings WHERE kind = 'value_gap'") == 395 + 295


def test_exchange_items_of_the_raw_return_explain_what_was_not_refunded(town: Town) -> None:
    audited(town, refund_pence=600)
    items = '{"exchange_items": [{"price": "5.00", "quantity": 1, "discount": "1.00"}]}'
    town.do("UPDATE swap.returns SET raw = raw || %s::jsonb", items)
    town.khaos.notes["CN1"] = a_note("CN1", associated_ref="RMA1")
    town.sync()
    assert legs(town) == {"exchange": 400}


def test_the_price_of_the_sale_tells_a_discount(town: Town) -> None:
    audited(town, refund_pence=800, note=None)
    town.do("UPDATE khaos.order_lines SET gross_pence = 1000")
    town.do("UPDATE recon.matched_lines SET cost_pence = 800")
    town.do("UPDATE swap.return_lines SET cost_pence = 800")
    town.khaos.notes["CN1"] = a_note("CN1", associated_ref="RMA1")
    town.sync()
    assert legs(town) == {"discount": 200}


@pytest.mark.parametrize(
    ("vat_code", "net", "gap"), [("1", 833, 0), ("1", 1000, -167), ("2", 833, 167), ("9", 833, None)]
)
def test_vat_is_compared_at_the_rate_of_the_sale(town: Town, vat_code: str, net: int, gap: int | None) -> None:
    audited(town)
    town.do("UPDATE khaos.order_lines SET vat_code = %s", vat_code)
    town.khaos.notes["CN1"] = a_note("CN1", net_pence=net, associated_ref="RMA1")
    town.sync()
    assert town.one("SELECT vat_gap_pence FROM recon.reconciliation") == gap


def test_the_database_takes_no_row_whose_legs_do_not_add_up(town: Town) -> None:
    audited(town, note={"gross_pence": 900})
    assert town.one(f"SELECT {SUM} FROM recon.reconciliation") == -100
    for change in ("gap_fee_pence = gap_fee_pence + 1", "gap_pence = 0", "credited_pence = credited_pence + 1"):
        with pytest.raises(psycopg.errors.CheckViolation):
            town.do(f"UPDATE recon.reconciliation SET {change}")


def a_month_apart(town: Town) -> Town:
    """Thirty returns; one without a note, and notes with delivery, with a fee and with a penny on top."""
    town.with_settings(mode="audit", post_from=None).sells_and_takes_back(
        *(a_return(number) for number in range(1, 31))
    )
    for number in range(2, 31):
        extra = {0: 395, 1: 0, 2: 1}[number % 3]
        town.khaos.notes[f"CN{number}"] = a_note(
            f"CN{number}",
            1000 + extra,
            delivery_gross_pence=extra if extra == 395 else 0,
            associated_ref=f"RMA{number}",
            customer_code=f"C{number}",
        )
    town.sync()
    return town


def test_checks_show_the_legs_of_the_worst_twenty(town: Town) -> None:
    with connect(a_month_apart(town)) as conn:
        found = rows_of(legs_of_open(conn, VALUE_KINDS))
        of_month = rows_of(legs_of_month(conn, ["2026-03"]))
    assert (len(found), list(found[0])[:3]) == (20, ["rma", "gap", "made_of"])
    assert (found[0]["gap"], found[0]["made_of"], found[0]["evidence"]) == (
        *("£3.95", "delivery £3.95", "delivery: note: delivery"),
    )
    assert (of_month[0]["gap"], of_month[0]["made_of"]) == ("‑£10.00", "goods ‑£10.00")


def test_the_month_adds_up_its_legs(town: Town) -> None:
    (month,) = close_month(a_month_apart(town).tools, "2026-03")
    assert {leg: pence for leg, pence in month.causes.items() if pence} == {"goods": -1000 + 10, "delivery": 10 * 395}
    assert sum(month.causes.values()) == month.gap_pence
    assert town.one("SELECT figures -> 'causes' ->> 'delivery' FROM recon.month_end") == "3950"
