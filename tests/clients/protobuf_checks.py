"""Protocol Buffers as Google's own package reads and writes them; `message_pb2` is what protoc makes of `proto/`."""

import asyncio
import json
import urllib.request
from datetime import datetime, timedelta, timezone

import websockets

import message_pb2

MEDIA_TYPE = "application/x-protobuf"
SUBPROTOCOL = "gotify.v1.protobuf"
PATIENCE = 20


def publish(url, app, body, content_type, accept):
    request = urllib.request.Request(f"{url}/message", data=body, method="POST")
    for name, value in (("X-Gotify-Key", app), ("Content-Type", content_type), ("Accept", accept)):
        request.add_header(name, value)
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return answer.headers["Content-Type"], answer.read()


def as_json(message):
    """Returns the message as Gotify's JSON has it."""
    zone = timezone(timedelta(minutes=message.date_offset_minutes))
    found = {
        "id": message.id,
        "appid": message.appid,
        "message": message.message,
        "title": message.title,
        "priority": message.priority,
        "date": message.date.ToDatetime(tzinfo=timezone.utc).astimezone(zone),
    }
    if message.extras:
        found["extras"] = json.loads(message.extras)
    return found


def decoded(text):
    """Returns Gotify's JSON with the date as Python has it, to the microsecond."""
    found = json.loads(text)
    date, fraction = found["date"], ""
    if "." in date:
        date, rest = date.split(".")
        digits = len(rest) - len(rest.lstrip("0123456789"))
        date, fraction = date + rest[digits:], rest[:digits]
    found["date"] = datetime.fromisoformat(date.replace("Z", "+00:00"))
    found["date"] += timedelta(microseconds=int(fraction.ljust(6, "0")[:6] or 0))
    return found


def protobuf_decodes_what_json_says(url, app, client):
    async def check():
        place = f"{url.replace('http', 'ws', 1)}/stream?token={client}"
        async with (
            websockets.connect(place) as in_json,
            websockets.connect(place, subprotocols=[SUBPROTOCOL]) as by_subprotocol,
            websockets.connect(f"{place}&format=protobuf") as by_query,
        ):
            assert by_subprotocol.subprotocol == SUBPROTOCOL, by_subprotocol.subprotocol
            sent = message_pb2.Message(message="é & ü", title="", priority=0, extras=b'{"a::b":{"c":9007199254740993}}')
            asked = json.dumps({"message": "in JSON", "title": "t", "priority": 7}).encode()
            bodies = [(sent.SerializeToString(), MEDIA_TYPE), (asked, "application/json")]
            for body, content_type in bodies:
                _, answer = await asyncio.to_thread(publish, url, app, body, content_type, "application/json")
                text = await asyncio.wait_for(in_json.recv(), PATIENCE)
                assert decoded(text) == decoded(answer), (text, answer)
                for stream in (by_subprotocol, by_query):
                    frame = await asyncio.wait_for(stream.recv(), PATIENCE)
                    assert isinstance(frame, bytes), f"a text frame: {frame}"
                    assert as_json(message_pb2.Message.FromString(frame)) == decoded(text), (frame, text)
                    print(f"        {len(frame)} bytes in Protobuf, {len(text.encode())} in JSON")

    asyncio.run(check())
    kind, answer = publish(url, app, message_pb2.Message(message="hi").SerializeToString(), MEDIA_TYPE, MEDIA_TYPE)
    assert kind == MEDIA_TYPE, kind
    assert message_pb2.Message.FromString(answer).message == "hi", answer
