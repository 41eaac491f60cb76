"""tests/faults/proxy.py: relays with a delay, counts what leads through, and cuts it, whatever is ending just then."""

import random
import socket
import struct
import time
import unittest

from proxy import Proxy

DELAY = 0.15  # seconds


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class ProxyTest(unittest.TestCase):
    def setUp(self):
        self.callee = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.callee.close)
        self.proxy = Proxy("127.0.0.1", DELAY)
        self.port = self.proxy.listen(*self.callee.getsockname())

    def connect(self):
        """A connection through the proxy: both ends of it."""
        near = socket.create_connection(("127.0.0.1", self.port))
        self.addCleanup(near.close)
        far, _ = self.callee.accept()
        self.addCleanup(far.close)
        return near, far

    def wait_for(self, count):
        deadline = time.monotonic() + 10
        while self.proxy.open() != count:
            self.assertLess(time.monotonic(), deadline, f"{self.proxy.open()} open, not {count}")
            time.sleep(0.005)

    def test_bytes_pass_late_and_whole(self):
        near, far = self.connect()
        begun = time.monotonic()
        near.sendall(b"there")
        self.assertEqual(far.recv(16), b"there")
        self.assertGreaterEqual(time.monotonic() - begun, DELAY)
        far.sendall(b"and back")
        self.assertEqual(near.recv(16), b"and back")

    def test_cut_ends_both_sides(self):
        near, far = self.connect()
        self.wait_for(1)
        self.assertEqual(self.proxy.cut(random.Random(1), 1.0), 1)
        for end in (near, far):
            with self.assertRaises(ConnectionResetError):
                end.recv(1)

    def test_what_is_ending_already_neither_counts_nor_is_cut(self):
        near, far = self.connect()
        other, _ = self.connect()
        self.wait_for(2)
        self.proxy.stall()
        reset(far)
        self.wait_for(1)  # though its end is on its way to the other side until the stall is over
        self.assertEqual(self.proxy.cut(random.Random(1), 1.0), 1)
        with self.assertRaises(ConnectionResetError):
            other.recv(1)
        self.assertEqual(near.recv(1), b"")
        self.proxy.go_on()
        self.wait_for(0)
        self.assertEqual(self.proxy.cut(random.Random(1), 1.0), 0)


if __name__ == "__main__":
    unittest.main()
