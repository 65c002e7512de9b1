"""``khaos-swap policy``: the decisions in words, and the pounds that others would have moved, on a real store."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from khaos_swap_assets.adapters.errors import SettingsError
from khaos_swap_assets.adapters.policy import load_policy
from khaos_swap_assets.adapters.settings_money import StorefrontSettings
from khaos_swap_assets.adapters.store import database as store
from khaos_swap_assets.cli.policy import policy_app
from khaos_swap_assets.cli.postings import Reach
from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy
from khaos_swap_assets.domain.records.returns import Return
from khaos_swap_assets.stages.credit_notes.policy_trial import try_policy
from khaos_swap_assets_tests.domain.test_settlement import CHARGED, CHOSEN
from khaos_swap_assets_tests.stages.credit_notes.test_policies import CARD, CREDIT, WITHHELD
from khaos_swap_assets_tests.stages.storefront.shop import YESTERDAY, MoneyTown
from khaos_swap_assets_tests.stages.town import NOON, Town, a_line, a_return, an_order, connect, some_settings

Run = Callable[..., Result]


@pytest.fixture
def town(database_url: str) -> Town:
    """A town over a database of its own."""
    return Town(database_url)


@pytest.fixture
def run(town: Town) -> Run:
    """The commands over the town's store, as of the town's clock."""
    return commands(town)


def no_khaos() -> Any:
    raise AssertionError("no decision on the policy asks Khaos")


def commands(town: Town) -> Run:
    """The commands over a town's store."""
    reach = Reach(
        lambda: store.connect(town.url, application="tests"),
        lambda: town.settings,
        no_khaos,
        lambda: town.now,
    )

    def invoke(*arguments: object) -> Result:
        return CliRunner().invoke(policy_app(reach), [*map(str, arguments)], env={"COLUMNS": "200"})

    return invoke


@pytest.fixture
def chosen(tmp_path: Path) -> Path:
    return a_file(tmp_path, CHOSEN)


def a_file(folder: Path, policy: CreditNotePolicy) -> Path:
    path = folder / f"{policy.version}.yaml"
    path.write_text(yaml.safe_dump(policy.model_dump(mode="json")), encoding="utf-8")
    return path


def renumbered(number: int, record: Return) -> Return:
    """The same return as RMA<number> of its own order."""
    lines = tuple(replace(line, return_id=f"R{number}") for line in record.lines)
    return replace(record, return_id=f"R{number}", rma=f"RMA{number}", order_name=f"#LX{number}", lines=lines)


def played(town: Town) -> None:
    """A plain refund, store credit, a gift card and a withheld fee, read and drafted by the defaults."""
    records = [a_return(4), CREDIT, renumbered(2, CARD), renumbered(3, WITHHELD)]
    town.sells_and_takes_back(*records)
    town.sync()


def test_show_tells_each_decision_the_version_and_the_tasks(run: Run, chosen: Path) -> None:
    found = run("show")
    assert found.exit_code == 0
    assert f"version {CreditNotePolicy().version}" in found.output
    assert "left to a person: delivery, gift card, store credit, exchange" in found.output
    others = run("show", "--policy", chosen)
    assert "left to a person: nothing" in others.output
    assert "Kim from 2026-01-01" in others.output
    as_json = json.loads(run("show", "--policy", chosen, "--json").output)
    assert as_json["version"] == CHOSEN.version
    assert [one["name"] for one in as_json["decisions"]] == list(CreditNotePolicy.model_fields)


def test_test_prints_what_would_have_moved_return_by_return(town: Town, run: Run, chosen: Path) -> None:
    played(town)
    before = town.ask("SELECT * FROM recon.drafts ORDER BY return_id")
    found = json.loads(run("test", "--policy", chosen, "--json").output)
    rows = {one["rma"]: one for one in found["changed"]}
    assert set(rows) == {"RMA1", "RMA2"}
    assert (rows["RMA1"]["outcome_now"], rows["RMA1"]["outcome_then"]) == (
        "task: Store Credit",
        "Credit Note of £10.00",
    )
    assert rows["RMA2"]["outcome_now"].startswith("refund not explained: £4.00 refunded, its lines add up to £10.00")
    assert [(one["difference_pence"], one["vat_effect_pence"]) for one in rows.values()] == [(1000, 167), (1000, 167)]
    (total,) = found["totals"]
    assert (total["returns"], total["changed"], total["now_pence"], total["then_pence"]) == (4, 2, 1705, 3705)
    assert (total["difference_pence"], total["vat_effect_pence"]) == (2000, 334)
    assert town.ask("SELECT * FROM recon.drafts ORDER BY return_id") == before
    assert town.ask("SELECT policy_version FROM recon.policies") == [(CreditNotePolicy().version,)]


def test_a_charged_fee_moves_the_note_and_its_vat_goes_to_the_invoice(town: Town, run: Run, tmp_path: Path) -> None:
    """FINANCE_RULES U-12: at one rate both ways come to the same VAT, but for the rounding of two documents."""
    town.sells_and_takes_back(WITHHELD)
    town.sync()
    found = json.loads(run("test", "--policy", a_file(tmp_path, CHARGED), "--json").output)
    ((row,), (total,)) = found["changed"], found["totals"]
    assert (row["note_now_pence"], row["note_then_pence"], row["vat_effect_pence"]) == (705, 1000, 1)
    assert total["difference_pence"] == 295


def test_test_is_a_table_for_a_person(town: Town, run: Run, chosen: Path) -> None:
    played(town)
    said = run("test", "--policy", chosen).output
    assert "RMA1" in said
    assert "RMA3" not in said
    assert "GBP: 2 of 4 returns change; notes of £17.05 become £37.05; £20.00 would have moved, VAT claimed" in said
    assert "nothing was written" in said
    assert "0 of 4 returns change" in run("test").output


def test_only_the_last_days_are_replayed(town: Town, run: Run, chosen: Path) -> None:
    played(town)
    assert json.loads(run("test", "--policy", chosen, "--days", 1, "--json").output)["totals"] == []
    assert run("test", "--policy", chosen, "--days", 0).exit_code == 2


def test_what_is_posted_is_marked_and_a_part_payment_stands_on_it(town: Town, run: Run, chosen: Path) -> None:
    town.khaos.sell(an_order(1))
    town.swap.put(a_return(1, a_line(pence=700)))
    town.sync()
    town.pull()
    town.sync()
    town.edit(a_return(1, a_line(pence=700), refund_pence=1000))
    town.sync()
    ((row,),) = (json.loads(run("test", "--policy", chosen, "--json").output)["changed"],)
    assert (row["is_posted"], row["outcome_then"]) == (True, "Credit Note of £3.00")
    assert row["outcome_now"].startswith("outcome needs policy: £3.00 more was refunded")


def in_a_money_town(url: str) -> tuple[MoneyTown, Run]:
    """A town with a storefront, and the commands over its store."""
    shop = StorefrontSettings(url="https://shop.example", access_token=SecretStr("t"), poll_minutes=0)
    town = MoneyTown(url, some_settings(storefront=shop))
    return town, commands(town)


OLD = NOON - timedelta(days=100)


@pytest.mark.parametrize(
    ("swap_says", "paid", "replayed"),
    [
        (YESTERDAY, [], None),
        (YESTERDAY, [(705, YESTERDAY)], (705, 295)),
        (YESTERDAY, [(700, YESTERDAY)], ("the storefront's refunds do not agree", 0)),
        (YESTERDAY, [(705, OLD)], None),
        (OLD, [(705, YESTERDAY)], (705, 295)),
        (OLD, [(705, OLD)], None),
        (OLD, [(305, OLD), (400, YESTERDAY)], (705, 295)),
    ],
)
def test_with_a_storefront_the_refund_is_its_money_on_its_day(
    database_url: str, tmp_path: Path, swap_says: datetime, paid: list[tuple[int, datetime]], replayed: Any
) -> None:
    """FINANCE_RULES U-1, U-2: what Swap says and the storefront does not is no refund of these days."""
    town, run = in_a_money_town(database_url)
    dates: dict[str, Any] = {
        "processed_at": swap_says,
        "closed_at": swap_says,
        "submitted_at": swap_says,
        "created_at": swap_says,
    }
    town.sells_and_takes_back(replace(WITHHELD, order_id="id1", **dates))
    for number, (pence, moment) in enumerate(paid):
        town.shop.pay(1, pence, f"F{number}", at=moment)
    town.do("INSERT INTO recon.watermarks (source, reached_at) VALUES ('storefront/seen_from', '2025-01-01')")
    town.sync()
    with connect(town) as conn:
        policies = (CreditNotePolicy(), CHARGED)
        trials = list(try_policy(conn, town.settings, *policies, days=90, now=town.now))
    said = json.loads(run("test", "--policy", a_file(tmp_path, CHARGED), "--json").output)
    if replayed is None:
        assert (trials, said["totals"]) == ([], [])
    elif replayed[1]:
        assert [(one.refund_pence, one.difference_pence) for one in trials] == [replayed]
        assert [one["refund_pence"] for one in said["changed"]] == [replayed[0]]
    else:
        assert replayed[0] in trials[0].outcome_now
        assert (said["changed"], [one["difference_pence"] for one in said["totals"]]) == ([], [0])


def test_a_file_with_faults_is_told(run: Run, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("gift_card: {choice: maybe}\n")
    for command in ("show", "test"):
        assert isinstance(run(command, "--policy", broken).exception, SettingsError)
    assert load_policy().version == CreditNotePolicy().version
