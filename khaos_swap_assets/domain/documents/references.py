"""The reference under which a posting is known in Khaos.

Belongs here: how an RMA becomes at most 15 characters that nobody else holds. Stays out: storing them. The full RMA
always travels in the document's notes. Source: contracts/khaos.md §3 (length, uniqueness), §8.2 (``SpecificIDs``).
"""

from __future__ import annotations

import re
from base64 import b32encode
from collections.abc import Container
from hashlib import sha256
from itertools import count

LONGEST_REFERENCE = 15
# Khaos names references in a comma list, perhaps quoted: commas, quotes and spaces would not survive it, nor would
# a hash survive a channel's import (khaos.md §17).
_SAFE = re.compile(r"[A-Za-z0-9._/-]+", re.ASCII)


def reference_for(rma: str, ordinal: int, taken: Container[str]) -> str:
    """The reference of the refund ``ordinal`` (from 1) of an RMA: the RMA itself, with ``-2`` ... for later refunds.

    Where that does not fit, holds an unsafe character or is in ``taken``: a short code (``K`` and 14 of base 32), the
    same for the same RMA, refund and ``taken``. Raises ``ValueError`` for an empty RMA or an ordinal below 1.
    """
    name = rma.strip()
    if not name or ordinal < 1:
        raise ValueError(f"no reference can be made for RMA {rma!r}, refund {ordinal}")
    plain = name if ordinal == 1 else f"{name}-{ordinal}"
    if len(plain) <= LONGEST_REFERENCE and _SAFE.fullmatch(plain) and plain not in taken:
        return plain
    return next(code for probe in count() if (code := _short_code(name, ordinal, probe)) not in taken)


def _short_code(name: str, ordinal: int, probe: int) -> str:
    digest = sha256(f"{name}\n{ordinal}\n{probe}".encode()).digest()
    return "K" + b32encode(digest).decode()[: LONGEST_REFERENCE - 1]
