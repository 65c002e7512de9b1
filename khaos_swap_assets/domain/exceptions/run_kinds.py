"""The kinds of exception about the work itself: what was not answered, what failed, and that nobody watches.

Belongs here: who owns each, what it means, what the owner does and what closes it. Stays out: when one holds
(``stages.refusing``, ``stages.watching``).
"""

from __future__ import annotations

from khaos_swap_assets.domain.exceptions.kinds import ExceptionKind

RUN_KINDS = (
    ExceptionKind(
        "record_refused",
        "engineer",
        "warning",
        "Swap, Khaos or the storefront refuses to answer about one record; everything else goes on without it.",
        "Read the reason and correct the record at its vendor. It is asked for again by itself, with growing pauses.",
        "The vendor answers about the record.",
    ),
    ExceptionKind(
        "source_refused",
        "engineer",
        "error",
        "A vendor refuses a whole operation, so what it would have told was not seen.",
        "Read the reason, look at `khaos-swap preflight`, and have the vendor's service put right.",
        "The vendor answers the operation again.",
    ),
    ExceptionKind(
        "fault_in_return",
        "engineer",
        "error",
        "A program fault stopped a step of the work on one record: a return, or, as the message says, a customer's "
        "notes, the refunds of an order or a picture. What needs that step is held; everything else goes on.",
        "The log holds the trace under the same name: report it. It is tried again by itself, with growing pauses.",
        "The record goes through the step that failed.",
    ),
    ExceptionKind(
        "nobody_watches",
        "engineer",
        "error",
        "Work is due, and no complete run (read, witness, judge) was made in time; no document leaves meanwhile.",
        "Look at the newest runs and their errors, then at `khaos-swap preflight`.",
        "A complete run was made.",
    ),
    ExceptionKind(
        "source_not_read",
        "engineer",
        "error",
        "A source was not read for more than 26 hours: green elsewhere only means that nobody looked.",
        "Look at the newest runs and their errors, then at `khaos-swap preflight`.",
        "The source was read.",
    ),
)
