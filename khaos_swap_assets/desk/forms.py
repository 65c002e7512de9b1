"""What a form of the desk asks for, and what a person sent.

Belongs here: fields, the page that shows them, and reading the values of one request. Stays out: what is done with them
(``desk.queue_acts``, ``desk.case_acts``) and the check of ``csrf``, which comes before. All that comes is anybody's: it
is bounded, and text only.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Literal
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse

from khaos_swap_assets.adapters.store.desk_case import CaseRow
from khaos_swap_assets.desk.pages import RefusedError, render
from khaos_swap_assets.domain.desk.members import Act
from khaos_swap_assets.domain.money.periods import LONDON

LONGEST = 2_000
MOST_FIELDS = 5_000
MOST_PICKED = 500
PICKED = re.compile(r"(\d{1,18}):(-?\d{1,15})", re.ASCII)
Filling = Literal["text", "lines", "day", "tick"]


@dataclass(frozen=True, slots=True)
class FormField:
    """One thing that a form asks for; nothing is filled in before."""

    name: str
    label: str
    filling: Filling = "text"
    is_required: bool = True
    hint: str = ""


@dataclass(frozen=True, slots=True)
class DeskAct:
    """An act as its page tells it before it is done, who may do it, and what it asks for."""

    title: str
    may: Act
    changes: str
    stays: str
    fields: tuple[FormField, ...]
    button: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the things that an act may be about; none is chosen before a person does.

    ``because`` is the rule that suggests it, or the clause in spite of which it is one.
    """

    value: str
    words: str
    because: str = ""


NOTHING_LEAVES = "Nothing is sent to Swap or Khaos, and no document is made."
REASON = FormField("reason", "Why", "lines", hint="It stands in the record with your name.")


@dataclass(frozen=True, slots=True)
class Sent:
    """The pairs of name and value that came with a request."""

    pairs: Sequence[tuple[str, str]]

    def one(self, name: str) -> str:
        """The last value of a name, without the space around it; empty where none came."""
        found = [value for key, value in self.pairs if key == name]
        return found[-1].strip() if found else ""

    def every(self, name: str) -> list[str]:
        """All values of a name."""
        return [value for key, value in self.pairs if key == name]

    def day(self, name: str) -> datetime | None:
        """The beginning of a London day as UTC; None where none came. Raises ``RefusedError`` for what is no day."""
        if not (text := self.one(name)):
            return None
        try:
            day = date.fromisoformat(text)
            return datetime(day.year, day.month, day.day, tzinfo=LONDON).astimezone(UTC)
        except (ValueError, OverflowError):
            raise RefusedError(400, f"{text[:20]!r} is no day.", "Write it as 2026-03-31.") from None

    @property
    def picked(self) -> list[int]:
        """The numbers of exceptions that were picked, each once. Raises ``RefusedError`` for none or too many."""
        texts = list(dict.fromkeys(self.every("id")))
        if not texts or len(texts) > MOST_PICKED or not all(re.fullmatch(r"\d{1,18}", text) for text in texts):
            todo = f"Go back to the queue and tick from one to {MOST_PICKED} rows."
            raise RefusedError(400, "Nothing was picked, or too much.", todo)
        return [int(text) for text in texts]

    @property
    def seen(self) -> dict[int, int]:
        """The pence at which each exception was shown when a person confirmed."""
        found = (PICKED.fullmatch(text) for text in self.every("seen"))
        return {int(one[1]): int(one[2]) for one in found if one}


def asked_of(request: Request) -> Sent:
    """What stands in the address."""
    return Sent([(name, value[:LONGEST]) for name, value in request.query_params.multi_items()])


def sent_in(body: bytes) -> Sent:
    """What a form sent. Raises ``RefusedError`` for what is no form of ours."""
    try:
        text = body.decode("utf-8")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        raise RefusedError(
            400, "That is no form of this page; nothing was changed.", "Go back and try again."
        ) from None
    return Sent([(name, value.replace("\0", "")[:LONGEST]) for name, value in pairs])


def sent_with(request: Request) -> Sent:
    """What the form of a request sent, as it was read before its handler ran."""
    found = request.state.sent
    assert isinstance(found, Sent)
    return found


def act_named(request: Request, acts: Container[str]) -> str:
    """The act of the address. Raises ``RefusedError`` for one that there is not."""
    name = str(request.path_params["act"])
    if name not in acts:
        raise RefusedError(404, "There is no such action.", "Go back to the page that you came from.")
    return name


def act_page(
    request: Request,
    told: DeskAct,
    *,
    address: str,
    about: str,
    rows: Sequence[CaseRow] = (),
    choices: Sequence[Choice] = (),
    problems: Mapping[int, str] = MappingProxyType({}),
    above: str = "",
) -> HTMLResponse:
    """The page of an act before it is done; with problems (by exception, else under 0) it says nothing was changed.

    ``above`` says what of it needs a second person.
    """
    return render(
        request,
        "act.html",
        status=409 if problems else 200,
        told=told,
        address=address,
        about=about,
        rows=rows,
        choices=choices,
        problems=problems,
        above=above,
    )
