from __future__ import annotations

import httpx
import pytest

from khaos_swap_assets.adapters.errors import PermanentError, TransientError
from khaos_swap_assets.adapters.khaos import capabilities
from khaos_swap_assets.adapters.khaos.capabilities import OPTIONAL, REQUIRED, Capabilities
from khaos_swap_assets_tests.adapters.khaos import wires


def wsdl(*operations: str) -> str:
    ports = "".join(f'<operation name="{name}"><input message="x"/></operation>' for name in operations)
    bound = '<operation name="OnlyBound"/>'
    return (
        '<?xml version="1.0"?><definitions xmlns="http://schemas.xmlsoap.org/wsdl/" name="IKosWebservice">'
        f'<portType name="IKosWeb">{ports}</portType><binding name="b">{bound}</binding></definitions>'
    )


def read(answer: httpx.Response) -> Capabilities:
    return capabilities.read(wires.http(lambda _: answer, retries=0))


def test_operations_are_those_of_the_port() -> None:
    found = read(httpx.Response(200, text=wsdl("GetVersion", "ProcessReturn")))
    assert found.operations == {"GetVersion", "ProcessReturn"}
    assert found.has("ProcessReturn")
    assert not found.has("OnlyBound")


def test_the_wsdl_is_asked_for_beside_the_endpoint() -> None:
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.url.path}")
        return httpx.Response(200, text=wsdl("GetVersion"))

    capabilities.read(wires.http(handler))
    assert asked == ["GET /LiveSoap/KhaosSBX.exe/wsdl/IKosWeb"]


def test_a_full_service_lacks_nothing() -> None:
    full = Capabilities(frozenset(REQUIRED) | frozenset(OPTIONAL))
    assert full.missing == []
    assert all(line.endswith(": offered") for line in full.describe())


@pytest.mark.parametrize("operation", [*REQUIRED, *OPTIONAL])
def test_a_missing_operation_is_named_with_what_follows(operation: str) -> None:
    found = Capabilities((frozenset(REQUIRED) | frozenset(OPTIONAL)) - {operation})
    (line,) = (line for line in found.describe() if not line.endswith("offered"))
    assert line.startswith(f"{operation}: missing; ")
    assert len(line) > len(operation) + 20
    assert found.missing == ([operation] if operation in REQUIRED else [])


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(200, text="<definitions/>"), PermanentError),
        (httpx.Response(200, text="<html><body/></html>"), PermanentError),
        (httpx.Response(200, text=wsdl("A")[:80]), TransientError),
        (httpx.Response(200, text="<!DOCTYPE html><html/>"), PermanentError),
        (httpx.Response(404, text="Not found"), PermanentError),
        (httpx.Response(503), TransientError),
    ],
)
def test_what_is_no_wsdl_is_refused(answer: httpx.Response, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        read(answer)
