"""Months in which people typed the Credit Notes by hand: the records of both sides, and the truth about them.

Every kind of slip that people make is there: references mistyped (also into another return's), left out, notes merged,
split, doubled, wrong amounts, wrong customers, notes for nothing. Few Stock Codes at fixed prices, so that much looks
alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random

from khaos_swap_assets.domain.linking.records import NoteRecord, ReturnRecord

SLIPS = (
    "clean",
    "mistyped",
    "points_elsewhere",
    "left_out",
    "merged",
    "split",
    "doubled",
    "wrong_amount",
    "wrong_customer",
    "missing",
)
WEIGHTS = (60, 6, 5, 5, 4, 4, 2, 5, 4, 5)


@dataclass
class Month:
    """``truth``: the returns of each note; ``slips``: what was done to each note."""

    returns: list[ReturnRecord] = field(default_factory=list)
    notes: list[NoteRecord] = field(default_factory=list)
    truth: dict[str, set[str]] = field(default_factory=dict)
    slips: dict[str, str] = field(default_factory=dict)


def a_month(
    seed: int, size: int = 200, shows: Callable[[NoteRecord], NoteRecord] = lambda note: note, stock_codes: int = 30
) -> Month:
    """A month of ``size`` returns; ``shows`` drops what notes do not show. With few Stock Codes all looks alike."""
    random = Random(seed)
    month = Month(returns=_returns(random, size, stock_codes))
    rest = list(month.returns)
    while rest:
        slip = random.choices(SLIPS, WEIGHTS)[0]
        first = rest.pop(0)
        is_pair = slip == "merged" and rest and rest[0].customer == first.customer
        for note, returns in _post(random, slip, first, rest.pop(0) if is_pair else None, month.returns):
            _add(month, note, slip if slip != "merged" or is_pair else "clean", returns)
    for number in range(size // 50):
        stray = month.returns[random.randrange(size)]
        note = replace(_note(random, stray), ref=f"REPAIR{number}", order_ref="", value_pence=random.randint(100, 9000))
        _add(month, note, "stray", [])
    month.notes = [shows(note) for note in month.notes]
    random.shuffle(month.notes)
    return month


def _add(month: Month, note: NoteRecord, slip: str, returns: list[ReturnRecord]) -> None:
    code = f"CN{len(month.notes) + 1:05d}"
    month.notes.append(replace(note, code=code))
    month.truth[code] = {record.return_id for record in returns}
    month.slips[code] = slip


def _returns(random: Random, size: int, stock_codes: int) -> list[ReturnRecord]:
    prices = {f"S{number}": random.choice([999, 1499, 2499, 2999, 4999]) for number in range(stock_codes)}
    found: list[ReturnRecord] = []
    while len(found) < size:
        order = len(found)
        customer = f"C{random.randrange(size * stock_codes // 60)}"
        for _ in range(random.choice([1, 1, 1, 1, 2])):
            codes = tuple(
                (code, random.choice([1, 1, 2])) for code in random.sample(sorted(prices), random.choice([1, 1, 2]))
            )
            value = sum(prices[code] * count for code, count in codes) - random.choice([0, 0, 0, 295])
            rma = f"RMA{1000 + len(found)}"
            day = date(2026, 3, 1) + timedelta(days=random.randrange(30))
            found.append(
                ReturnRecord(
                    f"id-{rma}",
                    rma,
                    value,
                    currency="GBP",
                    order_ref=f"KCC{order}",
                    customer=customer,
                    codes=codes,
                    refunded_on=day,
                    opened_on=day - timedelta(days=14),
                )
            )
    return found[:size]


def _note(random: Random, record: ReturnRecord) -> NoteRecord:
    return NoteRecord(
        "",
        record.value_pence,
        ref=record.rma,
        currency=record.currency,
        order_ref=record.order_ref,
        customer=record.customer,
        codes=record.codes,
        created_on=record.refunded_on and record.refunded_on + timedelta(days=random.randrange(5)),
    )


Posted = list[tuple[NoteRecord, list[ReturnRecord]]]


def _post(
    random: Random, slip: str, record: ReturnRecord, other: ReturnRecord | None, all_: list[ReturnRecord]
) -> Posted:
    note = _note(random, record)
    match slip:
        case "mistyped":
            spoiled = record.rma[:-2] + random.choice("OIl") + record.rma[-1]
            return [(replace(note, ref=spoiled), [record])]
        case "points_elsewhere":
            return [(replace(note, ref=random.choice(all_).rma), [record])]
        case "left_out":
            return [(replace(note, ref="", order_ref=random.choice(["", note.order_ref])), [record])]
        case "merged" if other:
            return [(_merged(random, note, other), [record, other])]
        case "split":
            return _split(random, note, record)
        case "doubled":
            return [(note, [record]), (note, [record])]
        case "wrong_amount":
            wrong = record.value_pence + random.choice([-295, 295, 100, -record.value_pence // 6, 1])
            return [(replace(note, value_pence=wrong, ref=random.choice([note.ref, ""])), [record])]
        case "wrong_customer":
            return [(replace(note, customer=random.choice(all_).customer), [record])]
        case "missing":
            return []
    return [(note, [record])]


def _merged(random: Random, note: NoteRecord, other: ReturnRecord) -> NoteRecord:
    ref = random.choice([note.ref, "", f"{note.ref} {other.rma}"])
    codes, value = note.codes + other.codes, note.value_pence + other.value_pence
    made_on = max(day for day in (note.created_on, other.refunded_on) if day)
    return replace(note, value_pence=value, codes=codes, ref=ref, created_on=made_on)


def _split(random: Random, note: NoteRecord, record: ReturnRecord) -> Posted:
    part = random.randrange(1, record.value_pence)
    codes = (record.codes[:1], record.codes[1:] or record.codes[:1])
    refs = random.choice([(note.ref, note.ref), (note.ref, ""), ("", "")])
    values = (part, record.value_pence - part)
    return [
        (replace(note, value_pence=pence, codes=some, ref=ref), [record])
        for pence, some, ref in zip(values, codes, refs, strict=True)
    ]
