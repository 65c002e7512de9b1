"""Pages of which some documents are priced otherwise than their sale, before a Khaos that ignores our prices.

Belongs here: the page, the town that plays it, what was credited at another value, the claim about many seeds. Stays
out: the rule (``documents.postings``, ``stages.credit_notes.feed``).
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from khaos_swap_assets.adapters.store import database, embedded, migrate
from khaos_swap_assets_tests.stages.town import Town, a_return

SEEDS = range(1, 11)
FEE = 295
PLACES = ("first", "second", "last", "some", "all")
MOST_ROUNDS = 60

Figures = dict[str, Any]


@dataclass(frozen=True)
class Page:
    """``documents`` returns RMA1 ..., the first of which goes out alone; of those ``odd`` a fee was withheld."""

    documents: int
    odd: tuple[int, ...]


def odd_prices() -> Figures:
    """Ignored prices with the odd one first, second, last, some or all of a page, seeds 1 to 10: one credited apart.

    A Khaos that honours them gets everything, nothing twice and nothing apart.
    """
    with tempfile.TemporaryDirectory(prefix="khaos-swap-prices-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        server = embedded.start(Path(folder) / "postgres", durable=False)
        try:
            played = list(_played(server))
        finally:
            server.stop()
    faults = [fault for one in played for fault in one.pop("faults")]
    return {"holds": not faults, "faults": faults, "plays": len(played), "documents": _sum(played, "documents"),
            "credited_apart": _sum(played, "apart")}  # fmt: skip


def page_of(seed: int, place: str) -> Page:
    """The page of a seed: its size, and where the odd prices lie after the document that goes out alone."""
    rng = random.Random(f"{seed} {place}")
    documents = rng.randint(5, 12)
    others = range(2, documents + 1)
    chosen = {"first": (2,), "second": (3,), "last": (documents,), "all": tuple(others)}
    return Page(documents, chosen.get(place) or tuple(sorted(rng.sample(others, 3))))


def planned(town: Town, page: Page, *, ignores: bool) -> Town:
    """The page planned in a town whose first document, at its sale's price, was witnessed already."""
    town.khaos.ignores_prices = ignores
    town.sells_and_takes_back(a_return(1))
    town.sync()
    town.pull()
    town.sync()
    odd = {number: {"refund_pence": 1000 - FEE, "handling_fee_pence": FEE} for number in page.odd}
    town.sells_and_takes_back(*(a_return(number, **odd.get(number, {})) for number in range(2, page.documents + 1)))
    town.edit(*(town.swap.returns[f"R{number}"] for number in range(2, page.documents + 1)))
    town.sync()
    return town


def credited_apart(town: Town) -> dict[str, int]:
    """By reference: pence that Khaos credited over what was refunded."""
    refunded = {one.rma: one.refund_pence for one in town.swap.returns.values()}
    over = {note.associated_ref: note.gross_pence - refunded[note.associated_ref] for note in town.khaos.notes.values()}
    return {reference: pence for reference, pence in over.items() if pence}


def _played(server: embedded.EmbeddedPostgres) -> Iterator[Figures]:
    for seed in SEEDS:
        for place in PLACES:
            for ignores in (True, False):
                url = server.url(f"prices_{seed}_{place}_{int(ignores)}")
                database.ensure(url)
                migrate.upgrade(url)
                yield _play(
                    Town(url), page_of(seed, place), f"seed {seed}, {place}, ignores {ignores}", ignores=ignores
                )


def _play(town: Town, page: Page, name: str, *, ignores: bool) -> Figures:
    planned(town, page, ignores=ignores)
    for _ in range(MOST_ROUNDS):
        if not town.pull():
            break
        town.sync()
    apart, references = credited_apart(town), [note.associated_ref for note in town.khaos.notes.values()]
    faults = [f"{name}: {len(apart)} documents credited apart"] if len(apart) != int(ignores) else []
    if len(set(references)) < len(references):
        faults.append(f"{name}: a document was credited twice")
    if not ignores and len(references) != page.documents:
        faults.append(f"{name}: {len(references)} of {page.documents} documents were credited")
    return {"documents": len(references), "apart": len(apart), "faults": faults}


def _sum(played: list[Figures], name: str) -> int:
    return sum(one[name] for one in played)
