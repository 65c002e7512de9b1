"""A merchant's name before every asset and in every pool, so that many merchants share one Dagster.

Belongs here: renaming what the stages declare. Stays out: which assets there are (``definitions``), jobs and checks,
which are made with the name (``automation``, ``stages.checking``). Without a name everything is as declared.
"""

from __future__ import annotations

import dagster as dg

from khaos_swap_assets.stages.presenting import of_merchant

Declared = dg.AssetsDefinition | dg.AssetSpec


def prefixed(declared: Declared, merchant: str) -> Declared:
    """The same asset under the merchant's name, with all that it reads; its pool is that of the merchant's vendor."""
    if not merchant:
        return declared
    if isinstance(declared, dg.AssetSpec):
        return declared.replace_attributes(key=of_merchant(declared.key, merchant))
    named = [key for spec in declared.specs for key in (spec.key, *(dep.asset_key for dep in spec.deps))]
    renamed = declared.with_attributes(asset_key_replacements={key: of_merchant(key, merchant) for key in named})
    parts = {**renamed.get_attributes_dict(), "node_def": _pooled(declared.op, merchant)}
    return dg.AssetsDefinition.dagster_internal_init(**parts)


def _pooled(op: dg.OpDefinition, merchant: str) -> dg.OpDefinition:
    """The op in the pool ``khaos_felwood`` in place of ``khaos``: one writer towards one merchant's Khaos."""
    if op.pool is None:
        return op
    return dg.OpDefinition(
        compute_fn=op.compute_fn,
        name=op.name,
        description=op.description,
        ins=op.ins,
        outs=op.outs,
        config_schema=op.config_schema,
        required_resource_keys=set(op.required_resource_keys),
        tags=op.tags,
        retry_policy=op.retry_policy,
        pool=f"{op.pool}_{merchant}",
    )
