"""``khaos-swap import write-offs``: Khaos's report goes in once, bad rows are told, and it stands beside ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import database as store
from khaos_swap_assets.adapters.store import monthly
from khaos_swap_assets.cli.imports import import_app
from khaos_swap_assets.cli.postings import Reach
from khaos_swap_assets.stages.reconciliation.month_end import close_month, goods_tables
from khaos_swap_assets_tests.stages.reconciliation.test_goods import POLICY
from khaos_swap_assets_tests.stages.stock.test_adjustments import inspected
from khaos_swap_assets_tests.stages.town import Town, a_line, a_return, connect

REPORT = """Item;Qty;Date;Total cost;User;Shelf
HAT;1;10/03/2026;22.00;Kim;A4
HAT;1;10/03/2026;22.00;Kim;A4
VASE;2;31/03/2026;;;
CAP;1;01/04/2026;9.00;Kim;
HAT;none;31/03/2026;22.00;Kim;
HAT;0;31/03/2026;22.00;Kim;
"""
Run = Callable[..., Result]


@pytest.fixture
def town(database_url: str) -> Town:
    """Three HATs and a CAP of March, all without value, beside a TIE that is sellable and a VASE in quarantine."""
    town = Town(database_url).with_settings(mode="audit", post_from=None)
    town.policy = POLICY
    rows = (a_line("HAT", 3, 3000), a_line("CAP"), a_line("TIE"), a_line("VASE"))
    town.sells_and_takes_back(a_return(1, *rows, quality_control_status="Pending"))
    town.sync()
    inspected(town, ("No-Value", 3))
    inspected(town, ("no value", 1), sku="CAP")
    inspected(town, ("Sellable", 1), sku="TIE")
    inspected(town, ("Damaged", 1), sku="VASE")
    town.sync()
    close_month(town.tools, "2026-03")
    return town


@pytest.fixture
def run(town: Town, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)
    reach = Reach(
        lambda: store.connect(town.url, application="tests"), Settings, lambda: pytest.fail("asked"), lambda: town.now
    )
    return lambda *words: CliRunner().invoke(import_app(reach), ["write-offs", *map(str, words)])


def beside(town: Town, period: str = "2026-03") -> list[str]:
    with connect(town) as conn:
        return goods_tables(conn, period, town.now)["write_offs"].splitlines()[2:]


def test_good_rows_are_in_once_and_stand_beside_what_is_proposed(run: Run, town: Town) -> None:
    assert beside(town) == ["| CAP |  | 1 |  |  |", "| HAT |  | 3 |  |  |"]
    Path("report.csv").write_text(REPORT)
    done = run("report.csv", "--by", "Kim")
    assert (done.exit_code, done.stdout) == (
        1, "4 of 4 write-offs are new; their months show them when they are added up next\n",
    )  # fmt: skip
    assert "line 6" in done.stderr
    assert "line 7" in done.stderr
    assert "rejected: 2 of 6 rows, see report.csv.rejected.csv; the others are in" in done.stderr
    assert beside(town) == [
        "| CAP |  | 1 |  |  |",
        "| HAT | 2 | 1 |  | £44.00 |",
        "| VASE | 1 |  | 1 | not known |",
    ]
    assert beside(town, "2026-04") == ["| CAP |  |  | 1 | £9.00 |"]
    with connect(town) as conn:
        assert monthly.touched(conn) == ["2026-03"]
    assert run("report.csv", "--by", "Lee").stdout.startswith("0 of 4 write-offs are new")
    longer = REPORT + "HAT;1;10/03/2026;22.00;Kim;A4\n"
    Path("longer.csv").write_text(longer)
    assert run("longer.csv", "--by", "Lee").stdout.startswith("1 of 5 write-offs are new")
    assert beside(town)[1] == "| HAT | 3 |  |  | £66.00 |"
    assert town.ask("SELECT imported_by, documents, changed FROM recon.imports ORDER BY import_id") == [
        ("Kim", 4, 4), ("Lee", 5, 1),
    ]  # fmt: skip


def test_a_report_without_days_is_refused_as_a_whole(run: Run, town: Town) -> None:
    Path("report.csv").write_text("Item;Qty\nHAT;1\n")
    done = run("report.csv", "--by", "Kim")
    assert done.exit_code == 2
    assert "written_off_on" in done.stderr
    assert town.ask("SELECT count(*) FROM khaos.write_offs") == [(0,)]
