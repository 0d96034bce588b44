"""Which fields of a check are filled from what was found: check → field → thing of `Found`."""

from collections.abc import Mapping
from typing import Any

from monitor.config.found import ABOUT, Found, Sight

_LOGIN = {"login_url": "login_url", "login_method": "login_method", "send_as": "login_form"}
_QUEUES = {"expected_queues": "queues"}

LEARNED: Mapping[str, Mapping[str, str]] = {
    "api.health": {"url": "health_url"},
    "api.routers": {"openapi_path": "openapi_path", "expected_routers": "routers"},
    "bot.identity": {"expected_id": "bot_id", "expected_username": "bot_username"},
    "bot.commands": {"expected_commands": "commands"},
    "bot.modules": {"expected_modules": "modules"},
    "worker.online": {"expected_nodes": "nodes"},
    "worker.tasks": {"expected_tasks": "tasks"},
    "queue.depth": _QUEUES,
    "queue.stalled": _QUEUES,
    "queue.no_consumer": _QUEUES,
    "beat.config": {"expected_entries": "schedule"},
    "miniapp.auth": _LOGIN,
    "miniapp.auth_guard": _LOGIN,
    "miniapp.calls": _LOGIN,
}
"""They stand above what the settings give, and below monitor.yaml."""


POINTLESS_WITHOUT: Mapping[str, str] = {
    "api.routers": "openapi_path",
    "miniapp.auth": "login_url",
    "miniapp.auth_guard": "login_url",
    "miniapp.calls": "login_url",
}
"""Check → the thing without which it could say nothing, unless monitor.yaml gives the field."""


def pointless(check_id: str, found: Found, own: Mapping[str, Any]) -> str:
    """Return why a check could say nothing, because we looked and what it is about was never there; else nothing."""
    thing = POINTLESS_WITHOUT.get(check_id)
    if thing is None or any(found_as == thing and name in own for name, found_as in LEARNED[check_id].items()):
        return ""
    seen = found.thing(thing)
    return f"{seen.why} → {seen.setting}" if seen.sight is Sight.ABSENT and not seen.values else ""


def learned(check_id: str, found: Found, own: Mapping[str, Any]) -> dict[str, str | tuple[str, ...]]:
    """Return the fields that were found for a check. `own`: what monitor.yaml says of it.

    The single values of a check belong together (a login's address and its method): one of the user's own puts all
    found ones aside.
    """
    wanted = LEARNED.get(check_id, {})
    has_own = any(ABOUT[thing].is_one and name in own for name, thing in wanted.items())
    known = {name: found.thing(thing).values for name, thing in wanted.items()}
    return {
        name: values[0] if ABOUT[wanted[name]].is_one else values
        for name, values in known.items()
        if values and not (has_own and ABOUT[wanted[name]].is_one)
    }
