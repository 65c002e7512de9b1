"""The same merchant with a shop that pays back and people at their desks: runs and checks of the jobs, and commands.

Belongs here: runs of the jobs, the commands of finance and CX, short ways to fill both. Stays out: expectations.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import dagster as dg
import pytest
from typer.testing import CliRunner, Result

from khaos_swap_assets.adapters.storefront.client import StorefrontClient
from khaos_swap_assets.cli.payouts import payouts_app
from khaos_swap_assets.cli.postings import Reach
from khaos_swap_assets.cli.returns import returns_app
from khaos_swap_assets.stages.toolbox import Toolbox
from khaos_swap_assets_tests.acceptance.conftest import Merchant, settings
from khaos_swap_assets_tests.acceptance.khaos_wire import Sold
from khaos_swap_assets_tests.acceptance.swap_wire import Json
from khaos_swap_assets_tests.by_hand import Worked, work
from khaos_swap_assets_tests.lending import lend
from khaos_swap_assets_tests.stages.storefront.shop import CONNECTED, YESTERDAY, Shop

MINUS = "\N{NON-BREAKING HYPHEN}"
Row = dict[str, Any]


@dataclass
class Office(Merchant):
    """A merchant whose runs are those of the real jobs; ``shop`` is its storefront."""

    shop: Shop = field(default_factory=Shop)

    @property
    def tools(self) -> Toolbox:
        return replace(super().tools, open_storefront=lambda: cast(StorefrontClient, self.shop))

    def runs(self) -> Worked:
        """A sync, a minute later; it must come to its end."""
        return work(self)

    def verdict(self, check: str) -> dg.AssetCheckResult:
        """A standing check, as it stands now."""
        return work(self, "standing_checks").verdicts[check]

    def month(self, period: str) -> tuple[dg.AssetCheckResult, Row]:
        """The check that finance signs, and what the partition of the month shows."""
        done = work(self, "month_end", period)
        return done.verdicts["refunds_reconcile"], done.pages["reconciliation/month_end"]

    def notes(self, code: str, number: int, *lines: tuple[str, int, str], day: str = "09/03/2026", **more: Any) -> None:
        """An issued Credit Note that staff typed for RMA<number>."""
        rows = [(sku, units, Decimal(price)) for sku, units, price in lines]
        reference = more.pop("reference", f"RMA{number}")
        self.books.documents[code] = Sold(code, reference, f"C{number}", rows, day, is_note=True, **more)

    def refunds(self, one: Json, *, by: str = "paypal", at: datetime = YESTERDAY) -> None:
        """Trade this return and credit it to the penny; the shop paid it as payment T<number>."""
        self.trades(one)
        number = int(one["rma_number"].removeprefix("RMA"))
        rows = [(row["sku"], row["item_count"], str(row["cost"] / row["item_count"])) for row in one["products"]]
        self.notes(f"CN{number}", number, *rows)
        self.shop.pay(number, round(one["total"] * 100), gateway=by, payment=f"T{number}", at=at)

    def asks(self, *words: str) -> Result:
        """One command of ``khaos-swap payouts`` or ``returns``, or of what ``says`` knows."""
        reach = Reach(lambda: lend(self.url), lambda: self.settings, _no_khaos, lambda: self.now)
        apps = {"payouts": payouts_app, "returns": returns_app}
        if words[0] not in apps:
            return self.says(*words)
        return CliRunner().invoke(apps[words[0]](reach), list(words[1:]), env={"COLUMNS": "400"})

    def exceptions(self, *words: str) -> list[Row]:
        """``exceptions list --json`` with these words."""
        rows: list[Row] = json.loads(self.says("exceptions", "list", "--json", *words).stdout)
        return rows

    def pays_out(self, text: str, folder: Path, name: str = "payouts.csv", provider: str = "paypal") -> Result:
        """``khaos-swap payouts import`` of a file with this text."""
        (folder / name).write_text(text, encoding="utf-8")
        return self.asks("payouts", "import", str(folder / name), "--provider", provider, "--by", "Kim Ash")

    def side_by_side(self) -> dict[str, Row]:
        """A run, and what it laid side by side, by payout and the refund's order."""
        rows = records(self.runs().pages["reconciliation/payouts"]["side_by_side"])
        return {f"{row['payout']} {row['order']}".strip(): row for row in rows}

    def by_month(self) -> list[list[str]]:
        """A run, and its rows of months and providers."""
        return grid(self.runs().pages["reconciliation/payouts"]["by_month"])

    def journals(self, folder: Path, month: str = "2026-03") -> list[dict[str, str]]:
        """What ``khaos-swap payouts journals`` writes."""
        done = self.asks("payouts", "journals", "--month", month, "--file", str(folder / "journals.csv"))
        assert done.exit_code == 0, done.output
        with (folder / "journals.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def entries(self, folder: Path, month: str = "2026-03") -> list[list[tuple[str, str, str]]]:
        """(account, debit, credit) of each proposed entry, in their order; every entry balances and is of its month."""
        found: dict[str, list[tuple[str, str, str]]] = {}
        for row in self.journals(folder, month):
            assert row["month"] == month
            found.setdefault(row["entry"], []).append((row["account"], row["debit"], row["credit"]))
        for lines in found.values():
            assert sum(Decimal(one[1] or 0) for one in lines) == sum(Decimal(one[2] or 0) for one in lines), lines
        return list(found.values())


@pytest.fixture
def office(database_url: str) -> Iterator[Office]:
    """An empty merchant with a storefront, in mode post at noon of 10 March 2026."""
    opened = Office(database_url, settings(storefront=CONNECTED))
    yield opened
    opened.closes()


def records(table: Any) -> list[Row]:
    """Rows of a table of metadata; an empty one is a sentence."""
    return [] if isinstance(table, str) else [_plain(one.data) for one in table.records]


def grid(text: str) -> list[list[str]]:
    """Cells of a table in Markdown, without its headings."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip().replace(MINUS, "-") for cell in line.strip("|").split("|")] for line in lines[2:]]


def _plain(row: Row) -> Row:
    """Without what makes a table look well: padded headings, minus signs that do not break."""
    return {name.strip(): value.replace(MINUS, "-") if isinstance(value, str) else value for name, value in row.items()}


def _no_khaos() -> Any:
    raise AssertionError("nothing here asks Khaos by hand")
