"""The network between the nodes and their backplane, which can be cut."""

import asyncio
import contextlib


class Wire:
    """Passes bytes on from a port of the loopback to another, until it is told not to."""

    def __init__(self, port, target):
        self.port, self.target = port, target
        self.connections, self.server = set(), None
        # Whether bytes pass: to the backplane, and back.
        self.passes = [asyncio.Event(), asyncio.Event()]
        for event in self.passes:
            event.set()

    async def connect(self):
        self.server = await asyncio.start_server(self.take, "127.0.0.1", self.port)

    async def take(self, reader, writer):
        self.connections.add(writer)
        # It is canceled when the test is over, and asyncio would print that.
        with contextlib.suppress(OSError, asyncio.CancelledError):
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
            self.connections.add(back)
            ways = [self.carry(reader, back, self.passes[0]), self.carry(there, writer, self.passes[1])]
            await asyncio.gather(*ways)
            self.connections.discard(back)
        self.connections.discard(writer)
        writer.close()

    async def carry(self, source, sink, passes):
        with contextlib.suppress(OSError):
            while content := await source.read(65536):
                # What is on its way when the network is cut comes later, as TCP sends it again.
                await passes.wait()
                sink.write(content)
                await sink.drain()
        sink.close()

    def cut(self):
        for writer in list(self.connections):
            writer.transport.abort()

    @contextlib.asynccontextmanager
    async def refused(self):
        """The backplane is away: connections end, and new ones are refused."""
        self.server.close()
        self.cut()
        yield
        await self.connect()

    @contextlib.asynccontextmanager
    async def silent(self, *ways):
        """Nothing passes in these directions, and nobody is informed."""
        for way in ways:
            self.passes[way].clear()
        yield
        for way in ways:
            self.passes[way].set()
