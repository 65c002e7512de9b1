"""What every command prints: a table that fits into 80 columns, and JSON with one form of money and time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from platform import python_version

import dagster
import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.adapters.store import migrate
from khaos_swap_assets.cli import reach
from khaos_swap_assets.cli.commands import app
from khaos_swap_assets.cli.showing import table
from khaos_swap_assets.domain.money.amounts import format_money
from khaos_swap_assets_tests.domain.test_settlement import CHOSEN
from khaos_swap_assets_tests.generated_docs import commands_of
from khaos_swap_assets_tests.json_form import faults_of
from khaos_swap_assets_tests.running import Call
from khaos_swap_assets_tests.stages.credit_notes.test_policies import WITHHELD
from khaos_swap_assets_tests.stages.town import KEY, Town, a_line, a_note, a_return
from khaos_swap_assets_tests.test_cli_policy import a_file, renumbered

HERE = {
    "KHAOS_SWAP_MODE": "post",
    "KHAOS_SWAP_POST_FROM": "2026-01-01",
    "KHAOS_SWAP_ORDER_REF_FORMAT": "KCC{0}",
    "KHAOS_SWAP_SEAL_KEY": KEY,
    "KHAOS_SWAP_SWAP_STORE_ID": "S1",
    "KHAOS_SWAP_DOOR_MEMBERS_FILE": "members.yaml",
}
WHY = "agreed with the customer by telephone, who wrote to us about the same parcel again in February"
WHO = ("--by", "Kim", "--reason", WHY)
HANDS = (
    "exceptions waive {} --by Kim --reason",
    "links undo TYPED --by Kim --reason",
    "decisions add settled_outside RMA4 --by Kim --reason",
)
ASKED = {
    "postings list": ["", "--state confirmed", "--state in_doubt"],
    "postings show": ["RMA1", "RMA2", "RMA3"],
    "exceptions list": ["", "--waived"],
    "links list": ["", "--refused"],
    "decisions list": [""],
    "returns list": [""],
    "returns show": ["RMA2"],
    "policy show": [""],
    "policy test": [f"--days 800 --policy {CHOSEN.version}.yaml"],
    "users list": [""],
}
ELSEWHERE = {"upgrade", "returns coming", "cancellations list", "merchants"}
"""Held to the same form in ``test_cli_upgrade``, ``test_cli_returns``, ``test_cancelling``, ``test_cli_merchants``."""


@pytest.fixture
def town(database_url: str) -> Town:
    """Documents that Khaos took as they are, took otherwise (RMA2), lost (RMA3), and a note of nobody's (CN9)."""
    town = Town(database_url)
    coat = a_return(2, a_line("COAT", 2, 250_000), a_line("SCARF", 1, 1_995))
    town.sells_and_takes_back(a_return(1), coat, a_return(3, a_line("CAP", 1, 700)), renumbered(4, WITHHELD))
    town.sells_and_takes_back(a_return(5))
    town.khaos.notes["TYPED"] = a_note("TYPED", customer_code="C5", associated_ref="RMA5")
    town.sync()
    town.pull()
    town.sync()
    taken = {note.associated_ref: note for note in town.pull()}
    short = replace(taken["RMA2"], gross_pence=120_000, net_pence=100_000, lines=(("COAT", 1), ("SCARF", 1)))
    del town.khaos.notes[taken["RMA3"].credit_note_code]
    town.khaos.notes |= {short.credit_note_code: short, "CN9": a_note("CN9", 123_456, customer_code="C9")}
    town.sync(days=1)
    return town


@pytest.fixture
def ask(town: Town, call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., str]:
    """What a command prints at 80 columns; hands were laid on the town already."""
    monkeypatch.setitem(vars(reach.REACH), "clock", lambda: town.now)
    a_file(tmp_path, CHOSEN)
    (tmp_path / "members.yaml").write_text("members:\n  - {name: Ann, roles: [cx, finance, viewer]}\n")
    (tmp_path / "members.yaml").chmod(0o600)

    def ask(*words: str) -> str:
        done = call(*words, **HERE, KHAOS_SWAP_DATABASE_URL=town.url, COLUMNS="80")
        assert done.returncode == 0, (words, done.stderr)
        return done.stdout

    loose = town.one("SELECT exception_id FROM recon.exceptions WHERE subject = 'CN9' AND closed_at IS NULL")
    for hand in HANDS:
        ask(*hand.format(loose).split(), WHY)
    return ask


@pytest.mark.long
def test_every_command_with_json_has_one_form_of_money_and_time(ask: Callable[..., str]) -> None:
    able = {
        name.removeprefix("khaos-swap ")
        for name, command in commands_of(app).items()
        if any("--json" in one.opts for one in command.params)
    }
    assert able == {*ASKED} | ELSEWHERE
    for name, ways in ASKED.items():
        for way in ways:
            told = json.loads(ask(*name.split(), *way.split(), "--json"))
            assert told, (name, way)
            assert list(faults_of(told)) == [], (name, way)


@pytest.mark.long
def test_every_table_is_whole_at_80_columns(ask: Callable[..., str]) -> None:
    for name, way in ((name, way) for name, ways in ASKED.items() for way in ways):
        shown = ask(*name.split(), *way.split())
        assert max(map(len, shown.splitlines())) <= 80, shown
        assert "…" not in shown


def test_a_posting_is_shown_beside_its_note_line_by_line(ask: Callable[..., str]) -> None:
    shown = re.sub(" +", " ", ask("postings", "show", "RMA2"))
    assert "confirmed; its Credit Note was seen in Khaos\n customer C2" in shown
    assert "COAT 2 £2,500.00 1 -£1,250.00\nSCARF 1 £19.95 1 £0.00\nprices, rest -£69.95\n" in shown
    assert "all £2,519.95 £1,200.00 -£1,319.95\n\nWho acts next\n finance: Refund £2,519.95" in shown
    out = ask("postings", "show", "RMA3")
    assert "handed to Khaos; its Credit Note is not seen there yet" in out
    assert "Khaos shows no Credit Note of it" in out
    assert "Who acts next\n  nobody yet: its Credit Note is on its way; the last day for it is " in re.sub(
        r"\n {4,}", " ", out
    )


def test_the_versions_are_told_without_settings_or_a_database(call: Call, tmp_path: Path) -> None:
    done = call("--version", KHAOS_SWAP_MODE="nonsense", KHAOS_SWAP_DATABASE_URL="postgresql://nowhere/none")
    assert (done.returncode, done.stderr, list(tmp_path.iterdir())) == (0, "", [])
    program, python, framework, tables = done.stdout.splitlines()
    assert program == f"khaos-swap {version('khaos-swap')}"
    assert (python, framework) == (f"Python {python_version()}", f"Dagster {dagster.__version__}")
    assert tables == f"tables {migrate.head()}"


CODES = st.from_regex(r"[A-Z]{2,4}-[0-9]{1,12}", fullmatch=True)
ROWS = st.fixed_dictionaries(
    {
        "rma": CODES,
        "gap_pence": st.integers(-(10**11), 10**11),
        "currency": st.sampled_from(["GBP", "EUR", "USD"]),
        "owner": st.sampled_from(["finance", "data management", ""]),
        "kind": st.text("abc_", max_size=30),
        "what": st.text("abc -£1", max_size=300),
    }
)


@given(st.lists(ROWS, min_size=1, max_size=5), st.integers(40, 200))
def test_no_width_cuts_a_code_or_an_amount(rows: list[dict[str, object]], columns: int) -> None:
    lines = table(rows, columns, below=["what"])
    text = "\n".join(lines)
    for row in rows:
        assert str(row["rma"]) in text
        assert format_money(int(str(row["gap_pence"])), str(row["currency"])) in text
    words = (len(word) for row in rows for word in str(row["what"]).split())
    assert max(map(len, lines)) <= max(columns, 12 + max(words, default=0))


def test_what_a_terminal_might_obey_is_shown_as_text() -> None:
    (*_, line) = table([{"about": "RMA1\x1b[2J\n\u202eevil", "at": datetime(2026, 3, 1, tzinfo=UTC)}], 80)
    assert line == "RMA1\\x1b[2J \\u202eevil  2026-03-01 00:00 UTC"


def test_more_stands_beside_each_other_where_there_is_more_room() -> None:
    rows = [{"rma": "RMA1", "a": "x" * 30, "b": "y" * 30, "c": "z" * 30, "empty": None}]
    assert [len(table(rows, columns)) for columns in (40, 80, 120)] == [5, 4, 3]
    assert not any("empty" in line for line in table(rows, 120))
