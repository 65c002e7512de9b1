"""Which Credit Note that people posted belongs to which return, from what the records say alone.

Belongs here: the ordered passes. Stays out: the records (``domain.matching_records``) and where they come from.
"""

from __future__ import annotations

from collections.abc import Iterable

from khaos_swap_assets.domain.matching_records import (
    Ambiguity,
    Link,
    Links,
    Matching,
    NoteRecord,
    ReturnRecord,
    WhyNot,
    credited_by_return,
)

__all__ = [
    "Ambiguity",
    "Link",
    "Links",
    "Matching",
    "NoteRecord",
    "ReturnRecord",
    "WhyNot",
    "credited_by_return",
    "match",
]


def match(notes: Iterable[NoteRecord], returns: Iterable[ReturnRecord]) -> Matching:
    """Link notes to returns; the order of the input does not matter.

    Raises ``ValueError`` when two notes share a code or two returns an id.
    """
    by_name: dict[str, list[ReturnRecord]] = {}
    for one in returns:
        for name in one.names:
            by_name.setdefault(name, []).append(one)
    found = [(note, by_name.get(note.ref.strip(), [])) for note in notes]
    links = [
        Link(note.code, fits[0].return_id, "reference", "certain")
        for note, fits in found
        if len(fits) == 1
        and (note.currency, note.order_ref, note.value_pence)
        == (fits[0].currency, fits[0].order_ref, fits[0].value_pence)
    ]
    return Matching(tuple(sorted(links)))
