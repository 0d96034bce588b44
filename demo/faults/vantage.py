"""Faults of what the monitor itself needs: its network, its names, its time, and Telegram, where it tells."""

from demo.faults.fault import Fault
from demo.faults.hands import Hand, call, letting_go, stuttering
from demo.names import can_have_own_names
from demo.stack import DemoStack

ALERT_BOT = "nexus_alerts_bot"


def _answering(kind: str, **filters: object) -> Hand:
    """Return a hand that lets the Bot API answer the monitor's own calls with a fault."""
    return lambda stack: call(f"{stack.chat_url}/_/faults", {"kind": kind, "bot": ALERT_BOT, **filters})


def _answering_again(kind: str) -> Hand:
    return lambda stack: call(f"{stack.chat_url}/_/faults/{kind}", method="DELETE")


def _reconnect(stack: DemoStack) -> None:
    stack.outside.close()
    stack.outside.open()


FAULTS = (
    Fault(
        "telegram-down",
        "Telegram's Bot API closes every connection without an answer",
        "telegram.api",
        lambda stack: call(f"{stack.chat_url}/_/faults", {"kind": "refuse"}),
        _answering_again("refuse"),
        is_told=False,
    ),
    Fault(
        "telegram-half-down",
        "the Bot API answers getMe with 502, and takes messages",
        "telegram.api",
        _answering("server_error", status=502, method="getMe"),
        _answering_again("server_error"),
    ),
    Fault(
        "telegram-slow",
        "the Bot API hangs on getMe, and takes messages",
        "telegram.api",
        _answering("timeout_before", method="getMe"),
        _answering_again("timeout_before"),
    ),
    Fault(
        "alert-token-revoked",
        "Telegram refuses getMe with the alert bot's token",
        "telegram.api",
        _answering("unauthorized", method="getMe"),
        _answering_again("unauthorized"),
    ),
    Fault(
        "monitor-egress-gone",
        "the monitor's own network is gone: neither host outside can be reached",
        "vantage.egress",
        lambda stack: stack.outside.close(),
        _reconnect,
    ),
    Fault(
        "monitor-dns-gone",
        "the monitor's own resolver knows no name any more",
        "vantage.dns",
        lambda stack: stack.names.take_away(),
        lambda stack: stack.names.write(),
        is_possible=lambda stack: can_have_own_names(),
    ),
    Fault(
        "monitor-starved",
        "the monitor gets no processor for two seconds again and again",
        "vantage.loop",
        stuttering("starved monitor", "nexus-monitor", 2.0, 0.7),
        letting_go("starved monitor"),
    ),
)
