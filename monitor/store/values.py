"""Turns the engine's values into JSON text and back."""

import json
from typing import Generic, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_json, to_jsonable_python

from checks.result import Result
from monitor.config.found import Found
from monitor.engine.deploy_record import DeployRecord
from monitor.engine.model import ChatState, CheckState, DeployWindow, Incident, Silence
from monitor.store.errors import StoreError

ValueT = TypeVar("ValueT")


class Stored(Generic[ValueT]):
    """One type of value as it lies in a `body` column. Fields added later take their default when old text is read."""

    def __init__(self, of: type[ValueT]) -> None:
        self._name = of.__name__
        self._adapter: TypeAdapter[ValueT] = TypeAdapter(of)

    def text(self, value: ValueT) -> str:
        """Return the value as JSON. Half characters, which no database takes, become `?`."""
        try:
            return to_json(value, fallback=dict).decode()
        except PydanticSerializationError:
            return json.dumps(_whole_characters(to_jsonable_python(value, inf_nan_mode="constants", fallback=dict)))

    def value(self, text: str) -> ValueT:
        """Return the value of a JSON text. Raises `StoreError` when it is none."""
        try:
            return self._adapter.validate_json(text)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise StoreError(f"database: a stored {self._name} cannot be read: {where}: {first['msg']}") from None


def clean(text: str) -> str:
    """Return `text` as every database takes it: without NUL and half characters."""
    return text.replace("\0", "").encode(errors="replace").decode()


def _whole_characters(value: object) -> object:
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, dict):
        return {_whole_characters(name): _whole_characters(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_whole_characters(item) for item in value]
    return value


RESULT = Stored(Result)
CHECK_STATE = Stored(CheckState)
INCIDENT = Stored(Incident)
SILENCE = Stored(Silence)
DEPLOY = Stored(DeployWindow)
CHAT = Stored(ChatState)
DEPLOY_RECORD = Stored(DeployRecord)
FOUND = Stored(Found)
