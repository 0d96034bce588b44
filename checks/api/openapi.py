"""Reads an OpenAPI document: the routers it describes, and for each one request that can do no harm."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

METHODS = ("get", "post", "put", "patch", "delete", "head", "options")

_ACTS = re.compile(
    r"(?i)(log|sign)-?_?out|unsubscribe|delete|remove|reset|restart|shutdown|trigger|run\b|sync|send|publish|refresh"
    r"|callback|webhook|hook|confirm|verify|activate|cancel|export|download|backup|stream|events|ws\b"
)
"""Words in a path of a GET that may do something, or never end, whatever HTTP says: it is not sent."""

_VERSION = re.compile(r"(api|v\d+(\.\d+)?)", re.IGNORECASE)

Expect = Literal["answer", "any"]
"""`answer`: a 404 says that the path is gone. `any`: with made-up parameters a 404 is as good as another word."""


@dataclass(frozen=True, slots=True)
class Ask:
    """The request that shows whether a router is there."""

    router: str
    method: str
    path: str
    """With made-up values where the path has parameters."""
    expect: Expect


def asks_in(document: Mapping[str, Any]) -> tuple[Ask, ...]:
    """Return one request for each router of an OpenAPI 3 (or Swagger 2) document, sorted by the router's name.

    A router is what shares the first tag, or, without tags, the first part of the path. The request is a GET without
    required parameters; else a GET whose parameters are made up or left out; else OPTIONS, which never writes.
    """
    prefix = _prefix(document)
    best: dict[str, tuple[tuple[int, int, str], Ask]] = {}
    for path, method, operation, item in _operations(document):
        router = _router(path, operation)
        rank, ask = _ask(router, prefix, path, method, operation, item)
        order = (rank, len(path), path)
        if router not in best or order < best[router][0]:
            best[router] = (order, ask)
    return tuple(best[router][1] for router in sorted(best))


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any], Mapping[str, Any]]]:
    paths = document.get("paths")
    for path, item in paths.items() if isinstance(paths, dict) else ():
        if not isinstance(item, dict) or not str(path).startswith("/"):
            continue
        for method in METHODS:
            if isinstance(item.get(method), dict):
                yield str(path), method, item[method], item


def _router(path: str, operation: Mapping[str, Any]) -> str:
    tags = operation.get("tags")
    if isinstance(tags, list) and tags and isinstance(tags[0], str) and tags[0]:
        return tags[0]
    parts = [part for part in path.split("/") if part and not part.startswith("{")]
    named = [part for part in parts if not _VERSION.fullmatch(part)]
    return (named or parts or ["/"])[0]


def _ask(
    router: str, prefix: str, path: str, method: str, operation: Mapping[str, Any], item: Mapping[str, Any]
) -> tuple[int, Ask]:
    parameters = [*_parameters(item), *_parameters(operation)]
    filled = prefix + _filled(path, parameters)
    if method not in ("get", "head") or _ACTS.search(path):
        return 2, Ask(router, "OPTIONS", filled, "answer" if "{" not in path else "any")
    needs = "{" in path or any(one.get("required") for one in parameters)
    return (
        (1, Ask(router, method.upper(), filled, "any")) if needs else (0, Ask(router, method.upper(), filled, "answer"))
    )


def _parameters(holder: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    given = holder.get("parameters")
    return [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []


def _filled(path: str, parameters: list[Mapping[str, Any]]) -> str:
    """Put a value that nothing has into each place of the path."""
    schemas = {str(one.get("name")): one.get("schema", one) for one in parameters}

    def value(found: re.Match[str]) -> str:
        schema = schemas.get(found[1].split(":")[0])
        schema = schema if isinstance(schema, dict) else {}
        if schema.get("format") == "uuid":
            return "00000000-0000-0000-0000-000000000000"
        return "0" if schema.get("type") in ("integer", "number") else "nexus-monitor-probe"

    return re.sub(r"\{([^}]*)\}", value, path)


def _prefix(document: Mapping[str, Any]) -> str:
    """Return the path that stands before every other: of a relative or absolute server, or Swagger 2's base path."""
    servers = document.get("servers")
    first = servers[0] if isinstance(servers, list) and servers else {}
    given = first.get("url") if isinstance(first, dict) else None
    base = given if isinstance(given, str) else document.get("basePath")
    path = urlsplit(base).path if isinstance(base, str) and "{" not in base else ""
    return path.rstrip("/")
