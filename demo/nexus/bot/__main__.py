"""`python -m demo.nexus.bot`: serve nexus-bot on PORT."""

import logging

from aiohttp import web

from demo.nexus.bot.app import create_app
from demo.nexus.bot.settings import Settings
from demo.nexus.environment import exit_on_bad_setting, listener

GRACE_SECONDS = 2.0


def main() -> None:
    """Read the environment and serve until SIGTERM."""
    with exit_on_bad_setting("nexus-bot"):
        settings = Settings.from_environment()
        listening = listener()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    web.run_app(create_app(settings), sock=listening, shutdown_timeout=GRACE_SECONDS, access_log=None, print=None)


if __name__ == "__main__":
    main()
