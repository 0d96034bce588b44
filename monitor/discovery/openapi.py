"""Reads an API's OpenAPI document as the checks do: its routers, its plain paths, the Mini App's login."""

import json
from collections.abc import Mapping
from typing import Any

from checks.api.openapi import asks_in
from checks.miniapp.route import Route, login_of

Document = Mapping[str, Any]


def document_of(text: str) -> Document | None:
    """Return the document, or None when the text is none."""
    try:
        content = json.loads(text)
    except ValueError:
        return None
    is_one = isinstance(content, dict) and ("openapi" in content or "swagger" in content)
    return content if is_one and isinstance(content.get("paths"), dict) else None


def routers_of(document: Document) -> tuple[str, ...]:
    """Return the routers' names, as `api.routers` names them."""
    return tuple(sorted({ask.router for ask in asks_in(document)}))


def paths_of(document: Document) -> tuple[str, ...]:
    """Return the paths that a GET without parameters can ask."""
    return tuple(
        str(path)
        for path, item in document["paths"].items()
        if isinstance(item, dict) and isinstance(item.get("get"), dict) and "{" not in str(path)
    )


def login_route(document: Document, api_url: str) -> Route | None:
    """Return the Mini App's login, as `miniapp.auth` finds it; None where nothing tells it."""
    return login_of(document, api_url)
