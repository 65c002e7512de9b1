"""What the goods of a return still ask of Khaos beside its documents: by table, and as a law of every history."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.domain.documents.draft_lines import DraftLine
from khaos_swap_assets.domain.goods.adjustments import KIND, Key, outstanding
from khaos_swap_assets.domain.records.matches import CodedRow
from khaos_swap_assets.domain.records.packs import NO_PACKS, Packs
from khaos_swap_assets.domain.records.stock_codes import StockCode
from khaos_swap_assets_tests.domain import cases

MOVED_WORDS = ("sellable", "damaged", "b_grade")
SET = Packs([StockCode("SET", "1", pack_components=(("HAT", 2), ("TIE", 1)))])


def a_row(
    sellable: int = 0, damaged: int = 0, code: str | None = "HAT", product_id: str = "P1", graded: int = 0
) -> CodedRow:
    return CodedRow(
        product_id=product_id,
        sku="HAT",
        quantity=9,
        cost_pence=900,
        stock_code=code,
        sellable_quantity=sellable,
        damaged_quantity=damaged,
        b_grade_quantity=graded,
        b_grade_code="HAT-B",
    )


def carried(quantity: int, disposition: str = "", code: str = "HAT", product_id: str = "P1") -> DraftLine:
    return DraftLine(product_id, code, quantity, 100, disposition)


SELLABLE, DAMAGED, GRADED = ("P1", "sellable", "HAT"), ("P1", "damaged", "HAT"), ("P1", "b_grade", "HAT-B")
CASES: list[tuple[str, list[CodedRow], list[DraftLine], dict[Key, int], dict[Key, int]]] = [
    ("nobody looked yet", [a_row()], [carried(2)], {}, {}),
    ("no document of ours", [a_row(2)], [], {}, {}),
    ("credited first", [a_row(1, 1)], [carried(2)], {}, {SELLABLE: 1, DAMAGED: 1}),
    ("its document carried it", [a_row(2)], [carried(2, "sellable")], {}, {}),
    ("adjusted before", [a_row(2)], [carried(2)], {SELLABLE: 2}, {}),
    ("one more was found", [a_row(2)], [carried(2)], {SELLABLE: 1}, {SELLABLE: 1}),
    ("carried as sellable, and damaged", [a_row(0, 1)], [carried(1, "sellable")], {}, {SELLABLE: -1, DAMAGED: 1}),
    ("adjusted, and the inspection was corrected", [a_row()], [carried(1)], {SELLABLE: 1}, {SELLABLE: -1}),
    ("credited as kept, and came back", [a_row(1)], [carried(1, "kept")], {}, {}),
    ("B-grade: its line moves nothing", [a_row(graded=2)], [carried(2, "b_grade")], {GRADED: 1}, {GRADED: 1}),
    ("carried as sellable, and B-grade", [a_row(graded=1)], [carried(1, "sellable")], {}, {SELLABLE: -1, GRADED: 1}),
    ("B-grade, corrected to sellable", [a_row(1)], [carried(1, "b_grade")], {GRADED: 1}, {SELLABLE: 1, GRADED: -1}),
    ("written off", [a_row()], [carried(1, "written_off")], {}, {}),
    ("carried as damaged, and written off", [a_row()], [carried(1, "damaged")], {}, {DAMAGED: -1}),
    ("no B-grade code", [replace(a_row(graded=1), b_grade_problem="unknown")], [carried(1, "b_grade")], {}, {}),
    ("missing", [a_row()], [carried(1, "missing")], {}, {}),
    ("another code now than on its document", [a_row(1, code="CAP")], [carried(1)], {}, {}),
    ("no Stock Code", [a_row(1, code=None)], [carried(1)], {}, {}),
    ("its document was refused after an adjustment", [a_row(1)], [], {SELLABLE: 1}, {}),
    ("two rows", [a_row(1), a_row(2, product_id="P2")], [carried(1), carried(2, "sellable", product_id="P2")], {},
     {SELLABLE: 1}),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_what_is_outstanding(
    case: tuple[str, list[CodedRow], list[DraftLine], dict[Key, int], dict[Key, int]],
) -> None:
    _, rows, documents, done, expected = case
    assert outstanding(rows, documents, done, NO_PACKS) == expected


@pytest.mark.parametrize("documents", [[carried(1, code="SET")], [carried(2), carried(1, code="TIE")]])
def test_a_pack_is_asked_for_by_its_components_however_its_document_wrote_it(documents: list[DraftLine]) -> None:
    found = outstanding([a_row(1, code="SET")], documents, {}, SET)
    assert found == {("P1", "sellable", "HAT"): 2, ("P1", "sellable", "TIE"): 1}


UNITS = st.integers(0, 4)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("found"), UNITS, UNITS, UNITS),
        st.tuples(
            st.just("document"), st.sampled_from(["", *MOVED_WORDS, "written_off", "missing"]), st.integers(1, 3)
        ),
        st.tuples(st.just("adjusted"), st.sampled_from(MOVED_WORDS), st.just(0)),
    ),
    max_size=12,
)


@given(STEPS)
def test_after_every_step_what_moved_and_what_is_asked_for_are_what_was_found(steps: list[tuple[str, ...]]) -> None:
    row, documents, done = a_row(), list[DraftLine](), Counter[Key]()
    for kind, first, second, *graded in steps:
        if kind == "found":
            row = replace(
                row, sellable_quantity=int(first), damaged_quantity=int(second), b_grade_quantity=int(graded[0])
            )
        elif kind == "document":
            documents.append(carried(int(second), first))
        else:
            key = ("P1", first, "HAT-B" if first == "b_grade" else "HAT")
            done[key] += outstanding([row], documents, done, NO_PACKS).get(key, 0)
        asked = outstanding([row], documents, done, NO_PACKS)
        for key in (SELLABLE, DAMAGED, GRADED):
            found, carries = row.dispositions.get(key[1], 0), key is not GRADED
            moved = sum(line.quantity for line in documents if carries and line.disposition == key[1]) + done[key]
            assert moved + asked.get(key, 0) == (found if documents else moved)
        settled = {key: done[key] + asked.get(key, 0) for key in (SELLABLE, DAMAGED, GRADED)}
        assert outstanding([row], documents, settled, NO_PACKS) == {}


@pytest.mark.parametrize(("disposition", "code"), [("sellable", "ABC"), ("damaged", "ABC"), ("b_grade", "ABC-B")])
@pytest.mark.parametrize("units", [2, -2])
def test_units_are_worth_what_they_were_refunded_at_whichever_way_they_go(
    disposition: str, code: str, units: int
) -> None:
    asked = replace(cases.an_adjustment(units, disposition), stock_code=code)
    told = [one for one in cases.verdict(cases.some_facts(adjustments=(asked,))).problems if one.kind == KIND]
    assert [one.money_at_risk_pence for one in told] == [5000]
