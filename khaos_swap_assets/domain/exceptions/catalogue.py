"""The catalogue of exceptions: every kind of trouble, who owns it, what they do and what closes it.

Belongs here: the record of a kind and that of one piece of trouble (``Problem``). Stays out: the
texts (``catalogue.toml``), when a kind holds (``judging``, ``stages.refusing``, ``stages.watching``) and how an
exception is stored. Source: DESIGN §7.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

Owner = Literal["data management", "finance", "operations", "cx", "engineer"]
Severity = Literal["error", "warning"]
About = Literal["return", "goods", "money", "payout", "vat", "work"]


@dataclass(frozen=True, slots=True)
class ExceptionKind:
    """One kind of trouble. ``error``: money or stock is wrong or held back now; ``warning``: it may be."""

    kind: str
    about: About
    owner: Owner
    severity: Severity
    meaning: str
    action: str
    closes_when: str

    @property
    def words(self) -> str:
        """The kind as people say it."""
        return self.kind.replace("_", " ")

    @property
    def first_step(self) -> str:
        """The first sentence of what to do."""
        return self.action.partition(". ")[0].rstrip(".") + "."


_TOLD = tomllib.loads((files(__package__) / "catalogue.toml").read_text(encoding="utf-8"))
KINDS = {name: ExceptionKind(name, **told) for name, told in _TOLD.items()}


def kinds_about(about: About) -> tuple[str, ...]:
    """The kinds of a room, in the order of the handbook."""
    return tuple(name for name, kind in KINDS.items() if kind.about == about)


@dataclass(frozen=True, slots=True)
class Problem:
    """One piece of trouble, open as long as its condition holds; (``kind``, ``subject``) is its identity.

    ``subject`` is the RMA, ``RMA/SKU`` or the Credit Note code. ``money_at_risk_pence`` is minor units of ``currency``.
    Raises ``ValueError`` for a kind that the catalogue does not hold.
    """

    kind: str
    subject: str
    message: str
    return_id: str = ""
    rma: str = ""
    sku: str = ""
    credit_note_code: str = ""
    suggestion: str = ""
    money_at_risk_pence: int = 0
    currency: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind!r} is no kind of the catalogue in domain/exceptions/catalogue.toml")

    @property
    def owner(self) -> Owner:
        """Who acts on it."""
        return KINDS[self.kind].owner

    @property
    def action(self) -> str:
        """What the owner does."""
        return KINDS[self.kind].action
