"""Clients of a cluster: senders at a rate, and readers that come back with the id of their last message."""

import asyncio
import contextlib
import json
import random
import time

from traffic import Stream, load

SENDERS = 16


class Reader:
    """A client that reads its user's messages, connects again whenever its stream ends, and goes on where it was."""

    def __init__(self, name, port, token):
        self.name, self.port, self.token = name, port, token
        self.received, self.ids, self.streams = [], set(), 0

    async def run(self):
        while True:
            since = self.received[-1][0] if self.received else 0
            stream = Stream(self.port, self.token, since)
            stream.received = self
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.TimeoutError):
                reading = await asyncio.wait_for(stream.open(), 10)
                self.streams += 1
                try:
                    await reading
                finally:
                    reading.cancel()
                    stream.writer.close()
            await asyncio.sleep(random.uniform(0.05, 0.5))

    def append(self, message):
        self.received.append(message)
        self.ids.add(message[0])

    def wrong(self, stored):
        """What it was given too much, too little, or in the wrong order."""
        ids = [number for number, _ in self.received]
        if doubled := len(ids) - len(self.ids):
            yield f"{self.name}: {doubled} messages came twice"
        if unordered := sum(1 for before, after in zip(ids, ids[1:]) if after < before):
            yield f"{self.name}: {unordered} messages came after a later one"
        if lost := [number for number in stored if number not in self.ids]:
            yield f"{self.name}: {len(lost)} of {len(stored)} acknowledged messages did not come: {lost[:5]}"
        if changed := [number for number, text in self.received if stored.get(number, text) != text]:
            yield f"{self.name}: {len(changed)} messages came with another text: {changed[:5]}"


class Senders:
    """Sends to each of these targets in turn, so many messages per second."""

    def __init__(self, targets, token):
        self.targets, self.token = targets, token
        self.stored, self.answers, self.rate = {}, {}, 50

    async def run(self, number):
        connections, count = {}, number
        while True:
            began = time.monotonic()
            target = self.targets[count % len(self.targets)]
            connection = connections.setdefault(target.port, load.Connection(target))
            text = f"message {count // SENDERS} of sender {number}"
            try:
                status, content = await asyncio.wait_for(connection.ask(
                    "POST", "/message", [f"X-Gotify-Key: {self.token}", load.JSON],
                    json.dumps({"message": text}).encode()), 20)
            except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError) as error:
                status = type(error).__name__
                connection.close()
            if status == 200:
                self.stored[json.loads(content)["id"]] = text
            self.answers[status] = self.answers.get(status, 0) + 1
            count += SENDERS
            await asyncio.sleep(max(0.001, SENDERS / self.rate - (time.monotonic() - began)))
