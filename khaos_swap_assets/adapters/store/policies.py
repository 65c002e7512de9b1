"""The versions of the Credit Note policy that drafts were made by, with their content.

Belongs here: noting a version as it comes into use, and who has to be drafted again by it. Stays out: what the
decisions mean (``policy.decisions``) and their file (``adapters.policy``). Shape: ``recon.policies``.
"""

from __future__ import annotations

from datetime import datetime

import psycopg
from psycopg.types.json import Jsonb

from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy

CONCERNED = (
    "SELECT return_id FROM recon.drafts WHERE state <> 'covered' AND NOT is_done "
    "AND NOT reasons @> '[[\"before_post_from\"]]' UNION "
    "SELECT return_id FROM recon.findings WHERE kind IN ('outcome_needs_policy', 'refund_not_explained', 'value_gap', "
    "'credit_note_duplicate', 'credit_note_missing') AND return_id <> ''"
)


def in_force(conn: psycopg.Connection) -> tuple[str, str]:
    """The version that drafts were last made by and the settings beside it; both empty before the first."""
    row = conn.execute(
        "SELECT policy_version, settings FROM recon.policies ORDER BY in_force_since DESC LIMIT 1"
    ).fetchone()
    return (row[0], row[1]) if row else ("", "")


def put_in_force(conn: psycopg.Connection, policy: CreditNotePolicy, settings: str, now: datetime) -> None:
    """Keep a version, its content and the settings beside it; a version keeps the day of its first use."""
    conn.execute(
        "INSERT INTO recon.policies (policy_version, content, settings, first_used_at, in_force_since) "
        "VALUES (%s, %s, %s, %s, %s) ON CONFLICT (policy_version) DO UPDATE "
        "SET in_force_since = EXCLUDED.in_force_since, settings = EXCLUDED.settings",
        (policy.version, Jsonb(policy.model_dump(mode="json")), settings, now, now),
    )


def concerned(conn: psycopg.Connection) -> list[str]:
    """Returns that another policy may change: nothing of theirs is out yet, or an exception of value is open."""
    return [row[0] for row in conn.execute(CONCERNED)]
