"""The month: what is in it, what it adds up to, and when it is computed again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from khaos_swap_assets.stages.reconciliation.month_end import close_month, month_of, touched_periods
from khaos_swap_assets_tests.stages.town import Town, a_line, a_note, a_return, an_order, connect


def a_month(town: Town) -> Town:
    """Three returns: one credited, one short by £1.00, one in euros without a note."""
    town.with_settings(mode="audit", post_from=None).sells_and_takes_back(a_return(1), a_return(2))
    town.khaos.sell(an_order(3, currency="EUR"))
    town.swap.put(a_return(3, a_line(currency="EUR"), currency="EUR"))
    for number, pence in ((1, 1000), (2, 900)):
        town.khaos.notes[f"CN{number}"] = a_note(
            f"CN{number}", pence, associated_ref=f"RMA{number}", customer_code=f"C{number}"
        )
    town.sync()
    return town


def test_a_month_adds_up_by_currency(town: Town) -> None:
    months = {one.currency: one for one in close_month(a_month(town).tools, "2026-03")}
    pounds, euros = months["GBP"], months["EUR"]
    assert (pounds.returns, pounds.refund_pence, pounds.credited_pence, pounds.gap_pence) == (2, 2000, 1900, -100)
    assert (euros.returns, euros.refund_pence, euros.credited_pence) == (1, 1000, 0)
    assert [(one.kind, one.count) for one in pounds.exceptions] == [("value_gap", 1)]
    assert pounds.worst[0].subject == "RMA2"


def test_the_report_is_kept_and_its_month_is_off_the_list(town: Town) -> None:
    a_month(town)
    with connect(town) as conn:
        assert touched_periods(conn) == ["2026-03"]
    close_month(town.tools, "2026-03")
    kept = town.ask("SELECT period, currency, refund_pence, gap_pence, computed_at FROM recon.month_end ORDER BY 2")
    assert kept == [("2026-03", "EUR", 1000, -1000, town.now), ("2026-03", "GBP", 2000, -100, town.now)]
    with connect(town) as conn:
        assert touched_periods(conn) == []


def test_a_month_computed_again_replaces_itself(town: Town) -> None:
    a_month(town)
    close_month(town.tools, "2026-03")
    town.khaos.notes["CN2"] = a_note("CN2", 1000, associated_ref="RMA2", customer_code="C2")
    town.sync()
    close_month(town.tools, "2026-03")
    assert town.ask("SELECT currency, gap_pence FROM recon.month_end ORDER BY 1") == [("EUR", -1000), ("GBP", 0)]


def test_an_empty_month_is_empty(town: Town) -> None:
    with connect(a_month(town)) as conn:
        assert sum(one.returns for one in month_of(conn, "2026-01")) == 0


@pytest.mark.parametrize("status", ["Cancelled", "Expired"])
def test_a_return_that_was_never_refunded_is_not_in_the_month(town: Town, status: str) -> None:
    town.with_settings(mode="audit", post_from=None).sells_and_takes_back(a_return(1, status=status, refund_pence=0))
    town.sync()
    with connect(town) as conn:
        assert sum(one.returns for one in month_of(conn, "2026-03")) == 0


def test_a_closed_exception_is_not_in_the_month(town: Town) -> None:
    a_month(town)
    town.do("UPDATE recon.exceptions SET closed_at = now()")
    with connect(town) as conn:
        assert [one.exceptions for one in month_of(conn, "2026-03")] == [(), ()]


def test_a_sync_that_changes_nothing_touches_no_month(town: Town) -> None:
    a_month(town).sync()
    close_month(town.tools, "2026-03")
    town.sync()
    with connect(town) as conn:
        assert touched_periods(conn) == []


def test_a_deadline_that_passes_touches_its_month(town: Town) -> None:
    a_month(town)
    close_month(town.tools, "2026-03")
    town.sync(days=3)
    assert town.now.month == (town.now - timedelta(days=3)).month
    with connect(town) as conn:
        assert touched_periods(conn) == ["2026-03"]
