"""How the sandbox's Khaos writes and reads its wire: envelopes, typed structs, faults, dates, money.

Belongs here: shapes of contracts/khaos.md §4.8 and §5 without any meaning. Stays out: what an operation answers
(``khaos_server``), the documents inside the strings (``khaos_documents``).
Money goes in as integer pence and comes out as text with two decimals. Moments are aware UTC and leave as London time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from lxml import etree

from khaos_swap_assets.sandbox.khaos_interface import INTERFACE, STRUCTS, TYPES, answer_type

LONDON = ZoneInfo("Europe/London")
ZERO_DATE = "1899-12-30T00:00:00.000Z"
DATE_FORMATS = ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y", "%Y-%m-%d")
ENVELOPE = (
    '<?xml version="1.0"?><SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns:SOAP-ENC="http://schemas.xmlsoap.org/soap/encoding/"><SOAP-ENV:Body '
    'SOAP-ENV:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/">{body}</SOAP-ENV:Body></SOAP-ENV:Envelope>'
)


class WireError(Exception):
    """A request that is no SOAP call of this interface."""


class KhaosFaultError(Exception):
    """An answer that leaves as a SOAP fault; the text is the faultstring."""

    def __init__(self, text: str, exception_class: str = "EKosException") -> None:
        super().__init__(text)
        self.text = text
        self.exception_class = exception_class


Struct = Mapping[str, object]
"""The fields of a struct in order; their types stand in ``khaos_interface``."""

Result = str | Struct | Sequence[Struct]


@dataclass
class _Refs:
    """Bodies of a multi-ref answer, in the order of their ids."""

    bodies: list[str] = field(default_factory=list)


def read_call(body: bytes) -> tuple[str, dict[str, str]]:
    """The operation and its parameters by local name. Raises ``WireError``; document types are refused."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise WireError(f"not XML: {error.msg}") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise WireError("a document type is not allowed")
    call = root.find("{*}Body/*")
    if call is None:
        raise WireError("the envelope has no call")
    named = [(etree.QName(part).localname, part) for part in call]
    return etree.QName(call).localname, {name: _given(name, part.text or "") for name, part in named}


def _given(name: str, text: str) -> str:
    """Stock Codes as they are, since a space at the end makes another code; all else trimmed."""
    return text if name == "StockCode" else text.strip()


def answer(operation: str, result: Result, *, is_multiref: bool = False, has_cdata: bool = False) -> str:
    """The envelope of an answer: ``result`` is what ``khaos_interface`` promises (a text may be a whole document)."""
    refs = _Refs() if is_multiref else None
    kind = answer_type(operation)
    inner = _text_return(result, has_cdata) if isinstance(result, str) else _element("return", result, kind, refs)
    siblings = "".join(refs.bodies) if refs else ""
    body = f'<NS1:{operation}Response xmlns:NS1="{INTERFACE}">{inner}</NS1:{operation}Response>{siblings}'
    return ENVELOPE.format(body=body)


def fault(error: KhaosFaultError, shape: str) -> str:
    """The envelope of a fault in shape A or B (khaos.md §5.3); the code is Client even for the server's own fault."""
    name = error.exception_class
    detail = (
        '<NS1:ERemotableException xmlns:NS1="urn:InvokeRegistry"/>'
        if shape == "A"
        else '<NS1:EWebServiceError xmlns:NS1="urn:WebServiceP" xsi:type="NS1:EWebServiceError">'
        f'<ExceptionClassName xsi:type="xsd:string">{name}</ExceptionClassName>'
        f'<ExceptionInheritance xsi:type="xsd:string">{name},Exception</ExceptionInheritance></NS1:EWebServiceError>'
    )
    return ENVELOPE.format(
        body=f"<SOAP-ENV:Fault><faultcode>SOAP-ENV:Client</faultcode><faultstring>{escape(error.text)}</faultstring>"
        f"<faultactor>{name}</faultactor><detail>{detail}</detail></SOAP-ENV:Fault>"
    )


def escape(text: str) -> str:
    """``text`` as XML content or attribute value; characters that XML forbids are dropped."""
    allowed = "".join(char for char in text if char >= " " or char in "\t\n\r")
    return allowed.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def cdata(text: str) -> str:
    """``text`` as a CDATA section; an end mark inside it is split."""
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"


def flag(is_true: bool) -> str:
    """-1 or 0, as documents carry booleans."""
    return "-1" if is_true else "0"


def is_flag(text: str) -> bool:
    """Whether a boolean parameter is true: -1, 1 or true."""
    return text.strip().lower() in {"-1", "1", "true"}


def money(pence: int) -> str:
    """Pence as text with two decimals."""
    sign = "-" if pence < 0 else ""
    return f"{sign}{abs(pence) // 100}.{abs(pence) % 100:02d}"


def day(moment: datetime | None) -> str:
    """The London date as DD/MM/YYYY; empty for None."""
    return moment.astimezone(LONDON).strftime("%d/%m/%Y") if moment else ""


def stamp(moment: datetime | None, *, has_zero_date: bool = True) -> str:
    """London wall time with the misleading Z of Delphi; None is the zero date or, without one, empty."""
    if moment is None:
        return ZERO_DATE if has_zero_date else ""
    return moment.astimezone(LONDON).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def read_moment(text: str, *, is_end: bool = False) -> datetime | None:
    """A date parameter, read as London time whatever zone it claims; the zero date and nothing are None.

    A bare date means its first moment, or its last with ``is_end``. Raises ``KhaosFaultError``.
    """
    if not text or text.startswith("1899-12-3"):
        return None
    for style in DATE_FORMATS:
        try:
            moment = datetime.strptime(text, style).replace(tzinfo=LONDON)
        except ValueError:
            continue
        return (moment + timedelta(days=1) if is_end and ":" not in text else moment).astimezone(UTC)
    try:
        return datetime.fromisoformat(text.replace("Z", "")).replace(tzinfo=LONDON).astimezone(UTC)
    except ValueError as error:
        raise KhaosFaultError(f"'{text}' is not a valid date and time", "EConvertError") from error


def _text_return(text: str, has_cdata: bool) -> str:
    return f'<return xsi:type="xsd:string">{cdata(text) if has_cdata else escape(text)}</return>'


def _element(name: str, value: object, kind: str, refs: _Refs | None) -> str:
    if isinstance(value, Mapping):
        return _struct(name, value, kind, refs)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _array(name, value, kind.removesuffix("[]"), refs)
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f'<{name} xsi:type="xsd:{kind}">{escape(text)}</{name}>'


def _struct(name: str, value: Struct, kind: str, refs: _Refs | None) -> str:
    inner = "".join(_element(key, part, STRUCTS[kind][key], refs) for key, part in value.items())
    return _placed(name, f"NS2:{kind}", f'xmlns:NS2="{TYPES}"', inner, refs)


def _array(name: str, rows: Sequence[object], kind: str, refs: _Refs | None) -> str:
    inner = "".join(_element("item", row, kind, refs) for row in rows)
    size = f'xmlns:NS2="{TYPES}" SOAP-ENC:arrayType="NS2:{kind}[{len(rows)}]"'
    return _placed(name, "SOAP-ENC:Array", size, inner, refs)


def _placed(name: str, type_name: str, attributes: str, inner: str, refs: _Refs | None) -> str:
    """The value in its place, or a reference to it as a later sibling of the answer."""
    if refs is None:
        return f'<{name} {attributes} xsi:type="{type_name}">{inner}</{name}>'
    tag = "SOAP-ENC:Array" if type_name.startswith("SOAP-ENC") else type_name
    ref = len(refs.bodies) + 1
    refs.bodies.append(f'<{tag} id="{ref}" {attributes} xsi:type="{type_name}">{inner}</{tag}>')
    return f'<{name} href="#{ref}"/>'
