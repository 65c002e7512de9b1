"""What waits behind a held feed says so on its own row: which reference, since when, what to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import cast

import dagster as dg
import psycopg
import pytest
from typer.testing import CliRunner

from khaos_swap_assets.cli.postings import Reach, postings_app
from khaos_swap_assets.stages.credit_notes import stopping
from khaos_swap_assets.stages.reconciliation.assets import reconciliation_returns
from khaos_swap_assets_tests.lending import lend
from khaos_swap_assets_tests.stages.credit_notes.paper import NOON, Paper, PaperBook
from khaos_swap_assets_tests.stages.credit_notes.planning import hand_out
from khaos_swap_assets_tests.stages.credit_notes.pulling import FREELY, full
from khaos_swap_assets_tests.stages.town import Town, a_line, a_return, called

OUT = "RMA1 (RMA RMA1), out since 2026-03-10 12:00 UTC and not witnessed"


def first_out() -> Paper:
    paper = full(2)
    paper.postings = {name: one for name, one in paper.postings.items() if name in ("RMA1", "RMA2")}
    hand_out(paper)
    return paper


def waits(paper: Paper, stopped: str = "") -> dict[str, str]:
    return stopping.waits_for(PaperBook(paper), replace(FREELY, stopped=stopped))


def test_an_unwitnessed_document_is_named_with_its_moment_and_what_to_do() -> None:
    (found,) = waits(first_out()).items()
    assert found[0] == "RMA2"
    assert found[1].startswith(OUT)
    assert "khaos-swap postings resolve RMA1" in found[1]


def test_a_value_gap_a_held_token_and_a_person_are_named_too() -> None:
    paper = first_out()
    gap = replace(paper.postings["RMA1"], state="confirmed", ended_by="witness", ended_at=NOON + timedelta(hours=3))
    paper.postings["RMA1"] = replace(gap, witnessed_pence=1, credit_note_code="CN1")
    assert waits(paper)["RMA2"].startswith("RMA1, witnessed at another value since 2026-03-10 15:00 UTC: ")
    paper.holds["ks1.9"] = "Khaos sent the token ks1.9"
    assert waits(paper)["RMA2"] == "the feed is held: Khaos sent the token ks1.9; khaos-swap postings trust-feed"
    assert waits(paper, "Kim holds it")["RMA2"] == "Kim holds it"


def test_nothing_waits_where_nothing_is_held() -> None:
    paper = first_out()
    done = replace(paper.postings["RMA1"], state="confirmed", witnessed_pence=1000, ended_by="witness")
    paper.postings["RMA1"] = done
    assert waits(paper) == {}


def listed(town: Town) -> str:
    reach = Reach(
        lambda: psycopg.connect(town.url), lambda: town.settings, lambda: pytest.fail("asked Khaos"), lambda: town.now
    )
    return CliRunner().invoke(postings_app(reach), ["list", "--json"]).stdout


def test_the_list_the_reconciliation_and_the_month_say_what_a_return_waits_for(town: Town) -> None:
    town.sells_and_takes_back(a_return(1), a_return(2, a_line("CAP")))
    town.with_settings(watch_minutes=1440)
    town.sync()
    town.pull()
    town.khaos.notes.clear()
    town.sync(hours=1)
    assert "RMA1 (RMA RMA1), out since 2026-03-10 12:01 UTC and not witnessed" in listed(town)
    shown = cast("dg.MaterializeResult[None]", called(reconciliation_returns, town)).metadata or {}
    assert shown["held"] == 1
    assert "RMA2" in str(shown["held_documents"])
    with lend(town.url) as conn:
        behind = [
            [one.rma for one in stopping.held(conn, settings=town.settings, now=town.now, period=period)]
            for period in ("2026-03", "2026-02")
        ]
    assert behind == [["RMA2"], []]
