"""The two links of one host: to the database and to Mixpanel.

Runs inside the host's network. Prints its two ports, then obeys lines on its standard input:
`LINK up|refuse|silent|deaf`, `LINK delay SECONDS`, `LINK drop`, where LINK is `db` or `api`.

- refuse: existing connections are reset, new ones are refused
- silent: nothing passes; what was sent meanwhile arrives when the link is up again
- deaf: what the host sends passes, the answers do not
- drop: the server's side of each connection is closed, and the host does not notice until the link is up
"""

import asyncio
import socket
import struct
import sys


class Link:
    def __init__(self, target):
        self.target = target
        self.mode = "up"
        self.delay = 0.0
        self.changed = asyncio.Event()
        self.pairs = set()
        self.server = None
        self.port = 0

    async def open(self):
        self.server = await asyncio.start_server(self.accept, "127.0.0.1", self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def obey(self, words):
        if words[0] == "delay":
            self.delay = float(words[1])
            return
        if words[0] == "drop":
            for _, upstream in self.pairs:
                upstream.close()
            return
        self.mode = words[0]
        self.changed.set()
        self.changed = asyncio.Event()
        if self.mode == "refuse":
            if self.server:
                self.server.close()
                self.server = None
            for client, upstream in list(self.pairs):
                reset(client)
                upstream.close()
        elif self.server is None:
            await self.open()

    def passes(self, direction):
        return self.mode == "up" or (self.mode == "deaf" and direction == "out")

    async def wait_for(self, direction):
        while not self.passes(direction):
            await self.changed.wait()

    async def accept(self, reader, writer):
        try:
            await self.wait_for("out")
            upstream_reader, upstream_writer = await asyncio.open_unix_connection(self.target)
        except OSError:
            reset(writer)
            return
        pair = (writer, upstream_writer)
        self.pairs.add(pair)
        await asyncio.gather(
            self.pump(reader, upstream_writer, "out"),
            self.pump(upstream_reader, writer, "in"),
        )
        self.pairs.discard(pair)

    async def pump(self, reader, writer, direction):
        try:
            while data := await reader.read(65536):
                if self.delay:
                    await asyncio.sleep(self.delay)
                await self.wait_for(direction)
                writer.write(data)
                await writer.drain()
            await self.wait_for(direction)
        except OSError:
            pass
        writer.close()


def reset(writer):
    """Closes a connection with a reset, as a broken host does."""
    sock = writer.get_extra_info("socket")
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    except OSError:
        pass
    writer.transport.abort()


async def main(database, api):
    links = {"db": Link(database), "api": Link(api)}
    for link in links.values():
        await link.open()
    print(links["db"].port, links["api"].port, flush=True)
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        name, *words = line.decode().split()
        await links[name].obey(words)
        print("ok", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
