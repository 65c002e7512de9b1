"""The sandbox's admin door, for demo and tests: clock, rounds, truth, ledger, faults, switches, script.

Belongs here: reading and steering a running sandbox over loopback HTTP without auth. Stays out: what a round does
(``rounds``) and what is true (``khaos_truth``).
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Body, HTTPException

from khaos_swap_assets.sandbox import khaos_refusing, switches
from khaos_swap_assets.sandbox.khaos_books import Books
from khaos_swap_assets.sandbox.khaos_returns import gross_of
from khaos_swap_assets.sandbox.khaos_stock import import_file
from khaos_swap_assets.sandbox.khaos_truth import duplicates, planted, undue_moves
from khaos_swap_assets.sandbox.rounds import Rounds
from khaos_swap_assets.sandbox.world import Note, Plant, World

SCREEN_STATES = {"failed": "Failed", "skipped": "Skipped"}


def admin_router(books: Books, rounds: Rounds) -> APIRouter:
    """The admin door over ``books``; ``rounds`` does the work of a tick."""
    router = APIRouter(prefix="/admin")
    _add_clock(router, books, rounds)
    _add_truth(router, books)
    _add_unknowns(router, books, rounds)
    return router


def _add_clock(router: APIRouter, books: Books, rounds: Rounds) -> None:
    @router.get("/clock")
    def clock() -> dict[str, str]:
        return {"now": books.now.isoformat()}

    @router.post("/advance")
    def advance(
        hours: Annotated[float, Body(ge=0)] = 0, to: Annotated[datetime | None, Body()] = None
    ) -> dict[str, str]:
        target = _utc(to) if to else books.now + timedelta(hours=hours)
        if target < books.now:
            raise HTTPException(400, "the clock does not go back")
        rounds.advance(target - books.now)
        return {"now": books.now.isoformat()}

    @router.post("/cancel-order")
    def cancel_order(order_name: Annotated[str, Body()], fate: Annotated[str, Body()]) -> dict[str, object]:
        try:
            return {"problems": rounds.cancel_order(order_name, fate)}
        except ValueError as error:
            raise HTTPException(400, str(error)) from None

    @router.post("/import-stock")
    def import_stock(text: Annotated[str, Body(embed=True)]) -> dict[str, object]:
        with books.state.lock:
            return {"problems": import_file(books, text)}

    @router.post("/tick")
    def tick() -> dict[str, object]:
        return rounds.tick()


def _add_truth(router: APIRouter, books: Books) -> None:
    state = books.state

    @router.get("/truth")
    def truth() -> dict[str, object]:
        with state.lock:
            shows_items = switches.value(books.state, "note_items") != "none"
            gone, refused = khaos_refusing.gone(state), khaos_refusing.refused(state)
            found = planted(books.world, shows_items=shows_items, gone=gone, refused=refused)
            return {"planted": [_named_by_store(books.world, plant) for plant in found]}

    @router.get("/ledger")
    def ledger() -> dict[str, object]:
        with state.lock:
            return _ledger(books)

    @router.get("/script")
    def script() -> dict[str, object]:
        with state.lock:
            return {"actions": _actions(books)}


def _add_unknowns(router: APIRouter, books: Books, rounds: Rounds) -> None:
    state = books.state

    @router.post("/faults")
    def faults(wanted: Annotated[dict[str, int], Body()], store: str = "") -> dict[str, int]:
        armed = {one.store: one for one in (state, *rounds.further)}.get(store)
        if armed is None:
            raise HTTPException(400, f"{store}: no such store")
        with state.lock:
            _refuse(switches.arm_faults(armed, wanted))
            return dict(armed.faults.armed)

    @router.post("/switches")
    def set_switches(wanted: Annotated[dict[str, str], Body()]) -> dict[str, str]:
        with state.lock:
            _refuse(switches.set_switches(state, wanted))
            books.touch(books.world, *books.world.rmas.values(), *books.world.notes.values())
            books.flush()
            return {name: state.switch(name, values[0]) for name, values in switches.ALL_SWITCHES.items()}


def _named_by_store(world: World, plant: Plant) -> dict[str, object]:
    """A plant as a merchant with several stores names it: what a further store numbers begins with its name."""
    rma = world.rmas.get(plant.rma)
    return asdict(plant) | ({"rma": f"{rma.store}:{plant.rma}"} if rma and rma.store else {})


def _refuse(problems: list[str]) -> None:
    if problems:
        raise HTTPException(400, problems)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _ledger(books: Books) -> dict[str, object]:
    world = books.world
    return {
        "duplicates": duplicates(world),
        "duplicates_by_store": {store: duplicates(world, store) for store in ("", *world.further_stores)},
        "undue_moves": undue_moves(world),
        "orders": len(world.orders),
        "returns": len(world.rmas),
        "unexpected": world.unexpected,
        "sold_unseen": int(world.memory.get("sold_unseen", "0")),
        "rmas": [rma.rma_number for rma in world.rmas.values() if rma.is_submitted],
        "notes": [_note(note) for note in world.notes.values()],
        "levels": {item.stock_code: [item.available, item.quarantine] for item in world.items.values()},
        "imports": [
            {
                "associated_ref": one.associated_ref,
                "state": SCREEN_STATES.get(one.state, "OK"),
                "message": one.message,
                "rma": one.rma,
                "return_state": one.state,
            }
            for one in world.documents.values()
        ],
    }


def _note(note: Note) -> dict[str, object]:
    return {
        "code": note.code,
        "urn": note.urn,
        "associated_ref": note.associated_ref,
        "currency": note.currency,
        "gross_pence": gross_of(note),
        "created_at": note.created_at.isoformat(),
        "issued_at": note.issued_at.isoformat() if note.issued_at else "",
        "is_allocated": note.is_allocated,
        "made_by": note.made_by,
        "lines": [asdict(line) for line in note.lines],
    }


def _actions(books: Books) -> list[dict[str, str]]:
    """What a person with eyes on Khaos's screens would do next."""
    return [
        {
            "action": "process_return",
            "rma": one.rma,
            "reference": one.associated_ref,
            "return_code": one.return_code,
        }
        for one in books.world.documents.values()
        if one.state == "partial" and one.refused_at is None
    ]
