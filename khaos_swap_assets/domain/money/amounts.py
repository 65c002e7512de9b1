"""Money as whole minor units ("pence") of an ISO currency.

Belongs here: the way in and out of pence, and exact splitting. Stays out: VAT (``money.tax``), and what is refunded or
credited. Decimal exists only at the wire, float nowhere. Source: FINANCE_RULES U-7, U-8.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from functools import cache
from itertools import pairwise

_NO_DECIMALS = frozenset(
    {
        *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"),
        *("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
    }
)
_THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
_SCALES = (1, 10, 100, 1000)
_SYMBOLS = {"GBP": "£", "EUR": "€"}
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_MOST_DIGITS = 13
_MOST_PLACES = 40


@cache
def exponent_of(currency: str) -> int:
    """Decimals of a currency (ISO 4217): 2 for most, 0 for yen. Raises ``ValueError`` for what is no currency code."""
    if not re.fullmatch(r"[A-Za-z]{3}", currency):
        raise ValueError(f"{currency!r} is no currency code: three letters such as GBP are expected")
    code = currency.upper()
    return 0 if code in _NO_DECIMALS else 3 if code in _THREE_DECIMALS else 2


def to_pence(value: Decimal | str | int, currency: str) -> int:
    """Turn an amount in whole units (pounds) into pence, exactly.

    Trailing zeros are accepted, a further significant decimal is not. Raises ``ValueError`` for text that is no plain
    number, NaN, Infinity, 10^13 and above, and more decimals than the currency has; ``TypeError`` for a float.
    """
    amount = _exact(value)
    if not amount:
        return 0
    if amount.adjusted() >= _MOST_DIGITS or int(amount.as_tuple().exponent) < -_MOST_PLACES:
        raise ValueError(f"{str(value)[:40]!r} is no plausible amount of money")
    pence = Fraction(amount) * _SCALES[exponent_of(currency)]
    if pence.denominator != 1:
        raise ValueError(f"{str(value)[:40]!r} has more decimals than {currency} allows")
    return pence.numerator


def _exact(value: Decimal | str | int) -> Decimal:
    match value:
        case bool():
            raise TypeError("a truth value is no amount of money")
        case str():
            if not _NUMBER.fullmatch(value.strip()):
                raise ValueError(f"{value[:40]!r} is no amount of money")
        case Decimal():
            if not value.is_finite():
                raise ValueError(f"{value} is no amount of money")
        case int():
            pass
        case _:
            raise TypeError(f"money is never a {type(value).__name__}")
    return Decimal(value)


def from_pence(pence: int, currency: str) -> Decimal:
    """Turn pence into an amount in whole units with exactly the decimals of the currency: 1250 GBP is 12.50."""
    return Decimal(pence).scaleb(-exponent_of(currency))


def format_money(pence: int, currency: str) -> str:
    """Write pence for a person: ``£1,234.50``, ``-€0.05``, ``12.34 USD``; without a currency the bare pence."""
    if not currency:
        return str(pence)
    sign = "-" if pence < 0 else ""
    amount = f"{from_pence(abs(pence), currency):,f}"
    symbol = _SYMBOLS.get(currency.upper())
    return f"{sign}{symbol}{amount}" if symbol else f"{sign}{amount} {currency.upper()}"


def money_words(pence: int, currency: str) -> str:
    """Money for a person; of something without a currency the bare pence."""
    return format_money(pence, currency) if currency else f"{pence:,} pence" if pence else "no amount"


def spread(total: int, weights: Sequence[int]) -> list[int]:
    """Spread pence over weights by largest remainder; ties go to the earlier index (FINANCE_RULES U-7).

    The parts add up to ``total`` exactly and have its sign. Raises ``ValueError`` for a negative weight, and when
    there is something to spread and no weight to carry it.
    """
    if total < 0:
        return [-part for part in spread(-total, weights)]
    if any(weight < 0 for weight in weights):
        raise ValueError(f"a weight is negative: {min(weights)}")
    if total == 0:
        return [0] * len(weights)
    if not (whole := sum(weights)):
        raise ValueError(f"{total} pence cannot be spread: all weights are zero")
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda index: (-(total * weights[index] % whole), index))
    for index in by_remainder[: total - sum(parts)]:
        parts[index] += 1
    return parts


def unit_values(total: int, quantity: int) -> list[int]:
    """Value of each unit of a line, in pence, by cumulative rounding (FINANCE_RULES U-8): 3499 / 3 is 1166, 1167, 1166.

    They add up to ``total`` exactly and differ by one penny at most. Raises ``ValueError`` without a unit.
    """
    if quantity < 1:
        raise ValueError(f"a line of {quantity} units has no unit value")
    steps = [(2 * total * count + quantity) // (2 * quantity) for count in range(quantity + 1)]
    return [after - before for before, after in pairwise(steps)]


def half_up(share: int, whole: int) -> int:
    """``share`` by a positive ``whole``, as a whole number: a half goes away from zero, as HMRC and Khaos round."""
    size = (2 * abs(share) + whole) // (2 * whole)
    return size if share >= 0 else -size


def count_words(count: int, one: str, more: str = "") -> str:
    """``1 exception``, ``2,000 exceptions``; ``more`` where the plural is not ``one`` with an s."""
    return f"{count:,} {one if count == 1 else more or f'{one}s'}"
