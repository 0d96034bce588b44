"""Reads an API's OpenAPI document: its routers, and where it says that it is well, which version it is, who logs in."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_METHODS = ("get", "post", "put", "patch", "delete")
_INIT_DATA = re.compile(r"(?i)^(_?init_?data|tg_?web_?app_?data)$")
_LOGIN = re.compile(r"(?i)(auth|login|session|sign-?in).*(telegram|tma|mini-?app|web-?app|init)|"
                    r"(telegram|tma|mini-?app|web-?app).*(auth|login|session|sign-?in|validate|verify)")  # fmt: skip
_PREFIX = re.compile(r"^(api|v\d+)$", re.IGNORECASE)

Document = Mapping[str, Any]


def document_of(text: str) -> Document | None:
    """Return the document, or None when the text is none."""
    try:
        content = json.loads(text)
    except ValueError:
        return None
    if isinstance(content, dict) and "openapi" in content and isinstance(content.get("paths"), dict):
        return content
    return None


def routers_of(document: Document) -> tuple[str, ...]:
    """Return the routers' names: the first tag of each operation, else the first telling part of its path."""
    names = {
        str(tags[0]) if isinstance(tags := operation.get("tags"), list) and tags else _first_part(path)
        for path, _, operation in _operations(document)
    }
    return tuple(sorted(names - {""}))


def paths_of(document: Document) -> tuple[str, ...]:
    """Return the paths that a GET without parameters can ask."""
    return tuple(path for path, method, _ in _operations(document) if method == "get" and "{" not in path)


def login_path_of(document: Document) -> tuple[str, str] | None:
    """Return path and the reason why it is the Mini App's login; None where nothing tells it.

    Telling: a field of init data in its body, its name, or a guarded GET about oneself.
    """
    guarded: list[str] = []
    named: list[str] = []
    for path, method, operation in _operations(document):
        if "{" in path:
            continue
        if any(_INIT_DATA.match(name) for name in _fields(document, operation)):
            return path, f"{method.upper()} {path} takes init data"
        if _LOGIN.search(path):
            named.append(path)
        if method == "get" and _is_guarded(operation) and path.rsplit("/", 1)[-1] in ("me", "profile", "whoami"):
            guarded.append(path)
    if named:
        return named[0], "its name"
    return (min(guarded, key=len), "a guarded path about oneself") if guarded else None


def _operations(document: Document) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, item in document["paths"].items():
        for method in _METHODS:
            operation = item.get(method) if isinstance(item, dict) else None
            if isinstance(operation, dict):
                yield str(path), method, operation


def _first_part(path: str) -> str:
    parts = [part for part in path.split("/") if part and not part.startswith("{")]
    telling = [part for part in parts if not _PREFIX.match(part)]
    return (telling or parts or [""])[0]


def _is_guarded(operation: Mapping[str, Any]) -> bool:
    headers = {str(name).lower() for name in _parameter_names(operation)}
    return bool(operation.get("security")) or "authorization" in headers


def _parameter_names(operation: Mapping[str, Any]) -> Iterator[str]:
    for parameter in operation.get("parameters") or ():
        if isinstance(parameter, dict):
            yield str(parameter.get("name", ""))


def _fields(document: Document, operation: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of parameters and of the body's fields."""
    yield from _parameter_names(operation)
    body = operation.get("requestBody")
    content = body.get("content") if isinstance(body, dict) else None
    for media in content.values() if isinstance(content, dict) else ():
        schema = _resolved(document, media.get("schema") if isinstance(media, dict) else None)
        fields = schema.get("properties")
        yield from (str(name) for name in fields) if isinstance(fields, dict) else ()


def _resolved(document: Document, schema: Any) -> Mapping[str, Any]:
    """Return the schema behind one `$ref`, or an empty one."""
    reference = schema.get("$ref") if isinstance(schema, dict) else None
    target: Any = document if isinstance(reference, str) and reference.startswith("#/") else None
    for part in reference.removeprefix("#/").split("/") if target is not None and isinstance(reference, str) else ():
        target = target.get(part) if isinstance(target, dict) else None
    found = schema if target is None else target
    return found if isinstance(found, dict) else {}
