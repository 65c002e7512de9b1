"""The command line ``khaos-swap``: what there is, its options, and its exit codes.

Belongs here: arguments, help, and turning an error into one line and its exit code. Stays out: the work, which is
imported inside each command so that ``--help`` stays quick.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from khaos_swap_assets.adapters import private
from khaos_swap_assets.adapters.errors import KhaosSwapError
from khaos_swap_assets.cli import reach
from khaos_swap_assets.cli.audit import audit_command
from khaos_swap_assets.cli.backup import backup_command, restore_command
from khaos_swap_assets.cli.cancellations import cancellations_app
from khaos_swap_assets.cli.confirming import add_confirm_notes
from khaos_swap_assets.cli.decisions import decisions_app
from khaos_swap_assets.cli.exceptions import exceptions_app
from khaos_swap_assets.cli.imports import import_app
from khaos_swap_assets.cli.inspections import inspections_app
from khaos_swap_assets.cli.links import links_app
from khaos_swap_assets.cli.merchants import merchants_command, up_command
from khaos_swap_assets.cli.payouts import payouts_app
from khaos_swap_assets.cli.policy import policy_app
from khaos_swap_assets.cli.postings import postings_app
from khaos_swap_assets.cli.returns import returns_app
from khaos_swap_assets.cli.users import users_app

DEMO_FOLDER = Path(".khaos-swap-demo")
USAGE_ERROR = typer.BadParameter.__mro__[1]
app = typer.Typer(
    name="khaos-swap",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(add_confirm_notes(postings_app(reach.REACH), reach.REACH), name="postings")
app.add_typer(cancellations_app(reach.REACH), name="cancellations")
app.add_typer(exceptions_app(reach.REACH), name="exceptions")
app.add_typer(links_app(reach.REACH), name="links")
app.add_typer(decisions_app(reach.REACH), name="decisions")
app.add_typer(returns_app(reach.REACH), name="returns")
app.add_typer(import_app(reach.REACH), name="import")
app.add_typer(inspections_app(reach.REACH), name="inspections")
app.add_typer(payouts_app(reach.REACH), name="payouts")
app.add_typer(policy_app(reach.REACH), name="policy")
app.add_typer(users_app(reach.REACH), name="users")
app.command("audit")(audit_command)
app.command("backup")(backup_command)
app.command("restore")(restore_command)
app.command("up")(up_command)
app.command("merchants")(merchants_command)
Version = Annotated[
    bool,
    typer.Option(
        "--version",
        is_eager=True,
        expose_value=False,
        callback=lambda is_wanted: _show_version(is_wanted),
        help="Print the versions of this program, Python, Dagster and the tables that it needs",
    ),
]
Month = Annotated[str, typer.Option(help="With --history: the month to play, YYYY-MM")]


def main() -> None:
    """The program: every error that we raise on purpose is told in clear lines on stderr, with its exit code."""
    private.keep_private()
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _leave)
    try:
        sys.exit(app(standalone_mode=False))
    except typer.Abort:
        sys.exit(130)
    except Exception as error:
        if isinstance(error, USAGE_ERROR):
            sys.stderr.write(reach.said_by_the_command_line(error))
            sys.exit(2)
        told = error if isinstance(error, KhaosSwapError) else reach.said_by_the_database(error)
        if told is None:
            raise
        for line in str(told).splitlines():
            sys.stderr.write(f"khaos-swap: {line}\n")
        sys.exit(told.exit_code)


CreditFirst = Annotated[
    bool, typer.Option("--credit-first", help="With --once: credit at once, the goods follow as adjustments")
]
StockRoute = Annotated[
    str, typer.Option(help="With --credit-first: by file or by level the goods follow, else people see to them")
]
Stores = Annotated[
    int, typer.Option(min=1, max=2, help="With --once: Swap stores of the merchant; the second is down at first")
]


@app.callback()
def program(
    is_demo: Annotated[
        bool, typer.Option("--demo", help="Speak to the demo that runs in .khaos-swap-demo, and to nothing else")
    ] = False,
    merchant: Annotated[
        Path | None, typer.Option(help="Speak to this merchant of a house of many: its file, NAME.env")
    ] = None,
    _version: Version = False,
) -> None:
    """Keeps Swap Commerce returns and Khaos Control credit notes in step, and proves it.

    Settings are variables of the environment or of .env in the working folder; the demo reads neither. With --merchant
    they are those of the house, and the merchant's stand in its file.
    """
    if is_demo and merchant is not None:
        raise typer.BadParameter("--demo and --merchant are two worlds: choose one")
    if is_demo:
        reach.enter_demo(DEMO_FOLDER)
    if merchant is not None:
        reach.enter_merchant(merchant)


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Play one month without a UI, print one JSON line, end")] = False,
    returns: Annotated[int | None, typer.Option(min=8, help="Returns of the invented month [500; live 120]")] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same world")] = 1,
    history: Annotated[Path | None, typer.Option(help="With --once: Parquet file of real trading data")] = None,
    month: Month = "",
    switch: Annotated[list[str] | None, typer.Option(help="With --once: a switch of the sandbox, name=value")] = None,
    storefront: Annotated[
        bool, typer.Option("--storefront", help="Connect the invented shop, the witness of the money")
    ] = False,
    credit_first: CreditFirst = False,
    stock_route: StockRoute = "",
    stores: Stores = 1,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Live: port of the Dagster UI")] = 3000,
    folder: Annotated[Path, typer.Option(help="Live: where the demo keeps its data")] = DEMO_FOLDER,
    every: Annotated[
        int, typer.Option(min=1, max=86_400, help="Live: seconds between two new returns; pages rest in between")
    ] = 180,
) -> None:
    """Show it all on invented data: sandboxes of both vendors, gateway and Dagster, touching nothing real."""
    reach.require_route(stock_route, is_credit_first=credit_first)
    if not once:
        if history or month or switch or credit_first or stores > 1:
            raise typer.BadParameter("--history, --month, --switch, --credit-first and --stores need --once")
        from khaos_swap_assets.demo.live import RETURNS, Visit, play_live

        of: dict[str, Any] = {"folder": folder, "port": port, "seed": seed, "storefront": storefront, "every": every}
        raise typer.Exit(play_live(Visit(returns=returns or RETURNS, **of), typer.echo))
    from khaos_swap_assets.demo.once import Wish, play_once

    reach.require_history(history, month)
    if stores > 1 and (history or storefront):
        raise typer.BadParameter("--stores is played without --history and --storefront")
    wish = Wish(
        returns=returns or 500, seed=seed, history=history, month=month, storefront=storefront, stores=stores,
        switches=reach.wanted_switches(switch or []), credit_first=credit_first, stock_route=stock_route,
    )  # fmt: skip
    raise typer.Exit(play_once(wish))


@app.command()
def gateway() -> None:
    """Start the gateway alone: webhooks, inspections and the Khaos channel's endpoints."""
    from khaos_swap_assets.gateway.server import serve
    from khaos_swap_assets.running import processes
    from khaos_swap_assets.running.up import gateway_address, ready_settings

    settings = ready_settings()
    processes.require_free(gateway_address(settings))
    serve(settings)


@app.command()
def preflight(
    send_alert: Annotated[
        bool, typer.Option("--send-alert", help="Send a test message to the alert addresses")
    ] = False,
) -> None:
    """Try each connection and capability; say what works, what does not, and what follows. Exit 1 when not ready."""
    from khaos_swap_assets.preflight.vendors import examine, follows

    settings = reach.settings()
    findings = examine(settings, mark=reach.mark(), send_alert=send_alert)
    for line in (*map(str, findings), "", *follows(settings, findings)):
        typer.echo(line)
    raise typer.Exit(int(any(finding.verdict == "fails" for finding in findings)))


@app.command()
def migrate() -> None:
    """Create the databases where they are missing, and bring the tables to this program's version."""
    from khaos_swap_assets.running import installation

    url = reach.settings().database_url.get_secret_value()
    if not url:
        raise KhaosSwapError(
            "KHAOS_SWAP_DATABASE_URL is empty; the embedded database is brought up to date by its start"
        )
    installation.set_up(url)
    typer.echo("the tables are up to date")


@app.command()
def upgrade(
    rehearse: Annotated[
        bool, typer.Option("--rehearse", help="Change nothing: show on a copy what the new version says otherwise")
    ] = False,
    limit: Annotated[int, typer.Option(min=0, help="With --rehearse: how many changes are listed")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="With --rehearse: print JSON, with every change")] = False,
) -> None:
    """Bring the tables to this program's version, as migrate does; or see first what it changes.

    With --rehearse the store is only read. A copy of it, in a database of the moment, is brought up to date and every
    return in it judged again by the settings of this folder, without asking any vendor.
    """
    if not rehearse:
        migrate()
        return
    from khaos_swap_assets.cli.upgrade import show_rehearsal

    show_rehearsal(limit, as_json=as_json)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []})
def sandbox(context: typer.Context) -> None:
    """Start the stand-ins for Swap and Khaos alone: khaos-swap sandbox --port 8800 --gateway http://127.0.0.1:8700.

    With --hand-posted FOLDER --returns 200 --seed 1 it serves nothing: it writes an invented month whose Credit Notes
    were all typed by hand, with every slip that people make, as the four files of khaos-swap audit, and truth.json:
    for each note how it was typed and for which returns, for each return what its notes are off, by cause.
    """
    from khaos_swap_assets.sandbox.__main__ import main as serve

    serve(context.args)


@app.command("new-key")
def new_key() -> None:
    """Print a fresh key for KHAOS_SWAP_SEAL_KEY."""
    from khaos_swap_assets.adapters.store.seal import Sealer

    typer.echo(Sealer.new_key())


@app.command()
def settings(
    as_env: Annotated[bool, typer.Option("--env", help="Print it as the text of .env.example")] = False,
) -> None:
    """List every variable with its default and meaning."""
    from khaos_swap_assets.adapters.settings_list import env_example, variables

    if as_env:
        typer.echo(env_example(), nl=False)
        return
    for variable in variables():
        typer.echo(f"{variable.name}={variable.default}\n    {variable.meaning}")


def _show_version(is_wanted: bool) -> None:
    """Print the versions; neither settings nor a database are looked at."""
    if not is_wanted:
        return
    from importlib.metadata import version
    from platform import python_version

    from khaos_swap_assets.adapters.store.migrate import head

    typer.echo(f"khaos-swap {version('khaos-swap')}")
    typer.echo(f"Python {python_version()}\nDagster {version('dagster')}\ntables {head()}")
    raise typer.Exit


def _leave(_number: int, _frame: object) -> None:
    """End as a program ends that is done, so that whatever it started ends too."""
    sys.exit(0)


if __name__ == "__main__":
    main()
