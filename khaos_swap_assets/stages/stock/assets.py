"""The assets of the stock leg, and their checks: what came back is on the shelf, what is damaged is not.

Belongs here: ``khaos/stock_levels``, ``khaos/stock_adjustments``, ``reconciliation/custody`` and
``warehouse/quality_control``. Stays out: the work (``levels``, ``adjustments``, ``custody``, ``telling``) and the
conditions. Where a sale intervened the level proves nothing: such moves are counted apart as *cannot tell*. Units are
those of the last 30 days.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import dagster as dg

from khaos_swap_assets.adapters.store import Conn, custody, quality_calls, stock
from khaos_swap_assets.adapters.store.stock_adjustments import units_by_state
from khaos_swap_assets.domain.goods.adjustments import KIND
from khaos_swap_assets.domain.goods.quality_calls import KIND as QUALITY_KIND
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.stages.checking import StandingCheck, exceptions_check
from khaos_swap_assets.stages.presenting import PREVIEW_ROWS, as_table, asset, owned, result, table_metadata
from khaos_swap_assets.stages.stock.adjustments import adjust_stock
from khaos_swap_assets.stages.stock.custody import follow_custody
from khaos_swap_assets.stages.stock.levels import sync_levels
from khaos_swap_assets.stages.stock.telling import tell_swap
from khaos_swap_assets.stages.toolbox import Toolbox


@asset(
    "khaos/stock_levels",
    deps="credit_notes/drafts khaos/stock_codes",
    **owned("stock", "operations", "khaos", "khaos"),
    description="Units available to sell, for the Stock Codes of goods on their way back: seen before a document is "
    "offered and after it was issued. Khaos shows no physical stock.",
)
def stock_levels(toolbox: dg.ResourceParam[Toolbox]) -> dg.MaterializeResult[None]:
    """Read the levels that matter now."""
    return result(toolbox, asdict(sync_levels(toolbox)), "khaos.stock_levels", "observed_at")


@asset(
    "khaos/stock_adjustments",
    deps="people/decisions swap/returns swap/return_lines matched/return_lines credit_notes/drafts "
    "credit_notes/postings khaos/credit_notes khaos/stock_codes khaos/stock_levels",
    **owned("stock", "operations", "ours"),
    pool="khaos",
    description="Each unit's way back: sellable goods to the available stock, damaged goods to quarantine, missing "
    "goods nowhere. The document that carries it is one witness, the level a second where no sale intervened. Units "
    "that no document carries are adjustments that people are asked to make.",
)
def stock_adjustments(toolbox: dg.ResourceParam[Toolbox]) -> dg.MaterializeResult[None]:
    """Follow every stock move."""
    with toolbox.writing_to_khaos() as writer:
        adjusted = adjust_stock(writer)
    return result(toolbox, asdict(adjusted), "recon.stock_moves", "changed_at", _beside)


@asset(
    "reconciliation/custody",
    deps="people/decisions swap/returns swap/return_lines warehouse/inspections matched/return_lines "
    "khaos/credit_notes credit_notes/drafts credit_notes/postings khaos/stock_codes khaos/stock_adjustments "
    "reconciliation/returns",
    **owned("stock", "operations", "ours"),
    description="Where every unit of every return is, as a ledger of movements with their evidence: on its way, "
    "delivered, at the bench, inspected and not in Khaos yet, available, not saleable, kept, lost or written off.",
)
def reconciliation_custody(toolbox: dg.ResourceParam[Toolbox]) -> dg.MaterializeResult[None]:
    """Add the movements of what changed."""
    followed = follow_custody(toolbox)
    with toolbox.store() as conn:
        return dg.MaterializeResult(
            metadata={
                **asdict(followed),
                "by_age": as_table(custody.asked(conn, "by_age", today=london_date(toolbox.now()))),
                "not_on_shelf": as_table(custody.asked(conn, "not_on_shelf", limit=PREVIEW_ROWS)),
                "unseen": as_table(custody.asked(conn, "unseen", limit=PREVIEW_ROWS)),
                **table_metadata(conn, "recon.custody", "since"),
            }
        )


def _beside(row: Mapping[str, Any]) -> dict[str, str]:
    """What the saleable level was to do by a move, what it did, and what that proves."""
    before, after = (row[f"level_{name}"] for name in ("before", "after"))
    is_seen = before is not None and after is not None
    return {
        "expected": f"+{row['quantity']}" if row["disposition"] == "sellable" else "0",
        "level": f"{before} to {after}" if is_seen else "not seen",
        "verdict": (row["level_verdict"] or "not due").replace("_", " "),
    }


@asset(
    "warehouse/quality_control",
    deps="people/decisions swap/returns swap/return_lines warehouse/inspections",
    **owned("stock", "operations", "ours"),
    pool="swap",
    description="Calls that tell Swap's quality control what the warehouse reported to us, with "
    "`KHAOS_SWAP_SWAP_WRITES_QUALITY` in mode `post`: one row a finding, told once at the most. Swap's answer does not "
    "prove that it found the return.",
)
def quality_control(toolbox: dg.ResourceParam[Toolbox]) -> dg.MaterializeResult[None]:
    """Tell what may be told."""
    told = tell_swap(toolbox)
    with toolbox.store() as conn:
        counted = {f"calls_{state}": count for state, count in quality_calls.counts(conn).items()}
        shown = table_metadata(conn, "recon.quality_calls", "planned_at")
    return dg.MaterializeResult(metadata={**asdict(told), **counted, **shown})


COUNTED = timedelta(days=30)


def _stock_check(name: str, disposition: str, kinds: Sequence[str], proves: str) -> StandingCheck:
    def units(conn: Conn, now: datetime) -> dict[str, int]:
        rows = stock.units_by_state(conn, disposition, now - COUNTED)
        return {f"units_{state}_{verdict or 'level_not_due'}": count for state, verdict, count in rows}

    return exceptions_check(name, "khaos/stock_adjustments", kinds, proves, units)


ASSETS = [quality_control, stock_levels, stock_adjustments, reconciliation_custody]


CHECKS = [
    _stock_check(
        "every_sellable_unit_is_back_in_stock",
        "sellable",
        ["stock_not_returned"],
        "Every refunded unit that the warehouse found sellable was put back by its document, and no level denies it.",
    ),
    _stock_check(
        "no_damaged_unit_is_saleable",
        "damaged",
        ["damaged_in_saleable"],
        "No damaged unit was offered as saleable, and no level rose by one.",
    ),
    exceptions_check(
        "every_inspected_unit_has_moved",
        "khaos/stock_adjustments",
        [KIND],
        "Every inspected unit that no document carries was adjusted in Khaos: the level shows it, or a person says so.",
        lambda conn, now: {f"units_{name}": units for name, units in units_by_state(conn, now - COUNTED).items()},
    ),
    exceptions_check(
        "every_parcel_is_inspected_in_time",
        "khaos/stock_adjustments",
        ["inspection_overdue"],
        "No refunded parcel has lain uninspected past the limit.",
    ),
    exceptions_check(
        "swap_and_warehouse_agree",
        "khaos/stock_adjustments",
        ["inspection_disputed"],
        "Swap's quality control says of no return what the warehouse's inspections contradict.",
    ),
    exceptions_check(
        "every_kept_unit_is_known",
        "khaos/stock_adjustments",
        ["kept_unclear", "kept_without_reason"],
        "Of every refunded unit it is known whether the customer keeps it, and what is kept can be credited.",
    ),
    exceptions_check(
        "every_finding_is_told_to_swap",
        "warehouse/quality_control",
        [QUALITY_KIND],
        "Where Swap's quality control is told what the warehouse finds, every call was answered, and none was refused.",
    ),
]
