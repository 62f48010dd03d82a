"""The workers of a release get its default graph in memory as soon as it is there; until then they ask the disk."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from kg.engines.nursery import Nursery
from kg.engines.pool import Pool
from kg.engines.worker import Premises

logger = logging.getLogger(__name__)


class Memory:
    """Moves pools to workers that find the store in memory, and back when what holds it dies.

    Args:
        store: its default graph is held.
        premises: what the workers of the pools open, which is that store.
        nursery: makes those that ask the disk.
    """

    def __init__(self, store: Path, premises: Premises, pools: Sequence[Pool], nursery: Nursery) -> None:
        self._store = store
        self._premises = premises
        self._pools = pools
        self._nursery = nursery
        self._holding = self._new()
        self._generation = 0
        self._opening: asyncio.Task[None] | None = None
        self.loading = False
        self.holds = False

    async def open(self) -> None:
        """Begins to read the store into memory."""
        self._generation += 1
        self.loading = True
        await self._holding.open()

    def close(self) -> asyncio.Future[int]:
        """Ends what holds the store; what is returned is done when it is gone."""
        if self._opening is not None:
            self._opening.cancel()
        return self._holding.close()

    def _new(self) -> Nursery:
        return Nursery(self._store, ready=self._ready, died=self._died)

    def _ready(self) -> None:
        self.loading, self.holds = False, True
        for pool in self._pools:
            pool.reopen(replace(self._premises, generation=self._generation), self._holding)

    def _died(self) -> None:
        """Lets the disk be asked again; what died in its work is made anew, what never got there is not."""
        self.loading = False
        if not self.holds:
            logger.error("the release cannot be held in memory; it is asked on disk")
            return
        logger.error("the process that held the release in memory has died; it is asked on disk until another holds it")
        self.holds = False
        for pool in self._pools:
            pool.reopen(self._premises, self._nursery)
        self._holding = self._new()
        self._opening = asyncio.ensure_future(self.open())
