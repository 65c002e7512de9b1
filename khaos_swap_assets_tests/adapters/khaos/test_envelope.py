from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from khaos_swap_assets.adapters.errors import PermanentError, TransientError
from khaos_swap_assets.adapters.khaos import envelope
from khaos_swap_assets.adapters.khaos.envelope import Answer, KhaosFault, UnusableDocumentError
from khaos_swap_assets_tests.adapters.khaos import wires

ENTITIES = "".join(f'<!ENTITY {chr(98 + level)} "{f"&{chr(97 + level)};" * 10}">' for level in range(9))
BOMB = f'<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa">{ENTITIES}]><l>&j;</l>'
EXTERNAL = '<!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/passwd">]><l>&x;</l>'

STRUCT_INLINE = wires.returning(
    "GetSiteList",
    '<return xsi:type="N:TSiteList"><CurrentSiteID xsi:type="xsd:int">1</CurrentSiteID>'
    '<List SOAP-ENC:arrayType="N:TSite[2]" xsi:type="SOAP-ENC:Array">'
    "<item><SiteID>1</SiteID><SiteName>Main</SiteName></item>"
    "<item><SiteID>9</SiteID><SiteName>Quarantine</SiteName></item></List></return>",
)
STRUCT_MULTIREF = wires.returning(
    "GetSiteList",
    '<return href="#1"/>',
    '<N:TSiteList xmlns:N="urn:IKosWebIntf" id="1" xsi:type="N:TSiteList">'
    '<CurrentSiteID xsi:type="xsd:int">1</CurrentSiteID><List href="#2"/></N:TSiteList>'
    '<SOAP-ENC:Array id="2" SOAP-ENC:arrayType="N:TSite[2]"><item href="#3"/><item href="#4"/></SOAP-ENC:Array>'
    '<N:TSite xmlns:N="urn:IKosWebIntf" id="3"><SiteID>1</SiteID><SiteName>Main</SiteName></N:TSite>'
    '<N:TSite xmlns:N="urn:IKosWebIntf" id="4"><SiteID>9</SiteID><SiteName>Quarantine</SiteName></N:TSite>',
)
SITES = {
    "CurrentSiteID": "1",
    "List": [{"SiteID": "1", "SiteName": "Main"}, {"SiteID": "9", "SiteName": "Quarantine"}],
}


def answer(body: str, method: str) -> Answer:
    return Answer(envelope.parse(body.encode()), method)


def test_a_request_names_its_parameters_and_their_types() -> None:
    sent = etree.fromstring(
        envelope.request("Do", {"Code": "A&B", "Days": -1, "From": datetime(2025, 3, 1, 9, 5, tzinfo=UTC)})
    )
    call = sent[0][0]
    kind = "{http://www.w3.org/2001/XMLSchema-instance}type"
    assert call.tag == "{urn:IKosWebIntf-IKosWeb}Do"
    assert call.get("{http://schemas.xmlsoap.org/soap/envelope/}encodingStyle", "").endswith("/soap/encoding/")
    assert [(part.tag, part.get(kind), part.text) for part in call] == [
        ("Code", "xsd:string", "A&B"),
        ("Days", "xsd:int", "-1"),
        ("From", "xsd:dateTime", "2025-03-01T09:05:00"),
    ]


def test_a_request_refuses_what_xml_cannot_carry() -> None:
    with pytest.raises(PermanentError, match="StockCode holds characters"):
        envelope.request("ExportStock", {"StockCode": "A\x00B"})


@pytest.mark.parametrize("is_cdata", [False, True])
def test_a_document_inside_a_string_is_read(is_cdata: bool) -> None:
    inner = '<?xml version="1.0" encoding="utf-16"?><A><B>x &amp; y</B></A>'
    found = envelope.document(answer(wires.text("M", inner, is_cdata=is_cdata), "M").text())
    assert found is not None
    assert found.findtext("B") == "x & y"


def test_cdata_inside_an_escaped_document_is_read() -> None:
    found = envelope.document(answer(wires.text("M", "<A><B><![CDATA[<b>5 < 6</b>]]></B></A>"), "M").text())
    assert found is not None
    assert found.findtext("B") == "<b>5 < 6</b>"


def test_namespaces_of_a_document_are_dropped() -> None:
    found = envelope.document('<k:A xmlns:k="urn:k"><k:B>1</k:B></k:A>')
    assert found is not None
    assert found.findtext("B") == "1"


@pytest.mark.parametrize("blank", ["", "  \n", '<?xml version="1.0"?>'])
def test_a_blank_document_is_none(blank: str) -> None:
    assert envelope.document(blank) is None


@pytest.mark.parametrize("body", [STRUCT_INLINE, STRUCT_MULTIREF], ids=["inline", "multi-ref"])
def test_structs_and_arrays_are_read_in_both_forms(body: str) -> None:
    assert answer(body, "GetSiteList").value() == SITES


def test_an_empty_array_is_an_empty_list() -> None:
    assert answer(wires.returning("M", '<return SOAP-ENC:arrayType="xsd:string[0]"/>'), "M").value() == []


def test_a_structure_is_no_text() -> None:
    with pytest.raises(PermanentError, match="structure where a text was promised"):
        answer(STRUCT_INLINE, "GetSiteList").text()


@pytest.mark.parametrize(
    ("returned", "siblings", "words"),
    [
        ('<return href="#9"/>', "", "does not hold"),
        ('<return href="#1"/>', '<X id="1"><A href="#1"/></X>', "in circles"),
        ('<return href="#1"/>', '<X id="1"><A href="#2"/></X><Y id="2"><B href="#1"/></Y>', "in circles"),
        (
            '<return href="#1"/>',
            "".join(f'<X id="{n}"><A href="#{n + 1}"/></X>' for n in range(1, 200)) + '<X id="200">1</X>',
            "in circles",
        ),
    ],
)
def test_references_that_lead_nowhere_are_refused(returned: str, siblings: str, words: str) -> None:
    with pytest.raises(PermanentError, match=words):
        answer(wires.returning("M", returned, siblings), "M").value()


def test_shared_references_do_not_grow_the_answer() -> None:
    levels = "".join(
        f'<SOAP-ENC:Array id="{n}">{f"""<item href="#{n + 1}"/>""" * 10}</SOAP-ENC:Array>' for n in range(1, 30)
    )
    value = answer(wires.returning("M", '<return href="#1"/>', f'{levels}<X id="30">end</X>'), "M").value()
    assert isinstance(value, list)
    assert value[0] is value[9]


@pytest.mark.parametrize("shape", [wires.fault_a, wires.fault_b], ids=["A", "B"])
def test_a_fault_carries_its_words_and_its_class(shape: type) -> None:
    with pytest.raises(KhaosFault) as caught:
        answer(shape("Stock item X is\n discontinued"), "ImportOrders")
    assert caught.value.text == "Stock item X is discontinued"
    assert caught.value.exception_class == "EKosException"
    assert str(caught.value) == "Khaos refused ImportOrders: Stock item X is discontinued"


def test_a_fault_without_any_member_is_still_a_fault() -> None:
    with pytest.raises(KhaosFault, match="no reason given"):
        answer(wires.body("<SOAP-ENV:Fault/>"), "M")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (wires.fault_a("x").encode(), True),
        (b"<soap:Fault xmlns:soap='x'>", True),
        (b"<Fault>", True),
        (b"<html><h1>500 Server Fault</h1></html>", False),
        (b"", False),
    ],
)
def test_a_fault_is_told_from_an_error_page(body: bytes, expected: bool) -> None:
    assert envelope.is_fault(body) is expected


@pytest.mark.parametrize("unsafe", [BOMB, EXTERNAL, "<!DOCTYPE l><l/>"], ids=["bomb", "external", "bare"])
def test_a_dtd_is_never_honoured(unsafe: str) -> None:
    with pytest.raises(PermanentError):
        envelope.parse(unsafe.encode())
    with pytest.raises(PermanentError):
        envelope.document(unsafe)


@pytest.mark.parametrize("cut", [b"", b"<a>", STRUCT_INLINE.encode()[:300], b"<html><br></html>", b"plain"])
def test_a_cut_off_answer_is_transient(cut: bytes) -> None:
    with pytest.raises(TransientError, match="cut off or no XML"):
        envelope.parse(cut)


def test_a_cut_off_document_inside_a_whole_answer_is_not_transient() -> None:
    with pytest.raises(UnusableDocumentError, match="no XML"):
        envelope.document("<A><B>")


def test_an_answer_larger_than_the_parser_allows_says_so() -> None:
    with pytest.raises(UnusableDocumentError, match="larger"):
        envelope.parse(b"<a>" + b"x" * 10_100_000 + b"</a>")


DAMAGE = ["\x00", "\x0b", "\ufffe", "&#0;", "&#x1F;", "&#xD800;", "&#xFFFFFF;", "&#99999999999;"]


@pytest.mark.parametrize("damage", DAMAGE, ids=ascii)
def test_one_damaged_value_costs_no_other(damage: str) -> None:
    told = f'<A><B C="{damage}">x{damage}y</B><B C="&#65;&#xe9;">whole</B></A>'
    for found in (envelope.document(told), envelope.parse(told.encode())):
        assert found is not None
        assert [(one.text, one.get("C")) for one in found] == [("x\ufffdy", "\ufffd"), ("whole", "Aé")]


@pytest.mark.parametrize("encoding", ["", "utf-8", "windows-1252", "ISO-8859-1", "utf-16"])
def test_an_answer_is_read_in_the_encodings_that_vendors_write(encoding: str) -> None:
    declaration = f'<?xml version="1.0" encoding="{encoding}"?>' if encoding else ""
    assert envelope.parse(f"{declaration}<A>é</A>".encode(encoding or "utf-8")).text == "é"


def test_bytes_that_are_no_text_cost_only_their_value() -> None:
    root = envelope.parse(b"<A><B>caf\xe9</B><B>fine</B></A>")
    assert [one.text for one in root] == ["caf\ufffd", "fine"]


@pytest.mark.parametrize("encoding", ["utf-7", "cp037", "utf-16", "hex"])
def test_another_encoding_is_refused(encoding: str) -> None:
    with pytest.raises(PermanentError, match=f"written in {encoding}"):
        envelope.parse(f'<?xml version="1.0" encoding="{encoding}"?><A/>'.encode())


@pytest.mark.parametrize("body", ["<a>" * 300 + "</a>" * 300, "<a/>" * 900_000, "<a b='&#65;'>" * 300_000])
def test_what_is_too_deep_or_too_much_is_refused(body: str) -> None:
    with pytest.raises((UnusableDocumentError, TransientError)):
        envelope.parse(f"<r>{body}</r>".encode())
    with pytest.raises(UnusableDocumentError):
        envelope.document(f"<r>{body}</r>")


@pytest.mark.parametrize("body", ["<html/>", wires.returning("Other", "<return/>"), "<a><Body/></a>"])
def test_an_answer_to_something_else_is_refused(body: str) -> None:
    with pytest.raises(PermanentError):
        answer(body, "GetVersion")


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")))
def test_any_text_survives_the_way_out(value: str) -> None:
    call = etree.fromstring(envelope.request("M", {"P": value}))[0][0]
    assert (call[0].text or "") == value
