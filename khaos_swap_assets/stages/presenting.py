"""What an asset says of itself, and shows of its table in the UI: count, columns, at most 50 rows, pictures.

Belongs here: turning tables into Dagster metadata, what all assets have alike, and drawing a picture only when its
figures are others than last time. Stays out: what the rows mean, drawing (``reporting.tables``), keeping pictures
(``adapters.store.pictures``). No personal data is in any table, so a preview shows none.
"""

from __future__ import annotations

import base64
import inspect
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import dagster as dg

from khaos_swap_assets.adapters.store import Conn, monthly, notes, pictures, returns, tables
from khaos_swap_assets.adapters.store.columns import meaning
from khaos_swap_assets.domain.money.amounts import money_words
from khaos_swap_assets.domain.reporting.tables import draw_gap_by_cause, draw_gap_by_month, draw_value_by_day, unbroken
from khaos_swap_assets.stages import isolating
from khaos_swap_assets.stages.toolbox import Toolbox

if TYPE_CHECKING:
    from khaos_swap_assets.domain.reporting.month_end import MonthEnd

Truth = Literal["swap", "khaos", "storefront", "warehouse", "ours"]
Also = Callable[[Mapping[str, Any]], Mapping[str, Any]]
DAYS_SHOWN = 60
MONTHS_SHOWN = 12
Data = TypeVar("Data")
PREVIEW_ROWS = 50
WORST_ROWS = 20
PENCE, LEG, GAP, NO_BREAK = "_pence", "gap_", "gap_pence", "\N{NO-BREAK SPACE}"
MOST_HEADING = 20
TEXTS = {"what": 14, "what_to_do": 17, "why": 12, "way": 17, "made_of": 14, "evidence": 14}
"""How many characters of a text stand side by side at least: its heading is made as long."""
PREVIEWS: Mapping[str, str] = {
    "swap.returns": "rma refund_pence status order=order_name refunded_at",
    "swap.return_lines": "rma cost_pence sku units=quantity outcome",
    "recon.matched_lines": "rma sku stock_code problem",
    "khaos.stock_codes": "stock_code description other_ref is_discontinued is_run_to_zero",
    "khaos.sales_orders": "order=associated_ref value=items_gross_pence invoiced_on so_code",
    "khaos.credit_notes": "rma value=gross_pence credit_note=credit_note_code issued_on",
    "khaos.stock_levels": "stock_code available observed_at",
    "storefront.payouts": "paid_on total_pence provider status",
    "recon.payout_refunds": "rma apart_pence gross_pence place why",
    "storefront.refunds": "rma moved_pence order=order_name moved_at",
    "recon.drafts": "rma value_pence",
    "recon.postings": "rma value_pence credit_note=credit_note_code",
    "recon.custody": "rma value_pence place sku units",
    "recon.quality_calls": "rma asked state said",
    "recon.stock_moves": "rma stock_code units=quantity",
    "recon.reconciliation": "rma gap_pence refund_pence",
    "recon.exceptions": "rma at_risk=money_at_risk_pence owner",
    "recon.cancellations": "so_codes progress asked_at",
}
"""What a table shows of itself, in the order in which people look for it: no more than fits beside Dagster's menu at
1440 pixels, so no internal id, no hash and no amount in pence. Every column stands with its meaning in the schema."""


def owned(group: str, owner: str, truth: Truth, *kinds: str) -> dict[str, Any]:
    """What every asset says of itself: its group, the team that answers for it, whose word it is, what it is of."""
    return {"group_name": group, "owners": [f"team:{owner}"], "tags": {"truth": truth}, "kinds": {"postgres", *kinds}}


def keys(names: str, merchant: str = "") -> list[dg.AssetKey]:
    """Assets by their names with spaces between, as ``swap/returns khaos/credit_notes``."""
    return [of_merchant(dg.AssetKey(name.split("/")), merchant) for name in names.split()]


def of_merchant(key: dg.AssetKey, merchant: str) -> dg.AssetKey:
    """The key with the merchant's name before it, where there is one: several share one Dagster."""
    return key.with_prefix(merchant) if merchant else key


def asset(
    name: str, *, deps: str = "", description: str, **more: Any
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """``dg.asset`` by its name and the names of those that it reads, with what ``owned`` says of it."""
    made: Callable[[Callable[..., Any]], dg.AssetsDefinition]
    made = dg.asset(key=name.split("/"), deps=keys(deps), description=description, **more)
    return made


def table_metadata(
    conn: Conn, table: str, order_by: str, also: Also = lambda row: {}, json: Sequence[str] = ()
) -> dict[str, dg.MetadataValue]:
    """Row count, column schema and newest rows of ``table`` ('schema.name'), sorted by ``order_by`` descending.

    The rows have the columns of ``PREVIEWS``, then those that ``also`` makes of a row, which has columns of ``json``
    too.
    """
    columns = PREVIEWS[table]
    found = tables.read(conn, table, order_by, PREVIEW_ROWS, json)
    schema = [dg.TableColumn(name, kind, meaning(table, name) or None) for name, kind in found.columns]
    rows = _with_rma(conn, found.rows) if "rma" in columns.split() else found.rows
    return {
        "dagster/row_count": dg.MetadataValue.int(found.count),
        "dagster/column_schema": dg.TableSchemaMetadataValue(dg.TableSchema(schema)),
        "preview": as_table([{**picked(row, columns), **also(row)} for row in rows]),
    }


def result(
    tools: Toolbox, figures: Mapping[str, Any], table: str, order_by: str, also: Also = lambda row: {}, **more: Any
) -> dg.MaterializeResult[None]:
    """What a run of an asset came to: its figures, and ``table_metadata`` of its table as it is now."""
    with tools.store() as conn:
        return dg.MaterializeResult(metadata={**figures, **table_metadata(conn, table, order_by, also, **more)})


def _with_rma(conn: Conn, rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """The rows with their RMA: people know no other name of a return."""
    ids = sorted({str(row["return_id"]) for row in rows if "rma" not in row and row["return_id"]})
    rmas = returns.rmas_of(conn, ids)
    return [{"rma": rmas.get(row["return_id"] or "", ""), **row} for row in rows]


def picked(row: Mapping[str, Any], columns: str) -> dict[str, Any]:
    """The columns of a row by the names that they are shown under; an amount as people write it."""
    picked: dict[str, Any] = {}
    for column in columns.split():
        shown, _, name = column.rpartition("=")
        picked[shown or name.removesuffix(PENCE)] = _told(row, name)
    return picked


def _told(row: Mapping[str, Any], name: str) -> Any:
    is_money = name.endswith(PENCE) and row[name] is not None and "currency" in row
    return money_words(row[name], row["currency"]) if is_money else row[name]


def made_of(row: Mapping[str, Any]) -> str:
    """The legs of a gap that are not nothing: ``goods -£5.00; tax £0.83``."""
    legs = [name for name in row if name.startswith(LEG) and name.endswith(PENCE) and name != GAP and row[name]]
    named = {name.removeprefix(LEG).removesuffix(PENCE).replace("_", " "): _told(row, name) for name in legs}
    return "; ".join(f"{leg} {money}" for leg, money in named.items())


def gap_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A gap as people read it: which return, how much, made of what, and the fields that say so."""
    told = {"rma": row["rma"], "gap": _told(row, GAP), "made_of": made_of(row)}
    return {**told, "evidence": row["gap_evidence"], "VAT": _told(row, "vat_gap_pence")}


def as_table(rows: Sequence[Mapping[str, Any]]) -> dg.MetadataValue:
    """Rows as a table; an empty one is said in words, since a table without columns shows nothing.

    An RMA comes first, amounts are written with their currency, and internal ids are left out, whoever gave the rows.
    Headings do not wrap in Dagster, and cells do at every hyphen: so that of an RMA is made as wide as the RMA.
    """
    if not rows:
        return dg.MetadataValue.text("no rows")
    told = [_for_people(row) for row in rows]
    named = {name: _heading(name, told) for name in told[0]}
    records = [dg.TableRecord({named[name]: _cell(value) for name, value in row.items()}) for row in told]
    return dg.MetadataValue.table(records, dg.TableSchema(columns=[dg.TableColumn(name) for name in named.values()]))


def _for_people(row: Mapping[str, Any]) -> dict[str, Any]:
    has_pence = "currency" in row and any(name.endswith(PENCE) for name in row)
    unsaid = {name for name in row if name.endswith("_id") or (has_pence and name == "currency")}
    shown = {(name.removesuffix(PENCE) if has_pence else name): _told(row, name) for name in row if name not in unsaid}
    return {name: shown[name] for name in sorted(shown, key=lambda name: name != "rma")}


def _heading(name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    longest = max(len(str(row[name] or "")) for row in rows) if name == "rma" else TEXTS.get(name, 0)
    return name.ljust(min(MOST_HEADING, -(-longest * 7 // 6)), NO_BREAK)


def picture(png: bytes, alternative: str) -> dg.MetadataValue:
    """A PNG inside Markdown, with a text for whoever cannot see it."""
    return dg.MetadataValue.md(f"![{alternative}](data:image/png;base64,{base64.b64encode(png).decode()})")


def _cell(value: object) -> str | int | bool:
    if isinstance(value, bool | int):
        return value
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else unbroken(str(value))


def shown(
    conn: Conn, name: str, draw: Callable[[Data], bytes], data: Data, words: str, now: datetime
) -> dg.MetadataValue:
    """The picture of ``data``: as kept while data and drawing code are the same, else drawn, or why it cannot be."""
    drawn_of = sha256(Path(inspect.getfile(draw)).read_bytes() + repr(data).encode()).hexdigest()
    if (kept := pictures.find(conn, name, drawn_of)) is not None:
        return picture(kept, words)
    faults = isolating.Faults(isolating.DRAWING)
    is_due = bool(isolating.to_try(conn, isolating.DRAWING, [name], now))
    for png in faults.tried(name, draw, data) if is_due else ():
        pictures.keep(conn, name, drawn_of, png)
        faults.keep(conn, [name], now)
        return picture(png, words)
    faults.keep(conn, (), now)
    return dg.MetadataValue.text(f"{words}: the picture could not be drawn, see the exception fault_in_return {name}")


def credit_by_day(conn: Conn, now: datetime) -> dg.MetadataValue | None:
    """Value of Credit Notes attributed to returns, by day of creation and currency; None while there is none."""
    rows = notes.credited_by_day(conn, DAYS_SHOWN)
    if not rows:
        return None
    words = f"Credit Notes by day, {rows[0][0]} to {rows[-1][0]}"
    return shown(conn, "credit_by_day", draw_value_by_day, rows, words, now)


def gap_by_cause(conn: Conn, months: Sequence[MonthEnd], now: datetime) -> dg.MetadataValue | None:
    """The gap of a month by cause and currency; None where nothing is apart."""
    causes = {month.currency: month.causes for month in months if any(month.causes.values())}
    if not causes:
        return None
    period = months[0].period
    return shown(conn, f"gap_by_cause {period}", draw_gap_by_cause, causes, f"Gap by cause, {period}", now)


def gap_by_month(conn: Conn, last: str, now: datetime) -> dg.MetadataValue | None:
    """The legs of the gaps of the twelve months up to one, as last computed; None where nothing is apart in any."""
    rows = monthly.causes_up_to(conn, last, MONTHS_SHOWN)
    if not any(any(causes.values()) for _, _, causes in rows):
        return None
    words = f"Gap by cause and month, {rows[0][0]} to {rows[-1][0]}"
    return shown(conn, f"gap_by_month {last}", draw_gap_by_month, rows, words, now)
