"""What is kept of a message that was not believed: enough to find out who sent it and what it looked like.

Belongs here: the first part of a body without e-mails and tokens, for a hundred bodies an hour. Stays out: counting
them (``adapters.store.arrivals``), which is exact.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

from fastapi import Request

from khaos_swap_assets.adapters.store.arrivals import HEAD_BYTES, HEADS_AN_HOUR, RefusedMessage
from khaos_swap_assets.gateway.messages import announced

MAIL = re.compile(rb"[^\s@,;<>\"']{1,64}@[^\s@,;<>\"']{1,190}")
TOKEN = re.compile(rb"[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*")


@dataclass
class Heads:
    """This process's share of the hour; the store holds the limit for all processes together."""

    _hour: int = 0
    _taken: int = 0

    def take(self, raw: bytes, now: datetime) -> bytes | None:
        """The first 4 KB of a body with e-mails and tokens masked, or None past a hundred in this hour."""
        hour = int(now.timestamp()) // 3600
        if self._hour != hour:
            self._hour, self._taken = hour, 0
        if not raw or self._taken >= HEADS_AN_HOUR:
            return None
        self._taken += 1
        return TOKEN.sub(b"***", MAIL.sub(b"***", raw[:HEAD_BYTES]))


def refusal(request: Request, raw: bytes, reason: str, head: bytes | None, now: datetime) -> RefusedMessage:
    """What is counted before the refusal is answered; a body that was not read has the size that it announced."""
    sender = request.client.host if request.client else ""
    body_hash = hashlib.sha256(raw).hexdigest() if raw else ""
    return RefusedMessage(
        reason=reason,
        sender=sender,
        size_bytes=len(raw) or announced(request),
        body_hash=body_hash,
        head=head,
        received_at=now,
    )
