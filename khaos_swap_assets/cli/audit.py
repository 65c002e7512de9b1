"""The command ``khaos-swap audit``: what already happened, from files, with no server and no database.

Belongs here: options and what is printed. Stays out: the audit itself (``audit``). Exit 2 for input that
cannot be audited: every fault is one line on stderr, and nothing is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from khaos_swap_assets.adapters.errors import KhaosSwapError
from khaos_swap_assets.cli.imports import Dates, Days
from khaos_swap_assets.cli.progress import progress

if TYPE_CHECKING:
    from khaos_swap_assets.audit.inputs import Said
    from khaos_swap_assets.audit.summary import Summary
    from khaos_swap_assets.domain.money.periods import VatPeriods

DAY = ["%Y-%m-%d"]


Returns = Annotated[Path, typer.Option(help="Swap's returns: JSON lines, a JSON array, or the API's answer")]
StockCodes = Annotated[Path, typer.Option(help="Stock Codes of Khaos: workbook, CSV, TSV, Parquet or JSON")]
SalesOrders = Annotated[
    Path, typer.Option(help="Sales Orders of Khaos, one row a line: workbook, CSV, TSV, Parquet or JSON")
]
CreditNotes = Annotated[
    Path, typer.Option(help="Credit Notes of Khaos, one row a line: workbook, CSV, TSV, Parquet or JSON")
]
Refunds = Annotated[Path | None, typer.Option(help="Refunds that moved money; without it Swap's figure is the refund")]
First = Annotated[datetime | None, typer.Option("--from", formats=DAY, help="First day (London) of refunds and notes")]
Last = Annotated[datetime | None, typer.Option("--to", formats=DAY, help="Last day (London) of refunds and notes")]
AsOf = Annotated[datetime | None, typer.Option(formats=DAY, help="Day that decides what is not due yet; default today")]
Out = Annotated[Path, typer.Option(help="Folder for the five output files; it is made")]
Example = Annotated[
    Path | None,
    typer.Option(
        "--example",
        is_eager=True,
        expose_value=False,
        callback=lambda folder: _write_example(folder),
        help="Write small example files with every kind of trouble into this folder, and do nothing else",
    ),
]
Open = Annotated[
    bool,
    typer.Option(
        "--open",
        is_eager=True,
        expose_value=False,
        callback=lambda is_wanted: _open_page(is_wanted),
        help="Drop the files on a page in your browser instead: this machine only, nothing is kept",
    ),
]
Map = Annotated[
    Path | None, typer.Option("--map", help="How to read the files: headings and forms, as --map-out writes")
]
MapOut = Annotated[
    Path | None,
    typer.Option(help="Write how the files were read, with a proposal for headings that are not known; for --map"),
]
ExpectTotal = Annotated[
    list[str] | None,
    typer.Option(help="What a file must add up to, such as credit-notes=12345.67; else nothing is written. Repeatable"),
]
VatPeriodsOption = Annotated[
    str,
    typer.Option(
        "--vat-periods",
        envvar="KHAOS_SWAP_VAT_PERIODS",
        help="monthly, or quarters-1, quarters-2 or quarters-3: of which one ends in January, February or March",
    ),
]
PaymentKindsOption = Annotated[
    str,
    typer.Option(
        "--payment-kinds",
        envvar="KHAOS_SWAP_STOREFRONT_PAYMENT_KINDS",
        help="Gateways of the refunds that are not in our list, such as rewards:store_credit,pay4u:money",
    ),
]
Decisions = Annotated[
    list[Path] | None,
    typer.Option(
        help="What people decided: decisions.csv of the last report, or a report.xlsx with choices in its Exceptions. "
        "Repeatable"
    ),
]
SkipBadRows = Annotated[bool, typer.Option("--skip-bad-rows", help="Put bad rows into rejected.csv and run the rest")]


def audit_command(
    returns: Returns,
    stock_codes: StockCodes,
    sales_orders: SalesOrders,
    credit_notes: CreditNotes,
    out: Out,
    refunds: Refunds = None,
    first: First = None,
    last: Last = None,
    as_of: AsOf = None,
    skip_bad_rows: SkipBadRows = False,
    dates: Dates = None,
    map_in: Map = None,
    map_out: MapOut = None,
    expect_total: ExpectTotal = None,
    vat_periods: VatPeriodsOption = "monthly",
    payment_kinds: PaymentKindsOption = "",
    decisions: Decisions = None,
    _example: Example = None,
    _open: Open = False,
) -> None:
    """Reconcile returns and Credit Notes from files and write a report. No server, no database, no vendor access.

    Files may be Excel workbooks, CSV, TSV, Parquet or JSON, or a zip of one. Writes reconciliation.csv, exceptions.csv,
    summary.json, report.html and report.xlsx. Bad input is told by kind, exit code 2, and nothing is written; with
    --skip-bad-rows it goes to rejected.csv instead.
    """
    from khaos_swap_assets.audit import run
    from khaos_swap_assets.audit.engine import Span
    from khaos_swap_assets.audit.inputs import Paths

    try:
        with progress() as reports:
            done = run.audit(
                Paths(returns, stock_codes, sales_orders, credit_notes, refunds=refunds, decisions=decisions or ()),
                Span(_day(as_of) or _today(), _day(first), _day(last), _periods(vat_periods)),
                out,
                skips_bad_rows=skip_bad_rows,
                said=_said(dates, map_in, expect_total or [], payment_kinds),
                map_out=map_out,
                reports=reports,
            )
    except KhaosSwapError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    _tell(done.summary, done.paths)


def _said(dates: Days | None, map_in: Path | None, totals: Sequence[str], payment_kinds: str) -> Said:
    """What the options say of the files."""
    from khaos_swap_assets.adapters.files.faults import BadInputError, of_file
    from khaos_swap_assets.adapters.files.maps import read_maps
    from khaos_swap_assets.audit.inputs import Said
    from khaos_swap_assets.domain.refunds.payments import PaymentKinds

    try:
        kinds = PaymentKinds.of(payment_kinds)
    except ValueError as error:
        raise BadInputError([of_file("--payment-kinds", "", payment_kinds, str(error))]) from None
    maps = read_maps(map_in) if map_in else {}
    return Said(maps, dates.value if dates else "", dict(map(_total, totals)), kinds)


def _total(text: str) -> tuple[str, int]:
    """``credit-notes=12345.67`` as the kind of file and pence."""
    from khaos_swap_assets.adapters.files.faults import BadInputError, of_file
    from khaos_swap_assets.audit.control import expected_pence

    kind, _, amount = text.partition("=")
    try:
        return kind, expected_pence(kind, amount)
    except ValueError as error:
        raise BadInputError([of_file("--expect-total", "", text, str(error))]) from None


def _write_example(folder: Path | None) -> None:
    """Write the example and the command that audits it."""
    if folder is None:
        return
    from khaos_swap_assets.audit.example import write_example

    try:
        looks = write_example(folder)
    except OSError as error:
        typer.echo(f"--example {folder} cannot be written: {error.strerror or error}", err=True)
        raise typer.Exit(2) from None
    told = ("Written. Audit it with:", "Then with the money that moved and what people decided:")
    for words, options in zip(told, looks, strict=True):
        typer.echo(words)
        typer.echo(" ".join(["khaos-swap audit", *(f"--{name} {value}" for name, value in options.items())]))
    raise typer.Exit


def _open_page(is_wanted: bool) -> None:
    """Serve the page until Ctrl-C."""
    if not is_wanted:
        return
    from khaos_swap_assets.audit_page.serving import serve

    serve(0, typer.echo)
    typer.echo("Ended; the files are removed.")
    raise typer.Exit


def _periods(name: str) -> VatPeriods:
    from khaos_swap_assets.domain.money.periods import VatPeriods, named

    try:
        return VatPeriods(named(name))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--vat-periods") from None


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


def _today() -> date:
    from khaos_swap_assets.domain.money.periods import london_date

    return london_date(datetime.now(UTC))


def _tell(summary: Summary, paths: list[Path]) -> None:
    """The headline and where to look."""
    from khaos_swap_assets.adapters.files.faults import shown
    from khaos_swap_assets.domain.money.amounts import format_money

    typer.echo(f"{summary.returns} returns, {summary.credit_notes} Credit Notes, as of {summary.span.as_of}")
    for totals in summary.totals:
        money = format_money(totals.open.pence, totals.currency)
        typer.echo(f"Not reconciled: {money} in {totals.open.count} returns and Credit Notes")
        if totals.decided.count:
            typer.echo(f"Decided by people: {format_money(totals.decided.pence, totals.currency)}, not in that figure")
    _tell_outdated(summary)
    for limit in summary.not_compared:
        typer.echo(f"Not compared. {limit}")
    if summary.rejected:
        typer.echo(f"Rejected records, in none of the figures: {summary.rejected}, see rejected.csv")
    for told in summary.left_out:
        typer.echo(f"Left out of {told}")
    for figures in summary.files.values():
        if figures.ignored_columns:
            typer.echo(f"{figures.file}: columns not used: {', '.join(map(shown, figures.ignored_columns))}")
    for path in paths:
        typer.echo(str(path))


def _tell_outdated(summary: Summary) -> None:
    """The decisions that no longer hold."""
    for one in summary.rulings:
        if one.why:
            typer.echo(f"No longer holds. {one.decision.words} ({one.decision.subject}): {one.why}")
