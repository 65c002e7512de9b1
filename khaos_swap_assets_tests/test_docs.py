"""The documentation is true: what it names exists, and what exists is named."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import get_args
from xml.etree import ElementTree

import click
import pytest
import yaml

from khaos_swap_assets.adapters.settings_stores import variables_of
from khaos_swap_assets.cli.commands import app
from khaos_swap_assets.domain.linking.attribution import MatchedBy
from khaos_swap_assets.sandbox import generator
from khaos_swap_assets_tests import generated_docs
from khaos_swap_assets_tests.matching_page import PASSES
from khaos_swap_assets_tests.prove import flow_page

ROOT = Path(__file__).parent.parent
TESTS = ROOT / "khaos_swap_assets_tests"
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md"), *(ROOT / "deploy").glob("*.md")])
OF_THE_PROGRAMS = {"KHAOS_SWAP_STARTED_BY", "KHAOS_SWAP_DAGSTER_URL"}
FORBIDDEN = re.compile(r"\b(TODO|FIXME|WIP|coming soon|not yet implemented)\b", re.IGNORECASE)
COMMANDS = generated_docs.commands_of(app)
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", generated_docs.pages())
def test_what_is_made_from_the_code_is_as_the_code_says(name: str) -> None:
    made = generated_docs.pages()[name]
    assert text_of(DOCS / name) == made, "run: python -m khaos_swap_assets_tests.generated_docs"


def test_the_page_on_matching_names_every_pass() -> None:
    assert set(PASSES) == {name for part in get_args(MatchedBy) for name in (get_args(part) or (part,))}


def test_every_page_is_reached_from_the_readme() -> None:
    readme = text_of(ROOT / "README.md")
    assert [page.name for page in DOCS.glob("*.md") if f"docs/{page.name}" not in readme] == []


def links(page: Path) -> Iterator[str]:
    prose = re.sub(r"```.*?```", "", text_of(page), flags=re.DOTALL)
    yield from (link for link in re.findall(r"\]\(([^)\s]+)\)", prose) if "://" not in link)


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", text_of(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_picture_is_shown_and_is_one() -> None:
    shown = {Path(link).name for page in PAGES for link in links(page) if "img/" in link}
    files = {file.name: file for file in (DOCS / "img").iterdir()}
    assert shown == set(files)
    for file in files.values():
        if file.suffix == ".svg":
            assert ElementTree.parse(file).getroot().tag.endswith("svg")
        else:
            assert file.read_bytes().startswith(b"\x89PNG")
            assert file.stat().st_size > 20_000


@each_page
def test_every_variable_exists(page: Path) -> None:
    named = set(re.findall(r"KHAOS_SWAP_[A-Z0-9_]+", text_of(page)))
    of_a_store = {"KHAOS_SWAP_STORE_OUTLET_", *variables_of(["outlet"])}
    assert named - set(generated_docs.variables()) - OF_THE_PROGRAMS - of_a_store == set()


@each_page
def test_every_command_and_option_exists(page: Path) -> None:
    for line in commands_in(text_of(page)):
        name, options = split(line)
        if line == "khaos-swap --version":
            continue
        assert name in COMMANDS, line
        known = {option for one in COMMANDS[name].params for option in (*one.opts, *one.secondary_opts)} | {"--help"}
        assert options <= known, line


def commands_in(text: str) -> Iterator[str]:
    text = text.replace("\\\n", " ")
    inline = re.findall(r"`(khaos-swap [^`]+)`", text)
    blocks = re.findall(r"^(khaos-swap .+?)\s*(?:#.*)?$", text, flags=re.MULTILINE)
    yield from (line for line in (*inline, *blocks) if "COMMAND" not in line)


def split(line: str) -> tuple[str, set[str]]:
    """The longest command that the line begins with, and its options."""
    line = re.sub(r"^khaos-swap (--demo|--merchant \S+) ", "khaos-swap ", line)
    words = shlex.split(line)
    name = max((name for name in COMMANDS if f"{line} ".startswith(f"{name} ")), key=len, default=line)
    return name, {word.partition("=")[0] for word in words if word.startswith("--")}


def test_a_wrong_command_is_found() -> None:
    assert split("khaos-swap postings invent REF")[0] not in COMMANDS
    assert split("khaos-swap demo --once --returns 60") == ("khaos-swap demo", {"--once", "--returns"})


def test_every_command_says_what_it_and_its_options_do() -> None:
    for name, command in COMMANDS.items():
        assert (command.help or "").strip().endswith("."), name
        for one in command.params:
            assert not isinstance(one, click.Option) or one.help, f"{name} {one.name}"


@each_page
def test_every_make_target_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of(ROOT / "Makefile"), flags=re.MULTILINE))
    named = re.findall(r"(?:`|^)make ([a-z-]+)", text_of(page), flags=re.MULTILINE)
    assert set(named) <= targets


@each_page
def test_pages_speak_of_the_product(page: Path) -> None:
    assert not FORBIDDEN.search(text_of(page))


def controls() -> list[tuple[str, str, str]]:
    rows = re.findall(r"^\| (.+?) \| \[.+?\]\(\.\./(.+?)\) \| `(.+?)` \|$", text_of(DOCS / "security.md"), re.MULTILINE)
    return [(name, code, test) for name, code, test in rows]


def test_there_are_controls() -> None:
    assert len(controls()) >= 25


@pytest.mark.parametrize(("name", "code", "test"), controls(), ids=lambda value: value if "::" in value else "")
def test_every_control_has_its_code_and_its_test(name: str, code: str, test: str) -> None:
    file, _, function = test.partition("::")
    assert (ROOT / code).is_file(), name
    assert re.search(rf"^(async )?def {function}\(", text_of(TESTS / file), flags=re.MULTILINE), name


def test_every_message_of_the_troubleshooting_table_is_one_of_ours() -> None:
    table = text_of(DOCS / "operations.md").partition("## Troubleshooting")[2]
    cells = re.findall(r"^\| (.+?) \|", table, flags=re.MULTILINE)[2:]
    messages = [message for cell in cells for message in re.findall(r"`([^`]+)`", cell)]
    assert len(messages) > 25
    lost = [message for message in messages if not all(part in SOURCE for part in parts(message))]
    assert lost == []


def parts(message: str) -> list[str]:
    return [part.strip() for part in message.split("…") if part.strip()]


def joined(source: str) -> str:
    """Source text with the seams of strings over several lines taken out."""
    return re.sub(r'"\s*\n\s*f?"', "", source)


SOURCE = "".join(joined(text_of(file)) for file in sorted((ROOT / "khaos_swap_assets").rglob("*.py")))


def test_the_return_of_the_flow_page_is_in_the_month_that_it_names() -> None:
    page = text_of(DOCS / "flow.md")
    assert "khaos-swap demo --once --returns 200 --seed 1" in page
    world = generator.build(seed=1, returns=200)
    (rma,) = [one for one in world.rmas.values() if one.rma_number == "RMA-2026-01101"]
    assert f"£{rma.refund_pence / 100:.2f}" in page
    assert f"{rma.order_name} | {rma.status}" in page
    for line in rma.lines:
        assert (
            f"| {line.sku} | {line.quantity} | £{line.cost_pence / 100:.2f} | {line.outcome} | {line.reason} |" in page
        )
        assert f"| {line.sku} | {line.condition} | {line.quantity} |" in page


def test_the_month_of_the_flow_page_adds_up_and_is_written_by_the_play() -> None:
    page = text_of(DOCS / "flow.md")
    cells = [row.strip("|").replace("*", "").split("|") for row in page.partition(flow_page.BEGIN)[2].splitlines()]
    rows = [
        (int(count), to_pence(refunded), to_pence(credited))
        for _, count, refunded, credited in cells[: cells.index([""])]
    ]
    assert tuple(map(sum, zip(*rows[:-1], strict=True))) == rows[-1]
    words = dict(zip(flow_page.WORDS.values(), rows[:-1], strict=True))
    made = flow_page.table({some[0]: figures for some, figures in words.items()})
    assert flow_page.with_table(page, made) == page


def to_pence(shown: str) -> int:
    return int(re.sub(r"\D", "", shown))


def test_the_values_for_kubernetes_decide_as_our_own_settings_do() -> None:
    chart = yaml.safe_load(text_of(ROOT / "deploy" / "values.yaml"))
    ours = yaml.safe_load(text_of(ROOT / "khaos_swap_assets" / "dagster.yaml"))
    daemon, monitoring = chart["dagsterDaemon"], ours["run_monitoring"]
    coordinator = daemon["runCoordinator"]["config"]["queuedRunCoordinator"]
    assert coordinator["dequeueIntervalSeconds"] == ours["run_queue"]["dequeue_interval_seconds"]
    assert daemon["runMonitoring"]["maxRuntimeSeconds"] == monitoring["max_runtime_seconds"]
    assert daemon["runMonitoring"]["freeSlotsAfterRunEndSeconds"] == monitoring["free_slots_after_run_end_seconds"]
    assert daemon["runRetries"]["enabled"] == ours["run_retries"]["enabled"]
    pools = chart["concurrency"]["pools"]
    assert (pools["granularity"], pools["defaultLimit"]) == ("op", ours["concurrency"]["pools"]["default_limit"])


def test_the_gateways_manifest_names_settings_that_exist() -> None:
    deployment, service, *_ = yaml.safe_load_all(text_of(ROOT / "deploy" / "gateway.yaml"))
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    named = {one["name"] for one in container["env"]}
    of_a_store = {"KHAOS_SWAP_STORE_OUTLET_", *variables_of(["outlet"])}
    assert named - set(generated_docs.variables()) - OF_THE_PROGRAMS - of_a_store == set()
    assert container["ports"][0]["containerPort"] == service["spec"]["ports"][0]["targetPort"]
