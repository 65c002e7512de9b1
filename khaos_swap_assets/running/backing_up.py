"""Backups of an installation: both databases of one moment each, with a manifest that a restore is held against.

Belongs here: where a backup lies, what it holds, keeping the newest, restoring and checking one. Stays out:
PostgreSQL's tools (``adapters.store.backups``) and printing (``cli.backup``). A backup appears whole, or not at all.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from khaos_swap_assets.adapters.errors import KhaosSwapError
from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import backups, database, embedded, mark, migrate
from khaos_swap_assets.running import installation

MANIFEST = "manifest.json"
FORM = 1
NAME = "khaos-swap-%Y%m%dT%H%M%SZ"
UNFINISHED = ".unfinished"
OURS, DAGSTER = "khaos_swap", "dagster"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Dumped:
    """One database of a backup: its file with size and SHA-256, and what each table held at that moment."""

    file: str
    bytes: int
    sha256: str
    tables: backups.Contents

    @property
    def rows(self) -> int:
        """Of all tables together."""
        return sum(int(one["rows"]) for one in self.tables.values())


def back_up(url: str, folder: Path, say: Say, *, keep: int | None = None) -> Path:
    """Write a backup of our database and Dagster's into a new folder of ``folder``; says which.

    With ``keep`` older backups beyond that many are removed, once the new one is whole. Raises ``StoreError``, and
    ``KhaosSwapError`` where the folder cannot be written.
    """
    made = datetime.now(UTC)
    home = folder / made.strftime(NAME)
    parts = home.with_name(home.name + UNFINISHED)
    try:
        parts.mkdir(parents=True, mode=0o700)
        found = {OURS: _dumped(url, parts, OURS, say)}
        found[DAGSTER] = _dumped(installation.dagster_database(url), parts, DAGSTER, say)
        about = {"form": FORM, "made_at": made.isoformat(), "version": migrate.standing(url)}
        _write(parts / MANIFEST, {**about, "databases": {name: asdict(one) for name, one in found.items()}})
        parts.rename(home)
        _sync(folder)
        for old in [] if keep is None else finished(folder)[:-keep]:
            shutil.rmtree(old)
            say(f"removed {old.name}: older than the newest {keep}")
    except OSError as error:
        raise KhaosSwapError(f"{error.filename or folder}: cannot be written: {error.strerror}") from None
    finally:
        shutil.rmtree(parts, ignore_errors=True)
    return home


def finished(folder: Path) -> list[Path]:
    """The whole backups of a folder, oldest first."""
    return sorted(one.parent for one in folder.glob(f"khaos-swap-*Z/{MANIFEST}"))


def read_manifest(backup: Path) -> dict[str, Dumped]:
    """What a backup says of itself, its files held against their hashes.

    Raises ``KhaosSwapError`` naming what is missing, is none of ours, or is not as it was written.
    """
    try:
        told = json.loads((backup / MANIFEST).read_text(encoding="utf-8"))
        found = {name: Dumped(**one) for name, one in told["databases"].items()}
        is_ours = told["form"] == FORM and OURS in found
    except OSError as error:
        raise KhaosSwapError(f"{backup / MANIFEST}: cannot be read: {error.strerror}; name a backup's folder") from None
    except (ValueError, TypeError, KeyError, AttributeError):
        is_ours = False
    if not is_ours:
        raise KhaosSwapError(f"{backup / MANIFEST}: this is no manifest of a backup of this version")
    for one in found.values():
        _require_unchanged(backup / Path(one.file).name, one)
    return found


def check(backup: Path, say: Say) -> dict[str, Dumped]:
    """Restore a backup into a server of the moment and hold every table against the manifest; nothing else is touched.

    Raises ``KhaosSwapError`` naming the tables that differ, or what of the backup is not whole.
    """
    found = read_manifest(backup)
    with tempfile.TemporaryDirectory(prefix="khaos-swap-restore-", ignore_cleanup_errors=True) as folder:
        server = embedded.start(Path(folder) / "postgres", durable=False)
        try:
            for name, one in found.items():
                _restored(server.url(name), backup, one, say)
        finally:
            server.stop()
    return found


def restore(settings: Settings, backup: Path, say: Say) -> None:
    """Fill the databases that the settings name with a backup; ours must be empty, Dagster's is left where it is not.

    Raises ``KhaosSwapError`` where ours holds tables, what was restored differs, or the backup is not whole.
    """
    found = read_manifest(backup)
    url, server = _target(settings)
    try:
        for name, needed in ((OURS, url), (DAGSTER, installation.dagster_database(url))):
            database.ensure(needed)
            if backups.is_empty(needed):
                _restored(needed, backup, found[name], say)
            elif name == OURS:
                raise KhaosSwapError(
                    f"{database.place(needed)} holds tables: a backup is restored into an empty database"
                )
            else:
                say(f"{database.place(needed)} holds tables and was left as it is: runs and lineage are in it")
    finally:
        if server:
            server.stop()


def _target(settings: Settings) -> tuple[str, embedded.EmbeddedPostgres | None]:
    if url := settings.database_url.get_secret_value():
        return url, None
    mark.ensure_folder(settings.data_dir, "live")
    server = embedded.start(settings.data_dir / "postgres")
    return server.url(installation.DATABASE), server


def _dumped(url: str, folder: Path, name: str, say: Say) -> Dumped:
    say(f"{database.place(url)}: counting and copying")
    file = folder / f"{name}.dump"
    with backups.one_moment(url) as (snapshot, tables, major):
        backups.dump(url, file, snapshot=snapshot, major=major)
    _sync(file)
    made = Dumped(file.name, file.stat().st_size, _hash(file), tables)
    say(f"  {made.rows:,} rows of {len(tables)} tables in {made.bytes:,} bytes")
    return made


def _restored(url: str, backup: Path, one: Dumped, say: Say) -> None:
    database.ensure(url)
    backups.restore(url, backup / Path(one.file).name)
    here = backups.contents(url)
    if differ := sorted(name for name in here.keys() | one.tables.keys() if here.get(name) != one.tables.get(name)):
        told = ", ".join(f"{name}: {_rows(here, name)} rows for {_rows(one.tables, name)}" for name in differ[:5])
        raise KhaosSwapError(f"{backup}: {len(differ)} tables are not as they were: {told}")
    say(f"{one.file}: {one.rows:,} rows of {len(one.tables)} tables, each as it was")


def _rows(tables: backups.Contents, name: str) -> Any:
    return tables.get(name, {}).get("rows", "no")


def _require_unchanged(file: Path, one: Dumped) -> None:
    if not file.is_file():
        raise KhaosSwapError(f"{file}: is missing; the backup is not whole")
    if file.stat().st_size != one.bytes or _hash(file) != one.sha256:
        raise KhaosSwapError(f"{file}: is not as it was written ({one.bytes:,} bytes); take another backup")


def _hash(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _write(file: Path, told: dict[str, Any]) -> None:
    file.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    _sync(file)


def _sync(path: Path) -> None:
    """What was written is on the disk, not on its way there."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
