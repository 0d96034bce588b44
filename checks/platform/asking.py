"""What all checks of Render's API share: whom they are about, and that no answer is no verdict."""

from abc import ABC
from dataclasses import replace
from datetime import datetime
from typing import Annotated, TypeVar

from pydantic import Field

from checks.base import Check, CheckConfig, RenderReader, Seconds, Secret, Severity
from checks.platform.shapes import Deploy, Service, deploy_of, service_of
from checks.result import Fact, Outcome, Reason, Verdict, unknown
from checks.wording import listed

HINTS = {
    Reason.AUTH_REJECTED: "Render → Account settings → API keys: make a new one (read-only is enough) and set "
    "RENDER_API_KEY; a scoped key must belong to the workspace of these services.",
    Reason.RATE_LIMITED: "Nothing to do: it is asked again after the pause. Does something else use the same key?",
}
NO_ANSWER = "Look at status.render.com; the services themselves are watched by the other checks."
FRESH_SECONDS = 8.0
"""How old an answer may be that decides: less than the pause between two looks, which confirm each other."""
SHARED_SECONDS = 30.0
"""How old one may be that another check decides by."""
DEPLOYS_READ = 10
"""How many of the newest deploys are read: one call, shared by all who need them."""


class PlatformConfig(CheckConfig):
    """How Render is asked, and about which services."""

    service: str = "render"
    interval_seconds: Seconds = 60.0
    timeout_seconds: Seconds = 20.0
    severity: Severity = "warning"
    """What is down is told by the check that looks at it; this says why."""
    stale_after_seconds: Seconds | None = 450.0
    """Render's API may be away for 15 minutes before that is a warning."""
    api_key: Secret
    api_url: Annotated[str, Field(pattern=r"^https?://[^\s/]+")] = "https://api.render.com/v1"
    names: tuple[str, ...] = ()
    """Names of the services on Render; those that are not there are left out."""
    service_ids: tuple[str, ...] = ()
    """Instead: their ids (`srv-…`). Each of them must be there."""


ConfigT = TypeVar("ConfigT", bound=PlatformConfig)
SeenT = TypeVar("SeenT")


class PlatformCheck(Check[ConfigT, SeenT], ABC):
    """A look through Render's API: that it does not answer says nothing about the services."""

    __slots__ = ()

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Say that we could not look."""
        return could_not_look(verdict)


def could_not_look(verdict: Verdict) -> Verdict:
    """Return the verdict of an error of Render's API, or on the way to it, as unknown."""
    hint = HINTS.get(verdict.reason, NO_ANSWER) if verdict.reason else NO_ANSWER
    summary = f"Render's API: {verdict.summary}"
    return replace(verdict, outcome=Outcome.UNKNOWN, summary=summary, hint=hint, certain=False)


def none_found(config: PlatformConfig) -> Verdict:
    """Return the verdict where no service is found."""
    asked = listed(config.service_ids or config.names, 5) or "no name"
    return unknown(
        Reason.NOT_CONFIGURED, f"none of these is on Render: {asked}", Fact("asked for", asked),
        hint="Give their names under `services:` in monitor.yaml, or RENDER_SERVICE_IDS=srv-…,srv-…; a scoped key "
        "sees only its own workspace.",
    )  # fmt: skip


async def services_of(
    api: RenderReader, config: PlatformConfig, *, max_age_seconds: float = SHARED_SECONDS
) -> tuple[Service, ...]:
    """Return the services that are watched, in the order of their names."""
    asked = [] if config.service_ids else [("name", name) for name in config.names]
    items = await api.all("/services", [*asked, ("includePreviews", "false")], max_age_seconds=max_age_seconds)
    known = (service for item in items if (service := service_of(item)) is not None)
    wanted = [
        service
        for service in known
        if (service.id in config.service_ids if config.service_ids else service.name in config.names)
    ]
    return tuple(sorted(wanted, key=lambda service: service.name))


async def deploys_of(
    api: RenderReader, service: Service, *, max_age_seconds: float = SHARED_SECONDS
) -> tuple[Deploy, ...]:
    """Return the newest deploys of a service, newest first."""
    asked = [("limit", str(DEPLOYS_READ))]
    items = await api.get(f"/services/{service.id}/deploys", asked, max_age_seconds=max_age_seconds)
    return tuple(deploy for item in items or () if (deploy := deploy_of(item)) is not None)


def stamp(at: datetime, step_seconds: int = 1) -> str:
    """Return an instant as Render's API takes it, on a step of so many seconds: equal questions share an answer."""
    rounded = datetime.fromtimestamp(at.timestamp() // step_seconds * step_seconds, tz=at.tzinfo)
    return rounded.isoformat(timespec="seconds").replace("+00:00", "Z")
