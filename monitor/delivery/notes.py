"""Messages that belong to no incident: how one is kept in the outbox, and read back to be sent. Pure."""

from pydantic import TypeAdapter

from monitor.delivery.entities import Rendered

_RENDERED: TypeAdapter[Rendered] = TypeAdapter(Rendered)


def note_text(rendered: Rendered) -> str:
    """Return a message as it is kept."""
    return _RENDERED.dump_json(rendered).decode()


def note_of(text: str) -> Rendered:
    """Return a message that was kept. Raises ValueError for anything else."""
    return _RENDERED.validate_json(text)
