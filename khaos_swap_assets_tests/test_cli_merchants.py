"""``khaos-swap merchants`` and ``--merchant``: every merchant in one table, and each command for one of them alone."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from khaos_swap_assets_tests.json_form import faults_of
from khaos_swap_assets_tests.running import Call
from khaos_swap_assets_tests.stages.town import NOON, Town, a_line, a_return
from khaos_swap_assets_tests.test_merchants import FELWOOD, OAKHAM, write

HOUSE = "postgresql://kim:secret-of-kim@127.0.0.1:9/house"


@pytest.fixture
def folder(database_url: str, tmp_path: Path) -> Path:
    """Felwood, in whose store one return has no Stock Code, and Oakham, whose database is away."""
    town = Town(database_url)
    town.sells_and_takes_back(a_return(1, a_line("ZEBRA")))
    del town.khaos.items["ZEBRA"]
    town.sync()
    folder = tmp_path / "merchants"
    folder.mkdir()
    write(folder, "felwood", {**FELWOOD, "DATABASE_URL": database_url})
    write(folder, "oakham", {**OAKHAM, "DATABASE_URL": HOUSE.replace("house", "oakham")})
    return folder


def test_every_merchant_has_a_row_and_one_that_is_away_says_so(call: Call, folder: Path) -> None:
    write(folder, "zebra", OAKHAM, mode=0o644)
    done = call("merchants", str(folder), "--json", KHAOS_SWAP_DATABASE_URL=HOUSE)
    assert (done.returncode, done.stderr) == (1, "")
    felwood, oakham, zebra = json.loads(done.stdout)
    assert (felwood["merchant"], felwood["mode"], felwood["fault"]) == ("felwood", "audit", None)
    assert felwood["judged"].startswith(f"{NOON:%Y-%m-%d}")
    assert felwood["exceptions"] >= 1
    assert felwood["waiting"] >= 1
    assert felwood["unsigned"] == []
    assert "oakham at 127.0.0.1:9" in oakham["fault"]
    assert "chmod 600" in zebra["fault"]
    assert "secret-of-kim" not in done.stdout
    assert list(faults_of(json.loads(done.stdout))) == []
    shown = call("merchants", str(folder)).stdout.splitlines()
    assert shown[0].split()[:4] == ["merchant", "mode", "judged", "waiting"]
    assert shown[2].split()[0] == "felwood"


def test_all_is_well_is_exit_code_0(call: Call, folder: Path) -> None:
    (folder / "oakham.env").unlink()
    assert call("merchants", str(folder), KHAOS_SWAP_DATABASE_URL=HOUSE).returncode == 0


def test_a_command_for_one_merchant_reaches_that_merchant_alone(call: Call, folder: Path, tmp_path: Path) -> None:
    of_the_house = {"DATABASE_URL": HOUSE, "DATA_DIR": f"{tmp_path}/house", "RUNS_BROKER_URL": "redis://redis.example"}
    (tmp_path / ".env").write_text("".join(f"KHAOS_SWAP_{name}={value}\n" for name, value in of_the_house.items()))
    done = call("--merchant", "merchants/felwood.env", "exceptions", "list", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert "sku_unknown" in {row["kind"] for row in json.loads(done.stdout)}
    assert os.environ["KHAOS_SWAP_MERCHANT"] == "felwood"
    assert os.environ["KHAOS_SWAP_DATA_DIR"] == f"{tmp_path}/house/merchants/felwood"
    assert "dbname=house_dagster" in os.environ["KHAOS_SWAP_SHARED_URL"]
    assert os.environ["KHAOS_SWAP_HOUSE_OF"] == "2"
    assert os.environ["KHAOS_SWAP_RUNS_BROKER_URL"] == "redis://redis.example"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--demo", "--merchant", "x.env", "preflight"), "--demo and --merchant are two worlds"),
        (("--merchant", "nowhere.env", "preflight"), "nowhere.env: cannot be read: No such file"),
        (("--merchant", "merchants/felwood.env", "up"), "up is for all merchants of a house: leave --merchant out"),
    ],
)
def test_what_is_no_merchants_command_says_so(call: Call, folder: Path, arguments: tuple[str, ...], told: str) -> None:
    done = call(*arguments, KHAOS_SWAP_DATABASE_URL=HOUSE)
    assert done.returncode == 2
    assert told in done.stderr


def test_without_a_house_nothing_is_made(call: Call, folder: Path, tmp_path: Path) -> None:
    done = call("merchants", str(folder))
    assert done.returncode == 75
    assert "there is no database yet: run khaos-swap up" in done.stderr
    assert not (tmp_path / ".khaos-swap").exists()
