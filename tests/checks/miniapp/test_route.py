"""An API's description tells which call is the login, and what may be read with it."""

from typing import Any

import pytest

from checks.miniapp.route import Route, calls_of, guessed_method, login_of

API = "https://api.example.net/base"


def described(*operations: tuple[str, str, dict[str, Any]]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for method, path, operation in operations:
        paths.setdefault(path, {})[method] = operation
    fields = {"properties": {"initData": {}, "referrer": {}}}
    return {"paths": paths, "components": {"schemas": {"Launch": fields}}}


BODY = {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Launch"}}}}}
PASSWORD = {"requestBody": {"content": {"application/json": {"schema": {"properties": {"password": {}}}}}}}
HEADER = {"parameters": [{"in": "header", "name": "X-TG-Init-Data", "required": False}]}


@pytest.mark.parametrize(
    ("description", "route"),
    [
        (described(("get", "/me", {})), Route("GET", f"{API}/me")),
        (described(("get", "/me", {}), ("post", "/auth/telegram", {})), Route("POST", f"{API}/auth/telegram")),
        (described(("get", "/users/me", {}), ("post", "/start", BODY)), Route("POST", f"{API}/start", "json initData")),
        (
            described(("get", "/tasks", HEADER), ("get", "/me", HEADER)),
            Route("GET", f"{API}/me", "header X-TG-Init-Data"),
        ),
        (described(("get", "/tasks", HEADER)), Route("GET", f"{API}/tasks", "header X-TG-Init-Data")),
        (described(("post", "/auth/login", PASSWORD), ("get", "/users", {})), None),
        (described(("post", "/telegram/webhook", {}), ("get", "/users/{id}/me", {})), None),
        ({"paths": {"/me": None}}, None),
        ({"paths": {"/me": {"get": 1}}}, None),
        (None, None),
    ],
)
def test_login_of(description: Any, route: Route | None) -> None:
    assert login_of(description, API) == route


def test_calls_of_are_gets_below_the_login_that_need_nothing() -> None:
    needs = {"parameters": [{"in": "query", "name": "q", "required": True}]}
    description = described(
        ("get", "/me", {}),
        ("get", "/me/tasks", {"parameters": [{"in": "query", "name": "limit", "required": False}]}),
        ("post", "/me/visits", {}),
        ("get", "/me/search", needs),
        ("get", "/me/{id}", {}),
        ("get", "/menu", {}),
    )

    assert calls_of(description, API, f"{API}/me") == (f"{API}/me", f"{API}/me/tasks")


@pytest.mark.parametrize(("url", "method"), [("/v1/me/", "GET"), ("/auth/session", "POST"), ("/a/profile?x=1", "GET")])
def test_guessed_method(url: str, method: str) -> None:
    assert guessed_method(url) == method
