"""Engine values survive being stored."""

import string
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.result import Evidence, Fact, Outcome, Reason, Result, Verdict
from monitor.engine.model import ChatState, CheckState, DeployWindow, Incident, Silence
from monitor.store.errors import StoreError
from monitor.store.values import CHAT, CHECK_STATE, DEPLOY, INCIDENT, RESULT, SILENCE, Stored, clean
from tests.stores import T0

words = st.text(string.ascii_letters + ' é😀\0\n"', max_size=20)
numbers = st.floats(allow_nan=False)
facts = st.builds(Fact, words, st.one_of(words, st.integers(), numbers, st.booleans(), st.none()), words)
evidence = st.builds(Evidence, st.lists(facts, max_size=3).map(tuple), st.none() | words)
values = st.dictionaries(words, numbers, max_size=3)
verdicts = st.one_of(
    st.builds(Verdict, st.just(Outcome.OK), words, st.none(), words, evidence, values),
    st.builds(
        Verdict,
        st.sampled_from(list(Outcome)[1:]),
        words,
        st.sampled_from(Reason),
        words,
        evidence,
        values,
        st.booleans(),
    ),
)
st.register_type_strategy(str, words)
st.register_type_strategy(float, numbers)
st.register_type_strategy(datetime, st.datetimes(timezones=st.just(UTC)))
st.register_type_strategy(Verdict, verdicts)


@pytest.mark.parametrize(
    ("stored", "of"),
    [
        (RESULT, Result),
        (CHECK_STATE, CheckState),
        (INCIDENT, Incident),
        (SILENCE, Silence),
        (DEPLOY, DeployWindow),
        (CHAT, ChatState),
    ],
    ids=lambda of: of.__name__ if isinstance(of, type) else "",
)
def test_any_value_comes_back_as_it_was(stored: Stored[Any], of: type[Any]) -> None:
    @settings(max_examples=25, deadline=None, database=None)
    @given(st.from_type(of))
    def comes_back(value: Any) -> None:
        assert stored.value(stored.text(value)) == value

    comes_back()


def test_half_characters_do_not_stop_the_line() -> None:
    look = Result("api.health", Verdict(Outcome.OK, "a\udc80b", evidence=Evidence((Fact("x", "\ud800"),))), T0, 1.0)
    verdict = RESULT.value(RESULT.text(look)).verdict
    assert (verdict.summary, verdict.evidence.facts) == ("a?b", (Fact("x", "?"),))


def test_text_is_cleaned_of_what_no_database_takes() -> None:
    assert clean("a\0b\udc80c") == "ab?c"


def test_a_field_added_later_takes_its_default() -> None:
    assert CHECK_STATE.value('{"id": "api.health", "was_removed": 1}') == CheckState("api.health")


def test_a_damaged_value_is_one_line_without_its_content() -> None:
    with pytest.raises(StoreError) as caught:
        CHECK_STATE.value('{"id": "api.health", "status": "geheim"}')
    assert str(caught.value).startswith("database: a stored CheckState cannot be read: status: Input should be")
    assert "geheim" not in str(caught.value)
