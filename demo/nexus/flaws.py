"""The mistakes a deploy of Nexus can be made with, so that the demo can show what the monitor says of them."""

import os
from enum import StrEnum

from demo.nexus.environment import SettingError

VARIABLE = "NEXUS_FLAWS"


class Flaw(StrEnum):
    """One mistake in the code or the configuration of one process."""

    HEALTH_LIES = "health-lies"
    """nexus-api: /health answers 200 whatever it finds; its body tells the truth."""
    ROUTER_GONE = "router-gone"
    """nexus-api: the router of /tasks is not included."""
    ROUTER_RAISES = "router-raises"
    """nexus-api: GET /tasks raises."""
    NO_CORS = "no-cors"
    """nexus-api: no origin may call it from a browser."""
    LOGIN_UNSIGNED = "login-unsigned"
    """nexus-api: the signature of a login is not compared."""
    LOGIN_AGELESS = "login-ageless"
    """nexus-api: a login never gets too old."""
    NO_SECRET = "no-secret"
    """nexus-bot: updates are taken from anybody."""
    MODULE_MISSING = "module-missing"
    """nexus-bot: the module `reports` is not loaded."""
    HANDLER_RAISES = "handler-raises"
    """nexus-bot: /help raises, behind the 200 that Telegram gets."""
    HANDLER_SILENT = "handler-silent"
    """nexus-bot: /help answers nothing."""
    DELETES_WEBHOOK = "deletes-webhook"
    """nexus-bot: the webhook is deleted when the process ends."""
    TASKS_MISSING = "tasks-missing"
    """nexus-worker: the tasks' module is not included."""
    IMPORT_ERROR = "import-error"
    """nexus-worker: an included module does not exist."""
    REFUSES_JSON = "refuses-json"
    """nexus-worker: only messages in YAML are taken."""
    SCHEDULE_EMPTY = "schedule-empty"
    """nexus-beat: no entry is scheduled."""
    ENTRY_MISSING = "entry-missing"
    """nexus-beat: the entry `tick`, which the worker's configuration has, is not scheduled."""
    ENTRY_UNKNOWN = "entry-unknown"
    """nexus-worker, nexus-beat: an entry names a task that no worker has."""
    ENTRY_UNSERVED = "entry-unserved"
    """nexus-worker, nexus-beat: an entry sends to a queue that no worker reads."""
    SPA_OVER_ASSETS = "spa-over-assets"
    """nexus-miniapp: a missing asset is answered with index.html."""
    ASSETS_AS_TEXT = "assets-as-text"
    """nexus-miniapp: scripts are served as text/plain."""
    API_UNDEFINED = "api-undefined"
    """nexus-miniapp: the app is told the API's address `undefined`."""


def flaws() -> frozenset[Flaw]:
    """Return the mistakes this process is deployed with. Raises `SettingError` for one that is unknown."""
    words = [word for word in os.environ.get(VARIABLE, "").replace(",", " ").split() if word]
    unknown = [word for word in words if word not in list(Flaw)]
    if unknown:
        raise SettingError(f"{VARIABLE}: {unknown[0]!r} is unknown")
    return frozenset(Flaw(word) for word in words)


def has(flaw: Flaw) -> bool:
    """Say whether this process is deployed with `flaw`."""
    return flaw in flaws()
