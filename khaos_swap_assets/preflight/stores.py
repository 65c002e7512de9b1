"""What preflight finds of one store of several.

Belongs here: telling it with the store's name and variables. Stays out: the questions (``vendors``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from khaos_swap_assets.adapters.settings import PREFIX
from khaos_swap_assets.adapters.settings_stores import variable
from khaos_swap_assets.preflight.finding import PreflightFinding


def named(findings: Iterable[PreflightFinding], store: str) -> list[PreflightFinding]:
    """The findings of a further store as they are told; those of the first one (an empty name) stay as they are."""
    return [_named(one, store) for one in findings] if store else list(findings)


def _named(finding: PreflightFinding, store: str) -> PreflightFinding:
    words = finding.words
    for group in ("SWAP_", "STOREFRONT_"):
        words = words.replace(f"{PREFIX}{group}", variable(store, group))
    return replace(finding, subject=f"{finding.subject} of {store}", words=words)
