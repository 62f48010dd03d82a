"""What the server writes in one turn of its loop goes out in one piece."""

from __future__ import annotations

import asyncio

from kg.web.connections import GatheringTransport


class Recorded(asyncio.Transport):
    """A transport that keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[bytes] = []
        self.closed = False

    def write(self, content: bytes | bytearray | memoryview) -> None:
        self.pieces.append(bytes(content))

    def get_write_buffer_size(self) -> int:
        return 100

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


def pieces_of(*turns: list[bytes], close: bool = False) -> list[bytes]:
    async def written() -> list[bytes]:
        below = Recorded()
        transport = GatheringTransport(below, asyncio.get_running_loop())
        for turn in turns:
            for part in turn:
                transport.write(part)
            if not close:
                await asyncio.sleep(0)
        if close:
            transport.close()
        return below.pieces

    return asyncio.run(written())


def test_head_and_body_go_out_together_and_a_later_piece_by_itself() -> None:
    assert pieces_of([b"head", b"body"], [b"more"]) == [b"headbody", b"more"]


def test_what_is_written_before_the_end_goes_out_before_it() -> None:
    assert pieces_of([b"head", b"body"], close=True) == [b"headbody"]


def test_what_waits_counts_as_not_yet_sent() -> None:
    async def size() -> int:
        transport = GatheringTransport(Recorded(), asyncio.get_running_loop())
        transport.write(b"12345")
        return transport.get_write_buffer_size()

    assert asyncio.run(size()) == 105
