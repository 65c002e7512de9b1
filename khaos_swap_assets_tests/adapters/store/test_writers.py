"""Fencing: whoever was cut off and comes back changes nothing, and only one writes towards Khaos at any time."""

from __future__ import annotations

import inspect
import random
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from khaos_swap_assets import definitions, heartbeat
from khaos_swap_assets.adapters.errors import FencedError, StoreError
from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import database as store
from khaos_swap_assets.adapters.store import writers
from khaos_swap_assets.stages.credit_notes import searching
from khaos_swap_assets.stages.credit_notes.posting import post
from khaos_swap_assets.stages.toolbox import Toolbox
from khaos_swap_assets_tests.running import until
from khaos_swap_assets_tests.stages.town import Town, a_return

KEPT = (
    "recon.postings",
    "recon.feed_pages",
    "recon.drafts",
    "recon.audit_log",
    "khaos.credit_notes",
    "recon.watermarks",
)
"""What a round of posting writes."""
CUT_OFF = "no sign of life for 40 s"


@pytest.fixture
def town(database_url: str) -> Town:
    """A return is drafted and waits for its document."""
    town = Town(database_url).with_settings(mode="post", post_from="2026-01-01")
    town.sells_and_takes_back(a_return(1))
    town.sync()
    return town


def begun(town: Town, run_id: str) -> Toolbox:
    """The town's toolbox as a run has it that began to work."""
    url, name = town.url, writers.APPLICATION.format(run_id=run_id)
    with town.tools.store() as conn:
        token = writers.begin(conn, run_id, f"process 1 of {run_id}")
    return replace(town.tools, token=token, open_store=lambda: store.connect(url, application=name))


def fence(town: Town, run_id: str) -> int:
    with town.tools.store() as conn:
        return writers.fence(conn, run_id, CUT_OFF)


def kept(town: Town) -> dict[str, list[Any]]:
    with town.tools.store() as conn:
        return {name: conn.execute(f"SELECT * FROM {name} ORDER BY 1, 2".encode()).fetchall() for name in KEPT}


def test_a_run_that_was_cut_off_in_its_search_and_comes_back_changes_nothing_and_is_told_why(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    zombie, before = begun(town, "zombie"), kept(town)
    look = searching.search

    def cut_off(*given: Any) -> Any:
        found = look(*given)
        fence(town, "zombie")
        return found

    monkeypatch.setattr("khaos_swap_assets.stages.credit_notes.posting.search", cut_off)
    told = rf"run zombie was cut off at ..:..:.. UTC: {CUT_OFF}\. Nothing of it counts"
    with pytest.raises(FencedError, match=told), zombie.writing_to_khaos():
        post(zombie)
    assert kept(town) == before
    monkeypatch.undo()
    town.now += timedelta(minutes=1)
    living = replace(begun(town, "living"), clock=lambda: town.now)
    with living.writing_to_khaos():
        post(living)
    assert kept(town) != before


def test_a_transaction_of_a_zombie_that_is_open_is_ended_and_nobody_waits_for_it(town: Town) -> None:
    zombie, before = begun(town, "zombie"), kept(town)

    def go_on(conn: psycopg.Connection[Any]) -> None:
        conn.execute("UPDATE recon.postings SET state = 'confirmed'")
        assert fence(town, "zombie") == 1
        conn.execute("SELECT 1")

    with pytest.raises(StoreError), zombie.store() as conn:
        go_on(conn)
    with pytest.raises(FencedError), zombie.store():
        pass
    assert kept(town) == before


def test_a_transaction_that_was_let_in_is_over_before_the_fence_stands(town: Town) -> None:
    """Where its connections cannot be ended, as behind a pooler that renames them, the fence waits."""
    zombie = replace(begun(town, "zombie"), open_store=lambda: store.connect(town.url, application="pooled"))
    fencing = threading.Thread(target=fence, args=(town, "zombie"))
    with zombie.store() as conn:
        fencing.start()
        assert until(lambda: waits_for_a_lock(town), 20)
        conn.execute("UPDATE recon.drafts SET drafted_at = drafted_at")
    fencing.join(20)
    with pytest.raises(FencedError), zombie.store():
        pass


def waits_for_a_lock(town: Town) -> bool:
    with town.tools.store() as conn:
        asked = "SELECT 1 FROM pg_locks WHERE NOT granted AND locktype IN ('tuple', 'transactionid')"
        return conn.execute(asked).fetchone() is not None


def test_who_takes_the_place_fences_who_had_it_and_did_not_leave(town: Town) -> None:
    first, second = begun(town, "first"), begun(town, "second")
    with first.writing_to_khaos():
        pass
    with second.writing_to_khaos(), first.store():
        pass
    with first.writing_to_khaos():
        with second.writing_to_khaos():
            pass
        with pytest.raises(FencedError, match=f"run first .*{writers.TAKEN}"), first.store():
            pass
    with second.store():
        pass


def test_a_second_process_of_the_same_run_fences_the_first(town: Town) -> None:
    first, second = begun(town, "one"), begun(town, "one")
    with pytest.raises(FencedError, match="process 1 of one works on this run now"), first.store():
        pass
    with second.store():
        pass


def test_a_store_that_was_restored_knows_no_token_of_before(town: Town) -> None:
    lost = begun(town, "lost")
    with town.tools.store() as conn:
        conn.execute("DELETE FROM recon.writers")
    with pytest.raises(FencedError, match="its mark is gone, as after a restore"), lost.store():
        pass


def test_a_run_gives_signs_of_life_until_it_ends(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "BEAT_SECONDS", 0.05)

    def sign() -> Any:
        with town.tools.store() as conn:
            return writers.signs(conn).get("alive")

    with heartbeat.beating(town.tools, "alive") as tools:
        first = sign()
        assert until(lambda: sign() != first, 10)
        assert tools.token
        fence(town, "alive")
        with pytest.raises(FencedError), tools.store():
            pass
    assert sign() is None
    with pytest.raises(ZeroDivisionError), heartbeat.beating(town.tools, "falls"):
        raise ZeroDivisionError
    with town.tools.store() as conn:
        assert writers.signs(conn) == {}


def test_old_tokens_go_and_whoever_is_at_work_stays(town: Town, database: psycopg.Connection[Any]) -> None:
    for run_id in ("ended", "fenced", "at work", "young"):
        begun(town, run_id)
    fence(town, "fenced")
    database.execute("UPDATE recon.writers SET ended_at = now() WHERE run_id IN ('ended', 'young')")
    database.execute("UPDATE recon.writers SET began_at = now() - interval '8 days' WHERE run_id <> 'young'")
    assert writers.forget(database) == 2
    assert {row[0] for row in database.execute("SELECT run_id FROM recon.writers")} == {"at work", "young"}


@pytest.mark.parametrize("seed", range(5))
def test_in_no_history_two_write_or_a_fenced_one_writes(database: psycopg.Connection[Any], seed: int) -> None:
    """Runs begin, take the place, leave it, are fenced, come back and end in any order."""
    chance, model = random.Random(seed), Model(database)
    for _ in range(120):
        chance.choice(model.acts)(chance)
        database.commit()
        model.look()


class Model:
    """What must hold, told apart from the tables: who is fenced, and who has the place."""

    def __init__(self, conn: psycopg.Connection[Any]) -> None:
        self.conn = conn
        self.tokens: list[writers.Token] = []
        self.fenced: set[int] = set()
        self.holder: int | None = None
        self.acts: list[Callable[[random.Random], None]] = [self.begin, self.take, self.leave, self.fence, self.work]

    def begin(self, chance: random.Random) -> None:
        run_id = f"run {chance.randrange(8)}"
        self.fenced |= {one.epoch for one in self.tokens if one.run_id == run_id}
        self.tokens.append(writers.begin(self.conn, run_id, "somebody"))

    def take(self, chance: random.Random) -> None:
        token = self.one(chance)
        if token and self.counts(token, writers.take_khaos):
            if self.holder not in (None, token.epoch):
                self.fenced.add(self.holder or 0)
            self.holder = token.epoch

    def leave(self, chance: random.Random) -> None:
        token = self.one(chance)
        if token:
            writers.leave_khaos(self.conn, token)
            self.holder = None if self.holder == token.epoch else self.holder

    def fence(self, chance: random.Random) -> None:
        run_id = f"run {chance.randrange(8)}"
        writers.fence(self.conn, run_id, "it was cut off")
        self.fenced |= {one.epoch for one in self.tokens if one.run_id == run_id}

    def work(self, chance: random.Random) -> None:
        if token := self.one(chance):
            self.counts(token, chance.choice((writers.require, writers.beat)))

    def counts(self, token: writers.Token, act: Callable[[psycopg.Connection[Any], writers.Token], None]) -> bool:
        try:
            act(self.conn, token)
        except FencedError:
            assert token.epoch in self.fenced
            return False
        assert token.epoch not in self.fenced, "somebody who was fenced wrote"
        return True

    def one(self, chance: random.Random) -> writers.Token | None:
        return chance.choice(self.tokens) if self.tokens else None

    def look(self) -> None:
        self.holder = None if self.holder in self.fenced else self.holder
        found = self.conn.execute("SELECT epoch FROM recon.writers WHERE has_khaos").fetchall()
        assert [epoch for (epoch,) in found] == ([self.holder] if self.holder else [])


def test_only_the_one_writer_gets_khaos_to_write_to(town: Town) -> None:
    run = begun(town, "one")
    with pytest.raises(AssertionError, match="only within writing_to_khaos"):
        run.khaos_to_write()
    with run.writing_to_khaos() as writer:
        assert writer.khaos_to_write() is town.tools.open_khaos()


def test_whatever_writes_to_khaos_has_its_place_in_the_pool() -> None:
    nodes = [node.definition for node in definitions.build(Settings()).resolve_job_def("sync").nodes]
    has_place = {one.name for one in nodes if "khaos" in one.pools}
    assert has_place == {one.name for one in nodes if "writing_to_khaos" in inspect.getsource(origin(one))}
    assert "khaos__stock_adjustments" in has_place


def origin(node: Any) -> Any:
    """The function that an asset was made of."""
    return inspect.unwrap(node.compute_fn.decorated_fn)
