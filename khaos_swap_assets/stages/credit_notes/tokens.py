"""Continuation tokens of the feed: which are ours, and which we cannot have given.

Belongs here: their form. Stays out: what a pull with one gets (``feed``). Source: contracts/khaos.md §8.2.
"""

from __future__ import annotations

import re

from khaos_swap_assets.domain.documents.postings import Page

TOKEN = re.compile(r"ks1\.(\d{1,15})", re.ASCII)


def is_first_contact(continuation: str) -> bool:
    """True for what Khaos sends before it holds a token of ours: nothing, or a date and time."""
    return not continuation.startswith("ks1.")


def is_from_the_future(continuation: str, newest: Page | None) -> bool:
    """True for a token of ours that this database never gave."""
    if is_first_contact(continuation):
        return False
    found = TOKEN.fullmatch(continuation)
    return found is None or int(found[1]) > (newest.sequence if newest else 0)
