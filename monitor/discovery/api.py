"""Finds what the API offers: its OpenAPI document, and the usual paths of health, readiness and version."""

import asyncio
import json
from collections.abc import Iterable, Sequence

import httpx

from checks.base import IO
from checks.failures import attempt
from checks.http import Exchange, exchange
from checks.result import Verdict
from checks.wording import listed
from monitor.config.found import Add, Sight, Thing
from monitor.discovery.openapi import Document, document_of, login_route, paths_of, routers_of

OPENAPI_PATHS = ("/openapi.json", "/api/openapi.json", "/api/v1/openapi.json", "/v1/openapi.json")
HEALTH_PATHS = ("/health", "/healthz", "/api/health", "/health/live", "/livez", "/api/v1/health", "/healthcheck")
READY_PATHS = ("/ready", "/readyz", "/health/ready", "/api/ready", "/readiness", "/api/v1/ready")
VERSION_PATHS = ("/version", "/api/version", "/api/v1/version", "/info", "/build-info", "/buildinfo")
NO_PATH = "/nexus-monitor-asks-for-nothing"
"""What is answered here says what an answer is worth: a server may answer every path with 200."""
AT_ONCE = 6
"""How many requests are under way at the same time: a small API must not feel it."""
DOCUMENT_BYTES = 4_194_304

Answers = dict[str, Exchange]


async def look_at_api(io: IO, url: str, add: Add) -> None:
    """Ask the likely paths, then the other usual ones for what is still missing. Raises when nothing answers."""
    first = (OPENAPI_PATHS[0], NO_PATH, HEALTH_PATHS[0], READY_PATHS[0], VERSION_PATHS[0])
    answers = await _asked(io, url, first)
    document = _document(answers, OPENAPI_PATHS)
    if document is None:
        answers |= await _asked(io, url, OPENAPI_PATHS[1:])
        document = _document(answers, OPENAPI_PATHS)
    failing = next((path for path, answer in answers.items() if answer.status >= 500), None)
    if document is None and failing is not None:
        # An API that is unwell does not say what it offers: nothing is known to be absent.
        raise UnreachedError(f"GET {failing} answers {answers[failing].status}")
    add(_described(url, document))
    described = () if document is None else paths_of(document[1])
    wanted = {"health_url": HEALTH_PATHS, "ready_url": READY_PATHS, "version_url": VERSION_PATHS}
    for name, usual in wanted.items():
        # Described ones first; the order of the usual ones decides between two.
        likely = sorted(usual, key=lambda path: path not in described)
        chosen = _chosen(name, likely, answers)
        if chosen is None:
            answers |= await _asked(io, url, [path for path in likely if path not in answers])
            chosen = _chosen(name, likely, answers)
        if chosen is None:
            why = f"none of {listed(usual)} answers"
            add({name: Thing(Sight.ABSENT, why=why, setting=_SETTINGS[name])})
        else:
            add({name: Thing(Sight.FOUND, (url + chosen,), f"GET {chosen} answered {answers[chosen].status}")})


_SETTINGS = {"health_url": "checks.api.health.url", "ready_url": "", "version_url": ""}


def _described(url: str, document: tuple[str, Document] | None) -> dict[str, Thing]:
    if document is None:
        why = f"none of {listed(OPENAPI_PATHS, 4)} answers with an OpenAPI document"
        return {
            "openapi_path": Thing(Sight.ABSENT, why=why, setting="checks.api.routers.openapi_path"),
            "routers": Thing(
                Sight.ABSENT, why="there is no OpenAPI document", setting="checks.api.routers.openapi_path"
            ),
            **_no_login("there is no OpenAPI document"),
        }
    path, content = document
    how = f"GET {path}"
    routers = routers_of(content)
    return {
        "openapi_path": Thing(Sight.FOUND, (path,), how),
        "routers": Thing(Sight.FOUND, routers, how) if routers else Thing(Sight.ABSENT, why=f"{how} names no path"),
        **_login(url, content, how),
    }


def _login(url: str, document: Document, how: str) -> dict[str, Thing]:
    route = login_route(document, url)
    if route is None:
        return _no_login(f"{how} shows no path that takes a Mini App login")
    form = Thing(Sight.FOUND, (route.form,), how) if route.form else Thing(Sight.ABSENT, why=f"{how} does not say")
    return {
        "login_url": Thing(Sight.FOUND, (route.url,), how),
        "login_method": Thing(Sight.FOUND, (route.method,), how),
        "login_form": form,
    }


def _no_login(why: str) -> dict[str, Thing]:
    return {
        name: Thing(Sight.ABSENT, why=why, setting="checks.miniapp.auth.login_url")
        for name in ("login_url", "login_method", "login_form")
    }


def _document(answers: Answers, paths: Iterable[str]) -> tuple[str, Document] | None:
    for path in paths:
        document = document_of(answers[path].text) if path in answers and answers[path].is_success else None
        if document is not None:
            return path, document
    return None


def _chosen(name: str, paths: Sequence[str], answers: Answers) -> str | None:
    return next((path for path in paths if path in answers and _is_telling(name, answers[path], answers)), None)


def _is_telling(name: str, answer: Exchange, answers: Answers) -> bool:
    """Say whether this is what was asked for, and not what the server answers to everything."""
    nothing = answers.get(NO_PATH)
    if nothing is not None and (nothing.status, nothing.body) == (answer.status, answer.body):
        return False
    if answer.content_type == "text/html":
        return False
    if name == "version_url":
        return answer.is_success and _has_version(answer.text)
    # An unwell API says so with 503 at the same path: it is there.
    return answer.is_success or (answer.status == 503 and (nothing is None or nothing.status != 503))


def _has_version(text: str) -> bool:
    try:
        content = json.loads(text)
    except ValueError:
        return False
    return isinstance(content, dict) and any(
        word in str(key).lower() for key in content for word in ("commit", "version", "sha", "revision", "build")
    )


async def _asked(io: IO, url: str, paths: Iterable[str]) -> Answers:
    """Ask these paths. Raises the first network error when none of them was answered."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(path: str) -> tuple[str, Exchange | Verdict]:
        async with places:
            return path, await attempt(
                exchange(io, "GET", url + path, headers={"accept": "application/json"},
                         body_limit_bytes=DOCUMENT_BYTES),
                httpx.TransportError, httpx.DecodingError, timeout_seconds=io.timeout_seconds,
            )  # fmt: skip

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(path), name=f"discover {path}") for path in paths]
    results = [task.result() for task in tasks]
    answers = {path: answer for path, answer in results if isinstance(answer, Exchange)}
    errors = [answer for _, answer in results if isinstance(answer, Verdict)]
    if errors and not answers:
        raise UnreachedError(errors[0].summary)
    return answers


class UnreachedError(ConnectionError):
    """Nothing could be asked; the message says why, and is safe to show."""
