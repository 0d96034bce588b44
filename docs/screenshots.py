"""Takes the pictures of README and docs from a running demo: `make screenshots`, beside a `make demo`."""

import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

IMAGES = Path(__file__).parent / "images"
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
FAULT = "redis-paused"
FOUND_SECONDS = 40.0


def _demo(verb: str, port: int) -> None:
    subprocess.run([sys.executable, "-m", "monitor", "demo", verb, FAULT, "--port", str(port)], check=True)


def _wait_for_incident(port: int, symptoms: int) -> None:
    deadline = time.monotonic() + FOUND_SECONDS
    while time.monotonic() < deadline:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/status", timeout=5) as response:
            incidents = json.load(response)["incidents"]
        if incidents and len(incidents[0]["symptoms"]) >= symptoms:
            return
        time.sleep(0.5)
    raise SystemExit(f"no incident with {symptoms} symptoms within {FOUND_SECONDS:.0f} s")


def _picture(page: Page, url: str, name: str) -> None:
    page.goto(url)
    page.wait_for_timeout(1500)
    page.screenshot(path=IMAGES / f"{name}.png")


def main(port: int) -> None:
    """Break Redis, take the pictures, repair it."""
    _demo("break", port)
    try:
        _wait_for_incident(port, symptoms=5)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            for scheme, width, height, name in (
                ("light", 1280, 1010, "dashboard"),
                ("dark", 1280, 1010, "dashboard-dark"),
                ("light", 390, 844, "dashboard-phone"),
            ):
                context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
                _picture(context.new_page(), f"http://127.0.0.1:{port}/", name)
            context = browser.new_context(viewport={"width": 1100, "height": 900}, color_scheme="light")
            _picture(context.new_page(), f"http://127.0.0.1:{port + 1}/", "telegram")
            page = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
            page.goto(f"http://127.0.0.1:{port + 1}/")
            page.get_by_text("Nexus Monitor").first.click()
            page.wait_for_timeout(1500)
            page.screenshot(path=IMAGES / "telegram-phone.png")
            browser.close()
    finally:
        _demo("repair", port)
    _deploy(port)


def _deploy(port: int) -> None:
    """Deploy something bad, take pictures of its verdict in the chat and of the page, and mend it."""
    command = [sys.executable, "-m", "monitor", "demo", "deploy", "--port", str(port)]
    subprocess.run([*command, "bad"], check=True)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            page = browser.new_context(viewport={"width": 1100, "height": 640}, color_scheme="light").new_page()
            page.goto(f"http://127.0.0.1:{port + 1}/")
            button = page.get_by_text("Roll back to").last
            button.wait_for(timeout=1000 * FOUND_SECONDS)
            page.wait_for_timeout(5000)  # the other verdicts
            button.scroll_into_view_if_needed()
            page.screenshot(path=IMAGES / "deploy.png", clip={"x": 500, "y": 20, "width": 480, "height": 600})
            page = browser.new_context(viewport={"width": 1280, "height": 620}, color_scheme="light").new_page()
            _picture(page, f"http://127.0.0.1:{port}/deploys", "deploys")
            browser.close()
    finally:
        subprocess.run([*command, "good"], check=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 8700)
