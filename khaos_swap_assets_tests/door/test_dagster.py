"""Dagster behind the door: who may not run changes nothing in it, by no write that it has, and not by a WebSocket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import httpx
import pytest
from dagster_graphql.schema import create_schema
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLScalarType,
)
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from khaos_swap_assets.door import lines, mutations
from khaos_swap_assets.door.mutations import OF_THE_PAGE, written
from khaos_swap_assets_tests.door.place import Place, sign_in, token
from khaos_swap_assets_tests.running import until
from khaos_swap_assets_tests.ui.serving import Marks

JSON = {"content-type": "application/json", "sec-fetch-site": "same-origin", "accept": "application/json"}
SCHEMA = create_schema().graphql_schema
WRITES = sorted(SCHEMA.mutation_type.fields) if SCHEMA.mutation_type else []
PERMISSIONS = "{ permissions { permission value } }"
LAUNCH = """mutation L($p: ExecutionParams!) { launchRun(executionParams: $p) { __typename } }"""
JOB = {"selector": {"repositoryLocationName": "a", "repositoryName": "b", "jobName": "sync"}, "mode": "default"}


def value_of(kind: Any) -> Any:
    """Any value that an input type takes, with as little in it as may be."""
    if isinstance(kind, GraphQLNonNull):
        return value_of(kind.of_type)
    if isinstance(kind, GraphQLList):
        return [value_of(kind.of_type)]
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    if isinstance(kind, GraphQLInputObjectType):
        needed = {name: one.type for name, one in kind.fields.items() if isinstance(one.type, GraphQLNonNull)}
        return {name: value_of(one) for name, one in needed.items()}
    assert isinstance(kind, GraphQLScalarType)
    return {"Int": 1, "Float": 1.0, "Boolean": True}.get(kind.name, "x")


def write(name: str) -> dict[str, Any]:
    """A request of one of Dagster's writes that is right by its schema."""
    assert SCHEMA.mutation_type
    needed = {
        key: one.type
        for key, one in SCHEMA.mutation_type.fields[name].args.items()
        if isinstance(one.type, GraphQLNonNull)
    }
    declared = ", ".join(f"${key}: {kind}" for key, kind in needed.items())
    given = ", ".join(f"{key}: ${key}" for key in needed)
    head, call = (f"({declared})", f"({given})") if needed else ("", "")
    variables = {key: value_of(kind) for key, kind in needed.items()}
    kind = cast(GraphQLNamedType, SCHEMA.mutation_type.fields[name].type)
    inside = "" if isinstance(getattr(kind, "of_type", kind), GraphQLScalarType) else " { __typename }"
    return {"query": f"mutation{head} {{ {name}{call}{inside} }}", "variables": variables}


@pytest.mark.parametrize("name", WRITES)
def test_each_of_dagsters_writes_is_refused_to_a_viewer_and_logged(
    place: Place, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = sign_in(place, "viewer").post("/dagster/graphql", json=write(name), headers=JSON)
    is_of_the_page = name in OF_THE_PAGE
    assert (answer.status_code == 403) == (not is_of_the_page)
    assert ("Your roles let you look" in answer.text) == (not is_of_the_page)
    assert (f"refused Dagster's {name} of Kim Viewer: a role that may run is needed" in caplog.text) == (
        not is_of_the_page
    )


@pytest.mark.parametrize("seen", [[], ["launchRun"]])
def test_a_run_is_launched_by_nobody_who_only_looks_even_where_the_write_was_not_seen(
    place: Place, seen: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mutations, "written", lambda _: seen)
    asked = {"query": LAUNCH, "variables": {"p": JOB}}
    before = place.instance.get_runs_count()
    answers = [sign_in(place, role).post("/dagster/graphql", json=asked, headers=JSON) for role in ("viewer", "cx")]
    words = "Your roles let you look" if seen else "UnauthorizedError"
    assert [words in one.text for one in answers] == [True, True]
    allowed = sign_in(place, "operations").post("/dagster/graphql", json=asked, headers=JSON)
    assert "UnauthorizedError" not in allowed.text
    assert place.instance.get_runs_count() == before


def test_dagster_itself_refuses_to_delete_for_a_viewer(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutations, "written", lambda _: [])
    marks = Marks(place.instance)
    answer = sign_in(place, "viewer").post("/dagster/graphql", json={"query": marks.delete}, headers=JSON)
    assert "UnauthorizedError" in answer.text
    assert not marks.is_touched()


@pytest.mark.parametrize(("role", "may_run"), [("viewer", False), ("cx", False), ("finance", True)])
def test_dagsters_page_is_told_what_to_grey_out(place: Place, role: Any, may_run: bool) -> None:
    answer = sign_in(place, role).post("/dagster/graphql", json={"query": PERMISSIONS}, headers=JSON)
    told = {one["permission"]: one["value"] for one in answer.json()["data"]["permissions"]}
    assert told["launch_pipeline_execution"] == told["edit_sensor"] == told["wipe_assets"] == may_run


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "application/json"},
        {"content-type": "application/json", "sec-fetch-site": "none"},
        {"content-type": "text/plain", "sec-fetch-site": "same-origin"},
        {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"},
    ],
)
def test_a_query_that_no_page_of_ours_sends_is_refused(place: Place, headers: dict[str, str]) -> None:
    browser, marks = sign_in(place, "engineer"), Marks(place.instance)
    answer = browser.post("/dagster/graphql", content=json.dumps({"query": marks.delete}), headers=headers)
    assert answer.status_code in (403, 415)
    assert browser.get("/dagster" + marks.by_address).status_code in (200, 405)
    assert not marks.is_touched()


@contextmanager
def line(place: Place, browser: httpx.Client) -> Iterator[ClientConnection]:
    cookies = "; ".join(f"{one.name}={one.value}" for one in browser.cookies.jar)
    url = f"{place.url.replace('http', 'ws')}/dagster/graphql"
    with connect(url, additional_headers={"cookie": cookies}, subprotocols=["graphql-ws"], proxy=None) as found:  # type: ignore[list-item]
        yield found


def says(found: ClientConnection, query: str) -> dict[str, Any]:
    found.send(json.dumps({"type": "connection_init"}))
    assert json.loads(found.recv(20))["type"] == "connection_ack"
    found.send(json.dumps({"type": "start", "id": "1", "payload": {"query": query}}))
    return dict(json.loads(found.recv(20)))


@pytest.mark.parametrize("role", ["viewer", "engineer"])
def test_a_websocket_writes_nothing_for_anybody(place: Place, role: Any) -> None:
    marks = Marks(place.instance)
    with line(place, sign_in(place, role)) as found:
        assert says(found, marks.delete)["type"] == "error"
    assert not marks.is_touched()


def test_a_stranger_gets_no_websocket(place: Place) -> None:
    with pytest.raises(InvalidStatus) as refused, line(place, place.browser()):
        pass
    assert refused.value.response.status_code == 401


def test_a_websocket_ends_with_its_session(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LOOK_SECONDS", 0.05)
    browser = sign_in(place, "finance")
    with line(place, browser) as found:
        found.send(json.dumps({"type": "connection_init"}))
        assert json.loads(found.recv(20))["type"] == "connection_ack"
        browser.post("/sign-out/everywhere", data={"csrf": token(browser.get("/"))})
        with pytest.raises(ConnectionClosed) as closed:
            found.recv(20)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == lines.OVER


def test_a_websocket_that_its_page_closes_leaves_nothing_running(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[str] = []
    monkeypatch.setattr(lines, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(lines, "_until_over", _counted(lines._until_over, looks))
    with line(place, sign_in(place, "viewer")) as found:
        found.send(json.dumps({"type": "connection_init"}))
        found.recv(20)
    assert until(lambda: looks == ["began", "ended"], 20, every=0.05)


def _counted(watch: Any, looks: list[str]) -> Any:
    async def counted(*given: Any) -> None:
        looks.append("began")
        try:
            await watch(*given)
        finally:
            looks.append("ended")

    return counted


@pytest.mark.parametrize(
    ("body", "names"),
    [
        (b'{"query": "{ version }"}', []),
        (b'{"query": "mutation { b: launchRun a: launchRun deleteRun }"}', ["deleteRun", "launchRun"]),
        (b'{"query": "query A { version } mutation B { wipeAssets }"}', ["wipeAssets"]),
        (b'{"query": "mutation { setNuxSeen logTelemetry }"}', []),
        (b'{"query": "mutation { ...F } fragment F on Mutation { launchRun }"}', ["..."]),
        (b'{"query": "mutation { ... on Mutation { launchRun } }"}', ["..."]),
        (b'{"query": "mutation {"}', []),
        (b'{"query": 3}', []),
        (b'[{"query": "mutation { a }"}]', []),
        (b'{"query": "' + b"{a" * 30_000 + b'"}', []),
        (b"\xff", []),
        (b"", []),
    ],
)
def test_a_write_is_seen_however_it_is_written(body: bytes, names: list[str]) -> None:
    assert written(body) == names
