"""The policy's file: the defaults, what it changes, and every fault in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from khaos_swap_assets.adapters.errors import SettingsError
from khaos_swap_assets.adapters.policy import DEFAULT_FILE, load_policy
from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy

GIFT_CARD = """
gift_card:
  choice: credit_in_full
  reason: The card is re-credited by the shop
  approver: Kim
  effective_on: 2026-04-01
"""


def a_file(folder: Path, text: str) -> Path:
    path = folder / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_file_of_the_package_holds_every_decision_at_its_default() -> None:
    assert load_policy() == CreditNotePolicy()
    assert load_policy().version == CreditNotePolicy().version
    names = [line[:-1] for line in DEFAULT_FILE.read_text().splitlines() if line.endswith(":") and line[0].isalpha()]
    assert names == list(CreditNotePolicy.model_fields)


def test_a_file_changes_what_it_names(tmp_path: Path) -> None:
    policy = load_policy(a_file(tmp_path, GIFT_CARD))
    assert policy.gift_card.choice == "credit_in_full"
    assert policy.model_copy(update={"gift_card": CreditNotePolicy().gift_card}) == CreditNotePolicy()


def test_an_empty_file_is_the_defaults(tmp_path: Path) -> None:
    assert load_policy(a_file(tmp_path, "# nothing\n")) == CreditNotePolicy()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GIFT_CARD.replace("credit_in_full", "maybe"), ["gift_card.choice", "'task' or 'credit_in_full'"]),
        (
            GIFT_CARD.replace("  approver: Kim\n", "").replace("2026-04-01", "soon"),
            ["gift_card.approver", "effective_on"],
        ),
        (GIFT_CARD + "fees: 3\n", ["fees", "not permitted"]),
        ("- a\n", ["names of decisions"]),
        ("1: 2\n", ["names of decisions"]),
        ("a: [\n", ["is no YAML"]),
    ],
)
def test_every_fault_is_told_in_one_line(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(SettingsError) as error:
        load_policy(a_file(tmp_path, text))
    line = str(error.value)
    assert line.startswith(f"policy {tmp_path / 'policy.yaml'}")
    assert "\n" not in line
    assert [word for word in words if word not in line] == []


def test_a_file_that_is_not_there_or_no_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        load_policy(tmp_path / "none.yaml")
    path = tmp_path / "policy.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="is no YAML"):
        load_policy(path)
