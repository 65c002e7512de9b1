"""Single values of Swap's JSON, read with every fault kept.

Belongs here: one field at a time, tolerant of null, ``N/A``, numbers as text and text as numbers. Stays out: which
fields make a return (``wire``). Source: contracts/swap.md §2.3, §7, §8, §9.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any

from khaos_swap_assets.adapters import texts
from khaos_swap_assets.adapters.swap import dates
from khaos_swap_assets.domain.money.amounts import to_pence

MOST_PENCE = 10**12
"""Ten billion pounds: thousands of such amounts still add up within the store's whole numbers."""
MOST_UNITS = 100_000
MOST_LINES = 1_000
NOISE = Decimal("1e-9")
LEAST_DIGITS = 5
"""A date has at least a day and a year."""
LONGEST_WORD = 40

TYPE_NAMES: dict[type, str] = {bool: "a truth value", list: "a list", dict: "an object"}
SPELLINGS = (
    *("Open", "Needs Review", "Closed", "Expired", "On Hold", "Cancelled"),
    *("Pre-Transit", "In-Transit", "Delivered"),
    *("Refund", "Shop Now Credit", "Shop Later Credit", "Additional Payment", "Recycle", "Warranty", "Exchange"),
    *("Repair", "Reglaze", "Faulty", "Store Credit", "Approved", "Not Approved", "Missing", "Pending"),
)


class JsonRow:
    """One JSON object whose fields are read one by one; what cannot be read is added to ``faults``."""

    def __init__(self, raw: Mapping[str, Any], faults: list[str], place: str = "") -> None:
        self._raw, self._place = raw, place
        self.faults = faults

    def has(self, name: str) -> bool:
        """Whether the field says anything (not absent, null, empty or ``N/A``)."""
        value = self._raw.get(name)
        return not (value is None or (isinstance(value, str) and value.strip().lower() in dates.NOTHING))

    def fault(self, name: str, reason: str) -> None:
        """Keep that field ``name`` is at fault."""
        self.faults.append(f"{self._place}{name}: {reason}")

    def text(self, name: str) -> str:
        """Text, trimmed; a number is taken as its digits, nothing as ``''``."""
        return self.raw_text(name).strip()

    def raw_text(self, name: str) -> str:
        """Like ``text``, with the spaces at its ends: in a code they tell one item from another."""
        return self._sound(name, self._said(name))

    def words(self, name: str) -> str:
        """Words for a person: their beginning."""
        return texts.words(self._said(name))

    def _said(self, name: str) -> str:
        value = self._raw.get(name)
        if isinstance(value, str):
            return value
        if value is None:
            return ""
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return str(value)
        self.fault(name, f"is {_name(value)}, not text")
        return ""

    def _sound(self, name: str, text: str) -> str:
        try:
            return texts.key(text)
        except ValueError as error:
            self.fault(name, str(error))
            return ""

    def key(self, name: str, *others: str) -> str:
        """Text that identifies: the first of these fields that says anything. Empty text is a fault."""
        first = next((one for one in (name, *others) if self.has(one)), None)
        if first is None:
            self.fault(name, "is empty")
        return self.text(first) if first else ""

    def word(self, name: str) -> str:
        """A status in its documented spelling where it is a known one, else as it is (swap.md §7: open sets)."""
        return spelled(self.text(name))

    def list_of(self, name: str, joined: str) -> tuple[str, ...]:
        """A list of words, or the same list as one comma-separated text in field ``joined``."""
        value = self._raw.get(name)
        parts = value if isinstance(value, list) else self.text(joined).split(",")
        return tuple(spelled(self._sound(name, part)) for part in parts if isinstance(part, str) and part.strip())

    def pence(self, name: str, currency: str) -> int:
        """An amount of ``currency`` as minor units; nothing is 0."""
        if not self.has(name):
            return 0
        try:
            pence = to_pence(without_noise(self._raw[name]), currency)
        except (ValueError, TypeError) as error:
            self.fault(name, str(error))
            return 0
        if abs(pence) >= MOST_PENCE:
            self.fault(name, "is too large an amount")
        return pence

    def quantity(self, name: str) -> int:
        """A whole number of units, at least 1."""
        value = self._raw.get(name)
        try:
            number = Decimal(value.strip() if isinstance(value, str) else self._number(value))
            if number == number.to_integral_value() and 1 <= number <= MOST_UNITS:
                return int(number)
        except (ArithmeticError, TypeError):
            pass
        self.fault(name, "is no whole number of units, at least 1")
        return 1

    def moment(self, name: str, zone: tzinfo) -> datetime | None:
        """A date as UTC, or None."""
        try:
            return dates.parse(self.text(name), zone)
        except ValueError as error:
            self.fault(name, str(error))
            return None

    def marker(self, name: str, zone: tzinfo) -> tuple[datetime | None, str]:
        """A date, or the word in its place, such as ``Yes``, which dates nothing (``rma_processed``: swap.md §2.3)."""
        value = self._raw.get(name)
        text = str(value) if isinstance(value, bool) else self.text(name)
        if sum(character.isdigit() for character in text) >= LEAST_DIGITS:
            return self.moment(name, zone), ""
        return None, text[:LONGEST_WORD] if text.lower() not in dates.NOTHING else ""

    def person(self, name: str) -> str:
        """Whom a field names; of an e-mail address what stands before the @."""
        return self.text(name).partition("@")[0][:LONGEST_WORD] if self.has(name) else ""

    def flag(self, name: str) -> bool:
        """A truth value, also as text."""
        value = self._raw.get(name)
        return value is True or (isinstance(value, str) and value.strip().lower() in ("true", "yes", "1"))

    @staticmethod
    def _number(value: Any) -> Decimal | int:
        if isinstance(value, bool) or not isinstance(value, Decimal | int):
            raise TypeError("no number")
        return value


def spelled(text: str) -> str:
    """The documented spelling of a known word, whatever its case; an unknown word as it is."""
    return _KNOWN.get(text.strip().lower(), text.strip())


def without_noise(value: Any) -> Any:
    """An amount without the noise of binary fractions (``81.05000000000001``), which is below a billionth."""
    if not isinstance(value, Decimal) or not value.is_finite() or value.adjusted() > 15:
        return value
    rounded = round(value, 6)
    return rounded if 0 < abs(value - rounded) <= NOISE else value


def _name(value: object) -> str:
    return TYPE_NAMES.get(type(value), "a number")


_KNOWN = {word.lower(): word for word in SPELLINGS}
