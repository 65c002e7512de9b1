"""One thing that ``khaos-swap preflight`` tried, and how it is printed.

Belongs here: the record. Stays out: the questions (``preflight``, ``preflight_khaos``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["works", "missing", "fails"]
SIGNS = {"works": "ok     ", "missing": "note   ", "fails": "FAILS  "}


@dataclass(frozen=True, slots=True)
class PreflightFinding:
    """One thing that was tried: ``missing`` limits what is possible, ``fails`` stops the work."""

    verdict: Verdict
    subject: str
    words: str

    def __str__(self) -> str:
        return f"{SIGNS[self.verdict]} {self.subject}: {self.words}"
