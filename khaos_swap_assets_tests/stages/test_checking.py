"""Checks: green while nothing is open; red with an exact count, the money by currency, and the worst first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import dagster as dg
import psycopg
import pytest

from khaos_swap_assets.adapters.errors import KhaosSwapError
from khaos_swap_assets.adapters.store import worklist
from khaos_swap_assets.domain.exceptions.catalogue import KINDS
from khaos_swap_assets.stages import waivers
from khaos_swap_assets.stages.checking import StandingCheck, exceptions_check, judge_all, judge_open
from khaos_swap_assets.stages.credit_notes import people
from khaos_swap_assets.stages.orders.sync import SOURCE as DOCUMENTS
from khaos_swap_assets.stages.reconciliation.checks import sources_are_fresh
from khaos_swap_assets.stages.returns.sync import SOURCE as SWAP
from khaos_swap_assets.stages.stock.assets import CHECKS
from khaos_swap_assets.stages.stock_codes.sync import SOURCE as CODES
from khaos_swap_assets.stages.toolbox import Toolbox
from khaos_swap_assets.stages.watching import STALE_AFTER
from khaos_swap_assets_tests.stages.tables import check_named, rows_of
from khaos_swap_assets_tests.stages.town import NOON, Town, called, connect

KIND = "sku_unknown"


def opened(town: Town, number: int, pence: int, kind: str = KIND, currency: str = "GBP", **changes: Any) -> None:
    row = {"return_id": f"R{number}", "message": f"message {number}", "severity": KINDS[kind].severity, **changes}
    town.do(
        "INSERT INTO recon.exceptions (kind, subject, rma, owner, money_at_risk_pence, currency, opened_at, "
        f"{', '.join(row)}) VALUES (%s, %s, %s, %s, %s, %s, %s, {', '.join(['%s'] * len(row))})",
        kind, f"RMA{number}", f"RMA{number}", KINDS[kind].owner, pence, currency, NOON, *row.values(),
    )  # fmt: skip


def judged(town: Town, *kinds: str) -> tuple[bool, str, dict[str, Any]]:
    with connect(town) as conn:
        result = judge_open(conn, kinds or (KIND,))
    return result.passed, result.description or "", {name: value.value for name, value in result.metadata.items()}


def test_nothing_open_is_green(town: Town) -> None:
    passed, text, shown = judged(town)
    assert (passed, text, shown["open"], shown["worst"]) == (True, "nothing open", 0, "no rows")


def test_money_is_added_up_by_currency_and_the_count_is_exact(town: Town) -> None:
    for number, (pence, currency) in enumerate([(100, "GBP"), (250, "GBP"), (300, "EUR"), (0, "")], 1):
        opened(town, number, pence, currency=currency)
    passed, text, shown = judged(town)
    assert (passed, shown["open"]) == (False, 4)
    assert (shown["at_risk_pence_GBP"], shown["at_risk_pence_EUR"]) == (350, 300)
    assert text.startswith("4 open, ")


def test_the_worst_twenty_come_first_with_what_to_do(town: Town) -> None:
    for number in range(1, 31):
        opened(town, number, number * 10)
    with connect(town) as conn:
        result = judge_open(conn, (KIND,))
    assert result.metadata["open"].value == 30
    table = result.metadata["worst"]
    rows = rows_of(table)
    assert list(rows[0])[:4] == ["rma", "at_risk", "owner", "what_to_do"]
    assert [row["rma"] for row in rows] == [f"RMA{number}" for number in range(30, 10, -1)]
    assert rows[0]["at_risk"] == "£3.00"
    assert rows[0]["what_to_do"] == f"{KINDS[KIND].words}: {KINDS[KIND].action}"
    assert rows[0]["owner"] == KINDS[KIND].owner


@pytest.mark.parametrize(
    ("changes", "kind"), [({"closed_at": NOON}, KIND), ({}, "value_gap")], ids=["closed", "of another kind"]
)
def test_what_is_closed_or_of_another_kind_does_not_count(town: Town, changes: dict[str, Any], kind: str) -> None:
    opened(town, 1, 100, kind, **changes)
    assert judged(town)[0] is True


@pytest.mark.parametrize(("severity", "shown"), [("error", "ERROR"), ("warn", "WARN")])
def test_one_error_makes_the_check_an_error(town: Town, severity: str, shown: str) -> None:
    opened(town, 1, 100, severity="warn")
    opened(town, 2, 100, severity=severity)
    with connect(town) as conn:
        assert judge_open(conn, (KIND,)).severity == dg.AssetCheckSeverity[shown]


def test_what_people_waived_stands_beside_the_verdict(town: Town) -> None:
    """The check is green with it, and a waiver that is taken back is open again."""
    holds = "INSERT INTO recon.findings (kind, subject, message, found_at) VALUES (%s, %s, '', %s)"
    for number, pence, by in ((1, 5000, "A"), (2, 2497, "B")):
        opened(town, number, pence)
        town.do(holds, KIND, f"RMA{number}", NOON)
        with connect(town) as conn:
            waivers.waive(conn, number, people.Person(by, "settled"), now=NOON)
    assert judged(town)[:2] == (True, "nothing open; waived: 2, £74.97, by A and B")
    with connect(town) as conn:
        waivers.reopen(conn, 2, people.Person("B", "not so"), now=NOON)
    assert judged(town)[:2] == (False, "1 open, £24.97 at risk; waived: 1, £50.00, by A")


def test_a_check_says_what_green_means_and_what_to_do_when_red() -> None:
    check = exceptions_check("all_is_well", "swap/returns", [KIND, "value_gap"], "All is well.")
    text = check.spec().description or ""
    assert text.startswith("All is well.")
    for kind in (KIND, "value_gap"):
        assert f"**{kind}** ({KINDS[kind].owner})" in text
        assert KINDS[kind].action in text


def test_a_check_that_fails_leaves_the_others_their_verdict_and_is_named(town: Town) -> None:
    """Also what it left of its transaction: the next one reads."""

    def broken(conn: psycopg.Connection[Any], _tools: Toolbox) -> dg.AssetCheckResult:
        conn.execute("SELECT nothing FROM nowhere")
        raise AssertionError("the statement failed")

    sound = exceptions_check("all_is_well", "swap/returns", [KIND], "All is well.")
    verdicts = judge_all([StandingCheck("swap/returns", "never_judged", "", broken), sound], town.tools)
    assert next(verdicts).check_name == "all_is_well"
    with pytest.raises(KhaosSwapError, match=r"keeps its last verdict: never_judged: .*nowhere"):
        next(verdicts)


def test_a_check_waits_for_the_exceptions_of_its_own_run() -> None:
    def waits_for(asset: str) -> list[str]:
        spec = exceptions_check("all_is_well", asset, [KIND], "All is well.").spec()
        return [dep.asset_key.to_user_string() for dep in spec.additional_deps]

    assert waits_for("swap/returns") == ["reconciliation/exceptions"]
    assert waits_for("reconciliation/exceptions") == []


def freshness(town: Town) -> dg.AssetCheckResult:
    result = called(sources_are_fresh, town)
    assert isinstance(result, dg.AssetCheckResult)
    return result


@pytest.mark.parametrize(
    ("ages", "stale"),
    [
        ({SWAP: 0, CODES: 0, DOCUMENTS: 0}, []),
        ({SWAP: 26, CODES: 26, DOCUMENTS: 26}, []),
        ({SWAP: 27, CODES: 0, DOCUMENTS: 0}, [SWAP]),
        ({SWAP: 0, DOCUMENTS: 30}, [CODES, DOCUMENTS]),
        ({SWAP: -9000, CODES: 0, DOCUMENTS: 0}, [SWAP]),  # a clock that ran ahead read nothing of today
        ({}, [SWAP, CODES, DOCUMENTS]),
    ],
)
def test_green_elsewhere_means_that_somebody_looked(town: Town, ages: dict[str, int], stale: list[str]) -> None:
    assert timedelta(hours=26) == STALE_AFTER
    with town.tools.store() as conn:
        for source, hours in ages.items():
            worklist.move(conn, source, NOON - timedelta(hours=hours))
    result = freshness(town)
    assert result.passed is (not stale)
    read = "all read lately; read swap/returns 2026-03-"
    assert (result.description or "").startswith(f"not read lately: {', '.join(stale)}" if stale else read)


def test_the_stock_check_counts_units_by_what_is_known_of_them(town: Town) -> None:
    for number, (state, verdict, quantity) in enumerate(
        [("confirmed", "confirmed", 2), ("confirmed", "cannot_tell", 3), ("due", "", 1)], 1
    ):
        town.do(
            "INSERT INTO recon.stock_moves (return_id, product_id, disposition, rma, stock_code, quantity, state, "
            "level_verdict, due_at, changed_at) VALUES (%s, 'P', 'sellable', 'RMA', 'HAT', %s, %s, %s, %s, %s)",
            f"R{number}", quantity, state, verdict, NOON, NOON,
        )  # fmt: skip
    result = called(check_named(CHECKS, "every_sellable_unit_is_back_in_stock"), town)
    assert isinstance(result, dg.AssetCheckResult)
    units = {name: value.value for name, value in result.metadata.items() if name.startswith("units_")}
    assert units == {"units_confirmed_confirmed": 2, "units_confirmed_cannot_tell": 3, "units_due_level_not_due": 1}
