"""What can be done to a service of the account beside deploys: each change shows at once in what the API answers."""

from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from demo.renderapi.account import Account, Held, Json, written


async def play(account: Account, request: Request) -> Response:
    """Answer `POST /_/services/{name}`: do what the body says, in this order; 404 where there is no such service.

    `service`, `details`: fields of the service, laid over those there are; `is_listed`: whether the API shows it;
    `memory_share`, `cpu_share`: of the plan's limit, as if it had always been so; `deploy`: one that begins and comes
    to its `status` at once, with the lines of `log`; `instances_seconds`: how long each instance has been running;
    `forget_events`, `forget_logs`: texts whose events and lines never were; `events`, `logs`: new ones.
    """
    held = account.named(request.path_params["name"])
    if held is None:
        return JSONResponse({"message": f"{request.path_params['name']}: no such service"}, 404)
    body: dict[str, Any] = await request.json()
    held.service |= body.get("service", {})
    held.service["serviceDetails"] |= body.get("details", {})
    held.is_listed = bool(body.get("is_listed", held.is_listed))
    held.memory_share = float(body.get("memory_share", held.memory_share))
    held.cpu_share = float(body.get("cpu_share", held.cpu_share))
    if "deploy" in body:
        _deploy(account, held, body["deploy"])
    if "instances_seconds" in body:
        now = datetime.now(UTC)
        held.instances = [
            {"id": f"{held.id}-{index:05}", "createdAt": written(now - timedelta(seconds=seconds))}
            for index, seconds in enumerate(body["instances_seconds"])
        ]
    held.events = [event for event in held.events if event["type"] not in body.get("forget_events", ())]
    account.forget_lines(held, body.get("forget_logs", ()))
    for event in body.get("events", ()):
        account.add_event(held, str(event["type"]), dict(event.get("details", {})))
    for line in body.get("logs", ()):
        account.log(held, "app", str(line))
    return JSONResponse(held.service)


def _deploy(account: Account, held: Held, wanted: Json) -> None:
    live = held.live()
    commit = str(wanted.get("commit") or (live["commit"]["id"] if live else ""))
    deploy = account.begin_deploy(held, commit, str(wanted.get("message", "A change")))
    for line in wanted.get("log", ()):
        account.log(held, "build", str(line))
    account.advance(held, deploy, str(wanted["status"]))
