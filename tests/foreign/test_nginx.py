"""A plain nginx as Debian packs it: an API behind it, the files of a Mini App on it, and what goes wrong there."""

import shutil
import subprocess
from collections.abc import Iterator

import pytest

from checks.miniapp.render import USUAL_NAMES
from checks.result import Reason
from tests.foreign.looking import DEGRADED, FAILED, OK, UNKNOWN, Row, judge
from tests.foreign.servers import Nginx, needs_nginx, running

pytestmark = [pytest.mark.real, needs_nginx]

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="not installed: openssl")
needs_chromium = pytest.mark.skipif(
    not any(map(shutil.which, USUAL_NAMES)), reason="not installed: chromium (Debian's package)"
)
FILES = {
    "app/index.html": '<!doctype html><html><head><script src="/app/telegram-web-app.js"></script>'
    '<script type="module" src="/app/app.js"></script></head><body><div id="root"></div></body></html>',
    "app/app.js": "document.getElementById('root').innerHTML = '<p>an app of somebody else</p>';",
    "app/telegram-web-app.js": "window.Telegram = {WebApp: {initData: '', ready() {}, expand() {}}};",
    "every/index.html": '<!doctype html><html><head><script src="/every/app.js"></script></head>'
    '<body><div id="root"></div></body></html>',
    "every/app.js": "document.getElementById('root').append('here');",
    "blank/index.html": '<!doctype html><html><body><div id="root"></div></body></html>',
    "health.json": '{"status": "ok", "db": "ok", "redis": "ok"}',
    "sick.json": '{"status": "error", "db": "down", "redis": "ok"}',
    "version.json": '{"commit": "0123456789abcdef"}',
}


class Site(Nginx):
    """Static files, a dead upstream, a careless catch-all, headers that forbid frames."""

    http = """
    server {
        listen 127.0.0.1:{port};
        root {folder}/site;
        location = /health { default_type application/json; try_files /health.json =404; }
        location = /sick { default_type application/json; try_files /sick.json =404; }
        location = /version { default_type application/json; try_files /version.json =404; }
        location = /taken { return 200; }
        location = /open { add_header X-Frame-Options DENY always; try_files /app/index.html =404; }
        location /down { proxy_pass http://127.0.0.1:1; }
        location /old/ { return 301 /health; }
        location /every/ { try_files $uri /every/index.html; }
    }
    """

    def _prepare(self) -> None:
        for name, text in FILES.items():
            path = self.folder / "site" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        super()._prepare()


class SecureSite(Site):
    """With a certificate that nobody else has signed."""

    http = """
    server {
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {folder}/certificate.pem;
        ssl_certificate_key {folder}/key.pem;
        root {folder}/site;
    }
    """

    def _prepare(self) -> None:
        words = ["-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "90"]
        words += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
        words += ["-keyout", str(self.folder / "key.pem"), "-out", str(self.folder / "certificate.pem")]
        subprocess.run(["openssl", "req", *words], capture_output=True, timeout=30, check=True)
        super()._prepare()


@pytest.fixture(scope="module")
def nginx() -> Iterator[str]:
    with running(Site) as server:
        yield server.url


URL, PAGE, HOOK = {"url": "{}"}, {"page_url": "{}"}, {"url": "{}", "secret_token": "theirs"}
SHORT = PAGE | {"timeout_seconds": 8.0}


@pytest.mark.parametrize(
    "row",
    [
        Row("/health", "api.health", OK, settings=URL),
        Row("/sick", "api.health", FAILED, Reason.DEPENDENCY_DOWN, URL),
        Row("/down", "api.health", FAILED, Reason.HTTP_STATUS, URL),
        Row("", "api.routers", UNKNOWN, Reason.NOT_CONFIGURED, URL),
        Row("", "api.version", OK, settings={"urls": {"theirs": "{}"}}),
        Row("/taken", "bot.ingress", OK, settings=HOOK),
        Row("/health", "bot.ingress", FAILED, Reason.HTTP_STATUS, HOOK),
        Row("/down", "bot.ingress", FAILED, Reason.HTTP_STATUS, HOOK),
        Row("/taken", "bot.guard", DEGRADED, Reason.AUTH_ACCEPTED, URL),
        Row("/health", "bot.guard", OK, settings=URL),
        Row("/app/", "miniapp.page", OK, settings=URL),
        Row("/open", "miniapp.page", DEGRADED, Reason.BODY_MISMATCH, URL),
        Row("/every/", "miniapp.page", DEGRADED, Reason.BODY_MISMATCH, URL),
        Row("/nothing", "miniapp.page", FAILED, Reason.HTTP_STATUS, URL),
        Row("/app/", "miniapp.sdk", OK, settings=PAGE),
        Row("/app/app.js", "miniapp.sdk", DEGRADED, Reason.BODY_MISMATCH, {"page_url": "{}", "url": "{}"}),
        Row("/health", "http", OK, settings={**URL, "json_equals": {"db": "ok"}}),
        Row("/sick", "http", FAILED, Reason.BODY_MISMATCH, {**URL, "json_equals": {"db": "ok"}}),
        Row("/old/", "http", OK, settings={**URL, "follow_redirects": True}),
        Row("/old/", "http", FAILED, Reason.HTTP_STATUS, URL),
    ],
    ids=str,
)
async def test_a_plain_nginx(nginx: str, row: Row) -> None:
    await judge(row, nginx)


@needs_chromium
@pytest.mark.parametrize(
    "row",
    [
        Row("/app/", "miniapp.render", OK, settings=PAGE),
        Row("/blank/", "miniapp.render", FAILED, Reason.BODY_MISMATCH, SHORT),
    ],
    ids=str,
)
async def test_a_page_of_nginx_in_a_browser(nginx: str, row: Row) -> None:
    await judge(row, nginx)


@needs_openssl
async def test_a_certificate_of_nginx_that_nobody_signed() -> None:
    with running(SecureSite) as server:
        await judge(Row("", "api.tls", FAILED, Reason.TLS_INVALID, URL), f"https://127.0.0.1:{server.port}")


async def test_the_way_to_an_nginx_and_to_nobody(nginx: str) -> None:
    port = int(nginx.rpartition(":")[2])
    table = [
        Row("", "tcp", OK, settings={"host": "127.0.0.1", "port": port}),
        Row("", "tcp", FAILED, Reason.CONNECTION_REFUSED, {"host": "127.0.0.1", "port": 1}),
        Row("", "dns", OK, settings={"name": "localhost"}),
        Row("", "dns", FAILED, Reason.DNS_FAILURE, {"name": "nowhere.invalid"}),
        Row("", "vantage.dns", OK, settings={"names": ("localhost", "nowhere.invalid")}),
        Row("", "vantage.dns", FAILED, Reason.VANTAGE, {"names": ("nowhere.invalid",)}),
        Row("", "vantage.egress", OK, settings={"targets": (f"127.0.0.1:{port}", "127.0.0.1:1")}),
        Row("", "vantage.egress", FAILED, Reason.VANTAGE, {"targets": ("127.0.0.1:1",)}),
    ]
    for row in table:
        await judge(row)
