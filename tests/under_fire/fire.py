"""The other side: a Bot API that fails at random, a monitor that is killed at random, and what people read."""

import asyncio
import json
import os
import random
import re
import signal
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from demo.botapi.config import GROUP_ID
from demo.botapi.faults import Fault, FaultKind
from demo.botapi.people import Json
from demo.botapi.server import BotApi
from tests.monitor.delivery.bot_api_server import bot_api_server, messages_in
from tests.under_fire.monitor import CHECKS, Place, as_json

PATIENCE_SECONDS = 40.0
"""How long something may take that must come in the end, on our clock."""

COMMIT_SECONDS = 2.0
"""How long after an answer its commit may take; a kill within it loses the answer."""

TROUBLE = (  # slow ones first: the longer a message is on its way, the more monitors die meanwhile
    (FaultKind.SLOW, 0.3),
    (FaultKind.TIMEOUT_AFTER, 0.2),
    (FaultKind.TIMEOUT_BEFORE, 0.06),
    (FaultKind.SERVER_ERROR, 0.12),
    (FaultKind.RATE_LIMIT, 0.12),
    (FaultKind.REFUSE, 0.06),
)


@dataclass
class Fire:
    """One monitor's life, or rather lives."""

    api: BotApi
    place: Place
    dice: random.Random
    process: asyncio.subprocess.Process
    kills: list[float] = field(default_factory=list)
    failing: set[str] = field(default_factory=set)
    pid: int = 0

    async def start(self) -> None:
        """Start a monitor over what the last one left."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"start\n")
        self.pid = int(await self._line())

    async def kill(self) -> None:
        """`kill -9`, and wait until it is gone."""
        os.kill(self.pid, signal.SIGKILL)
        self.kills.append(datetime.now(UTC).timestamp())
        assert await self._line() == "ended"

    async def _line(self) -> str:
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            return (await self.process.stdout.readline()).decode().strip()

    def tell(self, *failing: str) -> None:
        """Write down what is true from now on."""
        self.failing = set(failing)
        fresh = Path(self.place.truth + ".new")
        fresh.write_text(json.dumps(sorted(failing)), encoding="utf-8")
        fresh.rename(self.place.truth)

    def read(self) -> list[Json]:
        """Return what people see."""
        return [message for message in messages_in(self.api, GROUP_ID) if "text" in message]

    async def until(self, is_so: Callable[[], bool], what: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not is_so():
                    await asyncio.sleep(0.02)
        except TimeoutError:
            texts = [message["text"].split("\n")[0] for message in self.read()]
            raise AssertionError(f"{what}: not within {PATIENCE_SECONDS:g} s; people read {texts}") from None

    async def die_now_and_then(self, times: int, within_seconds: float) -> None:
        """Be killed so often, each time after a random while, and be back after a shorter one."""
        for _ in range(times):
            await asyncio.sleep(self.dice.uniform(0.0, within_seconds))
            await self.kill()
            await asyncio.sleep(self.dice.uniform(0.0, 0.3))
            await self.start()

    def trouble(self) -> None:
        """Let a Bot API call fail now and then, each in its own way."""
        for number, (kind, share) in enumerate(TROUBLE):
            seed = self.dice.randrange(1 << 30) + number
            self.api.faults.add(
                Fault(kind=kind, probability=share, seed=seed, retry_after=4, status=502, delay_seconds=0.3)
            )


@asynccontextmanager
async def fire(database_url: str, folder: Path, seed: int) -> AsyncIterator[Fire]:
    """Yield a Bot API and a monitor that is about to be started."""
    async with bot_api_server() as (api, url):
        place = Place(
            database_url,
            url,
            str(GROUP_ID),
            str(folder / "truth.json"),
            str(folder / "notes.jsonl"),
            datetime.now(UTC).timestamp(),
        )
        (folder / "notes.jsonl").touch()
        with (folder / "monitor.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-W",
                "ignore",
                "-m",
                "tests.under_fire",
                as_json(place),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env={**os.environ, "PYTHONPATH": str(Path.cwd())},
            )
        one = Fire(api, place, random.Random(seed), process)
        one.tell()
        try:
            assert await one._line() == "ready"
            yield one
        finally:
            if one.pid:
                kill_if_alive(one.pid)
            assert process.stdin is not None
            process.stdin.close()
            process.kill()
            await process.wait()
            process._transport.close()  # type: ignore[attr-defined]  # its pipes, or they are closed after the loop


def kill_if_alive(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


@dataclass(frozen=True, slots=True)
class Tally:
    """What people read, counted."""

    openings: Counter[str]
    """Cards by check."""
    recovered: Counter[str]
    """Of those, the ones that say that it is over."""
    endings: Counter[str]
    """Replies that say that it is over, by check."""
    others: list[str]


def tally(one: Fire) -> Tally:
    """Sort what people read by what it says of which check."""
    openings: Counter[str] = Counter()
    recovered: Counter[str] = Counter()
    endings: Counter[str] = Counter()
    others = []
    for message in one.read():
        text = message["text"]
        found = re.search(r"service-\d+\.health", text)
        check = found.group() if found else ""
        if text.startswith("✅") and check in CHECKS:
            endings[check] += 1
        elif (text.startswith(("🔴", "🟢", "🟠")) and "since" in text) or text.startswith("🟢"):
            openings[check] += 1
            recovered[check] += text.startswith("🟢")
        else:
            others.append(text)
    return Tally(openings, recovered, endings, others)


def unexplained(one: Fire) -> list[str]:
    """Return every message that was sent again although the monitor had, and had kept, the answer to it.

    The answer is lost when it does not come, when it cannot be read, and when the monitor is killed before it is
    committed.
    """
    notes: dict[str, list[Json]] = defaultdict(list)
    for line in Path(one.place.notes).read_text(encoding="utf-8").splitlines():
        note = json.loads(line)
        found = re.search(r"#INC-\d+", note["text"])
        kind = "end" if note["text"].startswith("✅") else "open"
        notes[f"{found.group() if found else '?'} {kind}"].append(note)
    wrong = []
    for key, attempts in notes.items():
        for number, note in enumerate(attempts):
            if note["what"] != "delivered":
                continue
            again = [later for later in attempts[number + 1 :] if later["what"] == "begin"]
            died_at = [at for at in one.kills if note["at"] <= at < note["at"] + COMMIT_SECONDS]
            if again and (not died_at or again[0]["life"] == note["life"]):
                wrong.append(f"{key}: delivered, and begun again {again[0]['at'] - note['at']:.2f} s later")
    return wrong
