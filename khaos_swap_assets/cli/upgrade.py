"""``khaos-swap upgrade --rehearse``: what an upgrade changes, told before it takes effect.

Belongs here: printing a rehearsal. Stays out: the rehearsal (``rehearsal``).
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from khaos_swap_assets.cli import reach
from khaos_swap_assets.cli.showing import Row, as_json_text, say, show_rows

if TYPE_CHECKING:
    from khaos_swap_assets.domain.judging.upgrades import ChangeTotal, UpgradeChange
    from khaos_swap_assets.rehearsal import Rehearsal


def show_rehearsal(limit: int, *, as_json: bool) -> None:
    """Rehearse the upgrade of this world's store and print what changes; the list ends after ``limit``.

    Raises ``StoreError`` and ``SettingsError`` where it cannot be rehearsed.
    """
    from khaos_swap_assets.adapters import clock
    from khaos_swap_assets.adapters.policy import load_policy
    from khaos_swap_assets.rehearsal import rehearse
    from khaos_swap_assets.running import installation

    settings = reach.settings()
    found = installation.open_as_it_is(settings)
    try:
        policy = load_policy(settings.policy_file)
        told = rehearse(settings, policy, found.url, reach.mark(), clock.from_environment())
    finally:
        if found.server:
            found.server.stop()
    if as_json:
        _echo_json(told)
    else:
        _echo(told, limit)


def _echo_json(told: Rehearsal) -> None:
    from khaos_swap_assets.domain.judging.upgrades import added
    from khaos_swap_assets.rehearsal import COMPARED, NOT_COMPARED

    words = {"totals": [asdict(one) for one in added(told.changes)], "compared": COMPARED, "not_compared": NOT_COMPARED}
    typer.echo(as_json_text({**asdict(told), **words}))


def _echo(told: Rehearsal, limit: int) -> None:
    from khaos_swap_assets.domain.judging.upgrades import added
    from khaos_swap_assets.rehearsal import COMPARED, NOT_COMPARED

    totals, listed = added(told.changes), told.changes[:limit]
    if totals:
        show_rows([_total(one) for one in totals], as_json=False)
    if listed:
        show_rows([_row(one) for one in listed], as_json=False)
    if left := len(told.changes) - len(listed):
        say(f"not listed: {left} more changes; raise --limit, or take --json for all")
    say(
        f"{told.place}: tables of version {told.version_before}, this program needs {told.version_after}; "
        f"{told.returns} returns judged again as of {told.judged_at:%Y-%m-%d %H:%M} UTC, "
        f"changes: {len(told.changes) or 'none'}"
    )
    if told.waiting:
        say(f"in line before the copy was made: {told.waiting}; what these change is news, not the upgrade")
    say(f"compared: {COMPARED}", f"not compared: {NOT_COMPARED}", "The store was only read.")


def _total(one: ChangeTotal) -> Row:
    return {"changes": one.count, **_what(one)}


def _row(one: UpgradeChange) -> Row:
    return {"about": one.subject, **_what(one)}


def _what(one: UpgradeChange | ChangeTotal) -> Row:
    return {
        "money_before_pence": one.before_pence if one.currency else None,
        "money_after_pence": one.after_pence if one.currency else None,
        "currency": one.currency,
        "of": one.about,
        "kind": one.kind,
        "owner": one.owner,
        "before": one.before,
        "after": one.after,
    }
