"""A page that describes an HTTP service, made on this machine from its own OpenAPI description.

Belongs here: the page ``/docs`` of the gateway and of the sandbox. Stays out: the endpoints. The page that FastAPI
brings loads its programs from the internet; this one loads nothing and works without a network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from fastapi.responses import HTMLResponse

if TYPE_CHECKING:
    from fastapi import FastAPI
    from jinja2 import Template

HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'", "Cache-Control": "no-store"}


def serve(app: FastAPI) -> None:
    """Answer ``/docs`` with the page; the app must be made with ``docs_url=None, redoc_url=None``."""

    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return HTMLResponse(page(app.openapi()), headers=HEADERS)


def page(openapi: Mapping[str, Any]) -> str:
    """The whole page as HTML, every text of the description escaped."""
    return _template().render(info=openapi["info"], groups=groups(openapi))


def groups(openapi: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Operations by their first tag, in the order of the description."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path, methods in openapi.get("paths", {}).items():
        for method, operation in methods.items():
            tag = next(iter(operation.get("tags", ())), "Other")
            found.setdefault(tag, []).append(_operation(openapi, method, path, operation))
    return found


def _operation(openapi: Mapping[str, Any], method: str, path: str, operation: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "method": method.upper(),
        "path": path,
        "summary": operation.get("summary", ""),
        "description": operation.get("description", ""),
        "fields": [*_parameters(openapi, operation), *_body(openapi, operation)],
        "answers": {code: one.get("description", "") for code, one in operation.get("responses", {}).items()},
    }


def _parameters(openapi: Mapping[str, Any], operation: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    for one in operation.get("parameters", ()):
        schema = _resolved(openapi, one.get("schema", {}))
        is_required = bool(one.get("required"))
        yield _field(one["name"], one["in"], schema, one.get("description", ""), is_required=is_required)


def _body(openapi: Mapping[str, Any], operation: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    schema = _resolved(openapi, content.get("schema", {}))
    for name, inner in schema.get("properties", {}).items():
        one = _resolved(openapi, inner)
        yield _field(name, "body", one, one.get("description", ""), is_required=name in schema.get("required", ()))


def _field(name: str, place: str, schema: Mapping[str, Any], words: str, *, is_required: bool) -> dict[str, str]:
    kinds = [one for one in schema.get("anyOf", (schema,)) if one.get("type") != "null"]
    kind = " or ".join(" ".join(str(one[part]) for part in ("type", "format") if part in one) for one in kinds)
    return {"name": name, "place": place, "kind": kind, "words": words, "required": "required" if is_required else ""}


def _resolved(openapi: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema behind a reference into the description itself."""
    name = schema.get("$ref", "").rpartition("/")[2]
    found: Mapping[str, Any] = openapi.get("components", {}).get("schemas", {}).get(name, schema) if name else schema
    return found


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader

    return Environment(loader=PackageLoader("khaos_swap_assets", "."), autoescape=True).get_template("api_page.html")
