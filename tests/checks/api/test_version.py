"""`api.version`: what counts as a commit, how long services may differ, and real servers asked."""

from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from checks.api.version import ApiVersion, ApiVersionConfig, ApiVersionSeen, Told, commit_in
from checks.result import Outcome, Reason
from tests.checks.conftest import Serve
from tests.fakes import NOW, answered, io_for

OLD, NEW = "0ld5ea".replace("l", "1") + "7", "ab12cd3"


def check_of(**urls: str) -> ApiVersion:
    return ApiVersion(ApiVersionConfig(id="api.version", service="nexus-api", urls=urls or {"api": "http://a"}))


def at(minutes: float, *commits: str | None) -> ApiVersionSeen:
    told = tuple(
        Told(name, commit, "/version", "" if commit else "no answer")
        for name, commit in zip(("api", "bot"), commits, strict=False)
    )
    return ApiVersionSeen(NOW + timedelta(minutes=minutes), told)


JUDGED: dict[str, tuple[ApiVersionSeen, tuple[ApiVersionSeen, ...], Outcome, Reason | None, str]] = {
    "one": (at(0, NEW), (), Outcome.OK, None, "api at commit ab12cd3"),
    "same, one of them short": (at(0, NEW, NEW + "99ff"), (), Outcome.OK, None, "2 services at commit ab12cd3"),
    "one does not tell": (at(0, None, NEW), (), Outcome.OK, None, "bot at commit ab12cd3"),
    "none tells": (at(0, None, None), (), Outcome.UNKNOWN, Reason.NOT_CONFIGURED, "no service tells its commit"),
    "differ now": (at(0, NEW, OLD), (), Outcome.OK, None, f"a deploy is under way: api {NEW}, bot {OLD}"),
    "differ for ten minutes": (
        at(0, NEW, OLD),
        (at(-10, NEW, OLD), at(-5, NEW, OLD)),
        Outcome.OK,
        None,
        f"a deploy is under way: api {NEW}, bot {OLD}",
    ),
    "differ for longer": (
        at(0, NEW, OLD),
        (at(-12, OLD, OLD), at(-11, NEW, OLD), at(-5, NEW, None)),
        Outcome.DEGRADED,
        Reason.VERSION,
        f"different commits for 11 min: api {NEW}, bot {OLD}",
    ),
    "agreed in between": (
        at(0, NEW, OLD),
        (at(-11, NEW, OLD), at(-5, NEW, NEW)),
        Outcome.OK,
        None,
        f"a deploy is under way: api {NEW}, bot {OLD}",
    ),
}


@pytest.mark.parametrize(("seen", "before", "outcome", "reason", "summary"), JUDGED.values(), ids=JUDGED)
def test_judge(
    seen: ApiVersionSeen,
    before: tuple[ApiVersionSeen, ...],
    outcome: Outcome,
    reason: Reason | None,
    summary: str,
) -> None:
    verdict = check_of().judge(seen, NOW, before)

    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert bool(verdict.hint) == (outcome is not Outcome.OK)


@pytest.mark.parametrize(
    ("body", "commit"),
    [
        ('{"commit": "ab12cd3"}', "ab12cd3"),
        ('{"build": {"GIT_SHA": "ab12cd3ef"}}', "ab12cd3ef"),
        ('{"RENDER_GIT_COMMIT": "ab12cd3"}', "ab12cd3"),
        ('{"commit": "unknown"}', None),
        ('{"version": "1.2.3"}', None),
        ('["ab12cd3"]', None),
        ("ab12cd3\n", "ab12cd3"),
        ("1234567", "1234567"),
        ("<html>", None),
    ],
)
def test_a_commit_is_found_where_people_put_it(body: str, commit: str | None) -> None:
    assert commit_in(answered(body=body)) == commit


@pytest.mark.real
async def test_the_usual_paths_are_tried_and_a_given_one_is_kept_to(serve: Serve) -> None:
    async def handle(request: web.Request) -> web.Response:
        bodies: dict[str, Any] = {"/health": {"commit": NEW}, "/build": {"sha": OLD}}
        body = bodies.get(request.path)
        return web.json_response(body or {}, status=200 if body else 404)

    url = await serve(handle)
    seen = await check_of(api=url, bot=f"{url}/build", web=f"{url}/none", off="http://127.0.0.1:1").measure(io_for())
    assert seen.told == (
        Told("api", NEW, "/health"),
        Told("bot", OLD, "/build"),
        Told("web", None, "", "no commit in /none 404"),
        Told("off", None, "/version", "127.0.0.1:1: connection refused"),
    )
