"""Looking ahead at a hundred thousand open returns: every cause, all that was sold lately, and all that the shop lists.

Beside them lies a finished history. Three returns in ten are in trouble, of two hundred wrong codes and a few orders;
the shop lists twenty thousand variants, of which a hundred are no Stock Code. ``again_seconds`` is the look of a run by
day, which takes in only what is in trouble.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from time import perf_counter
from typing import Any, cast

from benchmarks.history import NOW, build, empty_store
from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import database
from khaos_swap_assets.stages.returns.foreseeing import foresee
from khaos_swap_assets.stages.toolbox import Toolbox

OPEN, FINISHED, MOST_SECONDS = 100_000, 200_000, 20.0
REOPENED = """
UPDATE swap.returns SET is_open = true, status = 'Open', refunded_at = NULL, processed_at = NULL, closed_at = NULL
WHERE ltrim(return_id, 'r')::int > %(first)s
"""
WRONG = """
UPDATE recon.matched_lines SET sku = 'BAD#' || ltrim(return_id, 'r')::int %% 200, stock_code = NULL,
    problem = 'sku_unknown' WHERE product_id = 'p1' AND ltrim(return_id, 'r')::int > %(first)s
    AND ltrim(return_id, 'r')::int %% 10 < 2
"""
LOST = """
UPDATE recon.matched_returns SET order_problems = ARRAY['order_not_found'] WHERE ltrim(return_id, 'r')::int > %(first)s
    AND ltrim(return_id, 'r')::int %% 10 = 2
"""
LISTED = """
INSERT INTO storefront.variants SELECT i, 'LX' || i || CASE WHEN i <= 100 THEN ' M' ELSE '-M' END, '', now()
FROM generate_series(1, 19999) i
"""


@dataclass
class _Tools:
    """What a look ahead needs of its tools."""

    url: str
    settings: Settings = field(default_factory=Settings)

    def now(self) -> Any:
        """The moment of the look."""
        return NOW + timedelta(days=1)

    @contextmanager
    def store(self) -> Any:
        """A connection for one transaction."""
        with closing(database.connect(self.url, application="benchmark")) as conn, conn:
            yield conn


def measure(opened: int = OPEN, finished: int = FINISHED) -> dict[str, Any]:
    """Seconds of the look of the night, and of the next one by day."""
    with empty_store() as url:
        build(url, opened + finished)
        with closing(database.connect(url, application="benchmark")) as conn:
            for statement in (REOPENED, WRONG, LOST, LISTED):
                conn.execute(statement.encode(), {"first": finished} if "%(" in statement else None)
            conn.commit()
            conn.autocommit = True
            conn.execute("VACUUM ANALYZE")
        tools = cast(Toolbox, _Tools(url))
        began = perf_counter()
        found = foresee(tools)
        nightly, began = perf_counter() - began, perf_counter()
        foresee(tools)
        return {
            "open_returns": opened,
            "will_fail": found.returns,
            "causes": len(found.causes),
            "told": len(found.opened),
            "seconds": round(nightly, 2),
            "again_seconds": round(perf_counter() - began, 2),
            "is_met": nightly <= MOST_SECONDS,
        }
