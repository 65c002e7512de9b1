"""``khaos-swap up --merchants``: one Dagster, a merchant added, one killed, one removed, and the others go on."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from khaos_swap_assets.running.processes import free_port
from khaos_swap_assets_tests.running import House, ask_dagster, fair, readable_by_others, runs_of, until
from khaos_swap_assets_tests.test_merchants import write
from khaos_swap_assets_tests.test_up import OWN_KEY, environment
from khaos_swap_assets_tests.test_up import sandbox as sandbox

SECONDS = 60
"""Within a minute, nobody having clicked."""
PLACES = """{ workspaceOrError { ... on Workspace { locationEntries { name locationOrLoadError {
    __typename ... on RepositoryLocation { repositories { sensors { name sensorState { ticks(limit: 60) {
        timestamp status } } } } } } } } } }"""
ASSETS = "{ assetsOrError { ... on AssetConnection { nodes { key { path } } } } }"


def merchant_of(env: Mapping[str, str]) -> dict[str, str]:
    """The settings of a merchant's file, by their short names."""
    of_the_house = ("WEBSERVER_PORT", "SENSOR_SECONDS")
    short = {name.removeprefix("KHAOS_SWAP_"): value for name, value in env.items()}
    return {name: value for name, value in short.items() if name not in of_the_house}


class Many:
    """The house of many, seen from outside."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.merchants = folder / "house", folder / "merchants"
        self.folder.mkdir()
        self.merchants.mkdir()
        self.port = free_port()
        self.data = self.folder / ".khaos-swap"

    def start(self) -> House:
        arguments = ["up", "--merchants", str(self.merchants)]
        return House(self.folder, arguments, {"KHAOS_SWAP_WEBSERVER_PORT": str(self.port)})

    def ticks(self) -> dict[str, list[float]]:
        """When the daemon looked for each merchant's new returns, newest first; a location that is red has none."""
        found = ask_dagster(f"http://127.0.0.1:{self.port}", PLACES)["workspaceOrError"]["locationEntries"]
        return {one["name"]: _ticks(one["locationOrLoadError"]) for one in found}

    def looked_since(self, name: str, moment: float) -> bool:
        """Whether webserver and daemon have the merchant: the page shows it, and its sensor looked since."""
        found = self.ticks().get(name, [])
        return bool(found) and found[0] > moment

    def pids(self, name: str) -> dict[str, int]:
        """A merchant's code server and gateway."""
        mark = str(self.data / "merchants" / name)
        found = [one for one in psutil.process_iter() if _environment(one).get("KHAOS_SWAP_HOUSE") == mark]
        words = {"api grpc": "code-server", "khaos_swap_assets.gateway": "gateway"}
        lines = {one.pid: " ".join(one.cmdline()) for one in found}
        return {part: pid for pid, line in lines.items() for word, part in words.items() if word in line}


def _ticks(found: Mapping[str, Any]) -> list[float]:
    sensors = {one["name"]: one for repository in found.get("repositories", ()) for one in repository["sensors"]}
    ticks = sensors["new_returns"]["sensorState"]["ticks"] if sensors else []
    return [one["timestamp"] for one in ticks if one["status"] in ("SUCCESS", "SKIPPED")]


def _environment(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except psutil.Error:
        return {}


@pytest.mark.house
def test_merchants_come_fall_and_go_and_the_others_go_on(sandbox: str, tmp_path: Path) -> None:
    many = Many(tmp_path)
    write(many.merchants, "felwood", merchant_of(environment(sandbox)))
    house = many.start()
    try:
        assert house.is_up("daemon: ready"), house.said()
        assert until(lambda: runs_of(many.port, "sync", "SUCCESS"), 180), house.said()
        before = many.pids("felwood")
        assert {*before} == {"code-server", "gateway"}

        added = time.time()
        other = merchant_of({**environment("http://127.0.0.1:9"), "KHAOS_SWAP_SWAP_API_KEY": "key-of-oakham"})
        write(many.merchants, "oakham", other)
        assert until(lambda: many.looked_since("oakham", added), fair(2 * SECONDS)), many.ticks()
        fresh = many.pids("oakham")
        secrets = {name: json.dumps(_environment(psutil.Process(fresh[name]))) for name in fresh}
        assert all("key-of-oakham" in told and OWN_KEY not in told for told in secrets.values())
        assert OWN_KEY in _environment(psutil.Process(before["code-server"])).values()
        ready = httpx.get(f"http://127.0.0.1:{other['GATEWAY_PORT']}/readyz")
        assert ready.json()["installation"] == "live"

        psutil.Process(fresh["code-server"]).kill()
        assert until(lambda: many.pids("oakham").get("code-server", fresh["code-server"]) != fresh["code-server"], 20)
        back = time.time()
        assert until(lambda: many.looked_since("oakham", back), fair(SECONDS)), many.ticks()

        (many.merchants / "oakham.env").unlink()
        assert until(lambda: {*many.ticks()} == {"felwood"} and not many.pids("oakham"), fair(SECONDS)), house.said()
        assert many.pids("felwood") == before, "a merchant who was there was started again"
        looks = [moment for moment in many.ticks()["felwood"] if moment > added]
        assert max(newer - older for newer, older in pairwise(looks)) < fair(20)
        nodes = ask_dagster(f"http://127.0.0.1:{many.port}", ASSETS)["assetsOrError"]["nodes"]
        assert "felwood" in {node["key"]["path"][0] for node in nodes} <= {"felwood", "oakham"}
        assert readable_by_others(many.data) == []
        house.close()
        assert house.process.returncode == 0
        assert house.family() == []
    finally:
        house.close()
