"""What makes a loaded file a bad one."""

import base64
import hashlib
from dataclasses import replace

import pytest

from checks.failures import verdict_of
from checks.miniapp.asset import Wanted, asset_of
from checks.result import Reason
from tests.fakes import answered

JS = "text/javascript"
BODY = b"console.log(1)"
GOOD_HASH = "sha384-" + base64.b64encode(hashlib.sha384(BODY).digest()).decode()
SCRIPT = Wanted("entry", "https://a.net/assets/i.js")
STYLE = Wanted("style", "https://a.net/assets/i.css")


@pytest.mark.parametrize(
    ("wanted", "got", "problem"),
    [
        (SCRIPT, answered(200, BODY, content_type=JS), None),
        (SCRIPT, answered(200, BODY, content_type="application/javascript"), None),
        (STYLE, answered(200, "a{}", content_type="text/css"), None),
        (Wanted("lazy", "https://a.net/l.css"), answered(200, "a{}", content_type="text/css"), None),
        (SCRIPT, answered(404, BODY, content_type=JS), (Reason.HTTP_STATUS, "entry script i.js is 404")),
        (
            SCRIPT,
            answered(200, "<html>", content_type="text/html"),
            (Reason.BODY_MISMATCH, "entry script i.js is an HTML page"),
        ),
        (
            SCRIPT,
            answered(200, b"\xef\xbb\xbf\n<!doctype html>", content_type=JS),
            (Reason.BODY_MISMATCH, "entry script i.js is an HTML page"),
        ),
        (SCRIPT, answered(200, " \n", content_type=JS), (Reason.BODY_MISMATCH, "entry script i.js is empty")),
        (
            SCRIPT,
            answered(200, BODY, content_type="text/plain"),
            (Reason.BODY_MISMATCH, "entry script i.js is served as text/plain"),
        ),
        (
            STYLE,
            answered(200, "a{}", content_type=""),
            (Reason.BODY_MISMATCH, "style i.css is served as no type"),
        ),
        (replace(SCRIPT, integrity=GOOD_HASH), answered(200, BODY, content_type=JS), None),
        (replace(SCRIPT, integrity=f"sha256-weaker {GOOD_HASH}?opt"), answered(200, BODY, content_type=JS), None),
        (replace(SCRIPT, integrity="md5-unknown"), answered(200, BODY, content_type=JS), None),
        (
            replace(SCRIPT, integrity="sha384-wrong"),
            answered(200, BODY, content_type=JS),
            (Reason.BODY_MISMATCH, "entry script i.js does not match its integrity hash"),
        ),
        (
            replace(SCRIPT, integrity="sha384-wrong"),
            replace(answered(200, BODY, content_type=JS), is_cut=True),
            None,
        ),
        (
            SCRIPT,
            verdict_of(ConnectionRefusedError()),
            (Reason.UNREACHABLE, "entry script i.js: connection refused"),
        ),
    ],
)
def test_problem(wanted, got, problem) -> None:
    assert asset_of(wanted, got).problem() == problem


def test_a_file_without_a_name_is_shown_by_its_address() -> None:
    assert Wanted("entry", "https://a.net/assets/").name == "https://a.net/assets/"
