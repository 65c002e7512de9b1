"""The WSDL that the sandbox's Khaos publishes: which operations this installation has, and the shapes of their answers.

Belongs here: the document around ``khaos_interface`` (khaos.md §5.1, §6). Stays out: what the operations do.
Optional operations are absent from the document when their switch is off.
"""

from __future__ import annotations

from collections.abc import Mapping

from khaos_swap_assets.sandbox.khaos_interface import INTERFACE, STRUCTS, TYPES, Operation
from khaos_swap_assets.sandbox.khaos_wire import escape

ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
ENCODING_SCHEMA = (
    f'<?xml version="1.0" encoding="utf-8"?><xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" '
    f'targetNamespace="{ENCODING}"><xs:attribute name="arrayType" type="xs:string"/><xs:complexType name="Array">'
    '<xs:sequence><xs:any minOccurs="0" maxOccurs="unbounded" processContents="lax"/></xs:sequence>'
    '<xs:attribute name="arrayType" type="xs:string" form="qualified"/><xs:attribute name="id" type="xs:ID"/>'
    '<xs:attribute name="href" type="xs:anyURI"/></xs:complexType></xs:schema>'
)
"""What arrays need of the schema of SOAP encoding: served beside the WSDL, so that nobody asks the internet for it."""


def wsdl(base: str, operations: Mapping[str, Operation]) -> str:
    """The document for the service whose URL up to ``.exe`` is ``base``, with these operations."""
    messages = "".join(map(_messages, operations, operations.values()))
    ports = "".join(map(_port_operation, operations))
    bindings = "".join(map(_binding_operation, operations))
    return (
        '<?xml version="1.0" encoding="utf-8"?><definitions xmlns="http://schemas.xmlsoap.org/wsdl/" '
        'xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" '
        f'xmlns:soapenc="{ENCODING}" xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:ns1="{TYPES}" '
        f'xmlns:tns="{INTERFACE}" name="IKosWebservice" targetNamespace="{INTERFACE}">'
        f'<types>{_schema(base, operations)}</types>{messages}<portType name="IKosWeb">{ports}</portType>'
        '<binding name="IKosWebbinding" type="tns:IKosWeb">'
        f'<soap:binding style="rpc" transport="http://schemas.xmlsoap.org/soap/http"/>{bindings}</binding>'
        '<service name="IKosWebservice"><port name="IKosWebPort" binding="tns:IKosWebbinding">'
        f'<soap:address location="{escape(base)}/soap/IKosWeb"/></port></service></definitions>'
    )


def _schema(base: str, operations: Mapping[str, Operation]) -> str:
    kinds = [kind for fields in STRUCTS.values() for kind in fields.values()]
    kinds += [operation.answer for operation in operations.values()]
    arrays = "".join(map(_array, sorted({kind for kind in kinds if kind.endswith("[]")})))
    structs = "".join(map(_struct, STRUCTS, STRUCTS.values()))
    imported = f'<xs:import namespace="{ENCODING}" schemaLocation="{escape(base)}/wsdl/encoding"/>'
    return f'<xs:schema targetNamespace="{TYPES}">{imported}{arrays}{structs}</xs:schema>'


def _struct(name: str, fields: Mapping[str, str]) -> str:
    elements = "".join(f'<xs:element name="{field}" type="{_reference(kind)}"/>' for field, kind in fields.items())
    return f'<xs:complexType name="{name}"><xs:sequence>{elements}</xs:sequence></xs:complexType>'


def _array(kind: str) -> str:
    return (
        f'<xs:complexType name="{kind.removesuffix("[]")}Array"><xs:complexContent>'
        f'<xs:restriction base="soapenc:Array"><xs:attribute ref="soapenc:arrayType" wsdl:arrayType="ns1:{kind}"/>'
        "</xs:restriction></xs:complexContent></xs:complexType>"
    )


def _reference(kind: str) -> str:
    name = kind.removesuffix("[]")
    return f"xs:{kind}" if name not in STRUCTS else f"ns1:{name}{'Array' if kind != name else ''}"


def _messages(name: str, operation: Operation) -> str:
    parts = "".join(f'<part name="{part}" type="{_reference(kind)}"/>' for part, kind in operation.parameters.items())
    answer = f'<part name="return" type="{_reference(operation.answer)}"/>'
    return f'<message name="{name}Request">{parts}</message><message name="{name}Response">{answer}</message>'


def _port_operation(name: str) -> str:
    messages = f'<input message="tns:{name}Request"/><output message="tns:{name}Response"/>'
    return f'<operation name="{name}">{messages}</operation>'


def _binding_operation(name: str) -> str:
    body = f'<soap:body use="encoded" encodingStyle="{ENCODING}" namespace="{INTERFACE}"/>'
    action = f'<soap:operation soapAction="{INTERFACE}#{name}" style="rpc"/>'
    return f'<operation name="{name}">{action}<input>{body}</input><output>{body}</output></operation>'
