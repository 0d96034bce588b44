"""Finds an API's login in its OpenAPI description: the route, how it takes init data, what may be read with it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urljoin

Method = Literal["GET", "POST"]

_PERSON = frozenset({"me", "whoami", "profile", "self", "session"})
_TELEGRAM = frozenset(
    {"telegram", "tg", "miniapp", "mini-app", "webapp", "web-app", "twa", "tma", "init-data", "initdata"}
)
_LOGIN = frozenset({"auth", "login", "signin", "sign-in", "session", "sessions", "validate", "verify", "token"})
_INIT_FIELD = re.compile(r"(?i)^(?:tg|telegram|web_?app)?_?init_?data(?:_?raw)?$")
_INIT_HEADER = re.compile(r"(?i)init-?data")
CALLS_LIMIT = 5


@dataclass(frozen=True, slots=True)
class Route:
    """One call of the API."""

    method: Method
    url: str
    form: str = ""
    """How it takes init data, where the description says so: `header NAME`, `json FIELD`."""


def guessed_method(url: str) -> Method:
    """Return the method that a login's address suggests: GET for `/me` and its like, else POST."""
    last = url.split("?", 1)[0].rstrip("/").rsplit("/", 1)[-1].lower()
    return "GET" if last in _PERSON - {"session"} else "POST"


def login_of(description: Any, api_url: str) -> Route | None:
    """Return the route that takes init data, None where the description shows none.

    In this order: one with a field or a header named like init data, a login whose path speaks of Telegram, a GET of
    the person who is signed in (`/me`).
    """
    best: tuple[int, Route] | None = None
    for path, method, operation in _operations(description):
        form = _form(operation, description)
        words = {word.lower().replace("_", "-") for word in path.split("/") if word}
        last = path.rstrip("/").rsplit("/", 1)[-1].lower()
        score = 100 if form else 0
        if method == "POST":
            score += 40 if words & _TELEGRAM and words & (_LOGIN | _TELEGRAM) and "webhook" not in words else 0
            score = 0 if not form and score < 40 else score + (10 if words & _LOGIN else 0)
        else:
            score = score + 30 if last in _PERSON else (score - 50 if form else 0)
        if score > 0 and (best is None or score > best[0]):
            best = score, Route(method, _joined(api_url, path), form)
    return None if best is None else best[1]


def calls_of(description: Any, api_url: str, login_url: str) -> tuple[str, ...]:
    """Return addresses that a signed-in app may read: GETs without required parameters under the login's own path."""
    found = []
    for path, method, operation in _operations(description):
        url = _joined(api_url, path)
        needed = [one for one in _parameters(operation) if one.get("required")]
        if method == "GET" and not needed and (url == login_url or url.startswith(f"{login_url.rstrip('/')}/")):
            found.append(url)
    return tuple(found[:CALLS_LIMIT])


def _joined(api_url: str, path: str) -> str:
    return urljoin(f"{api_url.rstrip('/')}/", path.lstrip("/"))


def _operations(description: Any) -> Iterator[tuple[str, Method, Mapping[str, Any]]]:
    """Yield each GET and POST whose path has no variable part."""
    paths = description.get("paths") if isinstance(description, dict) else None
    for path, item in paths.items() if isinstance(paths, dict) else ():
        if not isinstance(item, dict) or "{" in path:
            continue
        methods: tuple[Method, ...] = ("GET", "POST")
        for method in methods:
            operation = item.get(method.lower())
            if isinstance(operation, dict):
                yield str(path), method, operation


def _parameters(operation: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    given = operation.get("parameters")
    return [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []


def _form(operation: Mapping[str, Any], description: Any) -> str:
    for one in _parameters(operation):
        if one.get("in") == "header" and _INIT_HEADER.search(str(one.get("name", ""))):
            return f"header {one['name']}"
    for name in _body_fields(operation, description):
        if _INIT_FIELD.match(name):
            return f"json {name}"
    return ""


def _body_fields(operation: Mapping[str, Any], description: Any) -> list[str]:
    current: Any = operation
    for key in ("requestBody", "content", "application/json", "schema"):
        current = current.get(key) if isinstance(current, dict) else None
    reference = current.get("$ref") if isinstance(current, dict) else None
    if isinstance(reference, str):
        current = description
        for key in reference.removeprefix("#/").split("/"):
            current = current.get(key) if isinstance(current, dict) else None
    fields = current.get("properties") if isinstance(current, dict) else None
    return [str(name) for name in fields] if isinstance(fields, dict) else []
