"""The return document that Khaos pulls from us: built once, to the byte.

Belongs here: ``CustomerReturn`` from a draft, its canonical JSON text, and the party (name and address) that it gets
when it leaves. Stays out: when a document may leave (``stages.credit_notes``). Amounts are exact decimals from pence.
Source: contracts/khaos.md §8.2, §8.7.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from khaos_swap_assets.adapters.khaos.wire import to_london
from khaos_swap_assets.adapters.settings import KhaosSettings
from khaos_swap_assets.domain.documents.credit_notes import Draft
from khaos_swap_assets.domain.documents.draft_lines import DraftLine
from khaos_swap_assets.domain.money.amounts import from_pence

LONGEST_REFERENCE = 15
PARTY = ("InvoiceAddress", "InvoiceContact")
_QUOTED = json.JSONEncoder(ensure_ascii=False).encode
# The vendor's own texts spell the pointer to the order in three ways; which one a version reads is to be tried.
POINTERS: Mapping[str, tuple[str, ...]] = {
    "SourceReference.SourceOrder": ("SourceReference", "SourceOrder"),
    "SourceReturnReference.SourceOrder": ("SourceReturnReference", "SourceOrder"),
    "SourceReference": ("SourceReference",),
}


def return_document(
    draft: Draft, *, reference: str, created_at: datetime, party: Mapping[str, object], settings: KhaosSettings
) -> str:
    """The document of a draft without its party, as canonical JSON text; ``with_party`` completes it when it leaves.

    ``created_at`` is aware; it is written as London wall time.
    Raises ``ValueError`` for what must never leave: a reference over 15 characters, no line, a line without units or
    value, an unknown disposition, lines that do not add up to the draft, a party without address or contact.
    """
    _refuse_unsafe(draft, reference)
    content: dict[str, object] = {
        "AssociatedRef": reference,
        "CreatedDate": to_london(created_at).isoformat(),
        "URN": draft.customer_code,
        "ReturnedItems": [_item(line, draft, settings) for line in draft.lines],
        "ExchangeItems": [],
        "Notes": plain(f"Swap RMA {draft.rma}"),
        "ProcessReturn": True,
    }
    text = _text(content)
    _text(_plain_party(party))
    return text


def _refuse_unsafe(draft: Draft, reference: str) -> None:
    if not 0 < len(reference) <= LONGEST_REFERENCE:
        raise ValueError(f"reference {reference!r} is not 1 to {LONGEST_REFERENCE} characters long")
    if not draft.customer_code or not draft.order_ref:
        raise ValueError(f"{reference}: the draft names no customer or no order")
    if not draft.lines or any(line.quantity < 1 or line.unit_gross_pence < 0 for line in draft.lines):
        raise ValueError(f"{reference}: a line has no units or a negative price, or there is no line")
    if (total := sum(line.gross_pence for line in draft.lines)) != draft.value_pence or total < 1:
        raise ValueError(f"{reference}: the lines add up to {total} pence, the draft to {draft.value_pence}")


def _item(line: DraftLine, draft: Draft, settings: KhaosSettings) -> dict[str, object]:
    return {
        "SKU": line.stock_code,
        "Mapping": [{"Mapping": "StockCode"}],
        "Quantity": Decimal(f"{line.quantity}.0"),
        "ReturnReason": {"ID": reason_of(line.disposition, settings)},
        "ExtendedDescription": [],
        **_pointer(draft.order_ref, settings),
        "UnitPrice": {"Gross": from_pence(line.unit_gross_pence, draft.currency)},
    }


def _pointer(order_ref: str, settings: KhaosSettings) -> dict[str, object]:
    pointer: dict[str, object] = {"AssociatedRef": order_ref}
    for name in reversed(POINTERS[settings.source_pointer]):
        pointer = {name: pointer}
    return pointer


def plain(text: str) -> str:
    """Free text without ``#``, which breaks the XML of a channel's import (khaos.md §17): ``Flat #3`` is ``Flat 3``."""
    return " ".join(text.replace("#", " ").split()) if "#" in text else text


def _plain(value: object) -> object:
    """Name and address with every text of theirs plain, however deep it lies."""
    match value:
        case str():
            return plain(value)
        case Mapping():
            return {name: _plain(part) for name, part in value.items()}
        case list() | tuple():
            return [_plain(part) for part in value]
        case _:
            return value


def reason_of(disposition: str, settings: KhaosSettings) -> str:
    """The ReturnReason id of a disposition; only that of ``sellable`` and ``damaged`` moves stock.

    Raises ``ValueError`` for what is no disposition, or has no reason.
    """
    reasons = {
        "sellable": settings.reason_sellable,
        "damaged": settings.reason_damaged,
        "missing": settings.reason_missing,
        "neutral": settings.reason_missing,
        "b_grade": settings.reason_missing,
        "written_off": settings.reason_missing,
        "kept": settings.reason_kept,
    }
    if not reasons.get(disposition):
        raise ValueError(f"{disposition!r} is no disposition, or no ReturnReason is set for it")
    return reasons[disposition]


def with_party(document: str, party: Mapping[str, object]) -> str:
    """The document with this name and address, canonical, no ``#`` in them.

    Raises ``ValueError`` when one of them is empty.
    """
    return _text({**json.loads(document, parse_float=Decimal), **_plain_party(party)})


def _plain_party(party: Mapping[str, object]) -> dict[str, object]:
    if lacking := [name for name in PARTY if not party.get(name)]:
        raise ValueError(f"the party has no {' and no '.join(lacking)}")
    return {name: _plain(party[name]) for name in PARTY}


def _text(value: object) -> str:
    """Canonical JSON. The standard encoder would turn exact decimals into floats."""
    match value:
        case str():
            return _QUOTED(value)
        case Mapping():
            members = (f"{_QUOTED(name)}:{_text(value[name])}" for name in sorted(value))
            return f"{{{','.join(members)}}}"
        case list() | tuple():
            return f"[{','.join(map(_text, value))}]"
        case bool():
            return "true" if value else "false"
        case int():
            return _QUOTED(value)
        case Decimal() if value.is_finite():
            return f"{value:f}"
        case _:
            raise TypeError(f"a {type(value).__name__} has no place in a document")
