"""One "no" ends no run: every operation of Khaos missing, refusing everything, or refusing one record; and Swap's list.

Belongs here: what a run does about a refusal, as the sandbox plays it over the real clients.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest

from khaos_swap_assets.adapters.errors import PermanentError, TransientError
from khaos_swap_assets.adapters.khaos import client as khaos_client
from khaos_swap_assets.adapters.settings import KhaosSettings, SwapSettings
from khaos_swap_assets.adapters.store import setbacks, worklist
from khaos_swap_assets.adapters.swap import client as swap_client
from khaos_swap_assets.sandbox import khaos_refusing, switches
from khaos_swap_assets.sandbox.app import create_app
from khaos_swap_assets.sandbox.generator import build
from khaos_swap_assets.sandbox.khaos_refusing import OF_OPERATION
from khaos_swap_assets.sandbox.khaos_server import BASE
from khaos_swap_assets.sandbox.khaos_truth import planted
from khaos_swap_assets.sandbox.state import State
from khaos_swap_assets.stages import refusing
from khaos_swap_assets.stages.due import local_reason
from khaos_swap_assets.stages.marks import JUDGED
from khaos_swap_assets.stages.orders.sync import SOURCE as DOCUMENTS
from khaos_swap_assets.stages.returns.sync import SOURCE as SWAP
from khaos_swap_assets.stages.stock_codes.sync import SOURCE as CODES
from khaos_swap_assets.stages.toolbox import Toolbox
from khaos_swap_assets_tests.bridging import Bridge
from khaos_swap_assets_tests.stages.town import Town, a_note, a_return, refunded_ago, some_settings

WORLD = build(3, 6)


@dataclass
class SandboxTown(Town):
    """A town between the two sandboxes, spoken to over their own wires."""

    state: State | None = None

    def __post_init__(self) -> None:
        self.state = State(WORLD)
        self.now = WORLD.now
        app = create_app(self.state, gateway_url="http://gateway")
        khaos = KhaosSettings(url=f"http://sandbox{BASE}", retries=0, stock_minutes=0, poll_minutes=0)
        swap = SwapSettings(
            url="http://127.0.0.1/returns-api",
            api_key=self.state.api_key,
            store_id=WORLD.store_id,
            requests_per_second=100,
            retries=0,
        )
        self._khaos = khaos_client.connect(khaos, transport=Bridge(app), sleep=lambda _: None)
        self._swap = swap_client.connect(swap, transport=Bridge(app), sleep=lambda _: None)
        self.settings = some_settings(post_from=date(2026, 6, 4)).model_copy(update={"allocation_days": 0})

    @property
    def tools(self) -> Toolbox:
        return replace(super().tools, open_swap=lambda: self._swap, open_khaos=lambda: self._khaos)

    def switch(self, **wanted: str) -> None:
        assert self.state
        assert switches.set_switches(self.state, wanted) == []
        for name in [name for name in self.state.switches if name.startswith("gone of")]:
            del self.state.switches[name]

    def refusals(self) -> dict[str, set[str]]:
        """By operation: the subjects that are refused now."""
        found: dict[str, set[str]] = {}
        for operation, subject in self.ask("SELECT operation, subject FROM recon.setbacks"):
            found.setdefault(operation, set()).add(subject)
        return found

    def open_kinds(self) -> set[str]:
        return {row[0] for row in self.ask("SELECT kind FROM recon.exceptions WHERE closed_at IS NULL")}

    def open_of(self, kind: str) -> set[str]:
        return {row[0] for row in self.ask("SELECT subject FROM recon.exceptions WHERE kind = %s", kind)}

    def records_planted(self) -> set[str]:
        """What the sandbox's truth says must be told as refused."""
        assert self.state
        return {one.record for one in planted(WORLD, gone=khaos_refusing.gone(self.state))} - {""}

    def reached(self, source: str) -> bool:
        """Whether the last run marked this source as read."""
        with self.tools.store() as conn:
            return worklist.reached(conn, source) == self.now


@pytest.fixture
def town(database_url: str) -> SandboxTown:
    return SandboxTown(database_url)


@pytest.fixture
def plain(database_url: str) -> Town:
    """A town of stand-ins, where single answers are easily spoilt."""
    return Town(database_url)


# GetSiteList is asked by preflight alone; GetStockList names no single record; GetCompanyInfo may be missing for ever.
CELLS = [
    ("GetStockList", "absent"),
    ("GetStockList", "refused"),
    *((operation, value) for operation in ("ExportStock", "ExportStockStatus") for value in ("absent", "one_gone")),
    ("GetCompanyInfo", "one_gone"),
    *((operation, value) for operation in ("ExportOrders",) for value in ("absent", "refused", "one_gone")),
    *((operation, value) for operation in ("ExportOrderStatusEx",) for value in ("absent", "refused", "one_gone")),
]


@pytest.mark.long
@pytest.mark.parametrize(("operation", "value"), CELLS)
def test_a_run_goes_on_whatever_one_operation_says(town: SandboxTown, operation: str, value: str) -> None:
    """It is judged to its end, tells what it did not see, and makes it up once it is answered."""
    town.switch(**{OF_OPERATION[operation]: value})
    town.sync()
    assert town.reached(SWAP)
    assert town.reached(JUDGED)
    assert town.one("SELECT count(*) FROM recon.reconciliation") == town.one("SELECT count(*) FROM swap.returns") > 3
    assert town.reached(DOCUMENTS) is (operation != "ExportOrderStatusEx")
    refused = {name: some for name, some in town.refusals().items() if name.startswith(f"Khaos {operation}")}
    if operation == "ExportOrderStatusEx" or value != "one_gone":
        assert refused[f"Khaos {operation}"] >= {""}
        assert "source_refused" in town.open_kinds()
    else:
        assert {name: len(some) for name, some in refused.items()} == {f"Khaos {operation}": 1}
        assert town.open_of("record_refused") == town.records_planted() != set()
    town.switch(**{OF_OPERATION[operation]: "on"})
    town.sync(days=1, minutes=1)
    assert town.refusals() == {}
    assert (town.reached(DOCUMENTS), town.reached(CODES)) == (True, True)
    assert not town.open_kinds() & {"source_refused", "record_refused"}


def test_nothing_closes_while_the_status_feed_is_refused(plain: Town) -> None:
    plain.swap.put(a_return(1))
    plain.sync()
    assert "order_not_found" in plain.kinds()
    plain.sells_and_takes_back(a_return(1))
    plain.khaos.refuses = {"status"}
    plain.sync(hours=2)
    assert plain.kinds().keys() >= {"order_not_found", "source_refused"}
    plain.khaos.refuses = set()
    plain.sync(hours=2)
    assert plain.kinds() == {}


def test_swaps_list_refused_is_told_and_nothing_closes(plain: Town) -> None:
    plain.swap.put(a_return(1))
    plain.sync()
    plain.sells_and_takes_back(a_return(1))
    plain.swap.error = PermanentError("GET /v2/external/returns: 403")
    plain.sync(hours=2)
    assert plain.kinds().keys() >= {"order_not_found", "source_refused"}
    assert "no document leaves" in plain.one("SELECT message FROM recon.exceptions WHERE kind = 'source_refused'")
    plain.swap.error = None
    plain.sync(hours=2)
    assert plain.kinds() == {}


@pytest.mark.parametrize("vendor", ["swap", "khaos"])
def test_a_vendor_that_answers_nothing_fails_the_run(plain: Town, vendor: str) -> None:
    getattr(plain, vendor).error = TransientError("no answer in time")
    with pytest.raises(TransientError):
        plain.sync()
    assert plain.one("SELECT count(*) FROM recon.setbacks") == 0


def credited(town: Town, *numbers: int) -> Town:
    """Customers C<number> each with a note that is long past the limit."""
    town.with_settings(mode="audit", post_from=None)
    town.sells_and_takes_back(*(a_return(number, **refunded_ago(31)) for number in numbers))
    old = town.today() - timedelta(days=30)
    for number in numbers:
        town.khaos.notes[f"CN{number}"] = a_note(
            f"CN{number}", customer_code=f"C{number}", associated_ref=f"RMA{number}", created_on=old, issued_on=old
        )
        town.khaos.credit[f"C{number}"] = 5000
    return town


def test_a_merged_customer_is_told_of_and_all_others_are_asked(plain: Town) -> None:
    credited(plain, 1, 2, 3).khaos.gone = {"C1"}
    plain.sync()
    assert [row[0] for row in plain.ask("SELECT customer_code FROM khaos.customers ORDER BY 1")] == ["C2", "C3"]
    assert plain.kinds()["record_refused"] == "Khaos GetCompanyInfo C1"
    pauses = []
    for _ in range(4):
        plain.sync(days=2)
        pauses.append(plain.one("SELECT extract(epoch FROM next_try_at - last_at)::int / 60 FROM recon.setbacks"))
    assert pauses == [30, 60, 120, 240]
    plain.khaos.gone = set()
    plain.sync(days=2)
    assert plain.one("SELECT count(*) FROM recon.setbacks") == 0
    assert "record_refused" not in plain.kinds()


def test_between_its_pauses_a_refused_customer_is_not_asked_again(plain: Town) -> None:
    credited(plain, 1).khaos.gone = {"C1"}
    for minutes in (1, 5, 5):
        plain.sync(minutes=minutes)
    assert [what for how, what in plain.khaos.asked if how == "company"] == ["C1"]


@pytest.mark.parametrize("count", [1, 3, 12])
def test_an_operation_that_is_not_there_may_be_missing_for_ever(plain: Town, count: int) -> None:
    numbers = range(1, count + 1)
    town = credited(plain, *numbers)
    town.khaos.gone, town.khaos.absent = {f"C{number}" for number in numbers}, {"GetCompanyInfo"}
    for _ in range(3):
        town.sync(days=1)
    assert town.ask("SELECT operation, subject FROM recon.setbacks") == [("Khaos GetCompanyInfo", "")]
    assert town.kinds() == {}


def test_an_operation_that_refuses_everybody_is_asked_little(plain: Town) -> None:
    credited(plain, *range(1, 13)).khaos.gone = {f"C{number}" for number in range(1, 13)}
    plain.sync()
    asked = [what for how, what in plain.khaos.asked if how == "company"]
    assert len(asked) == refusing.HOPELESS
    plain.sync(minutes=16)
    assert {what for how, what in plain.khaos.asked if how == "company"} > set(asked)


def test_an_order_that_is_refused_asks_for_no_run_before_its_pause_is_over(plain: Town) -> None:
    plain.sells_and_takes_back(a_return(1), a_return(2))
    plain.khaos.broken_refs["KCCLX1"] = PermanentError("access violation")
    plain.sync()
    with plain.tools.store() as conn:
        assert local_reason(conn, plain.settings, plain.now) != "orders to read"
        assert local_reason(conn, plain.settings, plain.now + timedelta(minutes=16)) == "orders to read"
    assert plain.kinds()["record_refused"] == "Khaos ExportOrders KCCLX1"


def test_a_subject_and_a_reason_of_any_length_are_kept(plain: Town) -> None:
    long = "ä" * 5000
    with plain.tools.store() as conn:
        setbacks.keep(conn, refusing.ORDERS, {long: long + "\0\n"}, plain.now)
        setbacks.keep(conn, refusing.ORDERS, {long: "again"}, plain.now)
        assert [(one.attempts, one.reason) for one in setbacks.standing(conn)] == [(2, "again")]
        assert setbacks.over(conn, [refusing.ORDERS], [long]) == [long[:200]]
