"""The static site: the built app as committed, the rewrite, true 404s for assets, and what may be cached."""

import json
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from demo.nexus.miniapp.site import Settings, create_app

APP = Path(__file__).parents[3] / "demo" / "nexus" / "miniapp"


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    return Path(shutil.copytree(APP / "dist", tmp_path / "dist"))


@pytest.fixture
async def site(dist: Path) -> AsyncIterator[httpx.AsyncClient]:
    (dist.parent / "secret.txt").write_text("outside")
    app = create_app(Settings(dist, "http://127.0.0.1:4002"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://site") as client:
        yield client


async def test_the_page_and_every_file_it_names_are_served(site: httpx.AsyncClient) -> None:
    page = await site.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-cache"
    assert '<div id="root"></div>' in page.text
    names = re.findall(r'(?:src|href)="(/assets/[^"]+)"', page.text)
    entry = next(name for name in names if name.endswith(".js"))
    lazy = [f"/assets/{name}" for name in re.findall(r'import\("\./([^"]+)"\)', (await site.get(entry)).text)]
    assert len(lazy) == 1
    types = {name.rpartition(".")[2]: (await site.get(name)) for name in [*names, *lazy]}
    assert all(answer.status_code == 200 for answer in types.values())
    assert all(answer.headers["cache-control"].endswith("immutable") for answer in types.values())
    assert types["js"].headers["content-type"].startswith("text/javascript")
    assert types["css"].headers["content-type"].startswith("text/css")


async def test_unknown_paths_are_the_page_but_unknown_assets_are_404(site: httpx.AsyncClient) -> None:
    index = (await site.get("/")).text
    assert (await site.get("/settings/profile")).text == index
    assert (await site.get("/assets/index-00000000.js")).status_code == 404


@pytest.mark.parametrize("path", ["/%2e%2e/secret.txt", "/assets/%2e%2e/%2e%2e/secret.txt", "/a%00b"])
async def test_nothing_outside_the_folder_is_served(site: httpx.AsyncClient, path: str) -> None:
    assert "outside" not in (await site.get(path)).text


async def test_the_apis_address_is_told_at_run_time(site: httpx.AsyncClient) -> None:
    answer = await site.get("/config.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    told = json.loads(answer.text.removeprefix("window.NEXUS_CONFIG = ").removesuffix(";\n"))
    assert told == {"apiUrl": "http://127.0.0.1:4002", "sdkUrl": ""}


async def test_a_lost_file_is_404_and_a_lost_page_503(site: httpx.AsyncClient, dist: Path) -> None:
    entry = next((dist / "assets").glob("index-*.js"))
    entry.rename(entry.with_suffix(".gone"))
    assert (await site.get(f"/assets/{entry.name}")).status_code == 404
    (dist / "index.html").unlink()
    assert (await site.get("/")).status_code == 503


def test_the_lock_file_names_no_registry() -> None:
    packages = json.loads((APP / "package-lock.json").read_text())["packages"]
    assert packages
    assert not [name for name, package in packages.items() if "resolved" in package]
