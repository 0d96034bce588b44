"""A page's scripts, styles, preloads, mount point and policies are found."""

import pytest

from checks.miniapp.html import Page, Reference, page_of

URL = "https://app.example.net/index.html"

VITE = """<!doctype html><html><head>
<meta http-equiv="Content-Security-Policy" content="script-src 'self'">
<script src="https://telegram.org/js/telegram-web-app.js"></script>
<script type="module" crossorigin src="/assets/index-a1.js" integrity="sha384-x" nonce="n"></script>
<link rel="modulepreload" crossorigin href="/assets/vendor-b2.js">
<link rel="preload" as="script" href="/assets/old.js"><link rel="preload" as="font" href="/f.woff2">
<link rel="stylesheet" href="./assets/index-c3.css"><link rel="icon"><link rel="icon" href="/i.svg">
<script type="application/ld+json">{"x": 1}</script><script> </script>
</head><body><div id="root"> </div><script>window.x = "<div id='no'></div>";</script></body></html>"""


def test_a_vite_page_is_read() -> None:
    assert page_of(VITE, URL) == Page(
        references=(
            Reference("script", "https://telegram.org/js/telegram-web-app.js"),
            Reference("script", "https://app.example.net/assets/index-a1.js", "sha384-x", "n", is_module=True),
            Reference("preload", "https://app.example.net/assets/vendor-b2.js"),
            Reference("preload", "https://app.example.net/assets/old.js"),
            Reference("style", "https://app.example.net/assets/index-c3.css"),
        ),
        mount_id="root",
        policies=("script-src 'self'",),
        inline_scripts=("window.x = \"<div id='no'></div>\";",),
    )


@pytest.mark.parametrize(
    ("body", "mount_id"),
    [
        ('<div id="root">Loading…</div>', "root"),
        ('<main id="app"></main>', "app"),
        ('<div id="shell"></div>', "shell"),
        ('<div id="full">text</div>', None),
        ('<div id="full"><p></p></div>', None),
        ('<section id="other"></section>', None),
        ("<div></div>", None),
    ],
)
def test_the_mount_point_is_a_known_or_an_empty_element(body: str, mount_id: str | None) -> None:
    assert page_of(body, URL).mount_id == mount_id


def test_base_moves_relative_addresses() -> None:
    page = page_of('<base href="/app/"><script src="x.js"></script>', URL)
    assert page.references[0].url == "https://app.example.net/app/x.js"
