"""A job's steps by hand: the real job's graph in its order, each function as Dagster calls it, and nothing kept of it.

Dagster's own book-keeping costs several times as much as the work. Belongs here: working through a job, and what its
assets show and its checks say. Stays out: an instance, failed runs and what Dagster keeps (``test_definitions``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from inspect import signature
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import patch

import dagster as dg
from dagster._core.definitions.decorators.op_decorator import DecoratedOpFunction
from dagster._core.definitions.metadata import normalize_metadata
from matplotlib.figure import Figure

from khaos_swap_assets import definitions
from khaos_swap_assets.stages.toolbox import Toolbox
from khaos_swap_assets_tests.stages.town import Town


@dataclass(frozen=True)
class Worked:
    """What a job's assets showed, by their names, and what its checks said."""

    pages: dict[str, dict[str, Any]] = field(default_factory=dict)
    verdicts: dict[str, dg.AssetCheckResult] = field(default_factory=dict)


def work(town: Town, job: str = "sync", month: str = "") -> Worked:
    """One run of a job, a minute later; what raises in a step raises here. Pictures are laid out, and not rendered."""
    town.now += timedelta(minutes=1)
    with patch.object(Figure, "savefig"):
        return _worked(town, job, month)


def _worked(town: Town, job: str, month: str) -> Worked:
    worked = Worked()
    for node in _assembled().resolve_job_def(job).graph.nodes_in_topological_order:
        function = cast(DecoratedOpFunction, cast(dg.OpDefinition, node.definition).compute_fn).decorated_fn
        for made in _made(function, town.tools, month):
            if isinstance(made, dg.AssetCheckResult):
                worked.verdicts[made.check_name or function.__name__] = made
            else:
                name = made.asset_key.to_user_string() if made.asset_key else node.name.replace("__", "/")
                worked.pages[name] = {key: one.value for key, one in normalize_metadata(made.metadata or {}).items()}
    return worked


def _made(function: Callable[..., Any], tools: Toolbox, month: str) -> Iterable[Any]:
    """What a step gives: of an asset, of several, or of its checks."""
    every = _assembled().resolve_asset_graph().asset_check_keys
    context = SimpleNamespace(partition_key=month, selected_asset_check_keys=every)
    given = {"toolbox": tools, "context": context}
    made = function(**{name: given[name] for name in signature(function).parameters})
    return made if isinstance(made, Iterator) else [made]


@cache
def _assembled() -> dg.Definitions:
    return definitions.build(toolbox=dg.ResourceDefinition.hardcoded_resource(None))
