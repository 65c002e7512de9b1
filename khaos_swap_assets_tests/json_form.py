"""The one form of money and time in everything that a command prints as JSON.

Belongs here: finding what is in another form. Stays out: the commands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

MONEY = re.compile(r"-?[£€$]?\d[\d,]*\.\d\d( [A-Z]{3})?|-?[£€$]\d[\d,]*|\d+ pence")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d.*", re.DOTALL)


def faults_of(value: Any, currency: str = "", at: str = "") -> Iterator[str]:
    """Where a value breaks the form; ``currency`` is that of the object around it."""
    if isinstance(value, dict):
        inside = str(value.get("currency") or currency)
        for name, one in value.items():
            yield from _faults_of_field(name, one, inside, f"{at}.{name}")
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from faults_of(one, currency, f"{at}[{number}]")
    elif isinstance(value, str) and MOMENT.fullmatch(value) and not _has_offset(value):
        yield f"{at}: {value} is no moment with its offset"


def _has_offset(text: str) -> bool:
    return "T" in text and datetime.fromisoformat(text).tzinfo is not None


def _faults_of_field(name: str, value: Any, currency: str, at: str) -> Iterator[str]:
    if name.endswith("_pence"):
        if not (value is None or type(value) is int):
            yield f"{at}: {value!r} is no whole number of minor units"
        elif value and not currency:
            yield f"{at}: {value} has no currency"
    elif type(value) is float or (isinstance(value, str) and MONEY.fullmatch(value)):
        yield f"{at}: {value!r} is money in another form"
    yield from faults_of(value, currency, at)
