"""One play in a process of its own: ``python -m khaos_swap_assets_tests.prove.one_play '{"returns": 60, "seed": 1}'``.

Belongs here: the demo without a UI, with an outage of a vendor in its middle on request. Stays out: judging the result
(``proofs``). The last line of stdout is the demo's JSON; with an outage a line before it says what happened meanwhile,
and with faults (of any number) another is a fingerprint of the final state.
"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg

from khaos_swap_assets.demo import once, rounds
from khaos_swap_assets_tests.prove.end_states import STATES

OUTAGE_IN_SYNC = 2


@dataclass
class FaultyPlay(rounds.Play):
    """Arms ``faults`` at the start; arms ``outage`` before the second sync and ends it after it."""

    faults: dict[str, int] = field(default_factory=dict)
    outage: dict[str, int] = field(default_factory=dict)
    syncs: int = 0

    def run(self) -> rounds.Played:
        """Arm, then play to the end."""
        self._sandbox("faults", dict(self.faults))
        played = super().run()
        sys.stdout.write(json.dumps({"end": self._end()}) + "\n")
        return played

    def _end(self) -> dict[str, str]:
        """A fingerprint of each part of the final state, without moments and without numbers given in order."""
        notes = self._sandbox("ledger", method="GET")["notes"]
        parts: dict[str, list[Any]] = {
            "ledger": sorted(
                [one["associated_ref"], one["urn"], one["gross_pence"], str(one["lines"])] for one in notes
            )
        }
        with self.tools.store() as conn:
            parts |= {name: conn.execute(query.encode()).fetchall() for name, query in STATES.items()}
        return {name: hashlib.sha256(json.dumps(rows).encode()).hexdigest() for name, rows in parts.items()}

    def _sync(self) -> None:
        self.syncs += 1
        if self.syncs == OUTAGE_IN_SYNC and self.outage:
            self._sync_in_outage()
        else:
            super()._sync()

    def _sync_in_outage(self) -> None:
        self._sandbox("faults", dict(self.outage))
        failed_before = self.played.failed_runs
        skipped = _asked(self)
        super()._sync()
        self._sandbox("faults", dict.fromkeys(self.outage, 0))
        failed = self.played.failed_runs - failed_before
        sys.stdout.write(json.dumps({"outage": {"failed_runs": failed, "sensor_said": skipped}}) + "\n")


def _asked(play: rounds.Play) -> str:
    """What the sensor on new returns says during the outage: the reason to skip, or that it asks for a run."""
    from khaos_swap_assets.automation import new_returns

    tick = new_returns(dg.build_sensor_context(instance=play.instance), play.tools)
    return (tick.skip_message if isinstance(tick, dg.SkipReason) else "") or "asks for a run"


def main(wish: dict[str, Any]) -> int:
    """Play ``wish``: the fields of ``Wish``, and ``faults`` and ``outage``, each {fault: times}."""
    given = {name: wish.pop(name) for name in ("faults", "outage") if name in wish}
    if given:
        rounds.Play = partial(FaultyPlay, **given)  # type: ignore[misc,assignment]
    if wish.get("history"):
        wish["history"] = Path(wish["history"])
    return once.play_once(once.Wish(**{**wish, "switches": tuple(wish.get("switches", ()))}))


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
