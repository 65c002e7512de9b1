"""Months of the sandbox attributed live: the seeds that were wrong once, and the judge notices what it is to notice."""

from __future__ import annotations

from functools import cache

from khaos_swap_assets.domain.linking.attribution import Attribution
from khaos_swap_assets.sandbox import hand_month
from khaos_swap_assets_tests.prove import live_months as proof


@cache
def month(seed: int) -> proof.Figures:
    return proof.one_month(seed)


def test_a_sample_of_the_months_holds_with_and_without_orders() -> None:
    shown = proof.together(map(month, (4, 9, 32)))
    assert shown["faults"] == []
    for way in proof.WAYS:
        assert shown[way]["certain"] > 300
        assert shown[way]["clean_found"] >= 0.98 * shown[way]["clean"] > 100
    assert shown["orders shown"]["clean_twins"] == 0
    assert 0 < shown["orders hidden"]["clean_twins"] < 0.15 * shown["orders hidden"]["clean"]


def test_a_wrong_certain_match_is_a_fault_of_its_seed_and_way() -> None:
    made = hand_month.build(4, 40)
    known, _ = proof.laid(made)
    note = next(one for one in made.typed if one.slip == "clean")
    other = next(key for key, record in known.dossier.records.items() if record.rma not in note.rmas)
    wrong = proof.judged(made, known, [Attribution(note.note_code, other, "reference")], frozenset())
    shown = proof.together([{**month(4), proof.WAYS[1]: wrong}])
    assert (
        f"seed 4, orders hidden: {note.note_code} is not of ['{known.dossier.records[other].rma}']" in shown["faults"]
    )
    assert not shown["holds"]


def test_too_few_clean_notes_are_a_fault() -> None:
    one = month(4)
    few = {**one[proof.WAYS[0]], "clean_found": int(one[proof.WAYS[0]]["clean"] * 0.97)}
    faults = proof.together([{**one, proof.WAYS[0]: few}])["faults"]
    assert [fault for fault in faults if fault.startswith("orders shown") and fault.endswith("for certain")]
