"""Proofs of matching and of the audit from files: no certain match is wrong, and no wounded file breaks it.

Belongs here: the claims at full size. Stays out: the months and the wounds (``khaos_swap_assets_tests.audit``).
"""

from __future__ import annotations

from typing import Any

from khaos_swap_assets_tests.prove.hand_posted_months import hand_posted_months
from khaos_swap_assets_tests.prove.live_months import live_hand_months
from khaos_swap_assets_tests.prove.one_judge import one_judge
from khaos_swap_assets_tests.prove.tests_at_size import run_tests

SEEDS = 50
WOUNDS = 5_000


def audit_months() -> dict[str, Any]:
    """Months posted by hand, seeds 1 to 50: no certain match is wrong, 98 % of the clean are certain, legs add up."""
    return {**run_tests("audit/test_months.py", KHAOS_SWAP_MONTHS=SEEDS), "seeds": SEEDS}


def live_months() -> dict[str, Any]:
    """The same claims for what a run attributes live, seeds 1 to 50, whatever the notes leave out."""
    return {**run_tests("domain/test_loose_notes.py", KHAOS_SWAP_MONTHS=SEEDS), "seeds": SEEDS}


def audit_wounds() -> dict[str, Any]:
    """5,000 mutations of good files, workbooks among them: never a traceback, never a lost record."""
    return {**run_tests("audit/test_fuzz.py", KHAOS_SWAP_FUZZ=WOUNDS), "wounds": WOUNDS}


AUDIT_PROOFS = (audit_months, hand_posted_months, live_months, live_hand_months, one_judge, audit_wounds)
