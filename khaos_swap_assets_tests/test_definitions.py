"""The code location on a real Dagster instance: every asset, every check, red runs and the run that heals them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import dagster as dg
import pytest

from khaos_swap_assets import definitions, started
from khaos_swap_assets.adapters.errors import KhaosSwapError, SettingsError, TransientError
from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.settings_checks import STARTED_BY
from khaos_swap_assets.adapters.store import database
from khaos_swap_assets.domain.exceptions.catalogue import KINDS
from khaos_swap_assets.running import dagster_parts
from khaos_swap_assets.stages import waivers
from khaos_swap_assets.stages.credit_notes import people
from khaos_swap_assets_tests.stages.tables import rows_of
from khaos_swap_assets_tests.stages.town import NOON, Town, a_code, a_line, a_note, a_return

pytestmark = pytest.mark.house

PREFIXES = {"swap", "khaos", "storefront", "warehouse", "people", "matched", "credit_notes", "reconciliation"}
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@pytest.fixture
def town(database_url: str) -> Town:
    return Town(database_url)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def run(town: Town, instance: dg.DagsterInstance, job: str = "sync", **how: Any) -> dg.ExecuteInProcessResult:
    """One run of a job, a minute later."""
    town.now += timedelta(minutes=1)
    resource = dg.ResourceDefinition.hardcoded_resource(town.tools)
    found = definitions.build(toolbox=resource).resolve_job_def(job)
    return found.execute_in_process(
        instance=instance, raise_on_error=False, run_config=QUIET | how.pop("asked", {}), **how
    )


def checks(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    return {one.check_name: one for one in result.get_asset_check_evaluations()}


def red(result: dg.ExecuteInProcessResult) -> set[str]:
    return {name for name, one in checks(result).items() if not one.passed}


def metadata(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, Any]:
    (event,) = [
        one for one in result.get_asset_materialization_events() if one.asset_key == dg.AssetKey(asset.split("/"))
    ]
    return {name: value.value for name, value in event.materialization.metadata.items()}


@pytest.fixture(scope="module")
def assembled() -> dg.Definitions:
    return definitions.build(toolbox=dg.ResourceDefinition.hardcoded_resource(None))


def test_dagster_can_load_it(assembled: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(assembled)


@pytest.mark.parametrize("settings", [None, Settings(period_start=date(2024, 5, 31), sensor_seconds=7)])
def test_what_looks_by_itself_is_started_with_settings_only(settings: Settings | None) -> None:
    made = definitions.build(settings)
    word = "RUNNING" if settings else "STOPPED"
    automatic = [*(made.sensors or ()), *(made.schedules or ())]
    assert {one.name: one.default_status.value for one in automatic} == {one.name: word for one in automatic}
    assert len(automatic) == 9
    every = {one.name: one.minimum_interval_seconds for one in made.sensors or ()}
    looks = dict.fromkeys(("new_returns", "touched_months"), 7 if settings else 1)
    assert every == looks | {"failed_runs": 30, "sync_ended": 5 if settings else 1}
    months = made.resolve_job_def("month_end").partitions_def
    assert months
    assert months.get_first_partition_key() == ("2024-05" if settings else "2025-01")


def test_what_khaos_swap_runs_is_refused_without_its_own_start(monkeypatch: pytest.MonkeyPatch) -> None:
    assert started.__name__ == dagster_parts.MODULE
    with pytest.raises(SettingsError, match="khaos-swap up"):
        started.defs()
    monkeypatch.setenv(STARTED_BY, "up")
    assert isinstance(started.defs(), dg.Definitions)


def test_automation_says_in_its_own_words_what_it_is(assembled: dg.Definitions) -> None:
    automatic = [*(assembled.sensors or ()), *(assembled.schedules or ()), *(assembled.jobs or ())]
    told = [str(getattr(one, "description", "") or "") for one in automatic]
    assert len({*told}) == len(told)
    assert all(len(text) > 20 for text in told), told


def test_every_asset_has_an_owner_a_group_a_kind_and_says_what_it_is(assembled: dg.Definitions) -> None:
    specs = [spec for spec in assembled.resolve_all_asset_specs() if "dagster/asset_check" not in spec.tags]
    assert len(specs) >= 12
    for spec in specs:
        assert spec.owners, spec.key
        assert spec.group_name != "default", spec.key
        assert spec.description, spec.key
        assert "postgres" in spec.kinds, spec.key
        assert spec.key.path[0] in PREFIXES, spec.key
        assert (spec.key.path[0] == "khaos") == ("khaos" in spec.kinds) or spec.tags["truth"] == "ours", spec.key
    told = [spec.description for spec in specs]
    assert len({*told}) == len(told)


def check_specs(assembled: dg.Definitions) -> list[dg.AssetCheckSpec]:
    graph = assembled.resolve_asset_graph()
    return [graph.get_check_spec(key) for key in graph.asset_check_keys]


def test_every_check_is_a_sentence_that_says_what_green_means(assembled: dg.Definitions) -> None:
    for spec in check_specs(assembled):
        assert spec.name.islower(), spec.name
        assert "_" in spec.name, spec.name
        assert spec.description, spec.name


def test_every_kind_of_exception_turns_a_check_red(assembled: dg.Definitions) -> None:
    told = " ".join(spec.description or "" for spec in check_specs(assembled))
    assert [kind for kind in KINDS if f"**{kind}**" not in told] in ([], ["stock_not_returned", "damaged_in_saleable"])


def test_the_lineage_leads_from_a_return_to_the_month(assembled: dg.Definitions) -> None:
    graph = assembled.resolve_asset_graph()
    month = dg.AssetKey(["reconciliation", "month_end"])
    above = graph.get_ancestor_asset_keys(month)
    assert {dg.AssetKey(["swap", "returns"]), dg.AssetKey(["khaos", "credit_notes"])} <= above


def test_a_sync_materialises_every_asset_and_the_standing_checks_follow_in_one_step(
    town: Town, instance: dg.DagsterInstance, assembled: dg.Definitions
) -> None:
    town.sells_and_takes_back(a_return(1))
    result = run(town, instance)
    assert result.success
    everything = set(assembled.resolve_asset_graph().materializable_asset_keys)
    made = {event.asset_key for event in result.get_asset_materialization_events()}
    assert everything - made == {dg.AssetKey(["reconciliation", "month_end"])}
    assert checks(result) == {}
    judged = run(town, instance, "standing_checks")
    assert set(checks(judged)) == {spec.name for spec in check_specs(assembled)} - {"refunds_reconcile"}
    assert len({event.step_key for event in judged.all_events if event.step_key}) == 1


def test_a_clean_month_is_green_from_end_to_end(town: Town, instance: dg.DagsterInstance) -> None:
    town.sells_and_takes_back(a_return(1))
    run(town, instance)
    town.pull()
    run(town, instance)
    run(town, instance)
    assert red(run(town, instance, "standing_checks")) == set()
    month = run(town, instance, "month_end", partition_key="2026-03")
    assert month.success
    assert red(month) == set()
    assert metadata(month, "reconciliation/month_end")["gap_pence_GBP"] == 0
    assert "10.00" in metadata(month, "reconciliation/month_end")["summary"]


def test_a_red_check_counts_exactly_says_the_money_and_names_the_worst(
    town: Town, instance: dg.DagsterInstance
) -> None:
    numbers = range(1, 26)
    town.sells_and_takes_back(*(a_return(number, a_line(f"NO-{number}", pence=1000 + number)) for number in numbers))
    for number in numbers:
        del town.khaos.items[f"NO-{number}"]
    run(town, instance)
    found = checks(run(town, instance, "standing_checks"))["every_sku_has_one_stock_code"]
    assert not found.passed
    shown = {name: value.value for name, value in found.metadata.items()}
    assert shown["open"] == 25
    assert shown["at_risk_pence_GBP"] == sum(1000 + number for number in numbers)
    worst = found.metadata["worst"]
    assert isinstance(worst, dg.TableMetadataValue)
    assert len(worst.records) == 20
    first = found.metadata["fix_first"]
    assert isinstance(first, dg.TableMetadataValue)
    assert first.records[0].data["SKU"] == "NO-25"
    assert found.description == "25 open, £253.25 at risk"


def test_an_outage_makes_the_run_red_and_the_next_one_completes_it(town: Town, instance: dg.DagsterInstance) -> None:
    town.sells_and_takes_back(a_return(1))
    town.khaos.error = TransientError("Khaos is away")
    broken = run(town, instance)
    assert not broken.success
    assert "Khaos is away" in str(broken.failure_data_for_node("khaos__stock_codes"))
    assert town.one("SELECT count(*) FROM swap.returns") == 1
    assert town.ask("SELECT * FROM recon.postings") == []
    town.khaos.error = None
    assert run(town, instance).success
    assert len(town.pull()) == 1
    assert run(town, instance).success
    assert town.ask("SELECT state FROM recon.postings") == [("confirmed",)]
    assert len(town.khaos.notes) == 1


def test_swap_away_makes_the_run_red_too(town: Town, instance: dg.DagsterInstance) -> None:
    town.swap.error = TransientError("Swap is away")
    assert not run(town, instance).success
    assert isinstance(town.swap.error, KhaosSwapError)
    town.swap.error = None
    assert run(town, instance).success


def test_a_month_with_a_gap_is_red_by_what_is_not_issued(town: Town, instance: dg.DagsterInstance) -> None:
    town.with_settings(mode="audit", post_from=None).sells_and_takes_back(a_return(1), a_return(2))
    town.khaos.notes["CN1"] = a_note(associated_ref="RMA1", gross_pence=900)
    run(town, instance)
    month = run(town, instance, "month_end", partition_key="2026-03")
    found = checks(month)["refunds_reconcile"]
    assert (found.passed, found.partition) == (False, "2026-03")
    assert found.description == "2026-03: apart: 1, £1.00"
    assert [(row["rma"], row["apart"], row["why"]) for row in records(found, "worst")] == [
        ("RMA1", "\N{NON-BREAKING HYPHEN}£1.00", "amounts differ")
    ]
    assert [row["rma"] for row in records(found, "not_red")] == ["RMA2"]
    assert metadata(month, "reconciliation/month_end")["gap_pence_GBP"] == -1100


def records(found: dg.AssetCheckEvaluation, table: str) -> list[dict[str, Any]]:
    return rows_of(found.metadata[table])


def verdict(town: Town, instance: dg.DagsterInstance, period: str) -> tuple[bool, str]:
    found = checks(run(town, instance, "month_end", partition_key=period))["refunds_reconcile"]
    assert found.partition == period
    return found.passed, found.description or ""


def test_months_keep_opposite_verdicts_and_a_waiver_makes_one_green(town: Town, instance: dg.DagsterInstance) -> None:
    in_february = {name: NOON - timedelta(days=20) for name in ("processed_at", "closed_at")}
    town.with_settings(mode="audit", post_from=None).sells_and_takes_back(a_return(1), a_return(2, **in_february))
    town.now = NOON + timedelta(days=30)
    run(town, instance)
    assert [verdict(town, instance, month)[0] for month in ("2026-02", "2026-03")] == [False, False]
    number = town.one("SELECT exception_id FROM recon.exceptions WHERE rma = 'RMA1' AND closed_at IS NULL")
    with database.connect(town.url, application="tests") as conn:
        waivers.waive(conn, int(str(number)), people.Person("Kim", "settled outside"), now=town.now)
    passed, told = verdict(town, instance, "2026-03")
    said = "2026-03: every refund is credited, or accounted for; waived: 1, £10.00, by Kim; read swap/returns "
    assert (passed, told[: len(said)]) == (True, said)
    assert verdict(town, instance, "2026-02") == (False, "2026-02: apart: 1, £10.00")
    assert newest_verdicts(instance) == {"2026-02": False, "2026-03": True}


def newest_verdicts(instance: dg.DagsterInstance) -> dict[str | None, bool]:
    """What Dagster keeps of the check, by month."""
    key = dg.AssetCheckKey(dg.AssetKey(["reconciliation", "month_end"]), "refunds_reconcile")
    kept = instance.event_log_storage.get_asset_check_execution_history(key, limit=20)
    return {record.partition: record.status.value == "SUCCEEDED" for record in reversed(kept)}


def test_what_is_on_its_way_is_apart_and_red_only_once_the_month_is_over(
    town: Town, instance: dg.DagsterInstance
) -> None:
    town.with_settings(mode="audit", post_from=None).sells_and_takes_back(a_return(1))
    run(town, instance)
    found = checks(run(town, instance, "month_end", partition_key="2026-03"))["refunds_reconcile"]
    assert found.passed
    assert [row["why"].partition(",")[0] for row in records(found, "not_red")] == ["on its way"]


def test_no_personal_data_reaches_the_ui(town: Town, instance: dg.DagsterInstance) -> None:
    town.sells_and_takes_back(a_return(1))
    result = run(town, instance)
    told = str([event.materialization.metadata for event in result.get_asset_materialization_events()])
    assert "Mill Lane" not in told
    assert "party_sealed" not in told.replace("TableColumn(name='party_sealed'", "")


def test_an_audit_plans_and_offers_nothing(town: Town, instance: dg.DagsterInstance) -> None:
    town.with_settings(mode="audit", post_from=None).sells_and_takes_back(a_return(1))
    assert run(town, instance).success
    assert town.ask("SELECT * FROM recon.postings") == []
    assert town.pull() == []


def test_new_skus_alert_data_management_once(town: Town, instance: dg.DagsterInstance) -> None:
    town.sells_and_takes_back(a_return(1, a_line("ZEBRA")))
    del town.khaos.items["ZEBRA"]
    run(town, instance)
    run(town, instance)
    assert [problem.kind for problem in town.alerts] == ["sku_unknown"]


def test_the_look_of_the_night_tells_and_gives_its_verdict(town: Town, instance: dg.DagsterInstance) -> None:
    town.sells_and_takes_back(a_return(1, a_line("ZEBRA"), status="Open", processed_at=None, closed_at=None))
    del town.khaos.items["ZEBRA"]
    town.khaos.items["HAT"] = a_code("HAT")
    run(town, instance)
    town.now += timedelta(days=1)
    night = run(town, instance, "open_returns")
    assert night.success
    assert metadata(night, "reconciliation/open_returns")["summary"] == "1 open return will fail, 1 cause: fix ZEBRA"
    assert metadata(night, "reconciliation/open_returns")["looked_at_everything"]
    assert red(night) == {"no_code_will_fail"}


def test_a_run_begins_without_libraries_that_no_step_before_the_offer_needs() -> None:
    heavy = ("pandas", "matplotlib", "numpy", "pyarrow", "sqlalchemy", "fastapi", "rapidfuzz")
    code = f"import sys, khaos_swap_assets.definitions as d; d.build(); print(*(set({heavy}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
