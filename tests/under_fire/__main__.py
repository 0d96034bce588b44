"""`python -m tests.under_fire PLACE`: a monitor that can be killed and started again at once, as often as told.

Everything is imported once; each line on standard input forks a fresh monitor and answers with its process id. So a
monitor is back within milliseconds of being killed, and dies at every moment of its life.
"""

import asyncio
import gc
import json
import os
import sys

import structlog

from monitor.delivery import bot_api
from monitor.store import database
from tests.under_fire.monitor import Place, watch

READY = (bot_api, database)
"""Imported before the first fork."""


def main() -> None:
    place = Place(**json.loads(sys.argv[1]))
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    gc.freeze()
    print("ready", flush=True)
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            asyncio.run(watch(place))
            os._exit(1)
        print(child, flush=True)
        # Killed from outside: taken off the list of processes here, or it would stay as a zombie.
        os.waitpid(child, 0)
        print("ended", flush=True)


if __name__ == "__main__":
    main()
