"""Faults of nexus-bot and of what Telegram knows of it."""

import threading
from contextlib import suppress

from demo.botapi.config import OPERATOR_ID
from demo.faults.fault import Fault
from demo.faults.hands import (
    CALL_SECONDS,
    Hand,
    all_of,
    back,
    call,
    deploying,
    impersonating,
    letting_go,
    restoring,
    telegram,
)
from demo.nexus.flaws import VARIABLE, Flaw
from demo.parts import Part, answers_http
from demo.process_tree import free_port
from demo.stack import DemoStack

BOT = "nexus-bot"
BOT_NAME = "nexus_demo_bot"
STRANGER_ID = OPERATOR_ID + 1
SAY_EVERY_SECONDS = 1.0


def _set_webhook(stack: DemoStack) -> None:
    url = stack.parts[BOT].usual_environment["WEBHOOK_URL"]
    telegram(stack, "setWebhook", {"url": url, "secret_token": stack.secret, "max_connections": 40})


def _set_foreign_webhook(stack: DemoStack) -> None:
    telegram(stack, "setWebhook", {"url": "https://nexus-old.example/webhook", "secret_token": stack.secret})


def _one_connection(stack: DemoStack) -> None:
    url = stack.parts[BOT].usual_environment["WEBHOOK_URL"]
    telegram(stack, "setWebhook", {"url": url, "secret_token": stack.secret, "max_connections": 1})


def _old_instance_deletes(stack: DemoStack) -> None:
    port, new = free_port(), stack.parts[BOT]
    environment = {**new.usual_environment, "PORT": str(port), VARIABLE: Flaw.DELETES_WEBHOOK}
    folder = stack.folder / "nexus-bot-old"
    old = Part("nexus-bot-old", new.arguments, environment, folder, port, answers=lambda: answers_http(port, "/health"))
    old.start()
    old.stop()


def _say_in_vain(stack: DemoStack) -> None:
    """Let Telegram deliver with a secret that the bot refuses, while somebody writes."""
    url = stack.parts[BOT].usual_environment["WEBHOOK_URL"]
    telegram(stack, "setWebhook", {"url": url, "secret_token": "another-secret", "max_connections": 40})
    _say(stack)


def _say(stack: DemoStack) -> None:
    stop = threading.Event()
    body = {"chat_id": STRANGER_ID, "bot": BOT_NAME, "text": "/ping"}

    def talk() -> None:
        while not stop.wait(SAY_EVERY_SECONDS):
            with suppress(OSError):
                call(f"{stack.chat_url}/_/say", body)

    thread = threading.Thread(target=talk, daemon=True, name="somebody writes")
    thread.start()
    held = stack.hold("somebody writes")
    held.callback(thread.join, 2 * CALL_SECONDS)
    held.callback(stop.set)


def _answering(kind: str, **filters: object) -> Hand:
    """Return a hand that lets the Bot API answer the bot's calls with a fault."""
    return lambda stack: call(f"{stack.chat_url}/_/faults", {"kind": kind, "bot": BOT_NAME, **filters})


def _answering_again(kind: str) -> Hand:
    return lambda stack: call(f"{stack.chat_url}/_/faults/{kind}", method="DELETE")


def _menu_button(stack: DemoStack, url: str) -> None:
    button = {"type": "web_app", "text": "Nexus", "web_app": {"url": url}}
    telegram(stack, "setChatMenuButton", {"menu_button": button})


def _menu_button_back(stack: DemoStack) -> None:
    _menu_button(stack, stack.parts["nexus-miniapp"].url)


FAULTS = (
    Fault(
        "bot-down",
        "nexus-bot is killed",
        "bot.ingress",
        lambda stack: stack.parts[BOT].kill(),
        lambda stack: stack.parts[BOT].start(),
    ),
    Fault(
        "bot-paused",
        "nexus-bot is frozen: it takes connections and never answers",
        "bot.ingress",
        lambda stack: stack.parts[BOT].pause(),
        lambda stack: stack.parts[BOT].resume(),
    ),
    Fault(
        "bot-bad-gateway",
        "the proxy before nexus-bot answers 502",
        "bot.ingress",
        impersonating(BOT, 502, "<h1>502 Bad Gateway</h1>", content_type="text/html"),
        back(BOT),
    ),
    Fault(
        "bot-route-gone",
        "nexus-bot serves its webhook at another path than Telegram delivers to",
        "bot.ingress",
        lambda stack: stack.parts[BOT].deploy(
            KEEP_WEBHOOK="1", WEBHOOK_URL=stack.parts[BOT].usual_environment["WEBHOOK_URL"] + "-v2"
        ),
        restoring(BOT),
    ),
    Fault(
        "webhook-deleted",
        "somebody calls deleteWebhook with the bot's token",
        "bot.webhook",
        lambda stack: telegram(stack, "deleteWebhook", {}),
        _set_webhook,
    ),
    Fault(
        "webhook-deleted-by-old-instance",
        "the old instance of nexus-bot deletes the webhook when it ends, after the new one has set it",
        "bot.webhook",
        _old_instance_deletes,
        _set_webhook,
    ),
    Fault(
        "webhook-foreign",
        "somebody sets the webhook to another address",
        "bot.webhook",
        _set_foreign_webhook,
        _set_webhook,
    ),
    Fault(
        "webhook-one-connection",
        "the webhook is set with a single connection",
        "bot.webhook",
        _one_connection,
        _set_webhook,
        severity="warning",
    ),
    Fault(
        "webhook-secret-wrong",
        "nexus-bot is started with another webhook secret than Telegram has",
        "bot.ingress",
        lambda stack: stack.parts[BOT].deploy(WEBHOOK_SECRET="another-secret", KEEP_WEBHOOK="1"),
        restoring(BOT),
    ),
    Fault(
        "webhook-secret-changed",
        "Telegram delivers with another secret than nexus-bot has, while somebody writes",
        "bot.delivery",
        _say_in_vain,
        all_of(letting_go("somebody writes"), _set_webhook),
    ),
    Fault(
        "webhook-unguarded",
        "nexus-bot takes updates from anybody: it checks no secret",
        "bot.guard",
        deploying(BOT, Flaw.NO_SECRET),
        restoring(BOT),
        severity="warning",
    ),
    Fault(
        "bot-token-revoked",
        "Telegram refuses the token of Nexus's bot",
        "bot.identity",
        _answering("unauthorized"),
        _answering_again("unauthorized"),
        also=("bot.webhook",),
    ),
    Fault(
        "bot-commands-gone",
        "somebody deletes the bot's commands",
        "bot.commands",
        lambda stack: telegram(stack, "deleteMyCommands", {}),
        restoring(BOT),
        severity="warning",
    ),
    Fault(
        "bot-module-missing",
        "nexus-bot is deployed without one of its modules",
        "bot.modules",
        deploying(BOT, Flaw.MODULE_MISSING),
        restoring(BOT),
        severity="warning",
    ),
    Fault(
        "bot-handler-raises",
        "the handler of /help raises, behind the 200 that Telegram gets",
        "bot.reply",
        deploying(BOT, Flaw.HANDLER_RAISES),
        restoring(BOT),
    ),
    Fault(
        "bot-handler-silent",
        "the handler of /help answers nothing",
        "bot.reply",
        deploying(BOT, Flaw.HANDLER_SILENT),
        restoring(BOT),
    ),
    Fault(
        "menu-button-wrong",
        "the bot's menu button opens another page",
        "miniapp.button",
        lambda stack: _menu_button(stack, "https://nexus-old.example/app"),
        _menu_button_back,
        severity="warning",
    ),
    Fault(
        "menu-button-gone",
        "the bot's menu button is the usual one again: nobody finds the Mini App",
        "miniapp.button",
        lambda stack: telegram(stack, "setChatMenuButton", {"menu_button": {"type": "default"}}),
        _menu_button_back,
        severity="warning",
    ),
)
