"""Faults of nexus-api."""

from demo.faults.fault import Fault
from demo.faults.hands import (
    Hand,
    back,
    deploying,
    doing_redis,
    doing_sql,
    held_connections,
    impersonating,
    letting_go,
    restoring,
)
from demo.nexus.flaws import Flaw
from demo.process_tree import free_port
from demo.stack import DemoStack

API = "nexus-api"
PLACEHOLDER = "<!doctype html><title>Welcome to nginx!</title><h1>Welcome to nginx!</h1>"


def _with_wrong_database_password(stack: DemoStack) -> None:
    url = stack.postgres.url.replace(":nexus@", ":wrong@")
    stack.parts[API].deploy(DATABASE_URL=url)


def _with_wrong_redis(stack: DemoStack) -> None:
    stack.parts[API].deploy(REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")


def _lock(table: str) -> Hand:
    def lock(stack: DemoStack) -> None:
        held_connections(stack, f"lock {table}").open("BEGIN", f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")

    return lock


_rename_settings = doing_sql("ALTER TABLE IF EXISTS settings RENAME TO settings_moved")
_rename_settings_back = doing_sql("ALTER TABLE IF EXISTS settings_moved RENAME TO settings")

FAULTS = (
    Fault(
        "api-down",
        "nexus-api is killed",
        "api.health",
        lambda stack: stack.parts[API].kill(),
        lambda stack: stack.parts[API].start(),
    ),
    Fault(
        "api-paused",
        "nexus-api is frozen: it takes connections and never answers",
        "api.health",
        lambda stack: stack.parts[API].pause(),
        lambda stack: stack.parts[API].resume(),
    ),
    Fault(
        "api-500",
        "the table that /health reads is renamed, so nexus-api answers 500",
        "api.health",
        _rename_settings,
        _rename_settings_back,
    ),
    Fault(
        "api-slow",
        "the table that /health reads becomes a view that takes 1.2 s",
        "api.health",
        doing_sql(
            "ALTER TABLE settings RENAME TO settings_fast",
            "CREATE VIEW settings AS SELECT settings_fast.* FROM settings_fast, pg_sleep(1.2)",
        ),
        doing_sql(
            "DO $$ BEGIN IF to_regclass('settings_fast') IS NOT NULL THEN DROP VIEW IF EXISTS settings;"
            " ALTER TABLE settings_fast RENAME TO settings; END IF; END $$"
        ),
        severity="warning",
    ),
    Fault(
        "api-lies",
        "nexus-api cannot reach Redis, and its /health says so behind a 200",
        "api.health",
        lambda stack: stack.parts[API].deploy(
            NEXUS_FLAWS=Flaw.HEALTH_LIES, REDIS_URL=f"redis://127.0.0.1:{free_port()}/0"
        ),
        restoring(API),
    ),
    Fault(
        "api-database-password-wrong",
        "nexus-api is deployed with another password than PostgreSQL has",
        "api.health",
        _with_wrong_database_password,
        restoring(API),
    ),
    Fault(
        "api-redis-address-wrong",
        "nexus-api is deployed with a Redis address where nobody listens",
        "api.health",
        _with_wrong_redis,
        restoring(API),
    ),
    Fault(
        "api-table-locked",
        "a forgotten session holds a lock on the table that /health reads",
        "api.health",
        _lock("settings"),
        letting_go("lock settings"),
    ),
    Fault(
        "api-placeholder",
        "a web server's welcome page answers 404 at nexus-api's address, as after a wrong deploy",
        "api.health",
        impersonating(API, 404, PLACEHOLDER, content_type="text/html"),
        back(API),
    ),
    Fault(
        "api-asks-for-login",
        "a proxy before nexus-api answers every request with 401",
        "api.health",
        impersonating(API, 401, "", www_authenticate="Basic"),
        back(API),
    ),
    Fault(
        "api-redirects",
        "nexus-api's address redirects to somewhere else, as after a move of its domain",
        "api.health",
        impersonating(API, 301, "", location="http://127.0.0.1:9/"),
        back(API),
    ),
    Fault(
        "api-bad-gateway",
        "the proxy before nexus-api answers 502 with a page of its own",
        "api.health",
        impersonating(API, 502, "<h1>502 Bad Gateway</h1>", content_type="text/html"),
        back(API),
    ),
    Fault(
        "api-router-gone",
        "nexus-api is deployed without the router of /tasks",
        "api.routers",
        deploying(API, Flaw.ROUTER_GONE),
        restoring(API),
    ),
    Fault(
        "api-router-raises",
        "nexus-api is deployed with a /tasks that raises",
        "api.routers",
        deploying(API, Flaw.ROUTER_RAISES),
        restoring(API),
    ),
    Fault(
        "api-data-poisoned",
        "a counter in Redis that /stats reads is no number",
        "api.routers",
        doing_redis("SET nexus:visits many"),
        doing_redis("DEL nexus:visits"),
        also=("miniapp.calls",),
    ),
    Fault(
        "api-version-differs",
        "nexus-api runs another commit than the other services",
        "api.version",
        deploying(API, RENDER_GIT_COMMIT="01dc0ffee5eed"),
        restoring(API),
        severity="warning",
    ),
)
