"""The watch over the work itself: judged by our own tables alone, so also while no run reaches a vendor.

Belongs here: ``reconciliation/watch``, its check and what they show. Stays out: the questions (``stages.watching``) and
when it runs (``automation``).
"""

import dagster as dg

from khaos_swap_assets.adapters.store import findings
from khaos_swap_assets.stages import refusing, watching
from khaos_swap_assets.stages.checking import exceptions_check
from khaos_swap_assets.stages.credit_notes.stopping import feed_problems
from khaos_swap_assets.stages.presenting import asset, owned
from khaos_swap_assets.stages.toolbox import Toolbox


@asset(
    "reconciliation/watch",
    deps="reconciliation/exceptions reconciliation/returns credit_notes/postings people/decisions",
    **owned("watch", "engineer", "ours", "report"),
    description="When each part of a complete run was last done, how far each source was read, what stops the feed. "
    "Judged on a schedule of its own, which asks no vendor.",
)
def reconciliation_watch(toolbox: dg.ResourceParam[Toolbox]) -> dg.MaterializeResult[None]:
    """Open and close the exceptions about the work itself, and alert to new ones."""
    now = toolbox.now()
    with toolbox.store() as conn:
        found = watching.problems(conn, toolbox.settings, now)
        findings.replace_of_kinds(conn, watching.KINDS, found, now)
        opened, closed = findings.open_and_close(conn, now, kinds=watching.KINDS)
        parts = watching.stage_marks(conn, toolbox.settings, now)
        stopped = feed_problems(conn, settings=toolbox.settings, now=now)
    toolbox.alert(opened)
    return dg.MaterializeResult(
        metadata={
            "opened": len(opened),
            "closed": closed,
            **{words.replace(" ", "_").lower(): str(at or "never") for words, at in parts.items()},
            "feed": dg.MetadataValue.md("\n".join(f"- {line}" for line in stopped) or "Nothing stops the feed."),
        }
    )


somebody_watches = exceptions_check(
    "somebody_watches",
    "reconciliation/watch",
    watching.KINDS,
    "Whenever something was due, a complete run (read, witness, judge) was made in time, and every source was read.",
)

every_record_went_through = exceptions_check(
    "every_record_went_through",
    "reconciliation/exceptions",
    refusing.KINDS,
    "No vendor refuses an operation or a record, and no fault of the program holds a return.",
)

CHECKS = [somebody_watches, every_record_went_through]
