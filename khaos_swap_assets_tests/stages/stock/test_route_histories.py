"""Histories of both routes: inspections, corrections, sales, lost answers, refusals and ends of the process.

After every step what came into Khaos by our doing is what is written down as done, plus at most the one transfer that
is open; at the end it is what the bench found. ``KHAOS_SWAP_HISTORIES`` sets how many, as for the posting engine.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from khaos_swap_assets.adapters.files import adjustments
from khaos_swap_assets.adapters.files.adjustments import write_once
from khaos_swap_assets.adapters.store.stock_adjustments import LOOK_EVERY
from khaos_swap_assets.domain.goods.adjustments import judge_write
from khaos_swap_assets.sandbox.khaos_stock import carried, import_file
from khaos_swap_assets.stages import waivers
from khaos_swap_assets.stages.credit_notes.drafting import draft_waiting
from khaos_swap_assets.stages.credit_notes.people import Person
from khaos_swap_assets.stages.reconciliation.judging import reconcile_waiting, settle_exceptions
from khaos_swap_assets.stages.returns.matching import match_waiting
from khaos_swap_assets.stages.stock import level_writes
from khaos_swap_assets.stages.stock.adjustments import adjust_stock
from khaos_swap_assets.stages.stock.benching import correct
from khaos_swap_assets.stages.stock.custody import follow_custody
from khaos_swap_assets.stages.stock.levels import sync_levels
from khaos_swap_assets_tests.stages.stock.shelves import (
    DAMAGED,
    SAMPLE,
    Killed,
    Shelves,
    clerk,
    faults,
    inspected,
    sell,
    shelves_of,
    switch,
)
from khaos_swap_assets_tests.stages.town import Town, a_line, a_return, connect

HISTORIES = int(os.environ.get("KHAOS_SWAP_HISTORIES", "12")) // 2
UNITS, BLOCK, PART = 3, 10, 50
WORK = (
    *(match_waiting, draft_waiting, sync_levels, adjust_stock),
    *(reconcile_waiting, follow_custody, settle_exceptions),
)
KIM = Person("kim", "looked at the movements in Khaos")
Step = tuple[str, int]
OFTEN, RARE = ("run", "run", "sellable"), ("allow", "die", "import", "person")
STEPS = st.lists(
    st.tuples(
        st.sampled_from((*OFTEN, *OFTEN, "damaged", "correct", "sell", "sold_unseen", "lose", "refuse", *RARE)),
        st.integers(1, 6),
    ),
    min_size=3,
    max_size=9,
)
OURS = "SELECT coalesce(sum(quantity), 0)::integer FROM recon.stock_adjustments WHERE stock_code = %s"
OPEN = (
    "SELECT quantity, state, file_name, site_id FROM recon.stock_transfers WHERE stock_code = %s AND ended_at IS NULL"
)
FOUND = "SELECT sellable_quantity, damaged_quantity FROM recon.matched_lines WHERE stock_code = %s"


@dataclass
class Histories:
    """A town with a return for each history, credited before it begins."""

    town: Town
    folder: Path
    number: int = 0
    told: list[str] = field(default_factory=list)

    def play(self, steps: list[Step]) -> None:
        """One history of one return; ends with everything settled."""
        if self.number % BLOCK == 0:
            self._credit()
        self.number += 1
        self.town.now += timedelta(hours=1)
        self.town.sync()
        for step in [*steps, ("allow", 0)]:
            self._do(*step)
            self._check()
        self.town.now += timedelta(days=2)
        self.town.sync()
        for _ in range(5):
            self.town.now += LOOK_EVERY  # a file that waits for the one before needs a look of its own
            self._do("import", 0)
            self._do("run", 0)
            self._do("person", 0)
            self._check()
        self._check_the_end()

    @property
    def rma(self) -> str:
        return f"RMA{self.number}"

    @property
    def code(self) -> str:
        return f"HAT{self.number}"

    @property
    def khaos(self) -> Shelves:
        return shelves_of(self.town)

    def _credit(self) -> None:
        seen: dict[str, Any] = {"quality_control_status": "Pending", "updated_at": self.town.now}
        block = range(self.number + 1, self.number + BLOCK + 1)
        self.town.sells_and_takes_back(
            *(a_return(one, a_line(f"HAT{one}", UNITS, 1000 * UNITS), **seen) for one in block)
        )
        for _ in range(2):
            self.town.sync()
            self.town.pull()
        self.town.sync()

    def _do(self, what: str, size: int) -> None:
        self.town.now += timedelta(minutes=2)
        acts: dict[str, Callable[[], object]] = {
            "run": self._run,
            "sellable": lambda: self._inspect("Sellable", size),
            "damaged": lambda: self._inspect("Damaged", size),
            "correct": lambda: self._correct(size),
            "sell": lambda: sell(self.town, size % 3 + 1, self.code),
            "sold_unseen": lambda: faults(self.town, khaos_sale_in_window=1),
            "lose": lambda: faults(self.town, khaos_fault_after_commit=1),
            "refuse": lambda: switch(self.town, set_levels="refused"),
            "allow": self._allow,
            "die": lambda: self._run(size),
            "import": lambda: clerk(self.town, self.folder),
            "person": self._person,
        }
        acts[what]()

    def _run(self, dies_at: int = 0) -> None:
        self.khaos.steps.clear()
        self.khaos.dies_at = dies_at
        try:
            for stage in WORK:
                stage(self.town.tools)
        except Killed:
            return
        finally:
            self.khaos.dies_at = 0

    def _allow(self) -> None:
        switch(self.town, set_levels="on")
        self.khaos.books.state.faults.armed.clear()

    def _seen(self) -> list[tuple[Any, ...]]:
        return self.town.ask(
            "SELECT inspection_id, quantity FROM recon.inspections i WHERE rma = %s AND NOT EXISTS ("
            "SELECT 1 FROM recon.inspections c WHERE c.corrects = i.inspection_id) ORDER BY 1", self.rma
        )  # fmt: skip

    def _inspect(self, condition: str, size: int) -> None:
        rest = UNITS - sum(quantity for _, quantity in self._seen())
        if rest > 0:
            inspected(self.town, condition, min(size % UNITS + 1, rest), rma=self.rma, sku=self.code)

    def _correct(self, size: int) -> None:
        for inspection_id, quantity in self._seen()[:1]:
            condition = ("Sellable", "Damaged")[size % 2]
            with connect(self.town) as conn:
                correct(conn, inspection_id, condition, max(quantity - size % 2, 1), KIM, now=self.town.now)

    def _person(self) -> None:
        """Looks at a transfer in doubt, adds in Khaos what is not there, and says so."""
        for quantity, state, file, site in self.town.ask(OPEN, self.code):
            if state == "person":
                place, disposition = ("MAIN", "sellable") if site == 1 else ("HOLD", "damaged")
                lacks = quantity if self._brought(disposition) == self._written(disposition) else 0
                asked = self.town.one(f"{OURS} AND state = 'asked' AND disposition = %s", self.code, disposition)
                self._by_hand(place, lacks + asked)
                self.khaos.books.world.memory[file] = "nobody imports it"
                self._waive(disposition)

    def _by_hand(self, place: str, units: int) -> None:
        import_file(self.khaos.books, f"Stock Code,Location,Adjust By\n{self.code},{place},{units}\n")

    def _waive(self, disposition: str) -> None:
        subject = f"{self.rma}/{self.code}/{disposition}"
        known = self.town.ask(
            "SELECT exception_id FROM recon.exceptions WHERE closed_at IS NULL AND subject = %s", subject
        )
        with connect(self.town) as conn:
            for (number,) in known:
                waivers.waive(conn, number, KIM, now=self.town.now)
        self._run()

    def _brought(self, disposition: str) -> int:
        return carried(self.khaos.books.world).get((self.code, disposition), 0)

    def _written(self, disposition: str) -> int:
        done = f"{OURS} AND state IN ('done', 'settled') AND disposition = %s"
        return int(self.town.one(done, self.code, disposition))

    def _check(self) -> None:
        """Never twice, never less than is written down; damaged goods never among those for sale."""
        out = {quantity for quantity, *_ in self.town.ask(f"{OPEN} AND site_id = 1", self.code)}
        aside = {quantity for quantity, *_ in self.town.ask(f"{OPEN} AND site_id = 9", self.code)}
        assert self._brought("sellable") - self._written("sellable") in {0, *out}
        assert self._brought("damaged") - self._written("damaged") in {0, *aside}
        moved = "SELECT coalesce(sum(CASE WHEN to_place = 'available' THEN units ELSE 0 END - CASE WHEN from_place = "
        moved += "'available' THEN units ELSE 0 END), 0)::integer FROM recon.custody_movements WHERE product_id = %s"
        assert self.town.one(moved, f"P-{self.code}") <= UNITS

    def _check_the_end(self) -> None:
        ((sellable, damaged),) = self.town.ask(FOUND, self.code)
        has_place = self.town.settings.stock.route == "file"
        assert self._brought("sellable") == sellable
        assert self._brought("damaged") == (damaged if has_place else 0)
        shelf = "SELECT coalesce(sum(units), 0)::integer FROM recon.custody WHERE sku = %s AND place = 'available'"
        assert self.town.one(shelf, self.code) == sellable


def histories(town: Town, tmp_path: Path, route: str) -> Histories:
    town.khaos = Shelves()
    (tmp_path / "sample.csv").write_bytes((SAMPLE + DAMAGED).encode())
    (tmp_path / "out").mkdir()
    stock = {"route": route, "file_sample": tmp_path / "sample.csv", "file_folder": tmp_path / "out", "file_minutes": 1}
    caps = {"daily_document_cap": 1_000_000, "daily_value_cap_pounds": 1_000_000_000}
    town.with_settings(legs_policy="credit_first", stock=stock, **caps)
    return Histories(town, tmp_path / "out")


@pytest.mark.long
@pytest.mark.parametrize("part", range(max(HISTORIES // PART, 1)))
@pytest.mark.parametrize("route", ["level", "file"])
def test_no_history_moves_a_unit_twice(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, route: str, part: int
) -> None:
    played = histories(town, tmp_path, route)

    def write(*given: Any) -> None:
        played.khaos._at("write")
        write_once(*given)
        played.khaos._at("was written")

    monkeypatch.setattr(adjustments, "write_once", write)

    @seed(part)
    @settings(max_examples=min(HISTORIES, PART), database=None, suppress_health_check=list(HealthCheck), deadline=None)
    @given(STEPS)
    def play(steps: list[Step]) -> None:
        played.play(steps)

    play()


def test_a_client_that_only_looks_at_the_level_is_found(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a lost answer and a sale the level is the old one, and the unit would go in twice."""
    played = histories(town, tmp_path, "level")
    judge = lambda *given, **_: judge_write(*given, is_moved=False)  # noqa: E731
    monkeypatch.setattr(level_writes, "judge_write", judge)
    with pytest.raises(AssertionError):
        played.play([("sellable", 3), ("lose", 0), ("run", 0), ("sell", 3), ("run", 0), ("run", 0)])
