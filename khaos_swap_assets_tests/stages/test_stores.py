"""Two stores with one Khaos: what is alike stays apart, and one store's outage holds nothing of the other."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from khaos_swap_assets.adapters.errors import PermanentError, SettingsError, TransientError, VendorError
from khaos_swap_assets.adapters.store import exceptions, stores
from khaos_swap_assets.stages.due import UnansweredError, what_is_due
from khaos_swap_assets.stages.reconciliation.month_end import close_month
from khaos_swap_assets.stages.returns.sync import sync_returns
from khaos_swap_assets_tests.conftest import empty
from khaos_swap_assets_tests.lending import lend
from khaos_swap_assets_tests.stages.town import NOON, a_note, a_return, some_settings
from khaos_swap_assets_tests.stages.two_stores import TwoStores, twin

OUTAGES = [TransientError("503 down"), TransientError("timed out"), PermanentError("401 the key is refused")]


@pytest.fixture
def town(database_url: str) -> TwoStores:
    """Two empty stores."""
    return TwoStores(database_url)


def credited(town: TwoStores) -> dict[str, str]:
    """Reference of the note by return."""
    return dict(
        town.ask("SELECT l.return_id, n.associated_ref FROM recon.note_links l JOIN khaos.credit_notes n USING "
                 "(credit_note_code)")
    )  # fmt: skip


def play(town: TwoStores, rounds: int = 4) -> None:
    for _ in range(rounds):
        town.sync()
        town.pull()
    town.sync()


def test_the_same_rma_order_customer_goods_and_value_of_two_stores_are_two_of_each(town: TwoStores) -> None:
    town.swap.put(a_return())
    town.outlet.put(twin())
    town.sells()
    play(town)
    notes = {one.associated_ref: one for one in town.khaos.notes.values()}
    assert len(notes) == len(town.khaos.notes) == 2
    found = credited(town)
    assert found.keys() == {"R1", "outlet:R1"}
    assert found["R1"] == "RMA1"
    assert found["outlet:R1"] != "RMA1"
    told = town.ask("SELECT return_id, order_ref FROM recon.matched_returns ORDER BY 1")
    assert told == [("R1", "KCCLX1"), ("outlet:R1", "OUTLX1")]
    assert town.kinds() == {}


def test_what_a_single_store_posted_stays_its_own_when_another_comes(town: TwoStores) -> None:
    several = town.settings
    town.settings = some_settings()
    town.swap.put(a_return())
    town.sells()
    play(town)
    before = town.ask("SELECT return_id, reference, document_hash, state FROM recon.postings")
    town.settings = several
    town.outlet.put(twin())
    play(town)
    after = town.ask("SELECT return_id, reference, document_hash, state FROM recon.postings ORDER BY return_id")
    assert [row[:2] for row in before] == [("R1", "RMA1")]
    assert [row for row in after if row[0] == "R1"] == before
    assert len(town.khaos.notes) == 2


def test_a_note_that_staff_typed_the_shared_rma_on_is_nobodys_by_itself(town: TwoStores) -> None:
    town.swap.put(a_return())
    town.outlet.put(twin())
    town.sells()
    town.khaos.notes["CN9"] = a_note("CN9", associated_ref="RMA1")
    play(town)
    assert credited(town) == {}
    assert list(town.khaos.notes) == ["CN9"]
    assert town.kinds()


def test_an_order_of_one_store_is_not_found_for_the_other(town: TwoStores) -> None:
    town.outlet.put(twin())
    town.sells()
    town.khaos.orders = [one for one in town.khaos.orders if one.so_code == "SO1"]
    town.sync()
    assert town.kinds().get("order_not_found") == "outlet:RMA1"


def test_where_khaos_cannot_tell_whose_order_it_is_nothing_acts(database_url: str) -> None:
    town = TwoStores(database_url, outlet_format="KCC{0}")
    town.swap.put(a_return())
    town.outlet.put(twin())
    town.sells()
    play(town)
    assert town.khaos.notes == {}
    told = town.ask("SELECT subject FROM recon.exceptions WHERE kind = 'order_ambiguous' AND closed_at IS NULL")
    assert sorted(row[0] for row in told) == ["RMA1", "outlet:RMA1"]


@pytest.mark.long
@pytest.mark.parametrize("error", OUTAGES, ids=str)
@pytest.mark.parametrize("is_main", [True, False])
def test_one_store_down_is_told_by_name_and_the_other_goes_on(
    town: TwoStores, error: VendorError, *, is_main: bool
) -> None:
    ill = town.swap if is_main else town.outlet
    ill.error = error
    town.swap.put(a_return())
    town.outlet.put(twin())
    town.sells()
    play(town)
    assert list(credited(town)) == ["outlet:R1" if is_main else "R1"]
    assert town.kinds() == {"source_refused": "Swap list of returns" + ("" if is_main else " of outlet")}
    asked = len(ill.asked)
    ill.error = None
    town.sync(minutes=20)
    play(town)
    assert len(ill.asked) > asked
    assert credited(town).keys() == {"R1", "outlet:R1"}
    assert town.kinds() == {}


def test_a_document_of_a_store_that_is_not_read_stays_here(town: TwoStores) -> None:
    town.swap.put(a_return(1), a_return(2))
    town.outlet.put(twin(1))
    town.sells(1)
    town.sells(2)
    town.sync()
    town.outlet.error = TransientError("503 down")
    for _ in range(3):
        town.sync(minutes=20)
        town.pull()
    town.sync()
    assert credited(town).keys() == {"R1", "R2"}
    town.outlet.error = None
    town.sync(minutes=20)
    play(town)
    assert credited(town).keys() == {"R1", "R2", "outlet:R1"}


def test_an_outage_closes_no_exception_of_its_store_and_lets_those_of_the_other_close(town: TwoStores) -> None:
    town.swap.put(a_return())
    town.outlet.put(twin())
    town.sync()
    assert len(town.ask("SELECT 1 FROM recon.exceptions WHERE closed_at IS NULL AND return_id <> ''")) >= 2
    town.outlet.error = TransientError("503 down")
    town.do("DELETE FROM recon.findings WHERE return_id <> ''")
    town.sync(minutes=1)
    left = town.ask("SELECT DISTINCT return_id FROM recon.exceptions WHERE closed_at IS NULL AND return_id <> ''")
    assert ("outlet:R1",) in left


def test_a_store_that_is_down_keeps_the_sensor_from_nothing(town: TwoStores) -> None:
    town.swap.put(a_return())
    town.sells()
    play(town)
    town.outlet.error = TransientError("503 down")
    town.now += timedelta(minutes=1)
    town.edit(a_return(handling_fee_pence=1))
    assert what_is_due(town.tools) == "1 return changed"
    play(town)
    town.now += timedelta(minutes=1)
    asked = len(town.outlet.asked)
    what_is_due(town.tools)
    assert len(town.outlet.asked) == asked


def test_where_no_store_answers_the_sensor_says_so(town: TwoStores) -> None:
    sync_returns(town.tools)
    town.do("DELETE FROM recon.worklist")
    town.swap.error = town.outlet.error = TransientError("503 down")
    town.now += timedelta(minutes=1)
    with pytest.raises(UnansweredError, match="Swap could not be asked: 503 down"):
        what_is_due(town.tools)


def test_each_store_is_read_from_its_own_mark(town: TwoStores) -> None:
    sync_returns(town.tools)
    town.outlet.error = TransientError("503 down")
    town.now += timedelta(hours=3)
    sync_returns(town.tools)
    town.outlet.error = None
    town.outlet.asked.clear()
    town.swap.asked.clear()
    town.now += timedelta(minutes=20)
    sync_returns(town.tools)
    overlap = timedelta(minutes=town.settings.swap.overlap_minutes)
    assert town.outlet.asked[0] == ("changed", NOON - overlap)
    assert town.swap.asked[0] == ("changed", NOON + timedelta(hours=3) - overlap)


def test_a_store_is_never_read_under_another_name(town: TwoStores) -> None:
    sync_returns(town.tools)
    main, outlet = town.settings.by_store
    town.settings = town.settings.model_copy(update={"swap": outlet.swap.named("")})
    with pytest.raises(SettingsError, match="KHAOS_SWAP_SWAP_STORE_ID: its returns were read as those of outlet"):
        sync_returns(town.tools)
    assert main.swap.store_id == "S1"


def test_a_name_is_never_given_to_another_store(town: TwoStores) -> None:
    with lend(town.url) as conn:
        assert stores.claim(conn, "outlet", "S2") == ""
        assert stores.claim(conn, "outlet", "S3") == "another store was read under this name; choose a new name"


def test_the_month_and_the_queue_are_told_by_store_and_together(town: TwoStores) -> None:
    town.swap.put(a_return(1), a_return(2))
    town.outlet.put(twin(1))
    town.sells(1)
    play(town)
    with lend(town.url) as conn:
        close_month(town.tools, "2026-03")
        parts = stores.of_month(conn, "2026-03")
        whole = conn.execute(
            "SELECT count(*), sum(refund_pence), sum(credited_pence), sum(gap_pence) FROM recon.monthly "
            "WHERE period = '2026-03'"
        ).fetchone()
        of = {store: exceptions.count(conn, store=store) for store in (None, "", "outlet")}
        rows = [row["rma"] for row in exceptions.open_exceptions(conn, store="")]
    assert [(one.store, one.returns, one.refund_pence, one.credited_pence) for one in parts] == [
        ("", 2, 2000, 1000),
        ("outlet", 1, 1000, 1000),
    ]
    columns = zip(*((one.returns, one.refund_pence, one.credited_pence, one.gap_pence) for one in parts), strict=True)
    assert whole == tuple(sum(column) for column in columns)
    assert of[None] == of[""] > 0
    assert (of["outlet"], set(rows)) == (0, {"RMA2"})


LIVES = st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(1, 40)), min_size=1, max_size=4)


@pytest.mark.long
@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LIVES)
def test_whatever_fails_when_everything_is_credited_once_in_the_end(
    database_url: str, lives: list[tuple[bool, bool, int]]
) -> None:
    town = TwoStores(database_url)
    with lend(database_url) as conn:
        empty(conn)
        conn.commit()
    town.swap.put(a_return(1), a_return(2))
    town.outlet.put(twin(1), twin(2))
    town.sells(1)
    town.sells(2, customers=("C1", "C2"))
    for main, outlet, minutes in lives:
        town.swap.error = TransientError("503") if main else None
        town.outlet.error = TransientError("503") if outlet else None
        town.sync(minutes=minutes)
        town.pull()
    town.swap.error = town.outlet.error = None
    town.sync(minutes=20)
    play(town, 6)
    assert credited(town).keys() == {"R1", "R2", "outlet:R1", "outlet:R2"}
    assert len(town.khaos.notes) == 4
