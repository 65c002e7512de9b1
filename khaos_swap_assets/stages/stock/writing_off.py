"""Write-offs that a person brings as Khaos's Write Off Report.

Belongs here: one import as one transaction. Stays out: reading the file (``adapters.files``) and laying write-offs
beside what was proposed (``stages.reconciliation.goods``). A write-off is evidence and moves nothing.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from khaos_swap_assets.adapters.store import write_offs
from khaos_swap_assets.stages.orders.importing import Brought, record_import

if TYPE_CHECKING:
    import psycopg

    from khaos_swap_assets.adapters.files.write_offs import WriteOffRow


def import_write_offs(conn: psycopg.Connection, rows: Sequence[WriteOffRow], brought: Brought, now: datetime) -> int:
    """Keep the rows that are news, and how many they are; their months are added up again. The caller commits.

    A row is known by all that it says, and by which of the rows of its file that say the same it is: the same file
    twice, or a later report of the same days, changes nothing.
    """
    told: dict[str, tuple[object, ...]] = {}
    seen: Counter[tuple[object, ...]] = Counter()
    for row in rows:
        seen[row[1:]] += 1
        told[hashlib.sha256(repr((seen[row[1:]], *map(str, row[1:]))).encode()).hexdigest()] = row[1:]
    known = write_offs.known(conn, list(told))
    fresh = {key: values for key, values in told.items() if key not in known}
    import_id = record_import(conn, "write-offs", brought, len(told), len(fresh), now)
    if import_id is not None:
        write_offs.save(conn, fresh, import_id)
        write_offs.touch_kept(conn, sorted({f"{row.written_off_on:%Y-%m}" for row in rows}), now)
    return len(fresh)
