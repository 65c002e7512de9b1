"""The law of the first pass: with and without it, an audit writes the same files, byte for byte."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from unittest.mock import patch
from zipfile import ZipFile

import pytest

from khaos_swap_assets.adapters.files import plain_columns
from khaos_swap_assets.audit import in_step, returns_file, run
from khaos_swap_assets.audit.engine import Span
from khaos_swap_assets.audit.in_step import InStep
from khaos_swap_assets.audit.inputs import Paths
from khaos_swap_assets.audit.return_rows import Head, ReturnRows, heads, return_sums
from khaos_swap_assets.audit.returns_file import read_returns
from khaos_swap_assets.sandbox import audit_files, hand_month
from khaos_swap_assets_tests.audit import months, plain_months
from khaos_swap_assets_tests.audit.files import AS_OF

SEEDS = range(1, int(os.environ.get("KHAOS_SWAP_MONTHS", "6")) + 1)


@contextmanager
def however_small() -> Iterator[None]:
    """Files are kept as columns whatever their size."""
    with patch.object(plain_columns, "LARGE", 0), patch.object(returns_file, "LARGE", 0):
        yield


def written(paths: Paths, span: Span, out: Path, *, skips: bool = False) -> tuple[dict[str, bytes], int]:
    """The files of an audit, those of the workbook one by one, and how many returns were in step before it."""
    found: list[list[InStep]] = []

    def kept(*given: object) -> object:
        told = real(*given)  # type: ignore[arg-type]
        found.append(told[0])
        return told

    real = in_step.apart
    with patch.object(in_step, "apart", kept), however_small():
        done = run.audit(paths, span, out, skips_bad_rows=skips)
    files = {path.name: path.read_bytes() for path in done.paths if path.suffix != ".xlsx"}
    with ZipFile(out / "report.xlsx") as book:
        files |= {name: book.read(name) for name in book.namelist() if name != "docProps/core.xml"}
    return files, sum(map(len, found))


def compared(paths: Paths, span: Span, folder: Path, *, skips: bool = False) -> int:
    """Audit with and without the first pass; how many returns it took."""
    files, count = written(paths, span, folder / "with", skips=skips)
    with patch.object(in_step, "apart", lambda inputs, made=(): ([], inputs)):
        others, none = written(paths, span, folder / "without", skips=skips)
    assert none == 0
    assert files == others
    return count


@pytest.mark.parametrize("seed", SEEDS)
def test_months_with_slips_in_any_column_give_the_same_files(tmp_path: Path, seed: int) -> None:
    paths = plain_months.a_month(seed).write(tmp_path)
    compared(paths, Span(AS_OF), tmp_path, skips=True)


@pytest.mark.parametrize("seed", SEEDS)
def test_generated_months_give_the_same_files(tmp_path: Path, seed: int) -> None:
    files = months.write(months.a_month(seed), tmp_path)
    compared(Paths(*(files[name] for name in ("returns", "stock", "orders", "notes"))), Span(months.AS_OF), tmp_path)


@pytest.mark.parametrize("seed", SEEDS[:3])
def test_months_of_the_sandbox_give_the_same_files(tmp_path: Path, seed: int) -> None:
    month = hand_month.build(seed, 120)
    files = audit_files.write(month, tmp_path)
    names = ("returns", "stock-codes", "sales-orders", "credit-notes")
    compared(Paths(*(Path(files[name]) for name in names)), Span(month.world.now.date()), tmp_path)


@pytest.mark.parametrize("seed", SEEDS)
def test_returns_kept_as_columns_are_those_that_are_read_one_by_one(tmp_path: Path, seed: int) -> None:
    path = plain_months.a_month(seed).write(tmp_path).returns
    with however_small():
        columns = read_returns(path)
    alone = read_returns(path)
    assert isinstance(columns.rows, ReturnRows)
    assert len(columns.rows.plain) > 20
    assert list(columns.rows) == list(alone.rows)
    counted, one_by_one = Counter[Head](), Counter(heads(ReturnRows.of(alone.rows), lambda one: one))
    for head in heads(columns.rows, lambda one: one):
        counted[head._replace(returns=1)] += head.returns
    assert counted == one_by_one
    assert sorted(map(repr, return_sums(columns.rows))) == sorted(map(repr, return_sums(alone.rows)))
    names = ("given", "rejected", "no_data", "left_out", "unvalued", "notices")
    assert [getattr(columns, name) for name in names] == [getattr(alone, name) for name in names]
    assert list(columns.faults) == list(alone.faults)


@pytest.mark.parametrize("decision", ["waived", "not_this_return", "accepted_value", "same_code"])
def test_a_return_that_a_decision_names_is_judged(tmp_path: Path, decision: str) -> None:
    shop = plain_months.a_month(2, slips=0.1)
    subject = "S01" if decision == "same_code" else "RMA1005"
    other = {"waived": "value_gap", "not_this_return": "CN1005", "same_code": "S02"}.get(decision, "")
    shop.decided(decision, subject, other)
    compared(shop.write(tmp_path), Span(AS_OF), tmp_path, skips=True)


def test_rows_outside_the_span_are_left_out(tmp_path: Path) -> None:
    paths = plain_months.a_month(3, slips=0.1).write(tmp_path)
    assert compared(paths, Span(AS_OF, first=date(2026, 3, 9), last=date(2026, 3, 20)), tmp_path, skips=True) > 10


def test_a_crowd_of_returns_that_hold_the_same_stays_a_crowd(tmp_path: Path) -> None:
    shop = plain_months.a_month(4, size=140, slips=0.0, codes=("S01",))
    for number in (1_003, 1_007):
        plain_months.lose_names(shop, number)
    assert compared(shop.write(tmp_path), Span(AS_OF), tmp_path) > 50


def test_a_month_without_a_slip_is_in_step_before_anything_is_judged(tmp_path: Path) -> None:
    paths = plain_months.a_month(1, slips=0.0).write(tmp_path)
    assert compared(paths, Span(AS_OF), tmp_path) > 40


def test_a_line_that_is_no_object_or_has_no_sku_is_told_and_ends_nothing(tmp_path: Path) -> None:
    paths = plain_months.a_month(1, slips=0.0).write(tmp_path)
    told = [json.loads(line) for line in paths.returns.read_text().splitlines()]
    del told[1]["products"][0]["sku"]
    told[2]["products"][0] = "no object"
    paths.returns.write_text("\n".join(map(json.dumps, told)))
    assert compared(paths, Span(AS_OF), tmp_path, skips=True) > 40
