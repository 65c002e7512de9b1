"""What a kind of exception is, for every table that holds some.

Belongs here: the record. Stays out: the kinds themselves (``exceptions.catalogue`` and the tables that it joins).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Owner = Literal["data management", "finance", "operations", "cx", "engineer"]
Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class ExceptionKind:
    """One kind of trouble. ``error``: money or stock is wrong or held back now; ``warning``: it may be."""

    kind: str
    owner: Owner
    severity: Severity
    meaning: str
    action: str
    closes_when: str
