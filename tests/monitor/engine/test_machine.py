"""Any order of looks, people, outcomes and restarts: what must hold after each of them."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from checks.result import Outcome
from monitor.engine.deploys import window_ends_at
from monitor.engine.explain import may_explain
from monitor.engine.model import (
    Acked,
    CardEdited,
    Chat,
    ChatMended,
    CheckStatus,
    Delivered,
    DeliveryOutcome,
    DeployEnded,
    DeployStarted,
    DropMessage,
    InsertMessage,
    MessageKind,
    Severity,
    Silenced,
    SilenceEnded,
    State,
)
from monitor.engine.step import fresh_start, next_due_at
from tests.monitor.engine.story import BOSS, OPS, Story, policy, result_of

NAMES = ("redis.ping", "worker.broker", "worker.online", "api.health")


class Engine(RuleBasedStateMachine):
    """The engine under everything that can happen to it."""

    def __init__(self) -> None:
        super().__init__()
        self.story = Story(
            policy(NAMES[0]),
            policy(NAMES[1], NAMES[0]),
            policy(NAMES[2], NAMES[1]),
            policy(NAMES[3], NAMES[0], severity=Severity.WARNING, soft_parents=(NAMES[2],)),
            chats=(Chat(OPS), Chat(BOSS, is_escalation=True)),
        )
        self.keys: set[str] = set()
        self.waiting: dict[str, InsertMessage] = {}
        self.before = State()

    def note(self) -> None:
        """Take in what the last step asked for."""
        for effect in self.story.last:
            if isinstance(effect, InsertMessage):
                assert effect.dedupe_key not in self.keys
                self.keys.add(effect.dedupe_key)
                self.waiting[effect.dedupe_key] = effect
            elif isinstance(effect, DropMessage):
                self.waiting.pop(effect.dedupe_key, None)

    @rule(name=st.sampled_from(NAMES), outcome=st.sampled_from(list(Outcome)), wait=st.integers(1, 40))
    def look(self, name: str, outcome: Outcome, wait: int) -> None:
        self.story.wait(wait)
        self.story.look(name, outcome)
        self.note()

    @rule(names=st.sets(st.sampled_from(NAMES), min_size=1), count=st.integers(1, 5), is_good=st.booleans())
    def looks(self, names: set[str], count: int, is_good: bool) -> None:
        for _ in range(count):
            self.story.wait(10)
            for name in sorted(names):
                self.story.look(name, Outcome.OK if is_good else Outcome.FAILED)
                self.note()

    @rule(name=st.sampled_from(NAMES), ago=st.integers(0, 100), outcome=st.sampled_from(list(Outcome)))
    def old_look(self, name: str, ago: int, outcome: Outcome) -> None:
        check = self.story.state.checks.get(name)
        if check is not None and check.last_started_at is not None and check.last_started_at <= self.story.now:
            before = self.story.state
            self.story.apply_result(result_of(name, outcome, check.last_started_at - timedelta(seconds=ago)))
            assert self.story.state is before

    @rule(seconds=st.sampled_from([1, 5, 35, 61, 130, 700, 2000, 4000]))
    def time_passes(self, seconds: int) -> None:
        self.story.tick(seconds)
        self.note()

    @precondition(lambda self: self.story.state.incidents)
    @rule()
    def acked(self) -> None:
        self.story.apply(Acked(max(self.story.state.incidents), "ada"))
        self.note()

    @rule(
        selector=st.sampled_from(["check:redis.ping", "subtree:redis.ping", "service:worker", "incident:1"]),
        seconds=st.sampled_from([30, 600, 5000, None]),
    )
    def silenced(self, selector: str, seconds: int | None) -> None:
        ends_at = None if seconds is None else self.story.now + timedelta(seconds=seconds)
        self.story.apply(Silenced(selector, ends_at, "ada", "why"))
        self.note()

    @precondition(lambda self: self.story.state.silences)
    @rule()
    def silence_ended(self) -> None:
        self.story.apply(SilenceEnded(min(self.story.state.silences), "ada"))
        self.note()

    @precondition(lambda self: self.waiting)
    @rule(
        outcome=st.sampled_from([DeliveryOutcome.DELIVERED, DeliveryOutcome.PERMANENT, DeliveryOutcome.AMBIGUOUS]),
        is_repeated=st.booleans(),
    )
    def delivered(self, outcome: DeliveryOutcome, is_repeated: bool) -> None:
        message = self.waiting.pop(min(self.waiting))
        for _ in range(1 + is_repeated):
            incident = self.story.incidents.get(message.incident_id)
            revision = incident.revision if incident else 0
            self.story.apply(
                Delivered(message.incident_id, message.chat_id, message.kind, message.dedupe_key, outcome, 7, revision)
            )
            self.note()

    @rule()
    def mended(self) -> None:
        self.story.apply(ChatMended(OPS))
        self.note()

    @rule(number=st.integers(1, 4), revision=st.integers(1, 50))
    def edited(self, number: int, revision: int) -> None:
        self.story.apply(CardEdited(number, OPS, revision))
        self.note()

    @rule(is_end=st.booleans(), is_live=st.booleans())
    def deploy(self, is_end: bool, is_live: bool) -> None:
        event = DeployEnded("d1", is_live) if is_end else DeployStarted("d1", "worker", "abc")
        self.story.apply(event)
        self.note()

    @rule()
    def restart(self) -> None:
        self.story.state = fresh_start(self.story.state, self.story.now)

    @rule(seconds=st.sampled_from([-4000, -30]))
    def clock_set_back(self, seconds: int) -> None:
        self.story.wait(seconds)

    @invariant()
    def one_live_incident_per_root_and_check(self) -> None:
        roots = [one.root for one in self.story.incidents.values() if one.is_live]
        assert len(roots) == len(set(roots))
        present = [
            (member.check_id, one.id)
            for one in self.story.incidents.values()
            if one.is_live
            for member in one.members
            if member.left_at is None
        ]
        assert len(present) == len({name for name, _ in present})
        assert all(self.story.check(name).incident_id == number for name, number in present)

    @invariant()
    def only_a_check_that_is_down_is_held(self) -> None:
        held = {one.id for one in self.story.state.checks.values() if one.held_since is not None}
        assert self.story.state.held == held
        assert all(self.story.check(name).status in (CheckStatus.DOWN, CheckStatus.RECOVERING) for name in held)

    @invariant()
    def severity_never_falls_while_open(self) -> None:
        for number, incident in self.story.incidents.items():
            old = self.before.incidents.get(number)
            if old is not None and old.is_live and incident.is_live:
                assert not (old.severity is Severity.PAGE and incident.severity is Severity.WARNING)
        self.before = self.story.state

    @invariant()
    def what_waits_is_what_the_state_says(self) -> None:
        queued = {
            told.queued_key
            for incident in self.story.incidents.values()
            for told in incident.told.values()
            if told.queued_key is not None
        }
        assert queued <= set(self.waiting)
        for message in self.waiting.values():
            incident = self.story.incidents.get(message.incident_id)
            if incident is not None and message.dedupe_key in queued:
                is_end = message.kind in (MessageKind.RESOLVE, MessageKind.SUMMARY)
                assert incident.is_live is not is_end

    @invariant()
    def a_page_is_never_silent(self) -> None:
        for message in self.waiting.values():
            if message.kind not in (MessageKind.RESOLVE, MessageKind.SUMMARY):
                assert message.is_silent is (message.severity is Severity.WARNING)

    @invariant()
    def what_may_explain_is_down_and_holds_nothing_back(self) -> None:
        for incident in self.story.incidents.values():
            for name in may_explain(self.story.plan, self.story.state.checks, incident):
                assert incident.root == NAMES[3]
                assert self.story.check(name).status in (CheckStatus.DOWN, CheckStatus.RECOVERING)
                assert name not in {member.check_id for member in incident.members if member.left_at is None}

    @invariant()
    def a_deploy_window_ends_within_twenty_minutes(self) -> None:
        for window in self.story.state.deploys.values():
            ends_at = window_ends_at(self.story.plan.rules, window)
            assert (ends_at - window.started_at).total_seconds() <= self.story.plan.rules.deploy_cap_seconds

    @invariant()
    def an_open_incident_has_a_timer(self) -> None:
        if any(one.is_live for one in self.story.incidents.values()):
            assert next_due_at(self.story.plan, self.story.state) is not None

    def teardown(self) -> None:
        """Everything well for an hour: nothing is open, held or on its way."""
        story = self.story
        latest = [one.last_started_at for one in story.state.checks.values() if one.last_started_at is not None]
        story.now = max([story.now, *latest]) + timedelta(seconds=5000)
        story.state = replace(story.state, chats={})
        for _ in range(240):
            story.wait(15)
            for name in NAMES:
                story.ok(name)
                self.note()
            story.tick(0)
            self.note()
            for key in sorted(self.waiting):
                story.deliver_one(self.waiting.pop(key))
                self.note()
        assert not any(one.is_live for one in story.incidents.values())
        assert story.state.held == frozenset()
        assert self.waiting == {}
        assert all(told.state != "open" for one in story.incidents.values() for told in one.told.values())


Engine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestEngine = Engine.TestCase
