"""What an OpenAPI document tells: routers, plain paths, and the Mini App's login."""

import json
from typing import Any

import pytest

from monitor.discovery.openapi import document_of, login_route, paths_of, routers_of


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


def test_the_login_is_the_one_that_the_check_finds() -> None:
    document = of(auth__telegram={"post": {}}, users={"get": {}})
    route = login_route(document, "http://a")
    assert route is not None
    assert (route.method, route.url) == ("POST", "http://a/auth/telegram")
    assert login_route(of(users={"get": {}}), "http://a") is None
