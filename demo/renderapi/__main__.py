"""`python -m demo.renderapi`: the account of the demo on a port of its own."""

import argparse
from datetime import UTC, datetime

import uvicorn

from demo.renderapi.account import Account
from demo.renderapi.server import RenderServer

SERVICES = (
    ("nexus-api", "web_service"),
    ("nexus-bot", "web_service"),
    ("nexus-worker", "background_worker"),
    ("nexus-beat", "background_worker"),
    ("nexus-miniapp", "static_site"),
)


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m demo.renderapi", description="A Render of its own.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--commit", required=True, help="what has been live for a while")
    parser.add_argument("--webhook-url", default="")
    parser.add_argument("--webhook-secret", default="")
    options = parser.parse_args()
    account = Account(lambda: datetime.now(UTC))
    for name, kind in SERVICES:
        account.add_service(name, kind, commit=options.commit)
    server = RenderServer(account, options.key, webhook_url=options.webhook_url, webhook_secret=options.webhook_secret)
    uvicorn.run(server.app(), host=options.host, port=options.port, access_log=False, log_level="warning", ws="none")


if __name__ == "__main__":
    main()
