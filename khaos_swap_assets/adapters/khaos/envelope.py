"""SOAP 1.1 RPC/encoded envelopes of the Khaos web service: built, read, and distrusted.

Belongs here: the request envelope, faults, multi-ref resolution, typed structs and arrays, and the XML document inside
a string. Stays out: the network (``soap``), safe parsing (``xml_text``) and what a value means (``wire``).
Source: contracts/khaos.md §5.1, §5.3.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import TypeAlias

from lxml import etree

from khaos_swap_assets.adapters.errors import PermanentError, TransientError
from khaos_swap_assets.adapters.khaos import xml_text

NAMESPACE = "urn:IKosWebIntf-IKosWeb"
_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_XSD = "http://www.w3.org/2001/XMLSchema"
_ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
_NSMAP = {"soapenv": _SOAP, "xsi": _XSI, "xsd": _XSD, "urn": NAMESPACE}
_FAULT = re.compile(rb"<(?:[\w.-]+:)?Fault[\s>]")
_RESOURCE_LIMIT = 114
_TEXT_LENGTH = 300
_DEEPEST = 50

Param: TypeAlias = str | int | datetime
Value: TypeAlias = "str | list[Value] | dict[str, Value]"


class KhaosFault(PermanentError):  # noqa: N818
    """Khaos answered with a fault: ``text`` is its prose, ``exception_class`` the class behind it (may be empty)."""

    def __init__(self, method: str, text: str, exception_class: str = "") -> None:
        super().__init__(f"Khaos refused {method}: {text or 'no reason given'}")
        self.text, self.exception_class = text, exception_class


class UnusableDocumentError(PermanentError):
    """A whole answer that cannot be read, or that is too large: a smaller question may help."""


def request(method: str, params: Mapping[str, Param]) -> bytes:
    """Build the envelope of one call, parameters by their Delphi names in order.

    Datetimes are written without zone, as given (khaos.md §4.8). Raises ``PermanentError`` for text XML cannot carry.
    """
    envelope = etree.Element(f"{{{_SOAP}}}Envelope", nsmap=_NSMAP)
    body = etree.SubElement(envelope, f"{{{_SOAP}}}Body")
    call = etree.SubElement(body, f"{{{NAMESPACE}}}{method}", {f"{{{_SOAP}}}encodingStyle": _ENCODING})
    for name, value in params.items():
        kind, text = _typed(value)
        try:
            etree.SubElement(call, name, {f"{{{_XSI}}}type": kind}).text = text
        except ValueError:
            raise PermanentError(f"{method}: {name} holds characters that XML cannot carry") from None
    return etree.tostring(envelope, xml_declaration=True, encoding="utf-8")


def _typed(value: Param) -> tuple[str, str]:
    match value:
        case datetime():
            return "xsd:dateTime", value.replace(tzinfo=None).isoformat(timespec="seconds")
        case bool():
            return "xsd:boolean", str(value).lower()
        case int():
            return "xsd:int", str(int(value))
        case _:
            return "xsd:string", value


def is_fault(body: bytes) -> bool:
    """Whether a body of an error status is a SOAP fault, and so an answer (khaos.md §5.3)."""
    return _FAULT.search(body) is not None


def parse(body: bytes) -> etree._Element:
    """Parse an answer. Raises ``TransientError`` when it is cut off or no XML, ``PermanentError`` when it is unsafe.

    ``UnusableDocumentError`` when a text is larger than the parser allows (10 MB).
    """
    try:
        return xml_text.tree(xml_text.bare(xml_text.decoded(body)))
    except xml_text.TooManyError as error:
        raise UnusableDocumentError(str(error)) from None
    except etree.XMLSyntaxError as error:
        if getattr(error, "code", 0) == _RESOURCE_LIMIT:
            raise UnusableDocumentError("the answer is larger than the XML parser allows") from None
        raise TransientError(f"the answer is cut off or no XML ({_line(error.msg)})") from None


def document(text: str) -> etree._Element | None:
    """Parse the XML document inside a string answer; None when it is blank. Namespaces are dropped.

    Raises ``UnusableDocumentError`` when it is no XML, or unsafe.
    """
    bare = xml_text.bare(text)
    if not bare:
        return None
    try:
        return _without_namespaces(xml_text.tree(bare))
    except (xml_text.TooManyError, PermanentError) as error:
        raise UnusableDocumentError(str(error)) from None
    except etree.XMLSyntaxError as error:
        raise UnusableDocumentError(f"the document inside the answer is no XML ({_line(error.msg)})") from None


def _without_namespaces(root: etree._Element) -> etree._Element:
    if str(root.tag).startswith("{"):
        for element in root.iter():
            element.tag = local(element)
    return root


def local(element: etree._Element) -> str:
    """The element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


class Answer:
    """A parsed envelope. Raises ``KhaosFault`` for a fault, ``PermanentError`` when it is no answer to ``method``.

    What it gives raises ``UnusableDocumentError`` where it cannot be read.
    """

    def __init__(self, root: etree._Element, method: str) -> None:
        self._method = method
        body = _child(root, "Body") if local(root) == "Envelope" else None
        if body is None:
            raise PermanentError(f"{method}: the answer is no SOAP envelope; is the URL that of the Khaos web service?")
        if (fault := _child(body, "Fault")) is not None:
            raise _fault(fault, method)
        self._by_id = {element.get("id", ""): element for element in body.iter() if element.get("id")}
        self._seen: dict[str, Value] = {}
        self._open: list[str] = []
        self._result = self._find_result(body)

    def _find_result(self, body: etree._Element) -> etree._Element:
        response = _child(body, f"{self._method}Response")
        if response is None:
            raise PermanentError(f"{self._method}: the answer is not about this call")
        returned = _child(response, "return")
        first = next(iter(response), None)
        result = returned if returned is not None else first
        return response if result is None else result

    def value(self) -> Value:
        """The result: text, a list of array items, or a dict of struct members. References are followed."""
        return self._value(self._result)

    def text(self) -> str:
        """The result as text; raises ``UnusableDocumentError`` when it is a struct or an array."""
        value = self.value()
        if not isinstance(value, str):
            raise UnusableDocumentError(f"{self._method}: the answer is a structure where a text was promised")
        return value

    def _value(self, element: etree._Element) -> Value:
        if href := element.get("href"):
            return self._referred(href.removeprefix("#"))
        children = list(element)
        if _is_array(element, children):
            return [self._value(child) for child in children]
        if not children:
            return "".join(str(text) for text in element.itertext())
        return {local(child): self._value(child) for child in children}

    def _referred(self, key: str) -> Value:
        """Follow a reference once; a shared target stays shared, so a chain of them cannot grow the answer."""
        if key not in self._by_id:
            raise UnusableDocumentError(f"{self._method}: the answer refers to {key[:40]!r}, which it does not hold")
        if key in self._open or len(self._open) > _DEEPEST:
            raise UnusableDocumentError(f"{self._method}: the references of the answer go in circles")
        if key not in self._seen:
            self._open.append(key)
            self._seen[key] = self._value(self._by_id[key])
            self._open.pop()
        return self._seen[key]


def _is_array(element: etree._Element, children: list[etree._Element]) -> bool:
    typed = (element.get(f"{{{_XSI}}}type") or "").endswith(":Array") or local(element) == "Array"
    sized = element.get(f"{{{_ENCODING}}}arrayType") is not None
    return typed or sized or (bool(children) and all(local(child) == "item" for child in children))


def _fault(fault: etree._Element, method: str) -> KhaosFault:
    """Read both shapes of a fault: the class is the actor (A), or stands in the detail (B) (khaos.md §5.3)."""
    named = next((found for found in fault.iter() if local(found) == "ExceptionClassName"), None)
    actor = _child(fault, "faultactor")
    kind = _line(named.text) if named is not None else _line(actor.text if actor is not None else "")
    words = _child(fault, "faultstring")
    return KhaosFault(method, _line(words.text if words is not None else ""), kind)


def _child(element: etree._Element, name: str) -> etree._Element | None:
    return next((child for child in element if local(child) == name), None)


def _line(text: str | None) -> str:
    """One short printable line."""
    words = "".join(character if character.isprintable() else " " for character in text or "").split()
    return " ".join(words)[:_TEXT_LENGTH]
