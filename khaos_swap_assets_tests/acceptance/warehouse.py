"""The office with a warehouse: findings by POST, by file and by hand, and where each returned unit is.

Belongs here: short ways to report what the bench found and to ask where goods are. Stays out: expectations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from matplotlib.figure import Figure
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from khaos_swap_assets.cli.inspections import inspections_app
from khaos_swap_assets.cli.postings import Reach
from khaos_swap_assets_tests.acceptance.conftest import Merchant, settings
from khaos_swap_assets_tests.acceptance.office import Office, Row
from khaos_swap_assets_tests.acceptance.swap_wire import Json, closed
from khaos_swap_assets_tests.lending import lend

UNSEEN = {"quality_control_status": "Pending"}
"""Refunded and delivered, and Swap's quality control has said nothing."""
Item = tuple[str, str, int, int]
"""Of a document: SKU, ReturnReason, units, pence of all of them."""


@dataclass
class Warehouse(Office):
    """``given`` keeps the items of each document that Khaos imported."""

    given: dict[str, list[Item]] = field(default_factory=dict)

    def imports(self) -> list[str]:
        documents = self.collects()
        for document in documents:
            self.books.take(document)
            self.given[document["AssociatedRef"]] = sorted(map(_item, document["ReturnedItems"]))
        return [document["AssociatedRef"] for document in documents]

    def expects(self, number: int, *products: Json, **changes: Any) -> None:
        """RMA<number>: refunded, delivered, not inspected."""
        self.trades(closed(number, *products, **UNSEEN | changes))

    def finds(self, number: int, condition: str, units: int = 1, sku: str = "HAT", **more: Any) -> httpx.Response:
        """One finding, as the bench posts it."""
        told = {
            "inspection_id": f"{number}-{sku}-{condition}", "rma": f"RMA{number}", "sku": sku, "condition": condition,
            "quantity": units, "inspected_at": f"{self.now:%Y-%m-%dT%H:%M:%SZ}", "inspected_by": "bench 1",
        }  # fmt: skip
        bearer = {"Authorization": "Bearer t"}
        return self._gateway("POST", "/inspections", json=told | more, headers=bearer, auth=None)

    def uploads(self, folder: Path, text: str, name: str = "qc.csv") -> Result:
        """``khaos-swap inspections import`` of a file with this text."""
        (folder / name).write_text(text, encoding="utf-8")
        return self.inspections("import", str(folder / name), "--by", "Kim Ash")

    def inspections(self, *words: str) -> Result:
        """One command of ``khaos-swap inspections``."""
        reach = Reach(lambda: lend(self.url), lambda: self.settings, _no_khaos, lambda: self.now)
        return CliRunner().invoke(inspections_app(reach), list(words), env={"COLUMNS": "400"})

    def corrects(self, name: str, condition: str, units: int = 1) -> Result:
        """A person puts another finding in the place of this one."""
        words = ("--condition", condition, "--quantity", str(units), "--by", "Kim Ash", "--reason", "torn seam")
        return self.inspections("correct", name, *words)

    def places(self, number: int = 1) -> dict[str, int]:
        """Units of RMA<number> by place; the movements of every line come to nothing, and to just these units."""
        moves = "SELECT return_id, product_id, from_place, to_place, units FROM recon.custody_movements"
        lines: dict[tuple[str, str], Counter[str]] = {}
        for return_id, product, left, entered, units in self.ask(moves):
            counted = lines.setdefault((return_id, product), Counter())
            counted[left] -= units
            counted[entered] += units
        assert all(sum(counted.values()) == 0 for counted in lines.values())
        assert all(units >= 0 for one in lines.values() for place, units in one.items() if place != "customer")
        held = self.ask("SELECT product_id, place, units FROM recon.custody WHERE return_id = %s", f"ret_{number}")
        summed = {(key[1], place): units for key, one in lines.items() if key[0] == f"ret_{number}"
                  for place, units in one.items() if units and place != "customer"}  # fmt: skip
        assert {row[:2]: row[2] for row in held} == summed
        found: Counter[str] = Counter()
        for _, place, units in held:
            found[place] += units
        return dict(found)

    def tasks(self, *kinds: str) -> list[tuple[str, str, str, int]]:
        """Open exceptions of these kinds."""
        return [row for row in self.open_exceptions() if row[0] in kinds]

    def told(self, kind: str) -> list[Row]:
        return self.exceptions("--kind", kind)


def _item(item: Row) -> Item:
    units = int(item["Quantity"])
    return item["SKU"], item["ReturnReason"]["ID"], units, round(item["UnitPrice"]["Gross"] * units * 100)


def goods_settings(**changes: Any) -> Any:
    """Mode post without a storefront; the warehouse may post, and has five days to inspect."""
    return settings(**{"inspection_token": SecretStr("t"), "inspection_days": 5, **changes})


@pytest.fixture
def warehouse(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Warehouse]:
    """An empty merchant with a warehouse, without a storefront, in mode post at noon of 10 March 2026."""
    monkeypatch.setattr(Figure, "savefig", lambda *_, **__: None)
    opened = Warehouse(database_url, goods_settings())
    yield opened
    Merchant.closes(opened)


def _no_khaos() -> Any:
    raise AssertionError("nothing here asks Khaos by hand")
