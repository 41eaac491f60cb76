"""A slow line between servers: a TCP proxy that delays every byte each way, stalls, and cuts connections.

It runs on a thread of its own. Ends of connections, and connecting itself, are delayed like bytes.
"""

import asyncio
import socket
import struct
import threading
import time


class Proxy:
    def __init__(self, host, delay):
        self.host, self.delay = host, delay  # seconds, each way
        self._loop = asyncio.new_event_loop()
        self._pairs = {}  # number -> (writer to the caller, writer to the callee)
        self._opened = 0
        self._flows = None
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def listen(self, host, port):
        """Begins to relay to that address, and returns the port to dial instead."""
        async def begin():
            if self._flows is None:
                self._flows = asyncio.Event()
                self._flows.set()
            server = await asyncio.start_server(lambda r, w: self._relay(r, w, host, port), self.host, 0)
            return server.sockets[0].getsockname()[1]
        return self._call(begin())

    def open(self):
        """Connections that lead through now: one whose end is on its way to the other side is none."""
        return len(self._living())

    def _living(self):
        return [number for number, writers in list(self._pairs.items())
                if not any(writer.is_closing() for writer in writers)]

    def opened(self):
        """Connections that ever led through."""
        return self._opened

    def cut(self, dice, share):
        """Resets about that share of the connections, one at least if there are any, on both sides. Returns how many."""
        async def do():
            living = self._living()
            chosen = [number for number in living if dice.random() < share] or living[:1]
            for number in chosen:
                for writer in self._pairs[number]:
                    end = writer.get_extra_info("socket")
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    writer.transport.abort()
            return len(chosen)
        return self._call(do())

    def stall(self):
        """Nothing passes until go_on(), and nothing is lost."""
        self._loop.call_soon_threadsafe(self._flows.clear)

    def go_on(self):
        self._loop.call_soon_threadsafe(self._flows.set)

    async def _relay(self, reader, writer, host, port):
        await self._wait_until(time.monotonic() + self.delay)
        try:
            far_reader, far_writer = await asyncio.open_connection(host, port)
        except OSError:
            writer.close()
            return
        self._opened += 1
        number = self._opened
        self._pairs[number] = (writer, far_writer)
        try:
            await asyncio.gather(self._pipe(reader, far_writer), self._pipe(far_reader, writer))
        finally:
            del self._pairs[number]
            writer.close()
            far_writer.close()

    async def _wait_until(self, due):
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        await self._flows.wait()

    async def _pipe(self, reader, writer):
        """One direction: what is read now is written `delay` later, its end included."""
        queue = asyncio.Queue(64)

        async def write():
            while True:
                due, data = await queue.get()
                await self._wait_until(due)
                if not data:
                    break
                writer.write(data)
                await writer.drain()

        async def read():
            while True:
                data = await reader.read(65536)
                await queue.put((time.monotonic() + self.delay, data))
                if not data:
                    break

        tasks = [asyncio.ensure_future(write()), asyncio.ensure_future(read())]
        try:
            await tasks[1]
            await tasks[0]
            if writer.can_write_eof():
                writer.write_eof()
        except (OSError, RuntimeError):  # cut on either side: the other hears of it at once
            for task in tasks:
                task.cancel()
            writer.transport.abort()
