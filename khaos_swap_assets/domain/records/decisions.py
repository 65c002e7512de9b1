"""What people decided about returns, Credit Notes and codes, as linker and judge read it.

Belongs here: the kinds, on which figures each was made, and whether these still are so. Stays out: where it is kept
(``adapters.store.decisions``, ``adapters.files.decided``) and what follows from it (``linking``, ``judging``). Money is
minor units, times UTC. A decision never posts anything.

| decision | subject | object |
|---|---|---|
| ``this_return``, ``not_this_return`` | Credit Note | return |
| ``same_code`` | a SKU that is no Stock Code | the Stock Code that it is |
| ``waived`` | subject of an exception | its kind |
| ``accepted_value``, ``settled_outside`` | return | |
| ``signed`` | a London month, ``YYYY-MM`` | a currency |
| ``assigned``, ``snoozed``, ``noted``, ``waiver_asked`` | subject of an exception | its kind |

The last four are of the queue alone: linker and judge do not read them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

DecisionKind = Literal[
    "this_return", "not_this_return", "same_code", "waived", "accepted_value", "settled_outside", "signed"
]
QueueKind = Literal["assigned", "snoozed", "noted", "waiver_asked"]
THIS_RETURN: DecisionKind = "this_return"
NOT_THIS_RETURN: DecisionKind = "not_this_return"
SAME_CODE: DecisionKind = "same_code"
WAIVED: DecisionKind = "waived"
ACCEPTED_VALUE: DecisionKind = "accepted_value"
SETTLED_OUTSIDE: DecisionKind = "settled_outside"
SIGNED: DecisionKind = "signed"
OF_LINKS = frozenset({THIS_RETURN, NOT_THIS_RETURN})
OF_VALUES = frozenset({ACCEPTED_VALUE, SETTLED_OUTSIDE})


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures on which a decision is made; None: it does not depend on that.

    Of a link: the note's gross (``credited_pence``). Of a value: what was refunded and credited. Of a waiver: the
    money at risk, and of a difference in value these two too. Of a signature: what was refunded and issued.
    """

    money_at_risk_pence: int | None = None
    refund_pence: int | None = None
    credited_pence: int | None = None
    currency: str = ""

    def still_hold(self, now: Figures) -> bool:
        """Whether each figure that is given is the same now."""
        return all(then in (None, "") or then == getattr(now, name) for name, then in asdict(self).items())


@dataclass(frozen=True, slots=True)
class PersonDecision:
    """One decision: what, about what, by whom, why, when, and on which figures."""

    decision: DecisionKind
    subject: str
    object: str
    decided_by: str
    reason: str
    decided_at: datetime
    on: Figures = Figures()

    @property
    def words(self) -> str:
        """Who decided what and why, as a row shows it."""
        return f"{self.decision.replace('_', ' ')} by {self.decided_by}: {self.reason}"
