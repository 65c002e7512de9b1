"""One posting as a person compares it: planned lines beside what Khaos shows, who acts next, and its history.

Belongs here: printing it, and the same as data. Stays out: the comparison (``documents.postings``), who acts
next (``reporting.refund_story``) and reading the store (``cli.postings``). No name or address is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import typer

from khaos_swap_assets.cli.showing import Row, moment_text, say, show_rows

if TYPE_CHECKING:
    from khaos_swap_assets.adapters.store import audit_log
    from khaos_swap_assets.domain.documents.credit_notes import CreditNote
    from khaos_swap_assets.domain.documents.postings import Posting
    from khaos_swap_assets.domain.reporting.refund_story import Step

SEALED = "party_sealed"


@dataclass(frozen=True)
class Seen:
    """What is known beside a posting: its Credit Note in Khaos, who acts next on its return, what was done to it.

    ``log_set_apart_to`` is the last month of which the audit log was set apart, empty where none was.
    """

    note: CreditNote | None
    steps: Sequence[Step]
    history: Sequence[audit_log.Entry]
    log_set_apart_to: str

    def lacks_history(self, posting: Posting) -> bool:
        """Whether the log of the month in which it was planned was set apart, and what was done then with it."""
        from khaos_swap_assets.domain.money.periods import london_month

        return london_month(posting.planned_at) <= self.log_set_apart_to


def posting_data(posting: Posting, seen: Seen) -> dict[str, Any]:
    """All of it for a program; the amounts within are of the posting's currency."""
    from khaos_swap_assets.domain.documents.postings import STATE_WORDS, lines_beside

    return {
        **{name: value for name, value in asdict(posting).items() if name != SEALED},
        "state_in_words": STATE_WORDS[posting.state],
        "lines": [asdict(one) for one in lines_beside(posting, seen.note)],
        "shown_pence": seen.note.gross_pence if seen.note else None,
        "difference_pence": seen.note.gross_pence - posting.value_pence if seen.note else None,
        "who_acts_next": [asdict(step) for step in seen.steps],
        "history": [asdict(entry) for entry in seen.history],
        "history_set_apart_to": seen.log_set_apart_to if seen.lacks_history(posting) else "",
    }


def show_posting(posting: Posting, seen: Seen) -> None:
    """Print it for a person."""
    data = posting_data(posting, seen)
    typer.echo(f"{posting.rma}, reference {posting.reference}")
    told = [data["state_in_words"], *_what_khaos_shows(posting, seen.note), *_moments(posting)]
    say(*told, first="  ", further="    ")
    typer.echo("\nPlanned, and what Khaos shows")
    show_rows(_lines(data), as_json=False)
    typer.echo("\nWho acts next")
    steps = [f"{step.owner}: {step.what}" + (f". To do: {step.action}" if step.action else "") for step in seen.steps]
    say(*(steps or ["unknown: its return is not among those read from Swap"]), first="  ", further="    ")
    typer.echo("\nHistory")
    rows = [{"at": one.at, "who": one.who, "what": one.what, "reason": one.reason} for one in seen.history]
    show_rows(rows, as_json=False, below=["reason"], none="nothing was done to it")
    if seen.lacks_history(posting):
        say(f"what was done up to {seen.log_set_apart_to} was set apart, in tables months.audit_log_*", first="  ")


def _what_khaos_shows(posting: Posting, note: CreditNote | None) -> Iterator[str]:
    from khaos_swap_assets.domain.money.amounts import format_money

    yield f"customer {posting.customer_code}, Sales Order {posting.so_code}, {posting.order_ref or 'order not known'}"
    if posting.doubt:
        yield f"held back or in doubt because: {posting.doubt}"
    if note is None:
        yield "Khaos shows no Credit Note of it"
        return
    issued = note.issued_words if note.is_issued else "not issued yet"
    yield f"Credit Note {note.credit_note_code} of {format_money(note.gross_pence, note.currency)}, {issued}"
    if not note.lines:
        yield "Khaos shows no lines of that note, only its value"


def _moments(posting: Posting) -> Iterator[str]:
    yield f"planned at {moment_text(posting.planned_at)}" + (", released by hand" if posting.is_released else "")
    if posting.handed_out_at:
        often = "once" if posting.times_handed_out == 1 else f"{posting.times_handed_out} times, last"
        yield f"handed to Khaos {often} at {moment_text(posting.handed_out_at)}"
    if posting.ended_at:
        yield f"{posting.state} at {moment_text(posting.ended_at)} by {posting.ended_by}"


def _lines(data: dict[str, Any]) -> list[Row]:
    """The lines as rows of the table, and their sum."""
    total = {
        "line": "all",
        "planned_pence": data["value_pence"],
        "shown_pence": data["shown_pence"],
        "difference_pence": data["difference_pence"],
    }
    return [
        {
            "line": one["line"],
            "units": one.get("planned_units"),
            "planned_pence": one["planned_pence"],
            "in_Khaos": one.get("shown_units"),
            "Khaos_shows_pence": one.get("shown_pence"),
            "difference_pence": one["difference_pence"],
            "currency": data["currency"],
        }
        for one in (*data["lines"], total)
    ]
