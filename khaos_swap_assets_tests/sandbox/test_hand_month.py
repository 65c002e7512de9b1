"""The month posted by hand: every slip is there, its truth is what the books and the files really hold."""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from copy import deepcopy
from pathlib import Path
from random import Random

import pytest

from khaos_swap_assets.sandbox import __main__ as command
from khaos_swap_assets.sandbox import audit_files, hand_month, hand_posted
from khaos_swap_assets.sandbox.generator import DEFAULT_NOW, ended_month
from khaos_swap_assets.sandbox.hand_month import HandMonth
from khaos_swap_assets.sandbox.hand_posted import SLIPS, Hand
from khaos_swap_assets.sandbox.maker import Maker
from khaos_swap_assets.sandbox.world import Note

SEEDS = range(1, 5)


@pytest.fixture(scope="module")
def months() -> list[HandMonth]:
    return [hand_month.build(seed, 300) for seed in SEEDS]


@pytest.fixture(scope="module")
def folder(months: list[HandMonth], tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("by_hand") / "new"
    audit_files.write(months[0], made)
    return made


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def pence(text: str) -> int:
    pounds, _, rest = text.partition(".")
    return int(pounds) * 100 + int(rest)


def gross(note: Note) -> int:
    return sum(line.gross_pence for line in note.lines) + note.delivery_gross_pence


def test_the_same_seed_makes_the_same_month_and_another_seed_another() -> None:
    assert hand_month.build(7, 60) == hand_month.build(7, 60)
    assert hand_month.build(7, 60) != hand_month.build(8, 60)


@pytest.mark.parametrize("returns", [1, 2, 30, 301])
def test_a_month_has_exactly_the_returns_asked_for(returns: int) -> None:
    assert len(hand_month.build(3, returns).world.rmas) == returns


def test_staff_posted_everything_and_nothing_is_planted(months: list[HandMonth]) -> None:
    for month in months:
        world = month.world
        assert {note.made_by for note in world.notes.values()} == {"staff"}
        assert (world.documents, world.plants, world.scripts, world.post_from) == ({}, [], {}, None)
        assert [one.note_code for one in month.typed] == list(world.notes)


def test_every_slip_is_made(months: list[HandMonth]) -> None:
    slips = Counter(one.slip for month in months for one in month.typed)
    assert slips.keys() == SLIPS.keys() - {"forgotten"} | {"merged", "stray"}
    assert 0.3 < slips["clean"] / slips.total() < 0.6
    for month in months:
        named = {rma for one in month.typed for rma in one.rmas}
        refunded = {number for number, rma in month.world.rmas.items() if rma.refund_pence}
        assert named < refunded


def test_refunds_lie_in_the_month_and_notes_follow_them(months: list[HandMonth]) -> None:
    start, end = ended_month(DEFAULT_NOW)
    for month in months:
        rmas = month.world.rmas
        paid = [rma for rma in rmas.values() if rma.refund_pence]
        assert all(rma.closed_at and start <= rma.closed_at < end for rma in paid)
        for one in month.typed:
            at = month.world.notes[one.note_code].created_at
            assert all((rmas[rma].closed_at or end) < at for rma in one.rmas)


def test_the_truth_is_what_the_notes_are_off_to_the_penny(months: list[HandMonth]) -> None:
    causes: Counter[str] = Counter()
    for month in months:
        for group, credited in credited_together(month).items():
            refunded = sum(month.world.rmas[rma].refund_pence for rma in group)
            off = [pence for rma in group for pence in month.off[rma].values()]
            assert credited - refunded == sum(off), group
            causes.update(cause for rma in group for cause, pence in month.off[rma].items() if pence)
    assert causes.keys() == {"fee", "delivery", "discount", "tax", "quantity", "typed", "again"}


def credited_together(month: HandMonth) -> dict[tuple[str, ...], int]:
    """Pence of the notes of each return, or of the two that share one."""
    found: defaultdict[tuple[str, ...], int] = defaultdict(int)
    for one in month.typed:
        if one.rmas:
            found[one.rmas] += gross(month.world.notes[one.note_code])
    return found


def test_each_slip_is_what_it_is_called(months: list[HandMonth]) -> None:
    for month in months:
        world, count = month.world, Counter(one.rmas for one in month.typed)
        for one in month.typed:
            note = world.notes[one.note_code]
            first = world.rmas[one.rmas[0]] if one.rmas else None
            is_named = bool(first) and note.associated_ref == one.rmas[0]
            is_right = is_named and first is not None and note.urn == first.urn
            assert is_right or one.slip not in ("clean", "doubled", "with_delivery", "list_price", "net_price")
            assert not is_named or one.slip not in ("mistyped", "untidy", "transposed", "left_out")
            assert note.associated_ref not in world.rmas or one.slip not in ("mistyped", "untidy", "left_out")
            assert note.associated_ref in world.rmas or one.slip != "elsewhere"
            assert (first is not None and note.urn != first.urn) == (one.slip == "wrong_customer") or not first
            assert (count[one.rmas] == 2) == (one.slip in ("split", "doubled")) or one.slip == "stray"
            assert len(one.rmas) == {"merged": 2, "stray": 0}.get(one.slip, 1)


def test_much_is_alike(months: list[HandMonth]) -> None:
    """Several returns of one order, several of one shopper, and the same goods bought again."""
    for month in months:
        rmas = month.world.rmas.values()
        assert max(Counter(rma.order_name for rma in rmas).values()) > 1
        assert max(Counter(rma.urn for rma in rmas).values()) > 2
        goods = Counter(
            (rma.urn, tuple((line.sku, line.quantity, line.cost_pence) for line in rma.lines)) for rma in rmas
        )
        assert max(goods.values()) > 1


def test_a_slip_of_the_keyboard_is_never_just_the_discount(months: list[HandMonth]) -> None:
    hand = Hand(Maker(months[0].world, Random(1), ended_month(DEFAULT_NOW)))
    rma = next(rma for rma in months[0].world.rmas.values() if len(rma.lines) == 2)
    draft = hand.draft(rma)
    for line, discount in zip(draft.lines, (100, 800), strict=True):
        line.gross_pence = hand.list_pence(draft, line) - discount
    typed = {hand_posted.wrong_amount(hand, deepcopy(draft))[0].off["typed"] for _ in range(100)}
    assert typed == set(hand_posted.TYPED_OFF) - {100}


def test_no_reference_names_a_twin() -> None:
    """Two returns of one order at one value: only the reference tells them apart, so it is never the other's."""
    month = hand_month.build(1, 40)
    hand = Hand(Maker(month.world, Random(1), ended_month(DEFAULT_NOW)))
    one, other = list(month.world.rmas.values())[:2]
    draft = hand.draft(one)
    assert not hand.is_twin(other.rma_number, draft)
    assert not hand.is_twin("RMA-2026-99999", draft)
    other.lines = one.lines
    assert hand.is_twin(other.rma_number, draft)


def test_the_files_hold_the_whole_month(months: list[HandMonth], folder: Path) -> None:
    world = months[0].world
    returns = [json.loads(line) for line in (folder / "returns.jsonl").read_text().splitlines()]
    assert [one["rma_number"] for one in returns] == list(world.rmas)
    assert [row["stock_code"] for row in rows_of(folder / "stock_codes.csv")] == list(world.items)
    credited: Counter[str] = Counter()
    delivery: dict[str, int] = {}
    for row in rows_of(folder / "credit_notes.csv"):
        credited[row["credit_note_code"]] += pence(row["gross"])
        delivery[row["credit_note_code"]] = pence(row["delivery_gross"])
    assert {code: credited[code] + delivery[code] for code in credited} == {
        code: gross(note) for code, note in world.notes.items()
    }


def test_a_sold_line_is_its_price_less_its_discount(months: list[HandMonth], folder: Path) -> None:
    sold = {line.line_item_id: line for order in months[0].world.orders.values() for line in order.lines}
    rows = rows_of(folder / "sales_orders.csv")
    assert len(rows) == len(sold)
    for row in rows:
        line = sold[row["line_ref"]]
        assert pence(row["unit_price_gross"]) * line.quantity - pence(row["discount_gross"]) == line.gross_pence
    assert any(row["discount_gross"] != "0.00" for row in rows)


def test_the_truth_is_written_beside_the_files(months: list[HandMonth], folder: Path) -> None:
    truth = json.loads((folder / "truth.json").read_text())
    assert {one["credit_note_code"]: one["slip"] for one in truth["notes"]} == {
        one.note_code: one.slip for one in months[0].typed
    }
    assert all(all(off.values()) for off in truth["off_pence"].values())
    assert truth["off_pence"].keys() == months[0].off.keys()


def test_the_command_writes_a_month_and_says_how_to_audit_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command.main(["--hand-posted", str(tmp_path / "made"), "--returns", "12", "--seed", "4"])
    said = capsys.readouterr().out
    assert f"khaos-swap audit --returns {tmp_path}/made/returns.jsonl --stock-codes" in said
    assert "--as-of 2026-07-03" in said
    assert len((tmp_path / "made" / "returns.jsonl").read_text().splitlines()) == 12


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "made").write_text("a file")
    with pytest.raises(SystemExit):
        command.main(["--hand-posted", str(tmp_path / "made"), "--returns", "3"])
    assert "cannot be written" in capsys.readouterr().err


def test_a_sandbox_to_serve_needs_the_gateway(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["--port", "1"])
    assert "--gateway is needed, or --hand-posted" in capsys.readouterr().err
