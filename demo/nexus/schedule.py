"""What nexus-beat sends, and when. Crontabs are read in `TIMEZONE`; intervals know no time zone."""

from typing import Any

from celery.schedules import crontab

from demo.nexus.flaws import Flaw, has
from demo.nexus.nexus_helper import heartbeat

TIMEZONE = "Europe/Berlin"


def schedule(heartbeat_seconds: float) -> dict[str, dict[str, Any]]:
    """Return the entries; `heartbeat_seconds` is the period of the one that shows the monitor that beat lives."""
    entries: dict[str, dict[str, Any]] = {
        **heartbeat(heartbeat_seconds),
        "tick": {"task": "nexus.tick", "schedule": 10.0, "options": {"expires": 9}},
        "count-open-tasks": {"task": "nexus.count_open_tasks", "schedule": 30.0, "options": {"expires": 28}},
        "clean-up": {"task": "nexus.clean_up", "schedule": crontab(minute="*"), "options": {"expires": 50}},
        "count-ticks": {
            "task": "nexus.count_ticks",
            "schedule": crontab(minute="30", hour="4"),
            "options": {"expires": 3600},
        },
        "morning-report": {
            "task": "nexus.report",
            "schedule": crontab(minute="0", hour="9", day_of_week="mon-fri"),
            "options": {"expires": 3600},
        },
    }
    if has(Flaw.ENTRY_UNKNOWN):
        entries["forgotten"] = {"task": "nexus.forgotten", "schedule": 3600.0}
    if has(Flaw.ENTRY_UNSERVED):
        entries["unserved"] = {"task": "nexus.tick", "schedule": 3600.0, "options": {"queue": "forgotten"}}
    if has(Flaw.ENTRY_MISSING):
        del entries["tick"]
    return {} if has(Flaw.SCHEDULE_EMPTY) else entries
