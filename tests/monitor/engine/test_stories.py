"""The stories over the pure engine, with every message delivered at once."""

import pytest

from monitor.engine.model import Delivered, DeliveryOutcome, Event, InsertMessage, ProbeNow, State
from monitor.engine.step import fresh_start, step
from tests.monitor.engine.letters import Change, Letters, Notebook, Telling, read_letters
from tests.monitor.engine.stories import STORIES
from tests.monitor.engine.story import START


def said_in(letters: Letters) -> dict[str, str]:
    """Return what people read."""
    state = fresh_start(State(), START)
    telling = Telling(letters, lambda: state)
    notebook = Notebook(letters.minutes)
    messages = 0
    for now, happening in telling.happenings():
        if isinstance(happening, Change):
            state = fresh_start(state, now)
            continue
        waiting: list[Event] = [happening]
        while waiting:
            made = step(letters.plan, state, waiting.pop(0), now)
            state = made.state
            for effect in made.effects:
                if isinstance(effect, ProbeNow):
                    telling.probe_now(effect, now)
                elif isinstance(effect, InsertMessage):
                    incident = state.incidents[effect.incident_id]
                    messages += 1
                    notebook.write(now, incident.root, effect.kind)
                    waiting.append(
                        Delivered(
                            incident.id,
                            effect.chat_id,
                            effect.kind,
                            effect.dedupe_key,
                            DeliveryOutcome.DELIVERED,
                            messages,
                            incident.revision,
                        )
                    )
    return notebook.said()


@pytest.mark.parametrize("text", STORIES.values(), ids=STORIES)
def test_the_story(text: str) -> None:
    letters = read_letters(text)
    assert said_in(letters) == letters.said


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("redis ...", "not a row"),
        ("redis   ...\nworker   ....", "different length"),
        ("redis   ..y", "no such letter"),
        ("redis   ...\npeople   ..q", "no such letter"),
    ],
)
def test_what_is_no_story_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        read_letters(text)
