"""The two links of one host: to the database and to Mixpanel.

Runs inside the host's network. Prints its two ports, then obeys lines on its standard input:
`LINK up|refuse|full|silent|deaf`, `LINK delay SECONDS`, `LINK drop`, `LINK target SOCKET`, where LINK is `db` or
`api`. What a link has carried since the last such line, in chunks, is the answer to `LINK count`.

- refuse: existing connections are reset, new ones are refused
- silent: nothing passes; what was sent meanwhile arrives when the link is up again
- full: nobody accepts new connections, so that `connect` waits
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
        self.carried = 0
        self.changed = asyncio.Event()
        self.pairs = set()
        self.tasks = set()
        self.listener = None
        self.fillers = []
        self.port = 0

    async def open(self):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", self.port))
        self.listener.setblocking(False)
        self.port = self.listener.getsockname()[1]
        self.start_to_accept()

    def start_to_accept(self):
        self.listener.listen(64)
        asyncio.get_running_loop().add_reader(self.listener, self.accept_one)

    def accept_one(self):
        try:
            client, _ = self.listener.accept()
        except OSError:
            return
        # As the server does, or an answer in several pieces waits 40 ms for its first to be confirmed.
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        task = asyncio.ensure_future(self.accept(client))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def stop_to_accept(self):
        asyncio.get_running_loop().remove_reader(self.listener)

    def fill(self):
        self.stop_to_accept()
        self.listener.listen(0)
        for _ in range(3):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self.port))
            self.fillers.append(filler)

    async def obey(self, words):
        if words[0] == "delay":
            self.delay = float(words[1])
            return
        if words[0] == "target":
            self.target = words[1]
            return
        if words[0] == "count":
            self.carried, carried = 0, self.carried
            return carried
        if words[0] == "drop":
            for _, upstream in self.pairs:
                upstream.close()
            return
        before, self.mode = self.mode, words[0]
        if before == "full" and self.listener:
            self.start_to_accept()
            while self.fillers:
                self.fillers.pop().close()
        self.changed.set()
        self.changed = asyncio.Event()
        if self.mode == "refuse":
            if self.listener:
                self.stop_to_accept()
                self.listener.close()
                self.listener = None
            for client, upstream in list(self.pairs):
                reset(client)
                upstream.close()
        elif self.listener is None:
            await self.open()
        if self.mode == "full":
            self.fill()

    def passes(self, direction):
        return self.mode in ("up", "full") or (self.mode == "deaf" and direction == "out")

    async def wait_for(self, direction):
        while not self.passes(direction):
            await self.changed.wait()

    async def accept(self, client):
        reader, writer = await asyncio.open_connection(sock=client)
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
                self.carried += direction == "out"
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
        print(await links[name].obey(words) or 0, flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
