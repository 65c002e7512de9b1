"""One audit from beginning to end: read, reconcile, write.

Belongs here: the order of the steps. Stays out: the steps themselves, and the command line (``cli_audit``).
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path

from khaos_swap_assets.adapters.files.decided import decisions_of
from khaos_swap_assets.adapters.files.faults import BadInputError, of_file
from khaos_swap_assets.adapters.files.maps import write_maps
from khaos_swap_assets.adapters.files.tables import silent
from khaos_swap_assets.audit import engine, in_step, summary, writing
from khaos_swap_assets.audit.control import require_totals, strips
from khaos_swap_assets.audit.engine import Span
from khaos_swap_assets.audit.inputs import Inputs, Paths, Reports, Said, read_all, usable
from khaos_swap_assets.audit.pairing import Pairing
from khaos_swap_assets.audit.rows import Rows
from khaos_swap_assets.audit.summary import Summary
from khaos_swap_assets.audit.writing import Result


@dataclass(frozen=True, slots=True)
class Done:
    """What an audit found, and the files that it wrote."""

    summary: Summary
    paths: list[Path]


@contextmanager
def _records_only() -> Iterator[None]:
    """No search for circles among millions of records, which hold none: it would be a fifth of an audit.

    They have to be gone at its end, or that search goes through them after all.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@_records_only()
def audit(
    paths: Paths,
    span: Span,
    out: Path,
    *,
    skips_bad_rows: bool = False,
    said: Said | None = None,
    map_out: Path | None = None,
    reports: Reports = lambda name: silent,
) -> Done:
    """Audit files into a folder.

    Raises ``BadInputError`` for bad input (unless bad rows are skipped) and ``OutputError`` for a folder that cannot
    be written; nothing is written then.
    """
    if span.first and span.last and span.first > span.last:
        raise BadInputError([of_file("--from", "", str(span.first), f"is after --to {span.last}")])
    inputs = read_all(paths, said, reports)
    if map_out:
        write_maps(map_out, inputs.tables.values())
    usable(inputs, skips_bad_rows=skips_bad_rows)
    if said and said.totals:
        require_totals(strips(inputs), said.totals)
    report = reports("reconcile")
    result = reconcile(inputs, span, keeps_faults=skips_bad_rows)
    report(0.6)
    written = writing.write(result, out)
    report(1.0)
    return Done(result.summary, written)


def reconcile(inputs: Inputs, span: Span, *, keeps_faults: bool = False) -> Result:
    """Everything that the outputs say."""
    today = datetime.combine(span.as_of, time.min, UTC)
    made = [one for table in inputs.decisions for one in decisions_of(table.rows, today)]
    plain, rest = in_step.apart(inputs, made)
    pairing = Pairing(rest, made)
    done = engine.reconciled(pairing, span)
    rows = Rows(done.rows, plain, span.holds)
    found = engine.findings(done, list(inputs.faults))
    figures = summary.summarise(inputs, pairing, done, found, span, rows)
    return Result(rows, found, figures, inputs.faults if keeps_faults else None)
