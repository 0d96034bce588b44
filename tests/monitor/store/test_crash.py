"""Killed in the middle of writing, the monitor finds a whole state again."""

import os
import signal
import subprocess
import sys

import pytest

from monitor.store.store import Store
from tests.stores import T0

WRITER = """
import asyncio, sys
from dataclasses import replace
from monitor.engine.model import CheckState, Looked, State
from monitor.store.store import Store
from tests.stores import T0, at, good, insert

async def main():
    store = await Store.open(sys.argv[1], now=lambda: T0)
    state = await store.load()
    while True:
        number = state.revision + 1
        checks = {f"check.n{n}": CheckState(f"check.n{n}", successes_in_row=number) for n in range(20)}
        events = [(Looked(good(name, number)), at(number)) for name in checks]
        after = replace(state, checks=checks, revision=number)
        await store.commit(events, state, after, [insert(f"k{number}")], at(number))
        state = after
        print(number, flush=True)

asyncio.run(main())
"""


@pytest.mark.real
async def test_a_killed_writer_leaves_a_whole_state(database_url: str) -> None:
    said = 0
    for _ in range(3):
        writer = subprocess.Popen(  # noqa: ASYNC220 (nothing else runs on this loop)
            [sys.executable, "-c", WRITER, database_url],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": "."},
        )
        assert writer.stdout is not None
        with writer.stdout:
            for line in writer.stdout:
                said = int(line)
                if said % 7 == 5:
                    break
            writer.send_signal(signal.SIGKILL)
            said = max([said, *map(int, writer.stdout.read().split("\n")[:-1])])
        writer.wait(10)

        store = await Store.open(database_url, now=lambda: T0)
        state = await store.load()
        assert state.revision >= said > 0
        assert {check.successes_in_row for check in state.checks.values()} == {state.revision}
        looks = await store.looks(10_000)
        assert {len(of) for of in looks.values()} == {state.revision}
        assert [count.messages for count in await store.message_counts()] == [state.revision]
        await store.close()
