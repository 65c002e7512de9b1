"""The mark that tells a demo, a test and a live installation apart, in the database and on the data folder.

Belongs here: writing and demanding the mark. The demo can never touch live data, nor live a demo's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import psycopg

from khaos_swap_assets.adapters import private
from khaos_swap_assets.adapters.errors import SettingsError

Mark = Literal["demo", "test", "live"]
FOLDER_MARK = ".khaos-swap-demo"


def ensure(connection: psycopg.Connection[Any], mark: Mark) -> None:
    """Mark a database that has no mark yet, then demand it. The caller commits. Raises ``SettingsError``."""
    connection.execute("INSERT INTO recon.installation (mark) VALUES (%s) ON CONFLICT DO NOTHING", (mark,))
    require(connection, mark)


def require(connection: psycopg.Connection[Any], mark: Mark) -> None:
    """Raise ``SettingsError`` when the database does not carry this mark."""
    found = find(connection)
    if found == mark:
        return
    state = "carries no mark" if found is None else f"belongs to a {found} installation"
    raise SettingsError(
        f"database {connection.info.dbname} {state}, this is {mark}: refused; choose another KHAOS_SWAP_DATABASE_URL"
    )


def claim(connection: psycopg.Connection[Any], merchant: str) -> None:
    """Note whose database this is where it is nobody's yet, then demand it. The caller commits.

    ``merchant`` is the short name, empty for an installation that names none. Raises ``SettingsError``.
    """
    connection.execute("UPDATE recon.installation SET merchant = %s WHERE merchant = ''", (merchant,))
    marked = find_merchant(connection)
    if marked not in ("", merchant):
        given = f"is {merchant}" if merchant else "is empty"
        raise SettingsError(
            f"database {connection.info.dbname} belongs to the merchant {marked}, and KHAOS_SWAP_MERCHANT {given}: "
            "refused, so that merchants are never mixed; correct KHAOS_SWAP_DATABASE_URL or the name"
        )


def find_merchant(connection: psycopg.Connection[Any]) -> str:
    """Whose database it is; empty where it is of an installation that names no merchant, or nobody's yet."""
    row = connection.execute("SELECT merchant FROM recon.installation").fetchone()
    return str(row[0]) if row else ""


def find(connection: psycopg.Connection[Any]) -> Mark | None:
    """The mark of a database, if it has one."""
    row = connection.execute("SELECT mark FROM recon.installation").fetchone()
    return row[0] if row else None


def ensure_folder(folder: Path, mark: Mark) -> None:
    """Mark an empty or new folder, then demand it. Raises ``SettingsError``, also where there can be no folder."""
    try:
        private.folder(folder)
    except OSError as error:
        raise SettingsError(f"folder {folder} cannot be made: {error.strerror}; {_remedy(mark)}") from None
    if mark == "demo" and not any(folder.iterdir()):
        (folder / FOLDER_MARK).write_text("This folder belongs to the demo and may be deleted.\n")
    require_folder(folder, mark)


def require_folder(folder: Path, mark: Mark) -> None:
    """Raise ``SettingsError`` when a demo folder is used for something else, or another folder for the demo."""
    if (folder / FOLDER_MARK).exists() == (mark == "demo"):
        return
    owner = "belongs to the demo" if mark != "demo" else "is not the demo's"
    raise SettingsError(f"folder {folder} {owner}, this is {mark}: refused; {_remedy(mark)}")


def _remedy(mark: Mark) -> str:
    return "choose another with --folder, or remove it" if mark == "demo" else "choose another KHAOS_SWAP_DATA_DIR"
