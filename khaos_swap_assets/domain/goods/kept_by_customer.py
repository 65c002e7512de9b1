"""Which refunded goods the customer keeps, as far as Swap tells: line by line.

Belongs here: the rule over what Swap marks. Stays out: where Swap writes it (``adapters.swap.kept``) and what follows
(``goods.dispositions``, ``documents.credit_notes``). Swap marks items, so a return may mix both; a missing parcel
alone proves nothing. Source: contracts/swap.md §7.3, §8.2, §14.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Keeping = Literal["kept", "unclear"]
AT_REST = frozenset({"", "pre-transit"})


@dataclass(frozen=True, slots=True)
class KeptWords:
    """The spellings, case folded, of a delivery status and of a tag that say that goods are kept."""

    statuses: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()

    @classmethod
    def of(cls, statuses: str, tags: str) -> KeptWords:
        """The words of two comma lists."""
        return cls(words(statuses), words(tags))


@dataclass(frozen=True, slots=True)
class Told:
    """What Swap says of a return: all words case folded. ``rows``: tags by product id.

    ``labelled`` are rows that a return label was made for; ``tells_labels`` where Swap lists the labels at all,
    ``has_blank_label`` where one names no row. ``has_arrived``: a parcel was delivered.
    """

    delivery_status: str
    tags: frozenset[str]
    rows: Mapping[str, frozenset[str]]
    labelled: frozenset[str] = frozenset()
    tells_labels: bool = False
    has_blank_label: bool = False
    has_arrived: bool = False


def words(text: str) -> frozenset[str]:
    """The words of a comma list, case folded and without the spaces around them."""
    return frozenset(word for part in text.split(",") if (word := part.strip().casefold()))


def keeping(told: Told, spellings: KeptWords) -> dict[str, Keeping]:
    """By product id: rows that the customer keeps, and marked rows of which nobody can tell; all others come back.

    A row's own tag speaks for the row, unless a label or the only parcel contradicts it. A mark of the whole return
    speaks for the rows without a label, or for all where nothing travels.
    """
    tagged = {row for row, tags in told.rows.items() if tags & spellings.tags}
    is_marked = told.delivery_status in spellings.statuses or bool(told.tags & spellings.tags)
    if not (tagged or is_marked):
        return {}
    travels = _travels(told, spellings)
    if tagged:
        return _by_row(told, spellings, tagged, travels=travels)
    if told.labelled:
        kept = set(told.rows) - told.labelled
        return dict.fromkeys(sorted(kept), "kept") if kept else dict.fromkeys(sorted(told.rows), "unclear")
    is_known = told.delivery_status in spellings.statuses or told.tells_labels or len(told.rows) == 1
    return dict.fromkeys(sorted(told.rows), "unclear" if travels or not is_known else "kept")


def _by_row(told: Told, spellings: KeptWords, tagged: set[str], *, travels: bool) -> dict[str, Keeping]:
    """Rows with a tag of their own; where the status says that nothing travels, the others cannot be told."""
    is_against = tagged == set(told.rows) and travels
    found: dict[str, Keeping] = {
        row: "unclear" if row in told.labelled or is_against else "kept" for row in sorted(tagged)
    }
    if told.delivery_status in spellings.statuses:
        found |= dict.fromkeys(sorted(set(told.rows) - tagged - told.labelled), "unclear")
    return found


def _travels(told: Told, spellings: KeptWords) -> bool:
    is_moving = told.delivery_status not in spellings.statuses | AT_REST
    return is_moving or told.has_arrived or told.has_blank_label
