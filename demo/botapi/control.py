"""The routes beside the Bot API, under `/_/`: what people do, what tests ask, the faults in force; and the page."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import httpx
from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.responses import FileResponse, RedirectResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from demo.botapi.errors import ApiError
from demo.botapi.faults import LOSES_MEMBERSHIP, Fault, FaultKind
from demo.botapi.keyboards import web_app_urls
from demo.botapi.launch import launch_url
from demo.botapi.people import Bot, Json, Person, Room
from demo.botapi.server import BotApi
from demo.botapi.talking import NotThereError
from demo.botapi.webhooks import Courier

STATIC = Path(__file__).parent / "static"
PING_SECONDS = 15.0
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SayBody(_Body):
    """A person writes. `chat_id` is a group's id, a person's id together with `bot`, or a room's key."""

    chat_id: int | str
    text: str
    bot: str | None = None
    person: int | None = None
    """Who writes; the person of the private chat, or the operator."""
    reply_to: int | None = None
    topic_id: int | None = None


class PressBody(_Body):
    """A person presses the button with that data."""

    chat_id: int | str
    message_id: int
    data: str
    bot: str | None = None
    person: int | None = None
    forged: bool = False
    """Send the data though no button carries it, as a modified client can."""


def create_app(api: BotApi, *, speed: float = 1.0) -> BotApi:
    """Give the Bot API its control routes, its page and its webhook deliveries, and return it.

    `speed` divides the pauses between webhook deliveries: 20 makes 2 s into 0.1 s.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with httpx.AsyncClient(trust_env=False, follow_redirects=False) as client, asyncio.TaskGroup() as group:
            courier = Courier(group, client, api.perform_reply, speed=speed, jitter=random.Random())
            for inbox in api.world.inboxes.values():
                inbox.on_update = lambda inbox=inbox: courier.wake(inbox)  # type: ignore[misc]
                inbox.on_webhook = lambda inbox=inbox: courier.restart(inbox)  # type: ignore[misc]
            try:
                yield
            finally:
                courier.stop()

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    _add_reading(app, api)
    _add_doing(app, api)
    _add_faults(app, api)

    @app.get("/")
    async def page() -> FileResponse:
        return FileResponse(STATIC / "index.html", headers={"Content-Security-Policy": _POLICY})

    app.mount("/static", StaticFiles(directory=STATIC))

    @app.middleware("http")
    async def never_stale(request: Request, call_next):  # type: ignore[no-untyped-def]
        response: Response = await call_next(request)
        response.headers.setdefault("Cache-Control", "no-cache")
        return response

    api.pages = app
    return api


def _room(api: BotApi, chat: int | str, bot: str | None) -> Room:
    room = api.world.room_of(str(chat), bot)
    if room is None:
        also = " (a private chat needs the bot's username too)" if not bot and str(chat).isdigit() else ""
        raise HTTPException(404, f"no chat {chat}{also}")
    return room


def _person(api: BotApi, room: Room, person_id: int | None) -> Person:
    wanted = person_id or (room.id if room.kind == "private" else None)
    person = api.world.people.get(wanted) if wanted else api.world.operator()
    if person is None or person.id not in room.people:
        raise HTTPException(404, f"no person {wanted} in chat {room.id}")
    return person


def _bot(api: BotApi, username: str) -> Bot:
    bot = api.world.bot_named(username)
    if bot is None:
        raise HTTPException(404, f"no bot {username}")
    return bot


def _add_reading(app: FastAPI, api: BotApi) -> None:
    @app.get("/_/health")
    async def health() -> Json:
        return {"status": "ok", "bots": [bot.username for bot in api.world.bots.values()]}

    @app.get("/_/calls")
    async def calls(bot: str | None = None, method: str | None = None, since: datetime | None = None) -> list[Json]:
        if since is not None and since.tzinfo is None:
            since = since.replace(tzinfo=UTC)
        return api.journal.calls(bot=bot, method=method, since=since)

    @app.delete("/_/calls")
    async def forget_calls() -> Json:
        api.journal.clear()
        return {"ok": True}

    @app.get("/_/messages")
    async def messages(chat: str, bot: str | None = None) -> list[Json]:
        room = _room(api, chat, bot)
        return [api.world.as_seen(message) for message in api.world.messages(room)]

    @app.get("/_/world")
    async def world() -> Json:
        return {
            "people": [person.to_api() | {"is_operator": person.is_operator} for person in api.world.people.values()],
            "bots": [bot.to_api() for bot in api.world.bots.values()],
            "rooms": [_room_json(api, room) for room in api.world.rooms.values() if room.migrated_to is None],
        }

    @app.get("/_/events")
    async def events() -> StreamingResponse:
        return StreamingResponse(_stream(api), media_type="text/event-stream")


async def _stream(api: BotApi) -> AsyncIterator[str]:
    with api.events.subscribe() as queue:
        yield "retry: 1000\n\n"
        while True:
            try:
                event = await asyncio.wait_for(queue.get(), PING_SECONDS)
            except TimeoutError:
                yield ": still here\n\n"
                continue
            if event is None:
                return
            yield f"data: {json.dumps(event, ensure_ascii=False)}\n\n"


def _room_json(api: BotApi, room: Room) -> Json:
    people = [person for person in api.world.people.values() if person.id in room.people]
    language = people[0].language_code if room.kind == "private" and people else "en"
    messages = api.world.messages(room)
    return {
        "key": room.key,
        "id": room.id,
        "kind": room.kind,
        "title": room.title,
        "is_forum": room.is_forum,
        "people": sorted(room.people),
        "bots": [api.world.bots[bot_id].username for bot_id in sorted(room.bots)],
        "topics": [{"id": topic.id, "name": topic.name, "color": f"#{topic.color:06x}"} for topic in room.topics],
        "pinned": [
            api.world.as_seen(pin) for pin in (api.world.message(room, pin_id) for pin_id in room.pinned) if pin
        ],
        "last": api.world.as_seen(messages[-1]) if messages else None,
        "commands": [
            command | {"bot": api.world.bots[bot_id].username}
            for bot_id in sorted(room.bots)
            for command in api.world.profiles[bot_id].shown_commands(
                room_kind=room.kind, chat_id=room.id, language=language
            )
        ],
        "menu_button": next(
            (api.world.profiles[bot_id].menu_button(room.id) for bot_id in room.bots if room.kind == "private"), None
        ),
    }


def _add_doing(app: FastAPI, api: BotApi) -> None:
    @app.post("/_/say")
    async def say(body: SayBody) -> Json:
        room = _room(api, body.chat_id, body.bot)
        person = _person(api, room, body.person)
        try:
            message = api.talking.say(room, person, body.text, reply_to=body.reply_to, topic_id=body.topic_id)
        except NotThereError as error:
            raise HTTPException(404, str(error)) from None
        except ApiError as error:
            raise HTTPException(400, error.description) from None
        return api.world.as_seen(message)

    @app.post("/_/press")
    async def press(body: PressBody) -> Json:
        room = _room(api, body.chat_id, body.bot)
        person = _person(api, room, body.person)
        try:
            pressed = api.talking.press(room, person, body.message_id, body.data, is_forged=body.forged)
        except NotThereError as error:
            raise HTTPException(404, str(error)) from None
        return {"callback_query_id": pressed.id}

    @app.get("/_/launch")
    async def launch(bot: str, person: int, url: str, dark: Annotated[bool, Query()] = False) -> RedirectResponse:
        one, somebody = _bot(api, bot), api.world.people.get(person)
        if somebody is None:
            raise HTTPException(404, f"no person {person}")
        # Only what the bot itself published: initData must not be handed to any address that asks.
        known = {
            button["web_app"]["url"]
            for button in api.world.profiles[one.id].menu_buttons.values()
            if button["type"] == "web_app"
        }
        for room in api.world.rooms.values():
            for message in api.world.messages(room) if one.id in room.bots else ():
                known |= web_app_urls(message.markup) if message.sender == one else set()
        if url not in known:
            raise HTTPException(404, f"bot {bot} has no Mini App button for that address")
        target = launch_url(url, one, somebody, api.now(), is_dark=dark)
        return RedirectResponse(target, 302, headers={"Cache-Control": "no-store"})


def _add_faults(app: FastAPI, api: BotApi) -> None:
    @app.get("/_/faults")
    async def faults() -> list[Json]:
        return api.faults.listed()

    @app.post("/_/faults")
    async def break_it(fault: Fault) -> Json:
        if fault.bot is not None:
            _bot(api, fault.bot)
        if fault.kind is FaultKind.MIGRATED:
            room = api.world.rooms.get(str(fault.chat))
            if room is None or room.kind == "private" or room.migrated_to is not None:
                raise HTTPException(422, f"migrated: chat {fault.chat} is no group that can move")
            return {"ok": True, "migrate_to_chat_id": api.world.migrate(room).id}
        api.faults.add(fault)
        _tell_membership(api, fault, is_back=False)
        api.events.publish("faults")
        return {"ok": True}

    @app.delete("/_/faults")
    async def repair_all() -> Json:
        return _repair(None)

    @app.delete("/_/faults/{kind}")
    async def repair(kind: FaultKind) -> Json:
        return _repair(kind)

    def _repair(kind: FaultKind | None) -> Json:
        gone = api.faults.remove(kind)
        for fault in gone:
            _tell_membership(api, fault, is_back=True)
        api.events.publish("faults")
        return {"ok": True, "removed": len(gone)}


def _tell_membership(api: BotApi, fault: Fault, *, is_back: bool) -> None:
    """Tell the bots a fault throws out of a named chat, or lets in again, as Telegram does by my_chat_member."""
    outside = LOSES_MEMBERSHIP.get(fault.kind)
    if outside is None or fault.chat is None:
        return
    for bot in api.world.bots.values():
        if fault.bot is not None and bot != api.world.bot_named(fault.bot):
            continue
        room = api.world.room_of(str(fault.chat), bot.username)
        if room is not None and bot.id in room.bots:
            inside = "administrator" if bot.id in room.administrators else "member"
            was, became = (outside, inside) if is_back else (inside, outside)
            api.talking.membership(room, bot, was=was, became=became)
