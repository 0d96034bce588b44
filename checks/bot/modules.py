"""`bot.modules`: the bot says which modules it has loaded, in its own health JSON."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field

from checks.base import IO, Check, CheckConfig, Seconds, Secret
from checks.bot.host import host_fact, told_of_host
from checks.http import Exchange, exchange
from checks.result import Fact, Reason, Verdict, degraded, failed, ok, unknown
from checks.wording import listed, shortened

USUAL_PATHS = ("/health", "/healthz", "/status", "/")
NAMES = ("modules", "routers", "plugins")
"""What the list is called in the JSON; the first one found is read."""
WELL = ("ok", "up", "healthy", "pass", "ready", "running", "true")


class BotModulesConfig(CheckConfig):
    """Where the bot's web server is, and which modules there should be."""

    kind: Literal["bot.modules"] = "bot.modules"
    interval_seconds: Seconds = 60.0
    timeout_seconds: Seconds = 5.0
    url: Secret
    """Any address of the bot's web server, as its webhook; only scheme, host and port are used."""
    path: str = Field(default="", pattern=r"^(/\S*)?$")
    """Where the health JSON is; without it the usual paths are tried."""
    expected_modules: tuple[str, ...] = ()
    """Empty: not known yet, and nothing is missed."""


@dataclass(frozen=True, slots=True)
class BotModulesSeen:
    """The answers of the paths that were tried; the last one holds the list, if any does."""

    answers: tuple[tuple[str, Exchange], ...]


@dataclass(frozen=True, slots=True)
class Modules:
    """What the JSON says."""

    loaded: tuple[str, ...]
    broken: tuple[str, ...]
    """Those that it lists and calls not well."""
    status: str
    """Its own word for how the bot is; empty where it says none."""


class BotModules(Check[BotModulesConfig, BotModulesSeen]):
    """GET the health JSON beside the webhook."""

    Config = BotModulesConfig

    async def measure(self, io: IO) -> BotModulesSeen:
        """Try the paths until one lists modules."""
        parts = urlsplit(self.config.url.get_secret_value())
        answers = []
        for path in (self.config.path,) if self.config.path else USUAL_PATHS:
            answer = await exchange(io, "GET", f"{parts.scheme}://{parts.netloc}{path}")
            answers.append((path, answer))
            if modules_in(answer) is not None:
                break
        return BotModulesSeen(tuple(answers))

    def judge(self, seen: BotModulesSeen, now: datetime, before: Sequence[BotModulesSeen] = ()) -> Verdict:
        """Judge whether there is a list, then what is missing in it, then the bot's own word."""
        path, answer = seen.answers[-1]
        modules = modules_in(answer)
        host = host_fact(self.config.url)
        service = self.config.service
        if modules is None:
            tried = ", ".join(f"{path} {answer.status}" for path, answer in seen.answers)
            broken = [answer for _, answer in seen.answers if answer.status >= 500]
            if broken:
                return failed(
                    Reason.HTTP_STATUS, f"the bot's health answers {broken[0].status}", host, Fact("tried", tried),
                    hint=f"Render → {service} → Logs: what does its health raise? 502 and 503 mean that it is not up.",
                    excerpt=broken[0].excerpt,
                )  # fmt: skip
            return unknown(
                Reason.NOT_CONFIGURED, "not observable: the bot lists its modules nowhere", host, Fact("tried", tried),
                hint='Answer {"status": "ok", "modules": [...]} at /health of the bot: docs/helper.md, modules().',
            )  # fmt: skip
        facts = (
            host, Fact("path", path), Fact("status", answer.status), Fact("says", modules.status or "nothing"),
            Fact("modules", ", ".join(modules.loaded) or "none"),
        )  # fmt: skip
        values = {"latency_seconds": answer.phases.total_seconds, "modules": float(len(modules.loaded))}
        missing = [name for name in self.config.expected_modules if name not in modules.loaded]
        missing += [name for name in modules.broken if name not in missing]
        if missing or not modules.loaded:
            what = f"{listed(missing)} not loaded" if missing else "no module is loaded"
            return degraded(
                Reason.MISSING, f"the bot runs without a part: {what}", *facts,
                hint=f"Render → {service} → Logs at its start: an import that fails, or include_router left out.",
                excerpt=answer.excerpt, values=values,
            )  # fmt: skip
        if not answer.is_success or (modules.status and modules.status.lower() not in WELL):
            said = modules.status or str(answer.status)
            return degraded(
                Reason.DEPENDENCY_DOWN, f"the bot says of itself: {shortened(said, 40)}", *facts,
                hint=f"Its health JSON says which part: Render → {service} → Logs.", excerpt=answer.excerpt,
                values=values,
            )  # fmt: skip
        return ok(f"{len(modules.loaded)} modules are loaded", *facts, values=values)

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Say it of the bot's web server, with where to look."""
        return told_of_host(verdict, "the bot's health", self.config.service, self.config.url)


def modules_in(answer: Exchange) -> Modules | None:
    """Return what a health JSON says of modules: a list of names, or of name → how it is; None where it does not."""
    try:
        body = json.loads(answer.body)
    except ValueError:
        return None
    found = next((body[name] for name in NAMES if name in body), None) if isinstance(body, dict) else None
    status = body.get("status") if isinstance(body, dict) else None
    said = status if isinstance(status, str) else ""
    if isinstance(found, list) and all(isinstance(name, str) for name in found):
        return Modules(tuple(found), (), said)
    if isinstance(found, dict):
        well = tuple(name for name, how in found.items() if _is_well(how))
        return Modules(well, tuple(name for name in found if name not in well), said)
    return None


def _is_well(how: Any) -> bool:
    if isinstance(how, dict):
        return _is_well(how.get("status", True))
    return how.lower() in (*WELL, "loaded") if isinstance(how, str) else bool(how)
