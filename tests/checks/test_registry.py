"""The registry is complete and each kind knows its name."""

import pytest

from checks.registry import CHECKS


@pytest.mark.parametrize("kind", CHECKS)
def test_a_kind_is_the_one_its_configuration_says(kind: str) -> None:
    fields = CHECKS[kind].Config.model_fields

    assert fields["kind"].default == kind
    assert fields["timeout_seconds"].default < fields["interval_seconds"].default
