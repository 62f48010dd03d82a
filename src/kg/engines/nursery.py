"""The service's side of the workers: their sockets, and the process that forks them."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes.util
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kg.engines.worker import READY, REPLY_HEAD, STATUS, TICKET, Job, Premises, frame
from kg.engines.writing import Write

# Long queries yield the processor to short ones.
_SLOW_NICENESS = 10
_READ_BYTES = 1 << 16
# How long to wait before a process that does not read is asked again.
_AGAIN_S = 0.05
# A worker is born in milliseconds; a process that makes none for so long is stopped, or hangs.
BORN_WITHIN_S = 5.0
# So is one that does not end when it is told to.
END_WITHIN_S = 5.0


logger = logging.getLogger(__name__)


@dataclass
class Reply:
    """A whole answer: in memory, or in an open file that is to be sent and closed.

    Attributes:
        content: the bytes, when they fit in memory.
        file: a descriptor of a file that holds `size` bytes, else None.
    """

    content: bytes
    file: int | None
    size: int

    def read(self) -> bytes:
        """Returns the whole answer and closes its file."""
        if self.file is None:
            return self.content
        try:
            return os.pread(self.file, self.size, 0)
        finally:
            self.close()

    def close(self) -> None:
        """Closes the file, if there is one."""
        if self.file is not None:
            os.close(self.file)
            self.file = None


class Worker:
    """One child process with its socket and its pipe, as the event loop sees it.

    Args:
        link: this side of its socket.
        tickets: both ends of its pipe, to be read and to be written.
        replied: is told when a reply is there, and when it has died.
    """

    def __init__(
        self,
        link: socket.socket,
        tickets: tuple[int, int],
        loop: asyncio.AbstractEventLoop,
        replied: Callable[[Worker], None],
    ) -> None:
        self._link = link
        self._tickets = tickets
        self._given = 0
        self._loop = loop
        self._replied = replied
        self._received = bytearray()
        self._fds: list[int] = []
        self._outgoing = bytearray()
        self.pid = 0
        self.status = -1
        self.reply: Reply | None = None
        self.dead = False
        self.yielding = False
        self.premises: Premises | None = None
        self.exit_status: int | None = None
        link.setblocking(False)
        loop.add_reader(link.fileno(), self._readable)

    def give(self, job: Job | Write) -> None:
        """Gives it a job to do after those it has."""
        self._given += 1
        self.send(job, self._given)
        # A pipe holds thousands of tickets, and nobody is given so many jobs.
        with contextlib.suppress(OSError):
            os.write(self._tickets[1], TICKET.pack(self._given))

    def call_back(self, most: int) -> int:
        """Returns how many of the jobs it was given last, at most so many, it has not begun; it will not begin them."""
        if self.dead:
            return 0
        try:
            tickets = os.read(self._tickets[0], _READ_BYTES)
        except BlockingIOError:
            return 0
        count = min(most, len(tickets) // TICKET.size)
        os.write(self._tickets[1], tickets[: len(tickets) - count * TICKET.size])
        return count

    def send(self, content: Job | Write | Premises, number: int = 0) -> None:
        """Sends a job or the premises: at once, or what does not fit the socket's buffer as that empties."""
        rest = frame(content, number)
        try:
            if not self._outgoing:
                rest = rest[self._link.send(rest) :]
        except BlockingIOError:
            pass
        except OSError:
            return  # it has died, which its socket tells too
        if rest:
            self._outgoing += rest
            self._loop.add_writer(self._link.fileno(), self._writable)

    def _writable(self) -> None:
        with contextlib.suppress(OSError):
            del self._outgoing[: self._link.send(self._outgoing)]
            if self._outgoing:
                return
        self._loop.remove_writer(self._link.fileno())

    def _readable(self) -> None:
        try:
            content, fds, _, _ = socket.recv_fds(self._link, _READ_BYTES, 4)
        except BlockingIOError:
            return
        except OSError:
            content, fds = b"", []
        self._fds += fds
        if not content:
            self.close()
            self._replied(self)
            return
        self._received += content
        self._take_reply()

    def _take_reply(self) -> None:
        head = REPLY_HEAD.size
        if len(self._received) < head:
            return
        self.status, on_disk, size = REPLY_HEAD.unpack_from(self._received)
        if on_disk:
            if not self._fds:
                return
            self.reply = Reply(b"", self._fds.pop(0), size)
            del self._received[:head]
        elif len(self._received) < head + size:
            return
        else:
            self.reply = Reply(bytes(self._received[head : head + size]), None, size)
            del self._received[: head + size]
        self._replied(self)
        # Where it had another job at hand, the next reply may be there too.
        if not self.dead:
            self._take_reply()

    def kill(self) -> None:
        """Ends the process at once; what it was doing is gone, and nothing else is."""
        if self.pid and not self.dead:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        self.close()

    @property
    def processor_s(self) -> float:
        """How long it has had a processor; where the system does not tell, what any clock says."""
        try:
            # What clock_getcpuclockid(3) returns for a process on Linux; Python has it for threads only.
            return time.clock_gettime((~self.pid << 3) | 2) if self.pid else 0.0
        except OSError:
            return time.monotonic()

    def yield_processor(self) -> None:
        """Lets other processes go first, from now on."""
        self.yielding = True
        if self.pid:
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, self.pid, _SLOW_NICENESS)

    def give_up(self) -> None:
        """Ends it, and says so to who asked for it; it may be told already."""
        if not self.dead:
            self.close()
            self._replied(self)

    def close(self) -> None:
        if not self.dead:
            self.dead = True
            self._loop.remove_reader(self._link.fileno())
            self._loop.remove_writer(self._link.fileno())
            self._link.close()
            for fd in (*self._fds, *self._tickets):
                os.close(fd)


def _environment() -> dict[str, str]:
    """Returns the environment of workers: with jemalloc where the system has it.

    The engine lives on small allocations; with it a join takes a sixth less time, and less of the address
    space that a worker may have.
    """
    library = ctypes.util.find_library("jemalloc")
    preloaded = [name for name in (library, os.environ.get("LD_PRELOAD")) if name]
    return {**os.environ, "LD_PRELOAD": " ".join(preloaded)} if library else dict(os.environ)


class Nursery:
    """Makes workers, for as many pools as there are.

    Args:
        holding: a store whose default graph the workers find in memory; they must then be workers over that.
            None can be asked for before it is ready.
        ready: is told when it is.
        died: is told when the process has died; without it another takes its place.
    """

    def __init__(
        self,
        holding: Path | None = None,
        ready: Callable[[], None] | None = None,
        died: Callable[[], None] | None = None,
    ) -> None:
        self._holding = holding
        self._ready = ready
        self._died = died
        self._alive = False
        self._is_ready = False
        self._process: subprocess.Popen[bytes] | None = None
        self._unborn: deque[Worker] = deque()
        self._living: dict[int, Worker] = {}
        self._received = bytearray()

    async def open(self) -> None:
        """Starts the process that forks workers."""
        self._loop = asyncio.get_running_loop()
        self._environment = await asyncio.to_thread(_environment)
        self._start()

    def _start(self) -> None:
        self._alive, self._is_ready = True, False
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-m", "kg.engines.worker", str(theirs.fileno())]
        if self._holding is not None:
            command.append(str(self._holding))
        self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], env=self._environment)
        theirs.close()
        ours.setblocking(False)
        self._control = ours
        self._loop.add_reader(ours.fileno(), self._news)

    def close(self) -> asyncio.Future[int]:
        """Ends the process, and with it every worker; what is returned is done when it is gone."""
        for worker in [*self._living.values(), *self._unborn]:
            worker.kill()
        self._let_go()
        return asyncio.get_running_loop().run_in_executor(None, self._ended)

    def _ended(self) -> int:
        """Returns how the process ended, be it only by force."""
        if self._process is None:
            return 0
        try:
            return self._process.wait(END_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def worker(self, premises: Premises, replied: Callable[[Worker], None]) -> Worker:
        """Returns a new worker; it can be sent jobs at once, before it is born.

        Args:
            replied: is told when a reply is there, and when the worker has died.
        """
        ours, theirs = socket.socketpair()
        tickets = os.pipe()
        # Of the pipe itself, so for both processes that read it: neither may wait where the other was first.
        os.set_blocking(tickets[0], False)
        worker = Worker(ours, tickets, self._loop, replied)
        worker.premises = premises
        worker.send(premises)
        self._ask_for(worker, theirs, tickets[0])
        return worker

    def _ask_for(self, worker: Worker, link: socket.socket, tickets: int) -> None:
        """Asks the process for a worker, again later while it is too busy to take that in."""
        if not worker.dead:
            try:
                socket.send_fds(self._control, [b"w"], [link.fileno(), tickets])
            except BlockingIOError:
                self._loop.call_later(_AGAIN_S, self._ask_for, worker, link, tickets)
                return
            except OSError:
                # The process has died; so this worker dies with it, and is asked for again.
                pass
            self._unborn.append(worker)
            self._loop.call_later(BORN_WITHIN_S, self._miss, worker)
        link.close()

    def _miss(self, worker: Worker) -> None:
        """Ends a process that has not made a worker for so long, so that it is dealt with as a dead one."""
        if not self._alive or worker not in self._unborn:
            return
        if self._is_ready:
            assert self._process is not None
            self._process.kill()
        else:
            self._loop.call_later(BORN_WITHIN_S, self._miss, worker)

    def _news(self) -> None:
        """Takes in process ids of new workers and exit statuses of old ones."""
        try:
            content = self._control.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            content = b""
        if not content:
            self._gone()
            return
        self._received += content
        while len(self._received) >= STATUS.size:
            pid, status = STATUS.unpack_from(self._received)
            del self._received[: STATUS.size]
            self._take_in(pid, status)

    def _take_in(self, pid: int, status: int) -> None:
        if pid == READY:
            self._is_ready = True
            if self._ready is not None:
                self._ready()
        elif status == -1:
            self._born(pid)
        elif pid in self._living:
            self._living.pop(pid).exit_status = status

    def _let_go(self) -> None:
        if self._alive:
            self._alive = False
            self._loop.remove_reader(self._control.fileno())
            self._control.close()

    def _gone(self) -> None:
        """Deals with the death of the process; workers that it made live on."""
        self._let_go()
        assert self._process is not None
        self._process.wait()
        self._received.clear()
        unborn, self._unborn = [*self._unborn], deque()
        if self._died is None:
            logger.error("the process that forks workers has died; another takes its place")
            self._start()
        else:
            self._died()
        # Their pools ask for others, of the new process.
        for worker in unborn:
            worker.give_up()

    def _born(self, pid: int) -> None:
        worker = self._unborn.popleft()
        worker.pid = pid
        self._living[pid] = worker
        if worker.dead:
            # It was dropped before its number was known.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        elif worker.yielding:
            worker.yield_processor()
