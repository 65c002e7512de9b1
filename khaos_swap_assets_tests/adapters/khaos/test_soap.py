from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from khaos_swap_assets.adapters.errors import InDoubtError, PermanentError, TransientError
from khaos_swap_assets.adapters.khaos.envelope import KhaosFault, UnusableDocumentError
from khaos_swap_assets.adapters.khaos.soap import Soap
from khaos_swap_assets_tests.adapters.khaos import wires

VERSION = wires.text("GetVersion", "8.236.14.0")


def soap(*answers: httpx.Response | Exception) -> tuple[Soap, list[httpx.Request]]:
    """A service that gives these answers in turn, the last one for ever."""
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        answer = answers[min(len(seen), len(answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, content=answer.content, headers=answer.headers)

    return Soap(wires.http(handler)), seen


def ok(body: str, status: int = 200) -> httpx.Response:
    return httpx.Response(status, text=body)


def test_a_call_goes_to_the_endpoint_with_its_action() -> None:
    service, seen = soap(ok(VERSION))
    assert service.ask("GetVersion").text() == "8.236.14.0"
    assert seen[0].method == "POST"
    assert seen[0].url.path == "/LiveSoap/KhaosSBX.exe/soap/IKosWeb"
    assert seen[0].headers["soapaction"] == '"urn:IKosWebIntf-IKosWeb#GetVersion"'
    assert seen[0].headers["content-type"] == "text/xml; charset=utf-8"


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("shape", [wires.fault_a, wires.fault_b])
def test_a_fault_is_an_answer_and_not_repeated(status: int, shape: Callable[[str], str]) -> None:
    service, seen = soap(ok(shape("Site 7 does not exist"), status))
    with pytest.raises(KhaosFault, match="Site 7 does not exist"):
        service.ask("GetVersion")
    assert len(seen) == 1


@pytest.mark.parametrize(
    "first",
    [ok(VERSION[: len(VERSION) // 2]), ok("<h1>Busy</h1>", 503), httpx.ReadTimeout("slow"), httpx.ConnectError("no")],
    ids=["cut off", "busy", "slow", "refused"],
)
def test_a_read_is_repeated_until_it_is_whole(first: httpx.Response | Exception) -> None:
    service, seen = soap(first, ok(VERSION))
    assert service.ask("GetVersion").text() == "8.236.14.0"
    assert len(seen) == 2


def test_a_read_that_stays_cut_off_is_transient() -> None:
    service, seen = soap(ok(VERSION[:-20]))
    with pytest.raises(TransientError, match="cut off"):
        service.ask("GetVersion")
    assert len(seen) == 3


def test_an_unsafe_answer_is_not_asked_for_again() -> None:
    service, seen = soap(ok("<!DOCTYPE a><a/>"))
    with pytest.raises(PermanentError, match="DTD"):
        service.ask("GetVersion")
    assert len(seen) == 1


def test_documents_are_read_or_none() -> None:
    service, _ = soap(ok(wires.text("ExportStock", "<STOCK_ITEMS/>")), ok(wires.text("ExportStock", "")))
    first = service.ask_document("ExportStock")
    assert first is not None
    assert first.tag == "STOCK_ITEMS"
    assert service.ask_document("ExportStock") is None


def test_a_broken_document_in_a_whole_answer_is_not_repeated() -> None:
    service, seen = soap(ok(wires.text("ExportStock", "<STOCK_ITEMS><STOCK")))
    with pytest.raises(UnusableDocumentError):
        service.ask_document("ExportStock")
    assert len(seen) == 1


def test_a_change_gives_its_text() -> None:
    service, _ = soap(ok(wires.text("ProcessReturn", "done")))
    assert service.change("ProcessReturn", {"ReturnCode": "RET1"}) == "done"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.ReadTimeout("slow"), InDoubtError),
        (httpx.RemoteProtocolError("gone"), InDoubtError),
        (ok("<h1>Server error</h1>", 500), InDoubtError),
        (ok(wires.text("ProcessReturn", "done")[:-30]), InDoubtError),
        (ok("<html/>"), InDoubtError),
        (httpx.ConnectError("refused"), TransientError),
        (ok(wires.fault_a("no"), 500), KhaosFault),
        (ok(wires.fault_b("no")), KhaosFault),
        (ok("Unauthorized", 401), PermanentError),
    ],
)
def test_a_change_is_never_repeated(answer: httpx.Response | Exception, kind: type[Exception]) -> None:
    service, seen = soap(answer)
    with pytest.raises(kind) as caught:
        service.change("ProcessReturn", {"ReturnCode": "RET1"})
    assert type(caught.value) is kind
    assert len(seen) == 1
