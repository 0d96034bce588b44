"""The outbox as INCIDENTS, section 5, has it, before a Bot API that is often in trouble."""

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

from monitor.engine.model import Delivered, DeliveryOutcome, InsertMessage, MessageKind
from tests.simulation.dice import chance

if TYPE_CHECKING:
    from tests.simulation.monitor import Simulation
    from tests.simulation.process import Process

LEASE_SECONDS = 45.0
RESENT = (MessageKind.OPEN, MessageKind.ESCALATE, MessageKind.REOPEN, MessageKind.RISE, MessageKind.SUMMARY)
"""Rather twice than never; a reminder or an end rather never than twice."""


@dataclass(slots=True)
class Row:
    """One row of the outbox."""

    message: InsertMessage
    created_s: float
    due_s: float
    status: str = "queued"
    attempts: int = 0
    lease_s: float = 0.0
    is_dropped: bool = False
    was_ambiguous: bool = False


@dataclass(frozen=True, slots=True)
class Read:
    """A message that people could read."""

    at_s: float
    key: str
    kind: MessageKind
    chat_id: str
    incident_id: int
    root: str


class Outbox:
    """The rows, which outlive every process."""

    def __init__(self, sim: "Simulation") -> None:
        self.sim = sim
        self.rows: dict[str, Row] = {}

    def insert(self, message: InsertMessage) -> None:
        self.rows[message.dedupe_key] = Row(message, self.sim.t, self.sim.t)

    def drop(self, key: str) -> Row | None:
        """Take a row back; return it when it may have arrived and nobody else will say so."""
        row = self.rows[key]
        row.is_dropped = True
        if row.status != "queued":
            return None
        row.status = "done"
        return row if row.was_ambiguous else None

    def arrive(self, row: Row) -> None:
        message = row.message
        root = self.sim.stored.incidents[message.incident_id].root
        self.sim.tell(f"READ {message.dedupe_key}")
        self.sim.read.append(
            Read(self.sim.t, message.dedupe_key, message.kind, message.chat_id, message.incident_id, root)
        )
        self.sim.watch.arrive(message)


class Sender:
    """What hands the rows out, in one process."""

    def __init__(self, process: "Process") -> None:
        self.process = process
        self.sim = process.sim
        self._sending: dict[str, str] = {}
        self._paused: dict[str, float] = {}

    def begin(self) -> None:
        """Begin anew; what another process was sending waits for its lease."""
        self._sending.clear()
        self._paused.clear()
        for key, row in self.sim.outbox.rows.items():
            if row.status == "sending":
                self.process.mine(max(self.sim.t, row.lease_s), self._lease_over, key, row.attempts)
        self.pump()

    def pump(self) -> None:
        if not self.process.is_proven:
            self.sim.counts["not proven"] += 1
            return
        for chat in self.sim.world.plan.chats:
            if chat.id in self._sending or self._paused.get(chat.id, 0.0) > self.sim.t:
                continue
            for key, row in self.sim.outbox.rows.items():
                if row.message.chat_id == chat.id and row.status == "queued" and row.due_s <= self.sim.t:
                    self._send(key, row)
                    break

    def report(self, row: Row, outcome: DeliveryOutcome) -> None:
        message = row.message
        incident = self.sim.stored.incidents.get(message.incident_id)
        number = crc32(message.dedupe_key.encode()) if outcome is DeliveryOutcome.DELIVERED else None
        self.sim.counts[f"outcome {outcome}"] += 1
        self.process.apply(
            Delivered(
                message.incident_id,
                message.chat_id,
                message.kind,
                message.dedupe_key,
                outcome,
                number,
                incident.revision if incident else 0,
                "told to",
            )
        )

    def _send(self, key: str, row: Row) -> None:
        self.sim.watch.claim(self.process, row)
        row.status, row.lease_s = "sending", self.sim.t + LEASE_SECONDS
        row.attempts += 1
        self._sending[row.message.chat_id] = key
        if self.sim.world.has_standby:
            # Between taking the row and writing to the socket the process may be stopped.
            self.process.mine(self.sim.t + 0.05, self._write, key, row.attempts)
        else:
            self._write(key, row.attempts)

    def _write(self, key: str, attempt: int) -> None:
        row = self.sim.outbox.rows[key]
        mode = ""
        if row.message.chat_id.startswith("telegram:"):
            mode = self.sim.world.in_span(self.sim.world.telegram, self.sim.t)
        if mode in ("", "after") or (mode == "5xx" and chance(self.sim.world.seed, "5xx", key, attempt) < 0.3):
            self.sim.at(self.sim.t + 0.3, None, 0, self.sim.outbox.arrive, row)
        latency = 15.0 if mode in ("before", "after") else 0.4
        self.process.mine(self.sim.t + latency, self._sent, key, attempt, mode)

    def _sent(self, key: str, attempt: int, mode: str) -> None:
        row = self.sim.outbox.rows[key]
        chat_id = row.message.chat_id
        self._sending.pop(chat_id, None)
        if row.attempts != attempt:
            self.sim.counts["lease lost"] += 1
            return  # another process took it over: the answer to this attempt concerns nobody
        self.sim.counts[f"send {mode or 'ok'}"] += 1
        if mode == "":
            self.report(row, DeliveryOutcome.DELIVERED)
        elif mode == "blocked":
            self.report(row, DeliveryOutcome.PERMANENT)
        elif mode in ("429", "refuse"):
            self._requeue(row, 20.0 if mode == "429" else min(60.0, 2.0 ** (row.attempts - 1)))
            if mode == "429":
                self._paused[chat_id] = row.due_s
        else:
            self._ambiguous(key, row)
        self.pump()

    def _requeue(self, row: Row, wait_s: float) -> None:
        row.status, row.due_s = "queued", self.sim.t + wait_s
        if row.is_dropped:
            row.status = "done"
            if row.was_ambiguous:
                self.report(row, DeliveryOutcome.AMBIGUOUS)
            return
        self.process.mine(row.due_s, self.pump)

    def _ambiguous(self, key: str, row: Row) -> None:
        self.sim.ambiguous[key] += 1
        row.was_ambiguous = True
        if row.message.kind in RESENT:
            self._requeue(row, min(60.0, 2.0 ** (row.attempts - 1)))
        else:
            self.report(row, DeliveryOutcome.AMBIGUOUS)

    def _lease_over(self, key: str, attempt: int) -> None:
        row = self.sim.outbox.rows[key]
        if row.status == "sending" and row.attempts == attempt:
            self.sim.counts["lease over"] += 1
            self._ambiguous(key, row)
            self.pump()
