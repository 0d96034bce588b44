"""Answers as Render's API does: bearer key, lists with cursors, filters of logs, limits with Retry-After, rollbacks."""

import asyncio
import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo.renderapi.account import Account, Held, Json
from demo.renderapi.playing import play

WEBHOOK_SECONDS = 15.0
"""Render waits so long for an answer."""
ATTEMPTS = 3
"""Render makes eight, the last after 33 hours."""
METRICS = ("cpu", "cpu-limit", "memory", "memory-limit", "disk-usage", "disk-capacity")


class RenderServer:
    """The account over HTTP: `/v1/…` as Render has it, `/_/…` to play with it."""

    def __init__(self, account: Account, key: str, *, webhook_url: str = "", webhook_secret: str = "") -> None:
        """`webhook_secret` is `whsec_…`; without a `webhook_url` nobody is told of events."""
        self.account = account
        self._key = key
        self.webhook_url = webhook_url
        self._secret = webhook_secret
        self.asked: list[str] = []
        """Every question, oldest first."""
        self.refusals: list[tuple[int, float]] = []
        """Status and Retry-After of the next answers."""
        self.always_refuses = 0
        """Status of every answer; 0 where it answers."""
        self.on_deploy: Callable[[Held, Json], Any] | None = None
        """Called when a deploy was asked for through the API (a rollback), in a thread."""
        self._to_tell: asyncio.Queue[tuple[Held, Json]] = asyncio.Queue()

    def app(self) -> Starlette:
        """Return the application; its lifespan delivers the webhooks."""
        account = self.account
        account.on_event = lambda held, event: self._to_tell.put_nowait((held, event))
        routes = [
            Route("/v1/services", self._services),
            Route("/v1/services/{service}", self._service),
            Route("/v1/services/{service}/deploys", self._deploys),
            Route("/v1/services/{service}/deploys/{deploy}", self._deploy),
            Route("/v1/services/{service}/instances", self._instances),
            Route("/v1/services/{service}/events", self._events),
            Route("/v1/services/{service}/rollback", self._rollback, methods=["POST"]),
            Route("/v1/events/{event}", self._event),
            Route("/v1/logs", self._logs),
            Route("/v1/metrics/{metric}", self._metric),
            Route("/_/health", _healthy),
            Route("/_/services/{name}", self._play_service, methods=["POST"]),
            Route("/_/refusing", self._refuse_always, methods=["POST"]),
            Route("/_/deploys", self._play, methods=["POST"]),
            Route("/_/deploys/{deploy}", self._advance, methods=["POST"]),
            Route("/_/rollbacks", self._asked_rollbacks),
        ]

        @asynccontextmanager
        async def lifespan(app: Starlette) -> AsyncIterator[None]:
            async with asyncio.TaskGroup() as group:
                telling = group.create_task(self._tell_all(), name="webhooks")
                yield
                telling.cancel()

        return Starlette(routes=[_guarded(route, self) for route in routes], lifespan=lifespan)

    def signed(self, event_id: str, body: bytes, at: float) -> dict[str, str]:
        """Return the headers of a delivery (Standard Webhooks)."""
        key = base64.b64decode(self._secret.removeprefix("whsec_") + "==")
        signature = hmac.new(key, f"{event_id}.{int(at)}.".encode() + body, hashlib.sha256).digest()
        return {
            "webhook-id": event_id,
            "webhook-timestamp": str(int(at)),
            "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
            "content-type": "application/json",
        }

    async def _tell_all(self) -> None:
        while True:
            held, event = await self._to_tell.get()
            if self.webhook_url:
                await self._tell(held, event)

    async def _tell(self, held: Held, event: Json) -> None:
        data = {"id": event["id"], "serviceId": held.id, "serviceName": held.name}
        if "deployStatus" in event["details"]:
            data["status"] = event["details"]["deployStatus"]
        body = json.dumps({"type": event["type"], "timestamp": event["timestamp"], "data": data}).encode()
        for attempt in range(ATTEMPTS):
            headers = self.signed(event["id"], body, time.time())
            try:
                async with httpx.AsyncClient(timeout=WEBHOOK_SECONDS, trust_env=False) as client:
                    answer = await client.post(self.webhook_url, content=body, headers=headers)
                if answer.is_success:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(2**attempt)

    def refuse(self, request: Request) -> Response | None:
        """Return why a question is not answered; None where it is."""
        if request.url.path.startswith("/_/"):
            return None
        self.asked.append(f"{request.url.path}?{request.url.query}".rstrip("?"))
        if request.headers.get("authorization") != f"Bearer {self._key}":
            return JSONResponse({"message": "unauthorized"}, 401)
        if self.always_refuses:
            return JSONResponse({"message": "no"}, self.always_refuses)
        if self.refusals:
            status, retry_after = self.refusals.pop(0)
            headers = {"retry-after": f"{retry_after:g}"} if status == 429 else {}
            return JSONResponse({"message": "rate limit exceeded" if status == 429 else "no"}, status, headers)
        return None

    async def _services(self, request: Request) -> Response:
        names = request.query_params.getlist("name")
        held = [held for held in self.account.held.values() if held.is_listed]
        found = [one.service for one in held if not names or one.name in names]
        return _listed(request, "service", found)

    async def _service(self, request: Request) -> Response:
        return JSONResponse(self._held(request).service)

    async def _deploys(self, request: Request) -> Response:
        return _listed(request, "deploy", self._held(request).deploys)

    async def _deploy(self, request: Request) -> Response:
        deploy = self._held(request).deploy(request.path_params["deploy"])
        return JSONResponse({"message": "not found"}, 404) if deploy is None else JSONResponse(deploy)

    async def _instances(self, request: Request) -> Response:
        return JSONResponse(self._held(request).instances)

    async def _events(self, request: Request) -> Response:
        since, until = _window(request)
        found = [event for event in self._held(request).events if since <= _instant(event["timestamp"]) <= until]
        return _listed(request, "event", found)

    async def _event(self, request: Request) -> Response:
        name = request.path_params["event"]
        found = (event for held in self.account.held.values() for event in held.events if event["id"] == name)
        event = next(found, None)
        return JSONResponse({"message": "not found"}, 404) if event is None else JSONResponse(event)

    async def _logs(self, request: Request) -> Response:
        query = request.query_params
        resources, kinds, texts = query.getlist("resource"), query.getlist("type"), query.getlist("text")
        if not query.get("ownerId") or not resources:
            return JSONResponse({"message": "ownerId and resource are required"}, 400)
        since, until = _window(request)
        found = []
        for line in self.account.logs:
            labels = {label["name"]: label["value"] for label in line["labels"]}
            if labels["resource"] not in resources or (kinds and labels["type"] not in kinds):
                continue
            if since <= _instant(line["timestamp"]) <= until and _has_text(line["message"], texts):
                found.append(line)
        if query.get("direction", "backward") == "backward":
            found.reverse()
        limit = int(query.get("limit", "20"))
        page = found[:limit]
        has_more = len(found) > limit
        following = found[limit]["timestamp"] if has_more else query.get("endTime", "")
        is_forward = query.get("direction") == "forward"
        return JSONResponse(
            {
                "hasMore": has_more,
                "nextStartTime": following if is_forward else query.get("startTime", following),
                "nextEndTime": query.get("endTime", following),
                "logs": page,
            }
        )

    async def _metric(self, request: Request) -> Response:
        name = request.path_params["metric"]
        if name not in METRICS:
            return JSONResponse({"message": "not found"}, 404)
        since, until = _window(request)
        step = int(request.query_params.get("resolutionSeconds", "60"))
        series = [
            self.account.series(name, held, since, until, step)
            for service_id in request.query_params.getlist("resource")
            if (held := self.account.held.get(service_id)) is not None
        ]
        return JSONResponse([one for one in series if one is not None])

    async def _rollback(self, request: Request) -> Response:
        held = self._held(request)
        target = held.deploy(str((await request.json()).get("deployId")))
        if target is None:
            return JSONResponse({"message": "not found"}, 404)
        deploy = self.account.begin_deploy(held, target["commit"]["id"], target["commit"]["message"], "rollback")
        if self.on_deploy is not None:
            await asyncio.to_thread(self.on_deploy, held, deploy)
        return JSONResponse(deploy, 201)

    async def _play_service(self, request: Request) -> Response:
        return await play(self.account, request)

    async def _refuse_always(self, request: Request) -> Response:
        self.always_refuses = int((await request.json())["status"])
        return JSONResponse({"status": self.always_refuses})

    async def _play(self, request: Request) -> Response:
        body = await request.json()
        held = self.account.named(str(body.get("service")))
        if held is None:
            return JSONResponse({"message": f"{body.get('service')}: no such service"}, 404)
        deploy = self.account.begin_deploy(held, str(body["commit"]), str(body.get("message", "A change")))
        return JSONResponse(deploy, 201)

    async def _advance(self, request: Request) -> Response:
        body = await request.json()
        name = request.path_params["deploy"]
        for held in self.account.held.values():
            deploy = held.deploy(name)
            if deploy is not None:
                for line in body.get("build_log", ()):
                    self.account.log(held, "build", str(line))
                self.account.advance(held, deploy, str(body["status"]))
                return JSONResponse(deploy)
        return JSONResponse({"message": "not found"}, 404)

    async def _asked_rollbacks(self, request: Request) -> Response:
        """Answer the rollbacks that were asked for and have not gone on: somebody is to play them."""
        return JSONResponse(
            [
                {"id": deploy["id"], "service": held.name, "commit": deploy["commit"]["id"]}
                for held in self.account.held.values()
                for deploy in held.deploys
                if deploy["trigger"] == "rollback" and deploy["status"] == "build_in_progress"
            ]
        )

    def _held(self, request: Request) -> Held:
        held = self.account.held.get(request.path_params["service"])
        if held is None:
            raise _NotFoundError
        return held


class _NotFoundError(Exception):
    """There is no such service."""


def _guarded(route: Route, server: RenderServer) -> Route:
    endpoint = route.endpoint

    async def answer(request: Request) -> Response:
        refused = server.refuse(request)
        if refused is not None:
            return refused
        try:
            response: Response = await endpoint(request)
        except _NotFoundError:
            return JSONResponse({"message": "service not found"}, 404)
        return response

    return Route(route.path, answer, methods=list(route.methods or ["GET"]))


async def _healthy(request: Request) -> Response:
    return JSONResponse({"status": "ok"})


def _listed(request: Request, name: str, items: list[Json]) -> Response:
    """Answer one page: each item wrapped, with the cursor behind it."""
    query = request.query_params
    start = int(query.get("cursor", "0"))
    limit = min(100, int(query.get("limit", "20")))
    page = [{name: item, "cursor": str(start + index + 1)} for index, item in enumerate(items[start : start + limit])]
    return JSONResponse(page)


def _window(request: Request) -> tuple[datetime, datetime]:
    query = request.query_params
    since, until = query.get("startTime"), query.get("endTime")
    return (
        _instant(since) if since else datetime.min.replace(tzinfo=UTC),
        _instant(until) if until else datetime.max.replace(tzinfo=UTC),
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _has_text(message: str, texts: list[str]) -> bool:
    """Say whether one of the texts is in the message; `/…/` is an expression."""
    if not texts:
        return True
    patterns = [text[1:-1] if len(text) > 1 and text[0] == text[-1] == "/" else re.escape(text) for text in texts]
    return any(re.search(pattern, message) for pattern in patterns)
