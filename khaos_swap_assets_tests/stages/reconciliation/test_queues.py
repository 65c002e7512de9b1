"""The queues of a month: whatever people and runs do, opening and new less resolved is closing (a law)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from types import SimpleNamespace
from typing import NamedTuple, cast

import dagster as dg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.cli.exceptions import exceptions_app
from khaos_swap_assets.cli.postings import Reach
from khaos_swap_assets.domain.reporting.month_open import OwnerQueue, Some
from khaos_swap_assets.stages.reconciliation.checks import refunds_reconcile
from khaos_swap_assets.stages.reconciliation.judging import settle_exceptions
from khaos_swap_assets_tests.lending import lend
from khaos_swap_assets_tests.stages.town import Town

KINDS = ("value_gap", "sku_unknown", "inspection_overdue")
MONTHS = ("2026-01", "2026-02", "2026-03")
WHO = ("--by", "Kim", "--reason", "settled")


class Act(NamedTuple):
    """What happens so many days later to trouble of a kind about one subject."""

    days: int
    what: str
    kind: str
    subject: str
    pence: int


ACTS = st.lists(
    st.builds(
        Act,
        st.integers(0, 20),
        st.sampled_from(["appears", "appears", "is gone", "waive", "reopen"]),
        st.sampled_from(KINDS),
        st.sampled_from(["RMA1", "RMA2", "RMA3"]),
        st.integers(0, 100_000),
    ),
    max_size=14,
)


def do(town: Town, one: Act) -> None:
    """A finding comes or goes and a run settles what is open, or a person runs a command on what is there."""
    town.now += timedelta(days=one.days, minutes=1)
    about = (one.kind, one.subject)
    if one.what in ("waive", "reopen"):
        reach = Reach(lambda: lend(town.url), Settings, lambda: pytest.fail("no command asks Khaos"), lambda: town.now)
        for (number,) in town.ask(
            "SELECT max(exception_id) FROM recon.exceptions WHERE (kind, subject) = (%s, %s)", *about
        ):
            CliRunner().invoke(exceptions_app(reach), [one.what, str(number), *WHO])
        return
    town.do("DELETE FROM recon.findings WHERE (kind, subject) = (%s, %s)", *about)
    if one.what == "appears":
        columns = "INSERT INTO recon.findings (kind, subject, message, money_at_risk_pence, currency, found_at) "
        town.do(columns + "VALUES (%s, %s, 'why', %s, 'GBP', %s)", *about, one.pence, town.now)
    settle_exceptions(town.tools)


def shown(town: Town, period: str) -> dict[str, dict[str, tuple[int, Decimal]]]:
    """The queues as the check of a month shows them: count and pounds by column."""
    context = cast(dg.AssetCheckExecutionContext, SimpleNamespace(partition_key=period))
    table = refunds_reconcile(context, town.tools).metadata["queues"]
    if not isinstance(table, dg.TableMetadataValue):
        return {}
    return {str(row.data["queue"]): {name: read(str(row.data[name])) for name in PARTS} for row in table.records}


PARTS = ("opening", "new", "resolved", "closing")


def read(cell: str) -> tuple[int, Decimal]:
    found = re.fullmatch(r"(\d+), £([\d,]+\.\d\d)", cell)
    assert found, cell
    return int(found[1]), Decimal(found[2].replace(",", ""))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ACTS)
def test_opening_and_new_less_resolved_is_closing_always(town: Town, acts: list[Act]) -> None:
    for table in ("findings", "decisions", "exceptions"):
        town.do(f"DELETE FROM recon.{table}")
    town.now = datetime(2026, 1, 5, 12, tzinfo=UTC)
    for one in acts:
        do(town, one)
    months = [shown(town, period) for period in MONTHS]
    for queues in months:
        for row in queues.values():
            for part in (0, 1):
                opening, new, resolved, closing = (row[name][part] for name in PARTS)
                assert opening + new - resolved == closing
    nothing = dict.fromkeys(PARTS, (0, Decimal(0)))
    for before, after in pairwise(months):
        for owner in {*before, *after}:
            assert before.get(owner, nothing)["closing"] == after.get(owner, nothing)["opening"]
    left = dict(town.ask("SELECT owner, count(*) FROM recon.exceptions WHERE closed_at IS NULL GROUP BY 1"))
    if town.now < datetime(2026, 4, 1, tzinfo=UTC):
        assert {owner: row["closing"][0] for owner, row in months[-1].items() if row["closing"][0]} == left


@pytest.mark.parametrize(
    ("new", "resolved", "left", "empty_on"),
    [
        (0, 28, 10, date(2026, 3, 20)),
        (14, 28, 10, date(2026, 3, 30)),
        (0, 27, 1, date(2026, 3, 12)),
        (5, 5, 10, None),
        (9, 5, 10, None),
        (9, 5, 0, date(2026, 3, 10)),
    ],
)
def test_a_queue_is_empty_at_its_pace_or_never(new: int, resolved: int, left: int, empty_on: date | None) -> None:
    queue = OwnerQueue("finance", "GBP", Some(0, 0), Some(new, 0), Some(resolved, 0), Some(left, 0))
    assert queue.empty_on(date(2026, 3, 10)) == empty_on
