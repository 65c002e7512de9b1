"""``khaos-swap merchants FOLDER``: how every merchant of a house stands, in one table.

Belongs here: reading each merchant's store, one row each; and ``up``, for one merchant or many. Stays out: the files
(``running.merchants``) and the table's form (``cli.showing``). A merchant whose store cannot be read has a row that
says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from khaos_swap_assets.adapters.errors import KhaosSwapError
from khaos_swap_assets.cli import reach
from khaos_swap_assets.cli.showing import AsJson, show_rows
from khaos_swap_assets.running.parts import Part

if TYPE_CHECKING:
    import psycopg

    from khaos_swap_assets.running.merchants import Merchant

Folder = Annotated[Path, typer.Argument(help="Folder of the merchants' files, as for up --merchants")]
COLUMNS = ("merchant", "mode", "judged", "waiting", "oldest", "exceptions", "unsigned", "tables", "fault")
BELOW = ("unsigned", "fault")


def up_command(
    merchants: Annotated[
        Path | None, typer.Option(help="Folder of NAME.env files: one Dagster for these merchants, each apart")
    ] = None,
    only: Annotated[Part | None, typer.Option(help="With --merchants: what of it this machine has")] = None,
) -> None:
    """Start webserver, daemon and gateway against the real vendors, and stay up.

    With --merchants each file is a merchant with settings, secrets, database, gateway and code server of its own. One
    that is added, changed or removed meanwhile is taken up or taken down, and the others go on. Several machines share
    the work by --only: one has core (Dagster and the code servers), others gateways or workers.
    """
    reach.refuse_merchant("up")
    if merchants is not None:
        from khaos_swap_assets.running import house

        raise typer.Exit(house.start(merchants, typer.echo, only or "all"))
    if only:
        raise typer.BadParameter("--only needs --merchants")
    from khaos_swap_assets.running.up import start

    raise typer.Exit(start(typer.echo))


def merchants_command(folder: Folder, as_json: AsJson = False) -> None:
    """Show every merchant of a house: when last judged, what waits, open exceptions, unsigned months, version.

    Reads each merchant's own store and asks no vendor. Exit 1 where one could not be read.
    """
    from khaos_swap_assets.running import house, merchants

    found, faults = merchants.read_all(merchants.files(folder.absolute()))
    shared = house.reached(house.ready_settings()).url
    now = datetime.now(UTC)
    rows = [_row(one, _url(one, shared), now) for one in found]
    rows += [_full({"merchant": "?", "fault": fault}) for fault in faults]
    show_rows(rows, as_json=as_json, below=BELOW, none=f"{folder} holds no merchant")
    raise typer.Exit(int(any(row["fault"] for row in rows)))


def _url(merchant: Merchant, shared: str) -> str:
    from khaos_swap_assets.adapters.store import database

    return merchant.get("DATABASE_URL") or database.sibling_url(shared, f"merchant_{merchant.name}")


def _row(merchant: Merchant, url: str, now: datetime) -> dict[str, Any]:
    from khaos_swap_assets.adapters.store import database

    told: dict[str, Any] = {"merchant": merchant.name, "mode": merchant.get("MODE") or "audit"}
    try:
        with database.reported(url), database.connect(url, application="hand") as conn:
            told |= _standing(conn, now)
    except KhaosSwapError as error:
        told["fault"] = str(error)
    return _full(told)


def _standing(conn: psycopg.Connection[Any], now: datetime) -> dict[str, Any]:
    from khaos_swap_assets.adapters.store import exceptions, migrate, monthly, queues, worklist
    from khaos_swap_assets.domain.money.periods import london_month
    from khaos_swap_assets.stages import marks

    version = migrate.version(conn)
    if version != migrate.head():
        return {"tables": version, "fault": f"its tables are not of version {migrate.head()}: khaos-swap migrate"}
    waiting = queues.read(conn, now)
    oldest = max((one.oldest_seconds for one in waiting), default=0)
    return {
        "judged": worklist.trusted(conn, marks.JUDGED, now),
        "waiting": sum(one.waiting for one in waiting),
        "oldest": str(timedelta(minutes=oldest // 60))[:-3] if oldest else "",
        "exceptions": exceptions.count(conn),
        "unsigned": monthly.unsigned(conn, london_month(now)),
        "tables": version,
    }


def _full(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: told.get(name) for name in COLUMNS}
