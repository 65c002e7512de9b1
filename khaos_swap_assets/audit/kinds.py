"""Kinds of exception that only files can show, beside those of the catalogue.

Belongs here: what each means, who acts and how. Stays out: when one holds (``findings``).
"""

from __future__ import annotations

from khaos_swap_assets.domain.exceptions.kinds import ExceptionKind

AUDIT_KINDS = {
    kind.kind: kind
    for kind in (
        ExceptionKind(
            "refund_differs",
            "finance",
            "error",
            "The money that moved is not what Swap says, in amount or currency.",
            "Compare the refund at the payment provider with the return in Swap and correct the wrong one.",
            "Both show the same amount and currency.",
        ),
    )
}
