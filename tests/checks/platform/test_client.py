"""The client of Render's API: shared answers, the budget, pauses, cursors, errors, records."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from checks.platform.budget import Bucket
from checks.platform.client import (
    KEPT_ANSWERS,
    RenderApi,
    RenderFaultError,
    RenderLimitedError,
    RenderMissingError,
    RenderRefusedError,
    redacted,
)
from checks.platform.service import PlatformService, PlatformServiceConfig
from checks.result import Outcome, Reason
from monitor.probing.runner import Runner
from tests.checks.platform.conftest import GIVEN, KEY, OLD, Render
from tests.fakes import NOW


async def test_who_asks_the_same_at_once_shares_one_call(render: Render) -> None:
    answers = await asyncio.gather(*(render.client.get("/services") for _ in range(8)))

    assert [len(answer) for answer in answers] == [3] * 8
    assert render.server.asked == ["/v1/services"]


async def test_an_answer_is_asked_again_when_it_is_too_old(render: Render) -> None:
    await render.client.get("/services", max_age_seconds=20)
    render.later(seconds=19)
    await render.client.get("/services", max_age_seconds=20)
    render.later(seconds=2)
    await render.client.get("/services", max_age_seconds=20)

    assert len(render.server.asked) == 2


async def test_a_list_is_read_page_after_page(render: Render) -> None:
    for index in range(150):
        render.account.begin_deploy(render.api, f"{index:040x}", "one of many")

    items = await render.client.all(f"/services/{render.api.id}/deploys")

    assert len(items) == 151
    assert [question.partition("?")[2] for question in render.server.asked] == ["limit=100", "limit=100&cursor=100"]


async def test_after_a_429_nothing_is_asked_until_the_pause_is_over(render: Render) -> None:
    render.server.refusals.append((429, 30))
    with pytest.raises(RenderLimitedError, match="429, again in 30 s"):
        await render.client.get("/services")
    with pytest.raises(RenderLimitedError, match="not asked"):
        await render.client.get("/services")
    assert len(render.server.asked) == 1

    render.later(seconds=31)
    assert len(await render.client.get("/services")) == 3


async def test_log_calls_have_a_smaller_budget_of_their_own(render: Render) -> None:
    asked = [("ownerId", "tea"), ("resource", render.api.id)]
    for index in range(10):
        await render.client.get("/logs", [*asked, ("text", str(index))])
    assert render.slept == []

    await render.client.get("/logs", [*asked, ("text", "eleven")])
    assert render.slept == [6.0]

    await render.client.get("/services")
    assert render.slept == [6.0]


async def test_a_call_that_would_wait_too_long_is_not_made(render: Render) -> None:
    bucket = Bucket(60.0)
    assert [bucket.wait_seconds(0.0) for _ in range(61)] == [0.0] * 60 + [1.0]
    bucket.close(100.0)
    assert bucket.wait_seconds(40.0) == 60.0
    assert bucket.wait_seconds(100.0) == 0.0


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, RenderRefusedError),
        (403, RenderRefusedError),
        (404, RenderMissingError),
        (500, RenderFaultError),
        (503, RenderFaultError),
    ],
)
async def test_each_refusal_has_its_name(render: Render, status: int, error: type[Exception]) -> None:
    render.server.refusals.append((status, 0))
    with pytest.raises(error, match=f"GET /services: {status}: no"):
        await render.client.get("/services")


@pytest.mark.parametrize(
    ("status", "reason"),
    [(429, Reason.RATE_LIMITED), (401, Reason.AUTH_REJECTED), (404, Reason.MISSING), (503, Reason.HTTP_STATUS)],
)
async def test_that_render_does_not_answer_is_unknown_and_says_why(render: Render, status: int, reason: Reason) -> None:
    render.server.refusals.append((status, 5))
    check = PlatformService(PlatformServiceConfig(id="platform.service", **GIVEN))

    result = await Runner(lambda seconds: render.io(), lambda: NOW, lambda: 0.0).run(check)

    assert (result.verdict.outcome, result.verdict.reason) == (Outcome.UNKNOWN, reason)
    assert result.verdict.summary.startswith("Render's API: ")
    assert result.verdict.hint


async def test_a_change_forgets_what_was_known(render: Render) -> None:
    await render.client.get("/services")
    target = render.api.live()
    assert target is not None
    answer = await render.client.post(f"/services/{render.api.id}/rollback", {"deployId": target["id"]})
    await render.client.get("/services")

    assert (answer["trigger"], answer["commit"]["id"]) == ("rollback", OLD)
    assert render.server.asked.count("/v1/services") == 2


async def test_every_answer_is_recorded_without_secrets(render: Render) -> None:
    render.api.service["repo"] = "https://me:ghp_0123456789@github.com/example/nexus"
    await render.client.get("/services", [("name", "nexus-api")])

    (record,) = render.records
    assert record[:3] == ("GET", "/services?name=nexus-api", 200)
    assert record[3][0]["service"]["repo"] == "https://me:***@github.com/example/nexus"


def test_what_is_named_a_secret_goes_whole() -> None:
    webhook = {"id": "whk-1", "secret": "hush", "url": "https://m.example"}
    assert redacted([{"webhook": webhook, "cursor": "c"}]) == [{"webhook": webhook | {"secret": "***"}, "cursor": "c"}]


def test_secrets_go_from_any_depth() -> None:
    key, signing = "rnd_" + "aB3dE5" * 5, "whsec_" + "aB3dE5" * 5
    assert redacted({"a": [{"b": f"x {key} y"}, 1, None], "c": signing}) == {
        "a": [{"b": "x *** y"}, 1, None],
        "c": "***",
    }


def stub(status: int, text: str, **headers: str) -> RenderApi:
    """Return a client of an API that always answers this."""

    @asynccontextmanager
    async def http() -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.MockTransport(lambda request: httpx.Response(status, text=text, headers=headers))
        async with httpx.AsyncClient(transport=transport) as client:
            yield client

    return RenderApi("https://render.test/v1", KEY, http, lambda: 0.0)


async def test_a_list_that_is_none_and_an_answer_that_is_no_json_are_faults() -> None:
    with pytest.raises(RenderFaultError, match=r"^GET /services: not a list$"):
        await stub(200, "{}").all("/services")
    with pytest.raises(RenderFaultError, match=r"^GET /services: 200$"):
        await stub(200, "<html>").get("/services")


async def test_an_answer_without_a_body_is_none() -> None:
    assert await stub(202, "").get("/services/srv-1/deploys") is None


async def test_a_pause_that_cannot_be_read_is_a_minute() -> None:
    with pytest.raises(RenderLimitedError, match="429, again in 60 s"):
        await stub(429, "{}", **{"retry-after": "Mon, 23 Nov 2026 12:00:00 GMT"}).get("/services")


async def test_old_answers_make_room(render: Render) -> None:
    for index in range(KEPT_ANSWERS + 1):
        render.later(seconds=1)
        await render.client.get("/services", [("name", str(index))], max_age_seconds=3600)
    render.later(seconds=1)
    asked = len(render.server.asked)
    await render.client.get("/services", [("name", "0")], max_age_seconds=3600)
    await render.client.get("/services", [("name", str(KEPT_ANSWERS))], max_age_seconds=3600)
    assert len(render.server.asked) == asked + 1


async def test_what_has_changed_elsewhere_is_asked_again(render: Render) -> None:
    await render.client.get("/services")
    render.client.forget()
    await render.client.get("/services")
    assert len(render.server.asked) == 2
