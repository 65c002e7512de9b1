"""Samples of the import screen, and the files that are made of them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from khaos_swap_assets.adapters.errors import SettingsError
from khaos_swap_assets.adapters.files.adjustments import ImportRow, file_name, file_text, load_sample, write_once

DAY = date(2026, 3, 10)
GOOD = "Code,Place,By\n{stock_code},{place=MAIN},{adjust_by}\n"
ROWS = [ImportRow("sellable", "HAT", 2, ["RMA1", "RMA2"]), ImportRow("sellable", 'A "B", C', -1, ["RMA3"])]


def sample(folder: Path, text: str, suffix: str = ".csv") -> Path:
    path = folder / f"sample{suffix}"
    path.write_bytes(text.encode())
    return path


def test_a_row_is_filled_and_the_rest_is_as_the_merchant_has_it(tmp_path: Path) -> None:
    headings = "\ufeffStock Code\tLocation\tAdjust By\tAdjust To\tNote"
    row = "{stock_code}\t{place=A 1}\t{adjust_by}\t\t{date} no {batch}: {rmas}"
    made = load_sample(sample(tmp_path, f"{headings}\r\n\r\n{row}\r\n", ".TXT"))
    assert file_name(made, 7) == "khaos-swap-stock-000007.TXT"
    assert file_text(made, ROWS, 7, DAY).split("\r\n") == [
        headings,
        "HAT\tA 1\t2\t\t10/03/2026 no 000007: RMA1 RMA2",
        '"A ""B"", C"\tA 1\t-1\t\t10/03/2026 no 000007: RMA3',
        "",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Code,By\n", "a row with {stock_code} must follow"),
        ("Code,By\n{stock_code},1\n", "each row needs {adjust_by}"),
        ("Code,By\n{stock_code},{adjust_by},\n", "a row has 3 cells, and there are 2 headings"),
        ("Code,By\n{stock_code},{adjust_to}\n", "there is no field {adjust_to}; there are stock_code"),
        (f"{GOOD}HAT,MAIN,{{adjust_by}}\n", "at most one with {damaged_stock_code}"),
        (f"{GOOD}{{stock_code}},{{place=B}},{{adjust_by}}\n", "one row with {stock_code}"),
        (f"{GOOD}{{damaged_stock_code}},{{place=MAIN}},{{adjust_by}}\n", "that of damaged goods another one"),
        (f"{GOOD}{{damaged_stock_code}},HOLD,{{adjust_by}}\n", "that of damaged goods another one"),
        ("Code,By\n{damaged_stock_code},{adjust_by}\n", "a row with {stock_code} must follow"),
    ],
)
def test_a_sample_that_cannot_serve_says_why(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsError, match=r"sample .*sample.csv: ") as caught:
        load_sample(sample(tmp_path, text))
    assert told in str(caught.value)


def test_a_sample_is_there_and_is_text(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        load_sample(tmp_path / "none.csv")
    (tmp_path / "sheet.csv").write_bytes(b"PK\x03\x04\xff")
    with pytest.raises(SettingsError, match="is no UTF-8 text"):
        load_sample(tmp_path / "sheet.csv")


def test_a_file_is_whole_readable_like_its_folder_and_never_written_over(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    write_once(tmp_path, "a.csv", "one\r\n")
    write_once(tmp_path, "a.csv", "one\r\n")
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert ((tmp_path / "a.csv").read_bytes(), (tmp_path / "a.csv").stat().st_mode & 0o777) == (b"one\r\n", 0o640)
    with pytest.raises(FileExistsError, match="is another file; it is not written over"):
        write_once(tmp_path, "a.csv", "two\r\n")
    assert (tmp_path / "a.csv").read_bytes() == b"one\r\n"
