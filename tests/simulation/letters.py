"""S13: what the real code renders, judged as the Bot API would: length, entities, what a button carries."""

from collections.abc import Callable
from datetime import datetime

from monitor.delivery.entities import Rendered
from monitor.delivery.messages import render_card, render_message
from monitor.engine.model import InsertMessage, Plan, State, ToldState

TEXT_UNITS = 4096
CALLBACK_BYTES = 64


class Letters:
    """Renders what is sent and edited, and says what Telegram would refuse."""

    def __init__(self, plan: Plan, now: Callable[[], datetime], fail: Callable[[str, str], None]) -> None:
        self._plan = plan
        self._now = now
        self._fail = fail

    def message(self, message: InsertMessage, state: State) -> None:
        incident = state.incidents[message.incident_id]
        rendered = render_message(
            message.kind,
            incident,
            state.checks,
            self._plan,
            self._now(),
            dashboard_url="https://monitor.example.org",
            deploy=state.deploys.get(incident.deploy_id or ""),
            has_root=incident.told[message.chat_id].state is ToldState.OPEN,
        )
        self._judge(message.dedupe_key, rendered)

    def card(self, state: State, incident_id: int) -> None:
        incident = state.incidents[incident_id]
        deploy = state.deploys.get(incident.deploy_id or "")
        rendered = render_card(incident, state.checks, self._plan, self._now(), dashboard_url=None, deploy=deploy)
        self._judge(f"the card of #{incident_id}", rendered)

    def _judge(self, what: str, rendered: Rendered) -> None:
        for line in refusals(rendered):
            self._fail("S13", f"{what}: {line}")


def refusals(rendered: Rendered) -> list[str]:
    """Return why the Bot API would refuse it, or show it wrongly."""
    try:
        raw = rendered.text.encode("utf-16-le")
    except UnicodeEncodeError:
        return ["half a character"]
    units = len(raw) // 2
    lines = [] if 0 < units <= TEXT_UNITS and rendered.text.strip() else [f"{units} units of text"]
    ends_at = 0
    for entity in rendered.entities:
        start, end = entity.offset, entity.offset + entity.length
        if entity.length <= 0 or start < ends_at or end > units:
            lines.append(f"{entity.type} from {start} to {end} of {units}, after {ends_at}")
        elif any(0xDC <= raw[2 * at + 1] <= 0xDF for at in (start, end) if at < units):
            lines.append(f"{entity.type} from {start} to {end} cuts a character in two")
        ends_at = max(ends_at, end)
    for button in (one for row in rendered.buttons for one in row):
        size = len((button.callback_data or "").encode())
        if not button.text or (size == 0) is (button.url is None) or size > CALLBACK_BYTES:
            lines.append(f"a button with {size} bytes")
    return lines
