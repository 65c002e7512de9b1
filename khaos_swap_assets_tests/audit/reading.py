"""Reading the files of an audit in one step, as the command does."""

from __future__ import annotations

from khaos_swap_assets.audit.inputs import Inputs, Paths, Said, read_all, usable


def read_inputs(paths: Paths, *, skips_bad_rows: bool, said: Said | None = None) -> Inputs:
    """Read all files. Raises ``BadInputError`` for an unreadable file, and for bad rows unless they are skipped."""
    inputs = read_all(paths, said)
    usable(inputs, skips_bad_rows=skips_bad_rows)
    return inputs
