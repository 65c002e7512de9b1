"""A cell in the form of its file as a value of its column, or the reason why it is none.

Belongs here: numbers and days as the file writes them. Stays out: finding that form (``forms``), and the values
themselves (``cells``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from khaos_swap_assets.adapters.files import cells, forms, records
from khaos_swap_assets.adapters.files.forms import DayOrder
from khaos_swap_assets.adapters.files.tables import HOME_CURRENCY, Column

_PLAIN = re.compile(r"-?\d{1,13}(\.\d{1,6})?", re.ASCII)


class UndetectedError(Exception):
    """A cell is not in the plain form, and the file was not looked through for its own yet."""


@dataclass(frozen=True, slots=True)
class Forms:
    """How a file writes numbers (``decimal``) and days (by column); ``said`` is what a person said of days.

    Without ``orders`` and ``decimal`` only the plain forms are known: 1234.50 and YYYY-MM-DD.
    """

    said: str = ""
    decimal: str = ""
    orders: Mapping[str, DayOrder] = field(default_factory=dict)

    def order_of(self, column: str) -> str:
        """uk, us, or empty where nothing settles it; a proof in the file beats what a person said."""
        found = self.orders.get(column)
        return (found.order if found else "") or ("" if found and found.is_mixed else self.said)


def value_of(column: Column, text: str, currency: str, file_forms: Forms) -> Any:
    """A cell as a value of its column; empty ``currency``: any. Raises ``ValueError`` with the reason why not."""
    if records.has_surrogate(text):
        raise ValueError("holds bytes that are no text")
    if not text.strip():
        if column.is_required:
            raise ValueError("is empty")
        return column.empty
    if column.parse is None:
        plain = plain_amount(text, currency, file_forms)
        return cells.money(plain, currency or HOME_CURRENCY, is_signed=column.is_signed)
    if column.is_number:
        return column.parse(plain_amount(text, "", file_forms))
    if column.is_day:
        return column.parse(_plain_day(text, column.name, file_forms))
    return column.parse(text)


def plain_amount(text: str, currency: str, file_forms: Forms) -> str:
    """The number as plain text; what is no number stays as it is, for the column to refuse."""
    shape = text.strip().removesuffix("%")
    if _PLAIN.fullmatch(shape) and file_forms.decimal != forms.COMMA:
        return text
    if not file_forms.decimal:
        raise UndetectedError
    try:
        found = forms.amount(shape, file_forms.decimal)
    except ValueError:
        return text
    if currency and found.currency and found.currency != currency:
        raise ValueError(f"is in {found.currency}, and the currency of its row is {currency}")
    return found.text + text.strip()[len(shape) :]


def _plain_day(text: str, column: str, file_forms: Forms) -> str:
    if not forms.is_numeric_day(text):
        return forms.iso_day(text)
    if not file_forms.decimal:
        raise UndetectedError
    found = file_forms.orders.get(column)
    if found and found.is_mixed:
        raise ValueError("stands among days of both orders, day first and month first: export them as YYYY-MM-DD")
    return forms.iso_day(text, file_forms.order_of(column))


def without_value(reason: str, value: str) -> str:
    """The reason without the value before it, which a fault shows by itself."""
    return reason.removeprefix(f"{value.strip()[:40]!r} ").removeprefix(f"{value.strip()[:40]} ")
