"""Custody: what each witness says of a return's units becomes movements of the ledger.

Belongs here: the facts of a line out of what the store knows, and the evidence of each movement. Stays out: where units
are by these facts (``goods.custody``) and what is wrong with them (``judging.goods_conditions``). Only returns in line
are looked at, so a tick costs by what changed; the same facts make no movement twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from khaos_swap_assets.adapters.store import Conn, catalogue, custody, inspections, setbacks, worklist
from khaos_swap_assets.adapters.store.custody import HeldUnits, LineKey
from khaos_swap_assets.domain.goods.adjustments import Adjustment
from khaos_swap_assets.domain.goods.custody import CUSTOMER, CustodyEvidence, LineGoods, movements, places_of
from khaos_swap_assets.domain.goods.dispositions import B_GRADE, DAMAGED, SELLABLE, Inspection, disposition_of
from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy
from khaos_swap_assets.domain.records.matches import MatchedLine
from khaos_swap_assets.domain.records.packs import Packs
from khaos_swap_assets.domain.records.returns import ENDED_UNPAID, Return
from khaos_swap_assets.domain.sums import grouped
from khaos_swap_assets.stages import isolating
from khaos_swap_assets.stages.dossier import Dossier, policy_of
from khaos_swap_assets.stages.toolbox import Toolbox

BATCH = 5_000
OF_KHAOS = ("available", "available_unseen", "b_grade", "non_saleable")
OF_THE_BENCH = ("at_the_bench", "inspected", "lost", "written_off")


@dataclass(frozen=True, slots=True)
class Followed:
    """Returns that were looked at, and movements that were added."""

    returns: int
    movements: int


def follow_custody(tools: Toolbox) -> Followed:
    """Bring the ledger up to date with what is known of every return in line."""
    looked, moved = 0, 0
    with tools.store() as conn:
        worklist.queue(conn, "custody", setbacks.due(conn, [isolating.CUSTODY], tools.now()))
    while True:
        with tools.store() as conn:
            ids = worklist.take(conn, "custody", BATCH)
            if not ids:
                return Followed(looked, moved)
            work = partial(_follow, conn, policy=tools.policy, now=tools.now())
            done, _ = isolating.one_by_one(conn, isolating.CUSTODY, ids, work, tools.now())
        looked, moved = looked + len(ids), moved + sum(done)


def _follow(conn: Conn, ids: Sequence[str], policy: CreditNotePolicy, now: datetime) -> list[int]:
    known, before = _load(conn, ids, policy), custody.of_returns(conn, ids)
    rows = {(line.return_id, line.product_id): line for some in known.dossier.lines.values() for line in some}
    made: list[tuple[object, ...]] = []
    held: dict[LineKey, list[HeldUnits]] = {}
    for key in sorted({*rows, *before}):
        record, row, was = known.dossier.records.get(key[0]), rows.get(key), before.get(key, {})
        places = places_of(known.goods(record, row)) if record and row else {}
        shown = {place: known.evidence(record, row, place, now) for place in (*places, CUSTOMER)}
        steps = list(movements({place: one.units for place, one in was.items()}, places))
        for source, place, units in steps:
            found = shown.get(place) or known.evidence(record, row, place, now)
            made.append((*key, source, place, units, found.at, found.source, found.record, now))
        if steps:
            since = {place: was[place].since if place in was else shown[place].at for place in places}
            held[key] = [_held(record, row, place, units, since[place]) for place, units in places.items()
                         if record and row]  # fmt: skip
    return [custody.move(conn, made, held)] if held else []


def _held(record: Return, row: MatchedLine, place: str, units: int, since: datetime) -> HeldUnits:
    return HeldUnits(
        return_id=row.return_id,
        product_id=row.product_id,
        place=place,
        units=units,
        value_pence=row.cost_pence * units // row.quantity if row.quantity else 0,
        currency=record.currency,
        rma=record.rma,
        sku=row.sku,
        stock_code=row.stock_code or "",
        since=since,
    )


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a batch of returns; ``seen`` are inspections by RMA, ``losses`` those that people accepted."""

    dossier: Dossier
    policy: CreditNotePolicy
    packs: Packs
    seen: Mapping[str, Sequence[Inspection]]
    losses: Mapping[str, tuple[str, datetime]]

    def goods(self, record: Return, row: MatchedLine) -> LineGoods:
        """The units of one line, by every witness."""
        key = record.return_id
        conditions = policy_of(record, self.policy).returned_goods.map
        found = [one for one in self._bench(record, row) if disposition_of(one.condition, conditions) == SELLABLE]
        bench = sum(one.quantity for one in found)
        by_hand = any(matched_by != "posting" for _, matched_by in self.dossier.notes.get(key, ()))
        return LineGoods(
            quantity=row.quantity,
            delivery_status=record.delivery_status,
            is_delivered=record.delivered_at is not None,
            is_over=record.status in ENDED_UNPAID,
            sellable=row.sellable_quantity,
            seen_sellable=min(bench, row.sellable_quantity),
            damaged=row.damaged_quantity,
            missing=row.missing_quantity,
            b_grade=row.b_grade_quantity,
            written_off=row.written_off_quantity,
            strange=row.strange_quantity + row.disputed_quantity,
            kept=row.kept_quantity,
            excess=row.excess_quantity,
            shelved=self._in_khaos(row, SELLABLE),
            set_aside=self._in_khaos(row, DAMAGED),
            graded=self._in_khaos(row, B_GRADE),
            is_loss_accepted=key in self.losses,
            is_credited_by_hand=by_hand and not self.dossier.handed_out.get(key),
        )

    def evidence(self, record: Return | None, row: MatchedLine | None, place: str, now: datetime) -> CustodyEvidence:
        """What shows that units of a line are in a place; never later than now."""
        found = (
            self._witness(record, row, place) if record and row else CustodyEvidence("swap", "the line is gone", now)
        )
        return found if found.at <= now else CustodyEvidence(found.source, found.record, now)

    def _witness(self, record: Return, row: MatchedLine, place: str) -> CustodyEvidence:
        key = record.return_id
        read_at = record.updated_at or record.created_at or self.dossier.heads[key].matched_at
        if place in OF_KHAOS and (told := self._khaos_says(row)):
            return told
        if place == "written_off" and row.missing_quantity and key in self.losses:
            by, at = self.losses[key]
            return CustodyEvidence("person", by, at)
        if place in OF_THE_BENCH and (seen := self._bench(record, row)):
            return CustodyEvidence("warehouse", seen[-1].inspection_id, seen[-1].inspected_at)
        if place == "by_hand":
            return CustodyEvidence(
                "khaos", ", ".join(note.credit_note_code for note, _ in self.dossier.notes[key]), read_at
            )
        if place == "received":
            return CustodyEvidence("swap", "delivered", record.delivered_at or read_at)
        if place == "in_transit":
            return CustodyEvidence("swap", f"delivery status {record.delivery_status}", read_at)
        return CustodyEvidence("swap", f"quality control {record.quality_control_status or 'says nothing'}", read_at)

    def _bench(self, record: Return, row: MatchedLine) -> list[Inspection]:
        """The inspections of a line, by its line item or its SKU, the earliest first."""
        line = next((one for one in record.lines if one.product_id == row.product_id), None)
        names = {line.line_item_id, ""} if line else {""}
        return [
            one
            for one in self.seen.get(record.rma, ())
            if (one.line_item_id and one.line_item_id in names) or (not one.line_item_id and one.sku == row.sku)
        ]

    def _in_khaos(self, row: MatchedLine, disposition: str) -> int:
        """Units of a line that Khaos holds one way; of a pack, as many as all of its components make."""
        own = (row.graded_code if disposition == B_GRADE else row.stock_code) or ""
        found: Counter[str] = Counter()
        for move in self.dossier.moves.get(row.return_id, ()):
            if (move.product_id, move.disposition) == (row.product_id, disposition) and move.state == "confirmed":
                found[move.stock_code] += move.quantity if move.level_verdict != "failed" else 0
        for one in self.dossier.adjustments.get(row.return_id, ()):
            if one.key[:2] == (row.product_id, disposition) and one.state in ("done", "settled"):
                found[one.stock_code] += one.quantity
        parts = dict(self.packs.parts(own)) or {own: 1}
        whole = found[own] if len(parts) > 1 else 0
        return whole + min(found[code] // units for code, units in parts.items())

    def _khaos_says(self, row: MatchedLine) -> CustodyEvidence | None:
        """The newest document or adjustment that moved units of a line."""
        told = [
            CustodyEvidence("person" if one.ended_by else "khaos", _words(one), one.ended_at)
            for one in self.dossier.adjustments.get(row.return_id, ())
            if one.product_id == row.product_id and one.ended_at and one.state in ("done", "settled")
        ]
        for move in self.dossier.moves.get(row.return_id, ()):
            if move.product_id == row.product_id and move.state == "confirmed":
                at = move.level_after_at or move.level_before_at or self.dossier.heads[row.return_id].matched_at
                told.append(CustodyEvidence("khaos", move.carried_by, at))
        return max(told, key=lambda one: one.at, default=None)


def _words(one: Adjustment) -> str:
    if one.ended_by:
        return f"{one.ended_by}: {one.reason}"
    return f"adjustment {one.adjustment_id}, {one.told or 'seen in the level'}"


def _load(conn: Conn, ids: Sequence[str], policy: CreditNotePolicy) -> _Known:
    dossier = Dossier(conn, ids)
    rmas = [record.rma for record in dossier.records.values()]
    seen = grouped((one.rma, one) for one in inspections.of_rmas(conn, rmas))
    packs, losses = catalogue.packs(conn, dossier.codes), custody.losses_accepted(conn, ids)
    return _Known(dossier=dossier, policy=policy, packs=packs, seen=seen, losses=losses)
