"""The statuses of a return or Credit Note beside the other side, the same live and from files.

Belongs here: the words, from bad to good, and which of them somebody has to act on. Stays out: when one holds
(``judging.verdict``).
"""

from __future__ import annotations

from typing import Literal, get_args

Status = Literal[
    "duplicate",
    "ambiguous",
    "value_gap",
    "paid_twice",
    "credit_note_missing",
    "credit_note_orphan",
    "refund_without_return",
    "in_flight",
    "decided",
    "within_tolerance",
    "matched",
    "nothing_due",
]
WORST_FIRST: tuple[Status, ...] = get_args(Status)
UNRECONCILED: frozenset[Status] = frozenset(WORST_FIRST[: WORST_FIRST.index("in_flight")])
