"""Signing a month in Dagster: a person puts their name under figures that are green.

Belongs here: the job and what it asks for. Stays out: what may be signed and what ends it (``stages.deciding``).
"""

from collections.abc import Mapping

import dagster as dg
from pydantic import Field

from khaos_swap_assets.domain.records.decisions import SIGNED, PersonDecision
from khaos_swap_assets.stages.deciding import decide
from khaos_swap_assets.stages.toolbox import Toolbox


class Name(dg.Config):
    """Who signs and why they may; both go to the record of decisions and to the audit log."""

    signed_by: str = Field(description="Your name")
    reason: str = Field(description="On what you sign, as: checked against the ledger")


@dg.op(description="Puts a name under the month's figures, where it is over and green.")
def sign(context: dg.OpExecutionContext, config: Name, toolbox: dg.ResourceParam[Toolbox]) -> None:
    """Sign the month of the run's partition; a month that may not be signed makes the run red and says why."""
    wish = PersonDecision(
        decision=SIGNED,
        subject=context.partition_key,
        object="",
        decided_by=config.signed_by,
        reason=config.reason,
        decided_at=toolbox.now(),
    )
    with toolbox.open_store() as conn:
        decide(conn, wish, now=toolbox.now())


def sign_month(months: dg.PartitionsDefinition[str], tags: Mapping[str, str] | None = None) -> dg.JobDefinition:
    """The job over these months: choose one, write your name and why, and launch it. Its runs carry these tags."""

    @dg.job(
        name="sign_month",
        partitions_def=months,
        tags=tags,
        executor_def=dg.in_process_executor,
        description="Sign a month that is over and green: choose its partition, write signed_by and reason. It stands "
        "beside the verdict until the figures change.",
    )
    def signing() -> None:
        sign()

    return signing
