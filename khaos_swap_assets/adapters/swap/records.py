"""What the Swap adapter hands upwards beside the domain's own records.

Belongs here: frozen records of rows just read. Stays out: reading them (``wire``), keeping them (``adapters.store``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from khaos_swap_assets.domain.records.returns import Return

MOST_REASONS = 20


@dataclass(frozen=True, slots=True)
class ReadReturn:
    """A return just read: the record, its raw JSON without personal data, and the hash that tells a change.

    ``party`` is the customer's name and address as a return document wants them (personal data), empty if incomplete.
    """

    record: Return
    raw: Mapping[str, Any]
    unknown_fields: tuple[str, ...]
    content_hash: str
    party: dict[str, dict[str, object]] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class RowFault:
    """A row that could not be read: ``subject`` is its RMA, or its hash where it has none; every reason is kept."""

    subject: str
    row_hash: str
    reasons: tuple[str, ...]

    @property
    def reason(self) -> str:
        """The reasons as one line, twenty of them at most."""
        more = len(self.reasons) - MOST_REASONS
        return "; ".join([*self.reasons[:MOST_REASONS], *([f"and {more} more"] if more > 0 else [])])
