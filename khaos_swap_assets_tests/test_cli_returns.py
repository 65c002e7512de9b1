"""``khaos-swap returns show`` and ``returns coming`` on a real store."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

from khaos_swap_assets.adapters.store import database as store
from khaos_swap_assets.cli.postings import Reach
from khaos_swap_assets.cli.returns import returns_app
from khaos_swap_assets.stages.returns.foreseeing import foresee
from khaos_swap_assets_tests.json_form import faults_of
from khaos_swap_assets_tests.stages.town import Town, a_line, a_return

Run = Callable[..., Result]


@pytest.fixture
def run(database_url: str) -> Run:
    """The commands over two returns of one order, read and judged, and a third of another order."""
    town = Town(database_url)
    town.sells_and_takes_back(a_return(1), a_return(2), a_return(3))
    town.edit(*(town.swap.returns[f"R{number}"] for number in (1, 2)))
    town.edit(a_return(4, a_line("HAT#2"), status="Open", processed_at=None, closed_at=None, refund_pence=0))
    town.sync()
    foresee(town.tools)

    def no_khaos() -> object:
        raise AssertionError("a story asks nothing of Khaos")

    reach = Reach(
        lambda: store.connect(database_url, application="tests"),
        lambda: town.settings,
        no_khaos,  # type: ignore[arg-type]
        lambda: town.now,
    )
    return lambda *words: CliRunner().invoke(returns_app(reach), list(words))


def test_an_agent_finds_a_return_by_its_rma_or_its_order(run: Run) -> None:
    told = run("show", "RMA1").stdout
    assert told.startswith("RMA1, order #LX1: Closed\nGoods\n")
    assert run("show", "#LX1").stdout == run("show", "LX1").stdout == told
    for part in ("Money\n", "Credit\n", "Who acts next\n", "£10.00", "is planned"):
        assert part in told
    assert max(map(len, told.splitlines())) <= 80


def test_json_has_the_same_sentences(run: Run) -> None:
    (told,) = json.loads(run("show", "RMA3", "--json").stdout)
    assert (told["rma"], told["status"]) == ("RMA3", "Closed")
    assert "10 March 2026" in " ".join(told["money"]) or "9 March 2026" in " ".join(told["money"])


def test_what_nobody_returned_is_said_by_name(run: Run) -> None:
    done = run("show", "RMA99")
    assert done.exit_code == 2
    assert "no return in Swap" in done.stderr
    assert "'RMA99'" in done.stderr


def test_what_will_fail_is_listed_by_cause_and_each_cause_with_its_returns(run: Run) -> None:
    told = run("coming").stdout
    assert "HAT#2" in told
    assert "1 open return will fail: RMA4" in " ".join(told.split())
    assert max(map(len, told.splitlines())) <= 80
    rows = json.loads(run("coming", "--json").stdout)
    assert [(row["cause"], row["returns"], row["owner"]) for row in rows] == [
        ("HAT#2", 1, "data management"),
        ("order KCCLX4", 1, "cx"),
    ]
    (child,) = json.loads(run("coming", "--cause", "HAT#2", "--json").stdout)
    assert list(faults_of([*rows, child])) == []
    assert (child["rma"], child["kind"], child["order_name"]) == ("RMA4", "sku_unknown", "#LX4")
    assert run("coming", "--cause", "CAP").stdout == "no open return will fail\n"
