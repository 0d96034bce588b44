"""The rules of a Render Blueprint that its schema does not hold. Pure: a parsed file in, findings out.

Source: render.com/docs/blueprint-spec, /python-version, /environment-variables, /web-services, /key-value; what the
published schema accepts although the platform does not was tried rule by rule.
"""

import re
from collections import Counter
from collections.abc import Iterator

from checks.build.environment_rules import Names, entry_rules, secret_rule
from checks.build.findings import Finding, Level
from checks.build.render_yaml import Node

ROOT_KEYS = {"services", "databases", "envVarGroups", "projects", "ungrouped", "previews", "version"}
FULL_VERSION = re.compile(r"\d+\.\d+\.\d+")
NEEDS_PORT = re.compile(r"\b(uvicorn|hypercorn|daphne|granian|fastapi run)\b")
"""Servers that do not read PORT themselves; gunicorn does (docs.gunicorn.org, settings: bind)."""
PAID_ONLY = ("disk", "preDeployCommand", "maxShutdownDelaySeconds")


def rules(root: Node, file: str, files: frozenset[str] = frozenset()) -> Iterator[Finding]:
    """Yield every broken rule. `files` are the names at the repository's root."""
    blueprint = _Blueprint(root, file, files)
    yield from blueprint.of_the_root()
    for service in blueprint.services:
        yield from blueprint.of_a_service(service)
    yield from blueprint.of_data()


def services(root: Node) -> list[Node]:
    """Return all services, those of projects' environments included."""
    return _listed(root, "services")


def environment(service: Node) -> dict[str, Node]:
    """Return a service's own environment variables: key → its entry."""
    return {item.text("key"): item for item in service.items("envVars") if item.text("key")}


def is_python(service: Node) -> bool:
    """Say whether the platform's Python builds it."""
    return (service.text("runtime") or service.text("env")) == "python"


def _listed(root: Node, name: str) -> list[Node]:
    nested = [each for project in root.items("projects") for each in project.items("environments")]
    ungrouped = root.get("ungrouped")
    return [item for place in (root, *nested, *([ungrouped] if ungrouped else [])) for item in place.items(name)]


class _Blueprint:
    def __init__(self, root: Node, file: str, files: frozenset[str]) -> None:
        self.root, self.file, self.files = root, file, files
        self.services = services(root)
        self.databases = _listed(root, "databases")
        self.groups = {group.text("name"): group for group in _listed(root, "envVarGroups")}
        self.names = Names(
            frozenset(node.text("name") for node in self.services),
            frozenset(node.text("name") for node in self.databases),
            frozenset(self.groups),
        )
        self.has_celery = any(_celery(service) for service in self.services)

    def found(self, rule: str, line: int, message: str, fix: str, level: Level = "error") -> Finding:
        return Finding(rule, level, self.file, line, message, fix)

    def of_the_root(self) -> Iterator[Finding]:
        if not isinstance(self.root.value, dict) or not (self.services or self.databases):
            yield self.found("empty", self.root.line, "defines no service and no database", "add `services:`")
            return
        for key, line in self.root.keys.items():
            if key not in ROOT_KEYS:
                yield self.found(
                    "unknown-key", line, f"{key}: is no key of a Blueprint", f"one of {', '.join(sorted(ROOT_KEYS))}"
                )
        if "runtime.txt" in self.files:
            yield Finding(
                "runtime-txt",
                "warning",
                "runtime.txt",
                0,
                "runtime.txt: is not read by Render",
                "set PYTHON_VERSION, or write the version to .python-version",
            )
        names = Counter(node.text("name") for node in (*self.services, *self.databases))
        for node in (*self.services, *self.databases):
            name = node.text("name")
            if not name:
                yield self.found("name", node.line, "a service without a name", "give it a `name:`")
            elif names[name] > 1:
                yield self.found(
                    "duplicate", node.line_of("name"), f"{name}: {names[name]} services have this name", "rename one"
                )
        regions = {
            service.text("region") or "oregon" for service in (*self.services, *self.databases) if _is_placed(service)
        }
        if len(regions) > 1:
            yield self.found(
                "region",
                self.root.line_of("services"),
                f"services stand in {len(regions)} regions: {', '.join(sorted(regions))}",
                "put them into one: the private network does not span regions, and oregon is the default",
                "warning",
            )
        for name, group in self.groups.items():
            for entry in group.items("envVars"):
                if entry.get("sync") is not None:
                    yield self.found(
                        "group-sync",
                        entry.line_of("sync"),
                        f"{name}.{entry.text('key')}: sync is ignored in an environment group",
                        "give it a value in the dashboard, or move it to the service",
                    )
                yield from secret_rule(name, entry, self.file)

    def of_a_service(self, service: Node) -> Iterator[Finding]:
        name, kind, plan = service.text("name"), service.text("type"), service.text("plan")
        if kind == "static":
            yield self.found(
                "type", service.line_of("type"), f"{name}: type static is none", "type: web, runtime: static"
            )
        for key, fix in (
            ("pythonVersion", "an environment variable PYTHON_VERSION with all three numbers, quoted"),
            ("env", "`runtime:` instead"),
        ):
            if service.get(key) is not None:
                yield self.found("old-key", service.line_of(key), f"{name}.{key}: is no key of a service", fix)
        if service.get("autoDeploy") is not None and service.get("autoDeployTrigger") is not None:
            yield self.found(
                "auto-deploy",
                service.line_of("autoDeploy"),
                f"{name}: autoDeploy and autoDeployTrigger",
                "keep the second",
            )
        trigger = service.get("autoDeployTrigger")
        if trigger is not None and isinstance(trigger.value, bool):
            yield self.found(
                "auto-deploy", trigger.line, f"{name}.autoDeployTrigger: off unquoted is false in YAML", 'write "off"'
            )
        yield from self._plan(service, name, kind, plan)
        yield from self._start(service, name, kind)
        if is_python(service):
            yield from self._python(service, name)
        for entry in service.items("envVars"):
            yield from entry_rules(name, entry, self.names, self.file)
        if kind in {"keyvalue", "redis"}:
            yield from self._key_value(service, name)

    def of_data(self) -> Iterator[Finding]:
        for database in self.databases:
            if database.get("ipAllowList") is None:
                yield self.found(
                    "ip-allow-list",
                    database.line,
                    f"{database.text('name')}: without ipAllowList the database is open to the internet",
                    "ipAllowList: []",
                    "warning",
                )

    def _plan(self, service: Node, name: str, kind: str, plan: str) -> Iterator[Finding]:
        if plan == "free" and kind in {"worker", "pserv", "cron"}:
            yield self.found("plan", service.line_of("plan"), f"{name}: a {kind} has no free plan", "plan: starter")
        for key in PAID_ONLY:
            if plan == "free" and service.get(key) is not None:
                yield self.found("plan", service.line_of(key), f"{name}.{key}: not on the free plan", "plan: starter")
        instances = service.get("numInstances")
        count = instances.value if instances is not None and isinstance(instances.value, int) else 1
        scales = service.get("scaling") is not None
        if service.get("disk") is not None and (count > 1 or scales):
            yield self.found(
                "disk", service.line_of("disk"), f"{name}: a service with a disk has one instance", "numInstances: 1"
            )
        if _is_beat(service.text("startCommand")) and (count > 1 or scales):
            yield self.found(
                "one-beat",
                service.line_of("numInstances" if count > 1 else "scaling"),
                f"{name}: {'several' if scales else count} instances of beat would send every task more than once",
                "numInstances: 1",
            )

    def _start(self, service: Node, name: str, kind: str) -> Iterator[Finding]:
        runtime, start = service.text("runtime"), service.text("startCommand")
        is_native = runtime not in {"docker", "image", "static"} and kind in {"web", "worker", "pserv", "cron"}
        if is_native and not start:
            yield self.found("start-command", service.line, f"{name}: no startCommand", "add what starts it")
        if kind == "web" and runtime != "static":
            if not service.text("healthCheckPath"):
                yield self.found(
                    "health-check",
                    service.line,
                    f"{name}: without healthCheckPath a deploy counts as live as soon as its port is open",
                    "healthCheckPath: /health",
                    "warning",
                )
            if NEEDS_PORT.search(start) and "PORT" not in start:
                yield self.found(
                    "port",
                    service.line_of("startCommand"),
                    f"{name}: {start!r} does not listen on $PORT",
                    "--port $PORT",
                )
            if NEEDS_PORT.search(start) and "0.0.0.0" not in start and "::" not in start:  # noqa: S104
                yield self.found(
                    "host",
                    service.line_of("startCommand"),
                    f"{name}: {start!r} listens on loopback, where Render cannot reach it",
                    "--host 0.0.0.0",
                )
        elif service.text("healthCheckPath") and runtime != "static":
            yield self.found(
                "health-check",
                service.line_of("healthCheckPath"),
                f"{name}: a {kind} has no health check",
                "remove healthCheckPath",
            )
        schedule = service.text("schedule")
        if kind == "cron" and len(schedule.split()) != 5:
            yield self.found(
                "schedule",
                service.line_of("schedule"),
                f"{name}: {schedule!r} is no cron expression of five fields",
                "e.g. 0 * * * *",
            )

    def _python(self, service: Node, name: str) -> Iterator[Finding]:
        own = environment(service)
        entry = own.get("PYTHON_VERSION") or self._from_groups(service).get("PYTHON_VERSION")
        value = entry.get("value") if entry is not None else None
        fix = 'value: "3.13.9": all three numbers, quoted'
        if entry is None:
            if ".python-version" not in self.files:
                yield self.found(
                    "python-version",
                    service.line,
                    f"{name}: no PYTHON_VERSION, so it gets the default of the day the service was created",
                    fix,
                )
        elif value is None:
            yield self.found("python-version", entry.line, f"{name}: PYTHON_VERSION has no value here", fix, "warning")
        elif not FULL_VERSION.fullmatch(str(value.value)):
            yield self.found(
                "python-version", value.line, f"{name}: PYTHON_VERSION {value.value} is not of the form x.y.z", fix
            )
        elif not value.is_quoted:
            yield self.found(
                "python-version", value.line, f"{name}: PYTHON_VERSION {value.value} is not quoted", fix, "warning"
            )

    def _from_groups(self, service: Node) -> dict[str, Node]:
        named = [item.text("fromGroup") for item in service.items("envVars") if item.text("fromGroup")]
        return {
            entry.text("key"): entry
            for group in named
            if group in self.groups
            for entry in self.groups[group].items("envVars")
        }

    def _key_value(self, service: Node, name: str) -> Iterator[Finding]:
        if service.get("ipAllowList") is None:
            yield self.found("ip-allow-list", service.line, f"{name}: ipAllowList is missing", "ipAllowList: []")
        policy = service.text("maxmemoryPolicy")
        if self.has_celery and policy != "noeviction":
            yield self.found(
                "noeviction",
                service.line_of("maxmemoryPolicy"),
                f"{name}: maxmemoryPolicy {policy or 'allkeys-lru (the default)'} may evict queued tasks",
                "maxmemoryPolicy: noeviction",
            )


def _celery(service: Node) -> bool:
    return bool(re.search(r"\bcelery\b", service.text("startCommand")))


def _is_beat(command: str) -> bool:
    return bool(re.search(r"\bcelery\b.*\s(beat\b|worker\b.*\s(-B|--beat)\b)", command))


def _is_placed(service: Node) -> bool:
    return service.text("runtime") != "static"
