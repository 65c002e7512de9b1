"""The largest sheet that Excel has, 1,048,576 rows by 20 columns, read as Credit Notes: seconds, peak memory, progress.

Made up, as Excel writes it: texts in a table of their own, one note a row, nine columns that nobody asked for.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.measuring import peak_mb
from khaos_swap_assets.adapters.files.layouts import CREDIT_NOTES
from khaos_swap_assets.adapters.files.reading import read_table
from khaos_swap_assets.adapters.files.tables import Table

ROOT = Path(__file__).parents[1]
ROWS, MOST_MB, LEAST_REPORTS = 1_048_576, 1500, 100
HEAD = (
    *("credit_note_code", "associated_ref", "order_ref", "customer_ref", "created_on", "currency", "stock_code"),
    *("quantity", "gross", "net", "delivery_gross", *(f"Other {at}" for at in range(1, 10))),
)
OFTEN = (
    [f"S{at:04}" for at in range(2_000)] + [f"2026-{at % 12 + 1:02}-{at % 28 + 1:02}" for at in range(336)] + ["GBP"]
)
BOOK = (
    '<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<sheets><sheet name="Notes" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
KIND = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
LINKS = '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/></Types>'
)
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def measure() -> dict[str, Any]:
    """Seconds and peak MB of reading it in a process of its own; at most 1,500 MB are wanted, told as it goes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "notes.xlsx"
        write(path, ROWS)
        code = (
            f"import json; from benchmarks.large_workbook import measured; print(json.dumps(measured({str(path)!r})))"
        )
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
        found: dict[str, Any] = {**json.loads(done.stdout), "file_mb": path.stat().st_size // 10**6}
    is_whole = (found["rows"], found["faults"]) == (ROWS - 1, 0)
    return {**found, "is_met": is_whole and found["peak_mb"] <= MOST_MB and found["reports"] >= LEAST_REPORTS}


def measured(path: str) -> dict[str, Any]:
    """Read the file; how often the progress was told."""
    shares: list[float] = []
    read: list[Table[Any]] = []
    start = perf_counter()
    peak = peak_mb(lambda: read.append(read_table(Path(path), CREDIT_NOTES, shares.append)))
    return {
        "rows": len(read[0].rows),
        "columns": len(HEAD),
        "faults": len(read[0].kinds),
        "seconds": round(perf_counter() - start, 1),
        "peak_mb": peak,
        "reports": len(set(shares)),
    }


def write(path: Path, rows: int) -> None:
    """Write the workbook of so many rows, its heading among them."""
    links = f'<Relationship Id="rId1" Type="{KIND}/worksheet" Target="worksheets/sheet1.xml"/>'
    links += f'<Relationship Id="rId2" Type="{KIND}/sharedStrings" Target="sharedStrings.xml"/>'
    root = f'<Relationship Id="rId1" Type="{KIND}/officeDocument" Target="xl/workbook.xml"/>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("[Content_Types].xml", TYPES)
        archive.writestr("_rels/.rels", LINKS.format(root))
        archive.writestr("xl/workbook.xml", BOOK)
        archive.writestr("xl/_rels/workbook.xml.rels", LINKS.format(links))
        _stream(archive, "xl/sharedStrings.xml", f"<sst {MAIN}>", _texts(rows), "</sst>")
        sheet = (f"<worksheet {MAIN}><sheetData>", _rows(rows), "</sheetData></worksheet>")
        _stream(archive, "xl/worksheets/sheet1.xml", *sheet)


def _stream(archive: zipfile.ZipFile, name: str, begin: str, parts: Iterable[str], end: str) -> None:
    with archive.open(name, "w", force_zip64=True) as file:
        file.write(f'<?xml version="1.0"?>{begin}'.encode())
        for part in parts:
            file.write(part.encode())
        file.write(end.encode())


def _texts(rows: int) -> Iterator[str]:
    """The texts: headings, those that come often, and three of each row that come once."""
    yield "".join(f"<si><t>{text}</t></si>" for text in (*HEAD, *OFTEN))
    for number in range(1, rows):
        yield f"<si><t>CN{number}</t></si><si><t>RMA{number}</t></si><si><t>KCCLX{number}</t></si>"


def _rows(rows: int) -> Iterator[str]:
    letters = [chr(ord("A") + at) for at in range(len(HEAD))]
    heads = "".join(f'<c r="{letter}1" t="s"><v>{at}</v></c>' for at, letter in enumerate(letters))
    yield f'<row r="1">{heads}</row>'
    often, once = len(HEAD), len(HEAD) + len(OFTEN)
    for number in range(1, rows):
        line, own = number + 1, once + 3 * (number - 1)
        texts = (
            own,
            own + 1,
            own + 2,
            often + number % 2_000,
            often + 2_000 + number % 336,
            once - 1,
            often + number % 997,
        )
        cells = [f'<c r="{letters[at]}{line}" t="s"><v>{text}</v></c>' for at, text in enumerate(texts)]
        gross = number % 20_000 / 100 + 1
        values = (1, f"{gross:.2f}", f"{gross / 1.2:.2f}", None, *range(number % 7, number % 7 + 9))
        cells += [
            f'<c r="{letters[at]}{line}"><v>{value}</v></c>' for at, value in enumerate(values, 7) if value is not None
        ]
        yield f'<row r="{line}">{"".join(cells)}</row>'
