"""How long each return took: its moments, the gate, the percentiles, the objective."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from khaos_swap_assets.adapters.store import arrivals, inspections, latency, queues, worklist
from khaos_swap_assets.adapters.store.latency import DayOfLatency
from khaos_swap_assets.domain.goods.dispositions import Inspection
from khaos_swap_assets.stages.completeness import assets
from khaos_swap_assets.stages.completeness.assets import draw_latency
from khaos_swap_assets.stages.completeness.comparing import compare
from khaos_swap_assets_tests.stages.town import NOON, Town, a_return, called

Connection = psycopg.Connection[Any]
STEPS = ("event", "accepted", "read", "inspected", "gate", "drafted", "offered", "handed_out", "witnessed")


@pytest.fixture
def begun(town: Town) -> Town:
    """A town that was looked at an hour ago."""
    town.now = NOON - timedelta(hours=1)
    town.read()
    compare(town.tools)
    town.now = NOON
    return town


def put(town: Town, number: int = 1, minutes: float = 0) -> str:
    """A return refunded in Swap at noon plus ``minutes``; its id."""
    one = replace(a_return(number), updated_at=NOON + timedelta(minutes=minutes))
    town.sells_and_takes_back(one)
    return one.return_id


def hear(conn: Connection, return_id: str, minutes: float) -> None:
    at = NOON + timedelta(minutes=minutes)
    arrivals.keep_knocks(conn, [arrivals.Knock("S1", "returnProcessed", return_id, {}, at)])
    conn.commit()


def moments(town: Town, conn: Connection) -> dict[str, float]:
    """Minutes after noon of each moment."""
    called(assets.reconciliation_latency, town)
    conn.rollback()
    names = [f"{name}_at" for name in STEPS]
    row = conn.execute(f"SELECT {', '.join(names)} FROM recon.latency".encode()).fetchone()
    assert row is not None
    return {name: (at - NOON) / timedelta(minutes=1) for name, at in zip(names, row, strict=True) if at is not None}


def test_the_server_counts_the_moments_again_after_many(
    begun: Town, database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latency, "RECOUNTED_ROWS", 2)
    for number in (1, 2, 3):
        put(begun, number)
    begun.sync(minutes=2)
    called(assets.reconciliation_latency, begun)
    database.rollback()
    counted = database.execute("SELECT reltuples FROM pg_class WHERE oid = 'recon.latency'::regclass").fetchone()
    assert counted == (3,)


def test_a_return_carries_every_moment(begun: Town, database: Connection) -> None:
    return_id = put(begun)
    hear(database, return_id, 0.5)
    begun.sync(minutes=2)
    begun.now += timedelta(minutes=10)
    begun.pull()
    begun.sync(minutes=3)
    assert moments(begun, database) == {
        "event_at": 0, "accepted_at": 0.5, "read_at": 2, "gate_at": 0.5, "drafted_at": 2, "offered_at": 2,
        "handed_out_at": 12, "witnessed_at": 15,
    }  # fmt: skip


def test_without_a_knock_the_event_opens_the_gate(begun: Town, database: Connection) -> None:
    put(begun)
    begun.sync(minutes=9)
    found = moments(begun, database)
    assert (found["gate_at"], found["offered_at"]) == (0, 9)
    assert "accepted_at" not in found


def test_what_changed_before_we_first_looked_counts_from_its_reading(town: Town, database: Connection) -> None:
    put(town, minutes=-6000)
    town.sync(minutes=3)
    compare(town.tools)
    found = moments(town, database)
    assert found["gate_at"] == found["read_at"] == 3


def test_moments_are_gathered_after_a_clock_that_was_once_years_ahead(town: Town, database: Connection) -> None:
    town.now = NOON + timedelta(days=900)
    compare(town.tools)
    called(assets.reconciliation_latency, town)
    town.now = NOON
    compare(town.tools)
    put(town)
    town.sync(minutes=9)
    assert moments(town, database)["gate_at"] == 0


def test_a_knock_of_an_earlier_change_opens_no_gate(begun: Town, database: Connection) -> None:
    hear(database, put(begun, minutes=5), 1)
    begun.sync(minutes=7)
    assert moments(begun, database)["gate_at"] == 5


def test_the_inspection_may_be_the_last_gate(begun: Town, database: Connection) -> None:
    put(begun)
    found = Inspection("i1", "RMA1", "HAT", "", "Sellable", 1, NOON, "w")
    inspections.save(database, found, NOON + timedelta(minutes=4))
    database.commit()
    begun.sync(minutes=6)
    assert moments(begun, database)["gate_at"] == 4


def test_what_led_to_an_offer_stays(begun: Town, database: Connection) -> None:
    return_id = put(begun)
    begun.sync(minutes=1)
    before = moments(begun, database)
    begun.now += timedelta(hours=5)
    begun.edit(replace(begun.swap.returns[return_id], delivery_status="Lost"))
    hear(database, return_id, 400)
    begun.sync(minutes=1)
    after = moments(begun, database)
    assert {name: after[name] for name in before} == before


def test_only_what_moved_is_gathered_again(begun: Town, database: Connection) -> None:
    put(begun)
    begun.sync()
    for _ in range(2):
        moments(begun, database)
        begun.now += timedelta(hours=3)
    shown: Any = called(assets.reconciliation_latency, begun)
    assert shown.metadata["gathered"] == 0
    assert worklist.reached(database, assets.GATHERED) == begun.now


def rows(conn: Connection, *seconds: int) -> None:
    for number, each in enumerate(seconds):
        conn.execute(
            "INSERT INTO recon.latency (return_id, rma, gate_at, offered_at) VALUES (%s, %s, %s, %s)",
            (str(number), f"RMA{number}", NOON - timedelta(seconds=each), NOON),
        )
    conn.commit()


@pytest.mark.parametrize(
    ("seconds", "is_met"),
    [((), True), ((10,) * 19 + (9_000,), True), ((10,) * 18 + (9_000,) * 2, False), ((300,), True), ((301,), False)],
)
def test_ninety_five_in_a_hundred_within_five_minutes(
    town: Town, database: Connection, seconds: tuple[int, ...], is_met: bool
) -> None:
    rows(database, *seconds)
    verdict: Any = called(assets.CHECKS[1], town)
    assert verdict.passed is is_met
    assert verdict.metadata["offered"].value == len(seconds)


def test_percentiles_by_london_day_and_the_slowest_first(database: Connection) -> None:
    rows(database, 10, 20, 30, 4_000)
    latency.add_up(database, [NOON.date()])
    assert latency.by_day(database, NOON - timedelta(days=1)) == [DayOfLatency(NOON.date(), 4, 20, 4_000)]
    assert [row["rma"] for row in latency.slowest(database, NOON - timedelta(days=1), 2)] == ["RMA3", "RMA2"]
    assert latency.since(database, NOON + timedelta(days=1)) == (0, 0, 0)


def test_a_day_is_londons_and_follows_what_is_written(database: Connection) -> None:
    summer = datetime(2026, 7, 1, 22, 59, tzinfo=UTC)
    for number, minutes in enumerate((0, 2, 3)):
        at = summer + timedelta(minutes=minutes)
        database.execute(
            "INSERT INTO recon.latency (return_id, rma, gate_at, offered_at) VALUES (%s, %s, %s, %s)",
            (str(number), f"RMA{number}", at - timedelta(seconds=10 * number), at),
        )
        latency.add_up(database, [date(2026, 7, 1), date(2026, 7, 2)])
    first, second = DayOfLatency(date(2026, 7, 1), 1, 0, 0), DayOfLatency(date(2026, 7, 2), 2, 10, 20)
    assert latency.by_day(database, summer) == [first, second]
    assert latency.by_day(database, summer + timedelta(hours=1)) == [second]


def test_a_day_of_offers_is_added_up_when_they_are_gathered(begun: Town, database: Connection) -> None:
    put(begun)
    begun.sync(minutes=2)
    moments(begun, database)
    assert latency.by_day(database, begun.now) == [DayOfLatency(NOON.date(), 1, 120, 120)]
    assert latency.since(database, NOON) == (1, 120, 120)


def test_a_second_look_within_the_overlap_writes_nothing_again(begun: Town, database: Connection) -> None:
    put(begun)
    begun.sync(minutes=2)
    first: Any = called(assets.reconciliation_latency, begun)
    second: Any = called(assets.reconciliation_latency, begun)
    begun.pull()
    begun.sync(minutes=2)
    third: Any = called(assets.reconciliation_latency, begun)
    assert [one.metadata["gathered"] for one in (first, second, third)] == [1, 0, 1]


def test_an_offer_before_its_gate_took_no_time(database: Connection) -> None:
    rows(database, -50)
    assert latency.since(database, NOON - timedelta(days=1)) == (1, 0, 0)


def test_the_picture_is_a_picture() -> None:
    days = [DayOfLatency(NOON.date() + timedelta(days=number), 5, 0, 40 * number) for number in range(15)]
    assert draw_latency(days).startswith(b"\x89PNG")


def test_queues_tell_age_and_when_they_will_be_empty(database: Connection) -> None:
    ids = [f"r{number}" for number in range(4)]
    long_ago = NOON - timedelta(hours=2)
    arrivals.keep_knocks(database, [arrivals.Knock("S1", "e", name, {}, long_ago) for name in ids])
    database.execute("UPDATE recon.inbox SET consumed_at = %s WHERE return_id IN ('r0', 'r1')", (long_ago,))
    knocks, *others = queues.read(database, NOON)
    assert (knocks.name, knocks.waiting, knocks.oldest_seconds, knocks.done_a_day) == ("knocks", 2, 7_200, 2)
    assert knocks.empty_in_seconds == 86_400
    assert [queue.waiting for queue in others] == [0] * len(others)
    assert {queue.empty_in_seconds for queue in others} == {0}
    database.execute("UPDATE recon.inbox SET consumed_at = %s WHERE return_id = 'r2'", (NOON,))
    knocks = queues.read(database, NOON)[0]
    assert (knocks.waiting, knocks.done_a_day, knocks.empty_in_seconds) == (1, 3, 3_600)
    worklist.queue(database, "match", ["a", "b"])
    work = next(queue for queue in queues.read(database, NOON) if queue.name == "work")
    assert (work.waiting, work.empty_in_seconds) == (2, None)
    assert assets.queue_row(work)["empty_in"] == "not at the present rate"


def test_orders_and_work_tell_when_they_will_be_done(database: Connection) -> None:
    recently = NOON - timedelta(minutes=10)
    database.execute(
        "INSERT INTO khaos.wanted_orders (order_ref, state, asked_at, tried_at) VALUES "
        "('A', 'waiting', %(at)s, NULL), ('B', 'read', %(at)s, %(at)s), ('C', 'not_found', %(at)s, %(at)s)",
        {"at": recently},
    )
    worklist.queue(database, "match", ["a", "b"])
    database.execute(
        "INSERT INTO recon.reconciliation (return_id, store_id, rma, currency, refund_pence, credited_pence, "
        "issued_pence, gap_pence, status, period, reconciled_at) "
        "VALUES ('R1', 'S1', 'RMA1', 'GBP', 1, 1, 1, 0, 'matched', '2026-03', %s)",
        (recently,),
    )
    found = {queue.name: (queue.waiting, queue.empty_in_seconds) for queue in queues.read(database, NOON)}
    assert (found["orders"], found["work"]) == ((1, 1_800), (2, 7_200))
