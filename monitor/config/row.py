"""A row of the table of built-in checks: what one needs, whom it speaks about, what explains its failure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from monitor.config.settings import Settings
from monitor.config.stack import Stack

Given = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One built-in check. Its id is its kind."""

    id: str
    service: str
    """A field of `Services`, or `monitor` for our own side, or `telegram`."""
    needs: tuple[str, ...]
    """The settings without which it is not built; a thing of `Found` with the name of one stands in for it."""
    given: Callable[[Settings, Stack], Given]
    """Its own fields, from the settings."""
    parents: tuple[str, ...] = ()
    """Hard parents, kept where they are built."""
    checklist: str = ""
    """The line of the post-deploy checklist it answers."""
    is_remote: bool = True
    """Looks over the network, so our own network is its parent."""
    why_not: Callable[[Settings], str] = lambda settings: ""
    """Why it makes no sense with these settings; empty where it does."""
    over_broker: bool = False
    """Looks at Celery's broker: `BROKER_URL` stands in for `REDIS_URL`, and Redis explains nothing unless it is it."""
    explained_by: tuple[str, ...] = ()
    """Soft parents, kept where they are built."""
    is_opt_in: bool = False
    """Built only when `monitor.yaml` names it: it changes what it looks at, or needs what is not always there."""

    def has(self, settings: Settings, name: str) -> bool:
        """Say whether the settings give what it needs by this name."""
        stands_in = self.over_broker and name == "redis_url" and settings.celery_broker_url is not None
        return stands_in or getattr(settings, name) is not None

    def parents_with(self, settings: Settings) -> tuple[str, ...]:
        """Return what explains its failure with these settings."""
        if not self.over_broker or settings.is_broker_redis:
            return self.parents
        return tuple(parent for parent in self.parents if not parent.startswith("redis."))


ON_RENDER = ("platform.service", "platform.deploys", "platform.instances")
"""What may explain that a service does not answer."""
