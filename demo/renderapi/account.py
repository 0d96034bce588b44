"""What one Render account holds, as the API shows it: services, deploys, events, logs, instances, metrics."""

import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

Json = dict[str, Any]
OWNER = "tea-demo00000000000000"
REPO = "https://github.com/example/nexus"
REGION = "frankfurt"
RUNNING = ("created", "queued", "build_in_progress", "pre_deploy_in_progress", "update_in_progress")
MEMORY_LIMIT_BYTES = 512 * 1024 * 1024
CPU_LIMIT = 0.5
KEPT_LOGS = 5000


def written(at: datetime) -> str:
    """Return an instant as Render writes it."""
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


@dataclass
class Held:
    """One service and everything of it."""

    service: Json
    deploys: list[Json] = field(default_factory=list)
    """Newest first."""
    events: list[Json] = field(default_factory=list)
    """Newest first."""
    instances: list[Json] = field(default_factory=list)
    is_listed: bool = True
    """The API shows it; a deleted one is gone from every list."""
    memory_share: float = 0.4
    cpu_share: float = 0.1

    @property
    def name(self) -> str:
        return str(self.service["name"])

    @property
    def id(self) -> str:
        return str(self.service["id"])

    def deploy(self, deploy_id: str) -> Json | None:
        """Return one deploy by its id."""
        return next((deploy for deploy in self.deploys if deploy["id"] == deploy_id), None)

    def live(self) -> Json | None:
        """Return the deploy that is live."""
        return next((deploy for deploy in self.deploys if deploy["status"] == "live"), None)


class Account:
    """An account; every change is made by a method, so that deploys, events and logs agree."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.held: dict[str, Held] = {}
        """By service id."""
        self.logs: list[Json] = []
        self.on_event: Callable[[Held, Json], None] = lambda held, event: None
        self._numbers = itertools.count(1)
        self._dice = random.Random(0)

    def add_service(self, name: str, kind: str = "web_service", *, commit: str, plan: str = "starter") -> Held:
        """Add a service that has been live with a commit for a while."""
        now = self._now()
        details: Json = {
            "buildPlan": "starter", "env": "python", "runtime": "python", "plan": plan, "region": REGION,
            "numInstances": 1, "envSpecificDetails": {"buildCommand": "pip install .", "startCommand": "start"},
        }  # fmt: skip
        if kind == "web_service":
            url = f"https://{name}.onrender.com"
            details |= {"healthCheckPath": "/health", "openPorts": [{"port": 10000, "protocol": "TCP"}], "url": url}
        if kind == "static_site":
            details = {"buildCommand": "npm run build", "publishPath": "dist", "buildPlan": "starter", "url": ""}
        service_id = self._id("srv")
        service = {
            "id": service_id, "name": name, "slug": name, "ownerId": OWNER, "type": kind, "repo": REPO,
            "branch": "main", "rootDir": "", "autoDeploy": "yes", "notifyOnFail": "default",
            "createdAt": written(now - timedelta(days=30)), "updatedAt": written(now), "suspended": "not_suspended",
            "suspenders": [], "dashboardUrl": f"https://dashboard.render.com/web/{service_id}",
            "serviceDetails": details,
        }  # fmt: skip
        held = self.held[service_id] = Held(service)
        deploy = self._deploy(held, commit, "The commit before", "new_commit", now - timedelta(hours=6))
        deploy |= {"status": "live", "finishedAt": written(now - timedelta(hours=6) + timedelta(minutes=3))}
        for minutes, line in enumerate((f"==> Checking out commit {commit} in branch main", "==> Build successful")):
            self.log(held, "build", line, at=now - timedelta(hours=6) + timedelta(minutes=minutes))
        self._replace_instances(held, now - timedelta(hours=6))
        return held

    def named(self, name: str) -> Held | None:
        """Return a service by its name."""
        return next((held for held in self.held.values() if held.name == name), None)

    def begin_deploy(self, held: Held, commit: str, message: str, trigger: str = "new_commit") -> Json:
        """Begin a deploy: its build runs."""
        deploy = self._deploy(held, commit, message, trigger, self._now())
        trigger_words = {"newCommit": commit} if trigger == "new_commit" else {"rollback": trigger == "rollback"}
        self.add_event(held, "deploy_started", {"deployId": deploy["id"], "trigger": trigger_words})
        self.log(held, "build", f"==> Checking out commit {commit} in branch main")
        self.log(held, "build", "==> Using Python version 3.11.11 via environment variable PYTHON_VERSION")
        return deploy

    def advance(self, held: Held, deploy: Json, status: str) -> None:
        """Move a deploy on. Live: the one before is deactivated, and new instances run."""
        now = self._now()
        deploy |= {"status": status, "updatedAt": written(now)}
        if status in RUNNING:
            return
        deploy["finishedAt"] = written(now)
        if status == "live":
            for other in held.deploys:
                if other is not deploy and other["status"] == "live":
                    other["status"] = "deactivated"
            self._replace_instances(held, now)
            self.log(held, "build", "==> Your service is live")
        ended = {"live": "succeeded", "canceled": "canceled"}.get(status, "failed")
        details = {"deployId": deploy["id"], "deployStatus": ended, "reason": {}}
        self.add_event(held, "deploy_ended", details)

    def add_event(self, held: Held, kind: str, details: Json) -> Json:
        """Note an event, and tell the webhook."""
        event = {
            "id": self._id("evt"), "timestamp": written(self._now()), "serviceId": held.id, "type": kind,
            "details": details,
        }  # fmt: skip
        held.events.insert(0, event)
        self.on_event(held, event)
        return event

    def log(self, held: Held, kind: str, message: str, level: str = "info", *, at: datetime | None = None) -> None:
        """Write a line to a service's log, now or as if it had been written at another time."""
        labels = {"resource": held.id, "type": kind, "level": level}
        if held.instances and kind == "app":
            labels["instance"] = held.instances[-1]["id"]
        line = {
            "id": self._id("log"), "message": message, "timestamp": written(at or self._now()),
            "labels": [{"name": name, "value": value} for name, value in labels.items()],
        }  # fmt: skip
        self.logs.append(line)
        del self.logs[:-KEPT_LOGS]

    def forget_lines(self, held: Held, texts: Sequence[str]) -> None:
        """Forget a service's lines that hold one of these texts: they never were written."""
        self.logs = [
            line
            for line in self.logs
            if {"name": "resource", "value": held.id} not in line["labels"]
            or not any(text in line["message"] for text in texts)
        ]

    def series(self, name: str, held: Held, since: datetime, until: datetime, step_seconds: int) -> Json | None:
        """Return one metric of a service; None where it has no such numbers."""
        values = {
            "cpu": held.cpu_share * CPU_LIMIT,
            "cpu-limit": CPU_LIMIT,
            "memory": held.memory_share * MEMORY_LIMIT_BYTES,
            "memory-limit": float(MEMORY_LIMIT_BYTES),
        }
        if name not in values or held.service["type"] == "static_site":
            return None
        count = max(0, int((until - since).total_seconds() // step_seconds))
        points = [
            {"timestamp": written(since + timedelta(seconds=index * step_seconds)), "value": values[name]}
            for index in range(count + 1)
        ]
        unit = "bytes" if name.startswith("memory") else "cpu"
        instance = held.instances[-1]["id"] if held.instances else ""
        labels = [{"field": "resource", "value": held.id}, {"field": "instance", "value": instance}]
        return {"labels": labels, "values": [{**point, "unit": unit} for point in points], "unit": unit}

    def _deploy(self, held: Held, commit: str, message: str, trigger: str, at: datetime) -> Json:
        deploy = {
            "id": self._id("dep"), "status": "build_in_progress", "trigger": trigger,
            "commit": {"id": commit, "message": message, "createdAt": written(at)},
            "createdAt": written(at), "startedAt": written(at), "updatedAt": written(at),
        }  # fmt: skip
        held.deploys.insert(0, deploy)
        return deploy

    def _replace_instances(self, held: Held, at: datetime) -> None:
        if held.service["type"] != "static_site":
            held.instances = [{"id": f"{held.id}-{self._dice.randrange(16**5):05x}", "createdAt": written(at)}]

    def _id(self, kind: str) -> str:
        return f"{kind}-demo{next(self._numbers):016}"
