"""Holds many streams in a process of its own, and counts what comes on them; and the processor time of processes."""

import multiprocessing
import os
import resource
import select
import socket
import time

# The place in /proc/PID/stat behind the name of the program, from where the fields are counted.
USER_TIME, SYSTEM_TIME = 11, 12

# A ping without a payload, and what a client answers: with a mask, as every frame of a client.
PING, PONG = b"\x89\x00", b"\x8a\x80\x00\x00\x00\x00"


def processor_seconds(*processes):
    """What these processes have used, user and system, all threads; to 10 ms."""
    ticks = 0
    for process in processes:
        with open(f"/proc/{process}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        ticks += int(fields[USER_TIME]) + int(fields[SYSTEM_TIME])
    return ticks / os.sysconf("SC_CLK_TCK")


def resident_bytes(*processes):
    """What these processes hold in memory."""
    total = 0
    for process in processes:
        with open(f"/proc/{process}/smaps_rollup", encoding="ascii") as file:
            total += next(int(line.split()[1]) for line in file if line.startswith("Rss:")) * 1024
    return total


def median_and_range(values, digits=3):
    """For a table: the middle value, and the least and the most in brackets."""
    values = sorted(values)
    middle, least, most = (rounded(value, digits) for value in (values[len(values) // 2], values[0], values[-1]))
    return f"{middle} ({least} – {most})"


def rounded(value, digits):
    """A number with so many digits, and without an exponent."""
    return f"{float(f'{value:.{digits}g}'):,.0f}" if abs(value) >= 10**digits else f"{value:.{digits}g}"


class Streams:
    """Streams that were opened with these requests, each a port of the loopback and the bytes of its handshake.

    Frames are recognized by a mark that each of them has once.
    """

    def __init__(self, requests, mark):
        self.pipe, end = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=_hold, args=(requests, mark, end), daemon=True)
        self.process.start()
        problem = self.pipe.recv()
        if problem:
            raise SystemExit(problem)

    def received(self):
        """How many marks have come on all streams together, and how many streams have ended."""
        self.pipe.send(None)
        return self.pipe.recv()

    def wait_for(self, count, seconds=30):
        """Waits until so many marks have come."""
        ends = time.monotonic() + seconds
        while (found := self.received())[0] < count:
            if time.monotonic() > ends:
                raise SystemExit(f"{found[0]} of {count} deliveries have come after {seconds} s; {found[1]} streams ended")
            time.sleep(0.05)

    def close(self):
        self.process.terminate()
        self.process.join()


def handshake(port, target):
    """The request that opens a WebSocket."""
    return (f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2hhcmRjYXN0IHN0cmVhbQ==\r\n\r\n").encode()


def _hold(requests, mark, pipe):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    poll, streams = select.epoll(), {}
    received = 0
    for port, request in requests:
        stream = socket.create_connection(("127.0.0.1", port), 30)
        stream.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += (content := stream.recv(65536))
            if not content:
                break
        if not answer.startswith(b"HTTP/1.1 101"):
            pipe.send(f"a stream at port {port} was answered {answer[:200]!r}")
            return
        received += answer.count(mark)
        stream.setblocking(False)
        streams[stream.fileno()] = stream
        poll.register(stream, select.EPOLLIN)
    pipe.send(None)
    poll.register(pipe, select.EPOLLIN)
    ended = 0
    while True:
        for number, _ in poll.poll():
            if number == pipe.fileno():
                pipe.recv()
                pipe.send((received, ended))
                continue
            content = streams[number].recv(65536)
            received += content.count(mark)
            if content.startswith(PING):
                streams[number].send(PONG)
            if not content:
                poll.unregister(number)
                ended += 1
