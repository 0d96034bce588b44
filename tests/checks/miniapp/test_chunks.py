"""What a built script loads is found in its text."""

from pathlib import Path

import pytest

from checks.miniapp.chunks import insecure_hosts, lazy_imports, static_imports

URL = "https://a.net/app/assets/index-1.js"
AT = "https://a.net/app/assets/"


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ('import{r as e,j as t}from"./vendor-b2.js";x()', [AT + "vendor-b2.js"]),
        ('import"./side.js";import a,{b}from"./c.js";', [AT + "side.js", AT + "c.js"]),
        ('import * as z from "/lib/z.mjs"', ["https://a.net/lib/z.mjs"]),
        ('x=1;export{q}from"./q.js"', [AT + "q.js"]),
        ('import React from "react"; import("./lazy.js")', []),
    ],
)
def test_static_imports(script: str, found: list[str]) -> None:
    assert static_imports(script, URL) == found


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ('e(()=>import("./Stats-d4.js"),[])', [AT + "Stats-d4.js"]),
        ("import( /* webpackChunkName: 'x' */ './x.js' )", [AT + "x.js"]),
        ('import(`./t.js`);import(`./${n}.js`);import("react")', [AT + "t.js"]),
        (
            'const __vite__mapDeps=(i,m=__vite__mapDeps,d=(m.f||(m.f=["assets/Stats-d4.js","assets/Stats-e5.css"])))'
            "=>i.map(i=>d[i]);",
            [AT + "Stats-d4.js", AT + "Stats-e5.css"],
        ),
        (
            "function __vite__mapDeps(indexes){if(!__vite__mapDeps.viteFileDeps)"
            '{__vite__mapDeps.viteFileDeps = ["./L.js"]}',
            [AT + "L.js"],
        ),
        ('__vite__mapDeps=(i,m=__vite__mapDeps,d=(m.f||(m.f=["static/L.js"])))=>1', ["https://a.net/static/L.js"]),
        ('import("./a.js");import("./a.js")', [AT + "a.js"]),
    ],
)
def test_lazy_imports(script: str, found: list[str]) -> None:
    assert lazy_imports(script, URL) == found


def test_every_file_of_the_demo_app_is_found() -> None:
    assets = Path(__file__).parents[3] / "demo/nexus/miniapp/dist/assets"
    waiting = [f"https://a.net/assets/{path.name}" for path in assets.glob("index-*")]
    found = set(waiting)
    while waiting:
        url = waiting.pop()
        text = (assets / url.rsplit("/", 1)[-1]).read_text()
        named = {*static_imports(text, url), *lazy_imports(text, url)} - found
        found |= named
        waiting += named

    assert found == {f"https://a.net/assets/{path.name}" for path in assets.iterdir()}


def test_insecure_hosts_leave_out_namespaces_and_loopback() -> None:
    script = '"http://www.w3.org/2000/svg","http://localhost:3000/","http://127.0.0.1/x",fetch("http://api.a.net/v1")'
    assert insecure_hosts(script) == ["api.a.net"]
