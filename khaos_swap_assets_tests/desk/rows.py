"""Exceptions written straight into the store, for lists that no day of a town would fill."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from khaos_swap_assets.domain.desk.queues import urgent_at
from khaos_swap_assets.domain.exceptions.catalogue import KINDS
from khaos_swap_assets_tests.stages.town import Town


def opens(town: Town, kind: str, subject: str, pence: int = 1000, *, days: float = 0, **more: Any) -> int:
    """Open an exception so many days ago; its number."""
    at: datetime = town.now - timedelta(days=days)
    told: dict[str, Any] = {
        "kind": kind,
        "subject": subject,
        "owner": KINDS[kind].owner,
        "severity": KINDS[kind].severity,
        "message": f"{subject} is not as it should be",
        "money_at_risk_pence": pence,
        "currency": "GBP",
        "opened_at": at,
        "urgent_at": urgent_at(kind, pence, at),
        **more,
    }
    names, places = ", ".join(told), ", ".join(["%s"] * len(told))
    query = f"INSERT INTO recon.exceptions ({names}) VALUES ({places}) RETURNING exception_id"
    ((number,),) = town.ask(query, *told.values())
    return int(number)
