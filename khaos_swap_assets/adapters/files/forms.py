"""How a file writes its numbers and days, found from all its cells, and turned into one plain form.

Belongs here: decimal point or comma, day or month first, currency signs, brackets for negatives. Stays out: typed
values (``cells``) and which column is which (``headings``). Nothing is guessed: what no cell settles stays open.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

UK, US = "uk", "us"
ORDERS = {UK: "day first", US: "month first"}
POINT, COMMA = ".", ","
SIGNS = {"£": "GBP", "€": "EUR", "¥": "JPY"}

_NUMERIC_DAY = re.compile(
    r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})(?:[ T,]+(\d{1,2}):(\d\d)(?::(\d\d))?(?:\.\d+)?\s*([AaPp][Mm])?)?",
    re.ASCII,
)
_NAMED_DAY = re.compile(r"(\d{1,2})[ -]([A-Za-z]{3,9})[ -](\d{4}|\d{2})(.*)", re.ASCII | re.DOTALL)
_SERIAL = re.compile(r"[3-6]\d{4}", re.ASCII)
_BY_POINT = re.compile(r"(\d{1,3}(,\d{3})+|\d+)(\.\d*)?|\.\d+", re.ASCII)
_BY_COMMA = re.compile(r"(\d{1,3}(\.\d{3})+|\d+)(,\d*)?|,\d+", re.ASCII)
_SPACES = re.compile(r"(?<=\d)[\u00a0\u202f\u2009' ](?=\d{3})")
_CODE_AT_END = re.compile(r"^([A-Z]{3})\s*(.*)$|^(.*?)\s*([A-Z]{3})$", re.DOTALL)
EXCEL_CENTURY = 2000


@dataclass(frozen=True, slots=True)
class PlainAmount:
    """A number as plain text (``-1234.50``) and the currency that its sign names, if any."""

    text: str
    currency: str = ""


@dataclass(frozen=True, slots=True)
class DayOrder:
    """How a column writes its days: ``order`` is uk, us, or empty where no cell settles it; ``proof`` is such a cell.

    ``is_mixed`` holds where one cell proves one order and another the other: then ``order`` is empty.
    """

    order: str = ""
    line: int = 0
    proof: str = ""
    is_mixed: bool = False
    open_cells: int = 0


def amount(text: str, decimal: str = POINT) -> PlainAmount:
    """Read ``£1,234.50``, ``(12.00)``, ``12.00-``, ``1.234,50 €``, ``GBP 12``. Raises ``ValueError`` for other text."""
    plain, negative = _unsigned(text.strip())
    plain, currency = _without_currency(plain)
    plain, inner = _unsigned(plain)
    plain = _SPACES.sub("", plain)
    pattern, thousands = (_BY_POINT, ",") if decimal == POINT else (_BY_COMMA, ".")
    if not pattern.fullmatch(plain) or (negative and inner):
        raise ValueError("is no number that we can read")
    plain = plain.replace(thousands, "").replace(",", ".")
    return PlainAmount(f"-{plain}" if negative or inner else plain, currency)


def _unsigned(text: str) -> tuple[str, bool]:
    if text.startswith("(") and text.endswith(")"):
        return text[1:-1].strip(), True
    if text.startswith(("-", "\u2212")):
        return text[1:].strip(), True
    if text.endswith("-"):
        return text[:-1].strip(), True
    return text.removeprefix("+").strip(), False


def _without_currency(text: str) -> tuple[str, str]:
    for sign, code in SIGNS.items():
        if text.startswith(sign) or text.endswith(sign):
            return text.strip(sign).strip(), code
    found = _CODE_AT_END.match(text)
    if found and (found[1] or found[4]):
        return (found[2] or found[3] or "").strip(), found[1] or found[4]
    return text, ""


def decimal_of(texts: Iterable[str]) -> str:
    """Point or comma, as the numbers show it; a point where none shows a comma, or where both are shown."""
    comma = point = False
    for text in texts:
        plain = _SPACES.sub("", _unsigned(_without_currency(_unsigned(text.strip())[0])[0])[0])
        by_point, by_comma = bool(_BY_POINT.fullmatch(plain)), bool(_BY_COMMA.fullmatch(plain))
        point |= by_point and not by_comma
        comma |= by_comma and not by_point
    return COMMA if comma and not point else POINT


def day_order(cells: Iterable[tuple[int, str]]) -> DayOrder:
    """Which comes first, day or month, by a cell over 12 (line and text); open where every cell could be both."""
    proofs: dict[str, tuple[int, str]] = {}
    opened = 0
    for line, text in cells:
        found = _NUMERIC_DAY.fullmatch(text.strip())
        if not found:
            continue
        first, second = int(found[1]), int(found[3])
        if first > 12 >= second:
            proofs.setdefault(UK, (line, text))
        elif second > 12 >= first:
            proofs.setdefault(US, (line, text))
        else:
            opened += 1
    if len(proofs) == 1:
        ((order, (line, text)),) = proofs.items()
        return DayOrder(order, line, text, open_cells=opened)
    return DayOrder(is_mixed=len(proofs) > 1, open_cells=opened)


def is_numeric_day(text: str) -> bool:
    """True for a day such as 03/02/2026, which needs an order."""
    return _NUMERIC_DAY.fullmatch(text.strip()) is not None


def iso_day(text: str, order: str = "") -> str:
    """A day or moment as ISO text; text of another shape as it is, for ``cells`` to judge.

    Raises ``ValueError`` for 03/02/2026 where no order is known.
    """
    plain = text.strip()
    if found := _NUMERIC_DAY.fullmatch(plain):
        return _numeric(found, order)
    if _SERIAL.fullmatch(plain):
        return _from_serial(int(plain))
    if found := _NAMED_DAY.fullmatch(plain):
        return f"{found[1]} {found[2]} {_year(found[3])}{found[4]}"
    return plain


def _numeric(found: re.Match[str], order: str) -> str:
    if order not in (UK, US):
        raise ValueError("may be day first or month first: export it as YYYY-MM-DD, or say --dates uk or --dates us")
    day, month = (found[1], found[3]) if order == UK else (found[3], found[1])
    date = f"{_year(found[4])}-{int(month):02}-{int(day):02}"
    if found[5] is None:
        return date
    hour = int(found[5]) % 12 + 12 * (found[8].lower() == "pm") if found[8] else int(found[5])
    return f"{date}T{hour:02}:{found[6]}:{found[7] or '00'}"


def _year(text: str) -> str:
    return text if len(text) == 4 else str(EXCEL_CENTURY + int(text))


def _from_serial(days: int) -> str:
    """Excel counts days from 30 December 1899."""
    from datetime import date, timedelta

    return (date(1899, 12, 30) + timedelta(days=days)).isoformat()
