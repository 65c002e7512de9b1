"""200,000 returns of which each has an open exception: what a sync, the month, its pictures and the lists then take.

Belongs here: making every return of the history one that is off by a pound, the work in a process of its own, and what
its figures must be. Stays out: the history and the tick over it (``benchmarks``).
``python -m khaos_swap_assets_tests.prove.large_store URL RETURNS CHANGED`` does the work once and prints one JSON line.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from time import perf_counter
from types import SimpleNamespace
from typing import Any

from benchmarks import tick
from benchmarks.history import NOW, build, empty_store
from benchmarks.measuring import peak_mb
from benchmarks.stand_ins import FromMemorySwap
from khaos_swap_assets.adapters.store import database, proofs
from khaos_swap_assets.stages.toolbox import Toolbox

RETURNS = 200_000
CHANGED = 1_000
MOST_SECONDS = {"sync": 60, "month_end": 60, "list": 5, "json": 30}
MOST_MB = 600
MOST_METADATA = 100_000
ROOT = Path(__file__).parents[2]
OFF_BY_A_POUND = (
    "UPDATE recon.reconciliation SET status = 'value_gap', credited_pence = 4900, issued_pence = 4900, "
    "gap_pence = -100, gap_unexplained_pence = -100",
    "INSERT INTO recon.findings (kind, subject, return_id, rma, message, money_at_risk_pence, currency, found_at) "
    "SELECT 'value_gap', rma, return_id, rma, 'credited £49.00 of £50.00', 100, 'GBP', reconciled_at "
    "FROM recon.reconciliation ON CONFLICT DO NOTHING",
    "INSERT INTO recon.exceptions (kind, subject, owner, severity, return_id, rma, message, money_at_risk_pence, "
    "currency, opened_at) SELECT kind, subject, 'finance', 'error', return_id, rma, message, money_at_risk_pence, "
    "currency, found_at FROM recon.findings ON CONFLICT DO NOTHING",
    "ANALYZE",
)
OPEN = "SELECT count(*) FROM recon.exceptions WHERE closed_at IS NULL"
MONTHS = "SELECT period, count(*) FROM recon.reconciliation GROUP BY 1 ORDER BY 2 DESC LIMIT 1"

Figures = dict[str, Any]


def large_store(returns: int = RETURNS, changed: int = CHANGED) -> Figures:
    """200,000 returns and open exceptions: a sync of 1,000 changes, month end, metadata and lists in bounds."""
    with empty_store() as url:
        build(url, returns)
        with database.connect(url, application="proof") as conn:
            for statement in OFF_BY_A_POUND:
                conn.execute(statement.encode())
        command = [sys.executable, "-m", "khaos_swap_assets_tests.prove.large_store", url, str(returns), str(changed)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"holds": False, "faults": [done.stderr.strip().splitlines()[-1]]}
    return judged(json.loads(done.stdout.splitlines()[-1]), returns)


def judged(figures: Figures, returns: int) -> Figures:
    """The figures with what is wrong with them."""
    faults = [
        f"{part} takes {figures[part]['seconds']} s, {most} are allowed"
        for part, most in MOST_SECONDS.items()
        if figures[part]["seconds"] > most
    ]
    faults += [
        f"{part} takes {figures[part]['peak_mb']} MB, {MOST_MB} are allowed"
        for part in ("again", *MOST_SECONDS)
        if figures[part]["peak_mb"] > MOST_MB
    ]
    if figures["open"] < returns:
        faults.append(f"{figures['open']} exceptions are open, {returns} were opened and none was solved")
    if figures["largest_metadata"] > MOST_METADATA:
        faults.append(f"an asset shows {figures['largest_metadata']} bytes of metadata, {MOST_METADATA} are allowed")
    return {"holds": not faults, "faults": faults, **figures}


def main(url: str, returns: int, changed: int) -> None:
    """A sync over it, a month, the first page of the list, and all of it as JSON.

    Before them, ``again``: a policy comes into force, and whatever is open is matched, drafted and judged again.
    """
    swap = FromMemorySwap()
    tools = tick.toolbox(url, swap)
    shown: list[int] = []
    with tools.store() as conn:
        proofs.put_in_force(conn, tools.settings.proof)  # another one is judged over all of history
        period, rows = conn.execute(MONTHS).fetchone() or ("", 0)
    figures: Figures = {"returns": returns, "changed": changed, "period": period, "returns_of_the_month": rows}
    figures["again"] = _measured(lambda: _sync(tools, shown))
    swap.shown = range(returns + 1, returns + 1 + changed)
    figures["sync"] = _measured(lambda: _sync(tools, shown))
    figures["month_end"] = _measured(lambda: _run(_month_end(), shown, SimpleNamespace(partition_key=period), tools))
    figures["list"] = _measured(lambda: _list(url))
    figures["json"] = _measured(lambda: _list(url, "--json"))
    with tools.store() as conn:
        figures["open"] = (conn.execute(OPEN).fetchone() or (0,))[0]
    figures["largest_metadata"] = max(shown)
    sys.stdout.write(json.dumps(figures) + "\n")


def _measured(work: Callable[[], object]) -> Figures:
    start = perf_counter()
    peak = peak_mb(work)
    return {"seconds": round(perf_counter() - start, 2), "peak_mb": peak}


def _sync(tools: Toolbox, shown: list[int]) -> None:
    for _, work in tick.steps():
        _run(work, shown, toolbox=tools)


def _run(work: Callable[..., Any], shown: list[int], *given: Any, **named: Any) -> None:
    """One asset or check as a run calls it; how many bytes it shows is kept."""
    result = work(*given, **named)
    for one in [result] if hasattr(result, "metadata") else list(result or ()):
        shown.append(len(str({name: getattr(value, "value", value) for name, value in (one.metadata or {}).items()})))


def _month_end() -> Callable[..., Any]:
    from khaos_swap_assets.stages.reconciliation.assets import month_end

    function: Any = month_end.op.compute_fn
    decorated: Callable[..., Any] = function.decorated_fn
    return decorated


def _list(url: str, *words: str) -> None:
    from khaos_swap_assets.adapters.settings import Settings
    from khaos_swap_assets.cli.exceptions import exceptions_app
    from khaos_swap_assets.cli.postings import Reach

    reach = Reach(lambda: database.connect(url, application="proof"), Settings, _nobody, lambda: NOW)
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
        exceptions_app(reach)(["list", *words], standalone_mode=False)


def _nobody() -> Any:
    raise AssertionError("no list speaks to Khaos")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
