"""Hand-written wire of the Khaos web service, and a client whose network is a function.

Belongs here: envelopes and servers that more than one test file needs.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import httpx
from lxml import etree

from khaos_swap_assets.adapters.http import Http
from khaos_swap_assets.adapters.khaos.client import KhaosClient
from khaos_swap_assets.adapters.settings import KhaosSettings

URL = "https://khaos.test/LiveSoap/KhaosSBX.exe"
HEAD = (
    '<?xml version="1.0"?><SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns:SOAP-ENC="http://schemas.xmlsoap.org/soap/encoding/">'
    '<SOAP-ENV:Body SOAP-ENV:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/">'
)
TAIL = "</SOAP-ENV:Body></SOAP-ENV:Envelope>"
CERTAIN = (
    '<NS1:EWebServiceError xmlns:NS1="urn:WebServiceP" xsi:type="NS1:EWebServiceError">'
    '<ExceptionClassName xsi:type="xsd:string">EKosException</ExceptionClassName>'
    '<ExceptionInheritance xsi:type="xsd:string">EKosException,Exception</ExceptionInheritance></NS1:EWebServiceError>'
)

Params = dict[str, str]
Operation = Callable[[Params], str]


def body(inner: str) -> str:
    return f"{HEAD}{inner}{TAIL}"


def returning(method: str, returned: str, siblings: str = "") -> str:
    return body(f'<N:{method}Response xmlns:N="urn:IKosWebIntf-IKosWeb">{returned}</N:{method}Response>{siblings}')


def text(method: str, document: str, *, is_cdata: bool = False) -> str:
    inner = f"<![CDATA[{document}]]>" if is_cdata else escape(document)
    return returning(method, f'<return xsi:type="xsd:string">{inner}</return>')


def fault_a(words: str) -> str:
    return body(
        "<SOAP-ENV:Fault><faultcode>SOAP-ENV:Client</faultcode>"
        f"<faultstring>{escape(words)}</faultstring><faultactor>EKosException</faultactor>"
        '<detail><NS1:ERemotableException xmlns:NS1="urn:InvokeRegistry"/></detail></SOAP-ENV:Fault>'
    )


def fault_b(words: str) -> str:
    return body(
        "<SOAP-ENV:Fault><faultcode>SOAP-ENV:Client</faultcode>"
        f"<faultstring>{escape(words)}</faultstring><faultactor>EOther</faultactor>"
        f"<detail>{CERTAIN}</detail></SOAP-ENV:Fault>"
    )


class Refusal(Exception):  # noqa: N818
    """What a fake operation raises to answer with a fault."""


def call_of(request: httpx.Request) -> tuple[str, Params]:
    """Method and parameters of a request, read independently of the adapter."""
    root = etree.fromstring(request.content)
    call = root[0][0]
    return etree.QName(call).localname, {child.tag: child.text or "" for child in call}


class Server:
    """A Khaos that answers by functions; ``calls`` holds what it was asked."""

    def __init__(self, **operations: Operation) -> None:
        self.operations = operations
        self.calls: list[tuple[str, Params]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        method, params = call_of(request)
        self.calls.append((method, params))
        try:
            return httpx.Response(200, text=self.operations[method](params))
        except Refusal as refusal:
            return httpx.Response(500, text=fault_b(str(refusal)))


def http(handler: Callable[[httpx.Request], httpx.Response], retries: int = 2) -> Http:
    return Http(URL, retries=retries, transport=httpx.MockTransport(handler), sleep=lambda _: None)


def client(handler: Callable[[httpx.Request], httpx.Response], chunk_size: int = 50) -> KhaosClient:
    return KhaosClient(http(handler), KhaosSettings(url=URL, chunk_size=chunk_size))
