"""The first words: /start and /help, and what somebody is told whom the bot does not listen to."""

from monitor.bot.access import Right
from monitor.bot.asking import Ask, Command, Commands, usage_of
from monitor.bot.lines import Line, rendered, said
from monitor.delivery.entities import Rendered, Span


def meeting(commands: Commands) -> Commands:
    """Return the commands; `commands` are the others, which help explains."""

    async def answer(ask: Ask) -> Rendered:
        return help_message(commands, may_act=ask.may_act)

    return {
        "help": Command("what I can do", answer),
        "start": Command("this, and the ids of an unknown person or chat", answer),
    }


def help_message(commands: Commands, *, may_act: bool) -> Rendered:
    """Return what the bot can do for this person."""
    lines: list[Line] = [[Span("I tell you the one thing that is broken.", "bold")], [Span("")]]
    for name, command in commands.items():
        if may_act or command.right is Right.VIEW:
            lines.append([Span(f"/{name} – {command.what}")])
            if command.usage:
                lines.append([Span(f"    {usage_of(name, command)}", "code")])
    lines.append([Span("")])
    if may_act:
        buttons = "Under an incident: ✅ Ack takes it, 🔁 Re-check looks again now, 🔕 silences it."
        lines.append([Span(buttons)])
    else:
        lines.append([Span("You may ask. Only operators may take, silence or look again.")])
    return rendered(lines)


def hint_message() -> Rendered:
    """Return what plain words in a private chat are answered with."""
    return said("I understand commands only: /status says how things stand, /help what I can do.")


def stranger_message(user_id: int, chat_id: int, topic_id: int | None = None) -> Rendered:
    """Return what somebody unknown is told: the numbers that the operator has to enter."""
    lines: list[Line] = [
        [Span("I do not know you, or not this chat. Give these numbers to whoever runs the monitor.")],
        [Span("Your user id: "), Span(str(user_id), "code")],
        [Span("This chat's id: "), Span(str(chat_id), "code")],
    ]
    if topic_id is not None:
        lines.append([Span("This topic's id: "), Span(str(topic_id), "code")])
        lines.append([Span("As one chat_id: "), Span(f"{chat_id}/{topic_id}", "code")])
    return rendered(lines)


def refusal_message() -> Rendered:
    """Return the refusal for somebody unknown."""
    return said("Sorry, I only answer the operators of this monitor. /start tells you your user id.")


def viewer_message() -> Rendered:
    """Return the refusal for somebody who may only ask."""
    return said("Only operators may do this.")


def anonymous_message() -> Rendered:
    """Return what an anonymous admin is told."""
    return said("I cannot see who you are: stop being anonymous in this group, or ask me in a private chat.")


def elsewhere_message() -> Rendered:
    """Return what is said in a group that is not one of the monitor's chats."""
    return said(
        "Everybody here would read it: ask me in a private chat, or in a chat that I tell. /start says the ids."
    )


def late_message() -> Rendered:
    """Return what is said to a command that arrives long after it was written."""
    return said("I heard this late, and did not do it: please ask again if it is still wanted.")
