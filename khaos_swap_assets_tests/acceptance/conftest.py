"""A merchant between a Swap and a Khaos that stand on the wire, and the people who look after it.

Belongs here: starting the product as a whole run, its gateway and its commands. Stays out: expectations.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from typer.testing import CliRunner, Result

from khaos_swap_assets.adapters.khaos import client as khaos_client
from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.swap import client as swap_client
from khaos_swap_assets.cli.confirming import add_confirm_notes
from khaos_swap_assets.cli.exceptions import exceptions_app
from khaos_swap_assets.cli.postings import Reach, postings_app
from khaos_swap_assets.gateway.app import create_app
from khaos_swap_assets.stages.credit_notes.feed import hand_out
from khaos_swap_assets.stages.toolbox import Toolbox
from khaos_swap_assets_tests.acceptance.khaos_wire import KhaosOnTheWire, read_document
from khaos_swap_assets_tests.acceptance.swap_wire import Json, SwapOnTheWire
from khaos_swap_assets_tests.bridging import Bridge, run
from khaos_swap_assets_tests.gateway.conftest import end
from khaos_swap_assets_tests.lending import lend
from khaos_swap_assets_tests.stages.town import Town, some_settings

CHANNEL = ("khaos", "pass word")
SWAP = {"url": "https://swap.example/returns-api", "api_key": "k", "requests_per_second": 100.0, "retries": 0}
KHAOS = {"url": "https://khaos.example/LiveSoap/KhaosX.exe", "channel_user": CHANNEL[0], "channel_password": CHANNEL[1]}
WHO = ("--by", "Kim Ash", "--reason", "looked it up")


def settings(**changes: Any) -> Settings:
    """Mode post from 1 January 2026, and goods may lie uninspected; ``swap`` and ``khaos`` take dictionaries."""
    swap, khaos = changes.pop("swap", {}), changes.pop("khaos", {})
    given = {"period_start": date(2026, 3, 1), "inspection_days": 90} | changes
    return some_settings(swap=SWAP | swap, khaos={"retries": 0} | KHAOS | khaos, **given)


@dataclass
class Merchant(Town):
    """Both vendors on the wire (``swaps``, ``books``), the product between them, and its people."""

    settings: Settings = field(default_factory=settings)
    swaps: SwapOnTheWire = field(default_factory=SwapOnTheWire)
    books: KhaosOnTheWire = field(default_factory=KhaosOnTheWire)
    gateways: list[tuple[Settings, FastAPI]] = field(default_factory=list)

    @property
    def tools(self) -> Toolbox:
        swap, khaos = httpx.MockTransport(self.swaps), httpx.MockTransport(self.books)
        return replace(
            super().tools,
            open_swap=lambda: swap_client.connect(self.settings.swap, transport=swap, sleep=lambda _: None),
            open_khaos=lambda: khaos_client.connect(self.settings.khaos, transport=khaos, sleep=lambda _: None),
        )

    def trades(self, *some: Json) -> None:
        """Have Swap list these returns, and Khaos the order of each, sold as it came back."""
        for one in some:
            rows = [(row["sku"], row["item_count"], str(row["cost"] / row["item_count"])) for row in one["products"]]
            self.books.sell(int(one["rma_number"].removeprefix("RMA")), *rows)
        self.swaps.put(*some)

    def collects(self) -> list[Json]:
        """What Khaos is given at one pull of the channel, over HTTP; nothing is imported."""
        headers = {"Sirion-Continuation": self.token} if self.token else {}
        answer = self._gateway("GET", "/khaos/returns", headers=headers)
        self.token = answer.headers.get("Sirion-Continuation", self.token)
        return read_document(answer.text)

    def pushes(self, name: str, body: Json) -> None:
        """One push of the channel."""
        self._gateway("POST", f"/khaos/{name}", json=body)

    def imports(self) -> list[str]:
        """One pull, everything of it imported and processed; the references."""
        given = self.collects()
        for document in given:
            self.books.take(document)
        return [document["AssociatedRef"] for document in given]

    def settles(self, rounds: int = 4) -> list[str]:
        """Runs and pulls by turns until a pull brings nothing; the references that left, in their order."""
        left: list[str] = []
        for _ in range(rounds):
            self.sync(minutes=10)
            if not (given := self.imports()):
                return left
            left += given
        self.sync(minutes=10)
        return left

    def says(self, app: str, *words: str) -> Result:
        """One command of ``khaos-swap postings`` or ``exceptions``."""
        reach = Reach(lambda: lend(self.url), lambda: self.settings, _no_khaos, lambda: self.now)
        apps = {"postings": add_confirm_notes(postings_app(reach), reach), "exceptions": exceptions_app(reach)}
        return CliRunner().invoke(apps[app], list(words), env={"COLUMNS": "400"})

    def open_exceptions(self) -> list[tuple[str, str, str, int]]:
        """(kind, owner, RMA or other subject, pence at risk) of what is open, as ``exceptions list --json`` has it."""
        rows = json.loads(self.says("exceptions", "list", "--json").stdout)
        return sorted((row["kind"], row["owner"], row["subject"], row["money_at_risk_pence"]) for row in rows)

    def postings(self) -> dict[str, str]:
        """State by reference of every posting."""
        return dict(self.ask("SELECT reference, state FROM recon.postings"))

    def closes(self) -> None:
        """End the gateways, as a server ends them."""
        for _, app in self.gateways:
            run(end(app))

    def _gateway(self, method: str, path: str, **more: Any) -> httpx.Response:
        app = next((one for made_for, one in self.gateways if made_for is self.settings), None) or self._opened()
        with httpx.Client(transport=Bridge(app, "127.0.0.1"), base_url="http://gateway", auth=CHANNEL) as khaos:
            return khaos.request(method, path, **more).raise_for_status()

    def _opened(self) -> FastAPI:
        app = create_app(
            connect=lambda: lend(self.url), settings=self.settings, clock=lambda: self.now, hand_out=hand_out
        )
        self.gateways.append((self.settings, app))
        return app


def _no_khaos() -> Any:
    raise AssertionError("nothing here asks Khaos by hand")


@pytest.fixture
def merchant(database_url: str) -> Iterator[Merchant]:
    """An empty merchant in mode post at noon of 10 March 2026."""
    opened = Merchant(database_url)
    yield opened
    opened.closes()
