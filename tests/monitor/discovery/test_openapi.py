"""What an OpenAPI document tells: routers, plain paths, and the Mini App's login."""

import json
from typing import Any

import pytest

from monitor.discovery.openapi import document_of, login_path_of, paths_of, routers_of


def of(**paths: Any) -> dict[str, Any]:
    return {"openapi": "3.1.0", "paths": {f"/{path.replace('__', '/')}": item for path, item in paths.items()}}


@pytest.mark.parametrize("text", ["", "[]", "{", '{"paths": {}}', '{"openapi": "3.1.0", "paths": []}'])
def test_what_is_no_document(text: str) -> None:
    assert document_of(text) is None


def test_routers_are_tags_else_the_first_telling_part_of_a_path() -> None:
    document = of(
        api__v1__users={"get": {"tags": ["people", "x"]}},
        api__v1__orders={"get": {}, "post": {}},
        api__v1={"get": {}},
        health={"get": {"tags": []}},
    )
    assert document_of(json.dumps(document)) == document
    assert routers_of(document) == ("api", "health", "orders", "people")


def test_only_a_get_without_parameters_in_its_path_is_plain() -> None:
    assert paths_of({"openapi": "3", "paths": {"/a": {"get": {}}, "/b/{id}": {"get": {}}, "/c": {"post": {}}}}) == (
        "/a",
    )


INIT = {"components": {"schemas": {"Login": {"properties": {"initData": {"type": "string"}}}}}}
BODY = {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Login"}}}}}


@pytest.mark.parametrize(
    ("document", "path"),
    [
        (of(enter={"post": BODY}) | INIT, "/enter"),
        (of(enter={"post": BODY}), None),
        (of(check={"get": {"parameters": [{"name": "init_data", "in": "query"}]}}), "/check"),
        (of(auth__telegram={"post": {}}, me={"get": {"security": [{"tma": []}]}}), "/auth/telegram"),
        (of(webapp__validate={"post": {}}), "/webapp/validate"),
        (of(api__me={"get": {"parameters": [{"name": "authorization", "in": "header"}]}}), "/api/me"),
        (of(me={"get": {}}), None),
        (of(users={"get": {"security": [{}]}}), None),
        ({"openapi": "3", "paths": {"/auth/telegram/{id}": {"post": {}}, "/x": None}}, None),
    ],
    ids=[
        "init data in the body",
        "a reference that leads nowhere",
        "init data as a parameter",
        "its name goes before a guarded path",
        "another name",
        "a guarded path about oneself",
        "an open path about oneself",
        "a guarded path about others",
        "a path with a parameter",
    ],
)
def test_the_login_of_the_mini_app(document: dict[str, Any], path: str | None) -> None:
    found = login_path_of(document)
    assert (found[0] if found else None) == path
