"""Those who ask: a crowd that morphs, and senders of hostile bodies."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import statistics
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx2 as httpx
from server import Server

API = "api/v1/models/oneshots"


@dataclass
class Crowd:
    """What came of a crowd's morphs."""

    seconds: float
    answered: list[float] = field(default_factory=list)  # seconds that each answer took
    refused: list[float] = field(default_factory=list)
    memory: tuple[float, float] = (0.0, 0.0)  # MB at half time and at the end
    alive: float = 0.0  # the longest look whether the server lives
    missed: list[str] = field(default_factory=list)

    @property
    def worst(self) -> float:
        return max([*self.answered, *self.refused])

    @property
    def pace(self) -> float:
        """Morphs in a second."""
        return len(self.answered) / self.seconds

    def __str__(self) -> str:
        p95 = statistics.quantiles([*self.answered, *self.refused], n=20)[-1]
        memory = f"{self.memory[0]:.0f} -> {self.memory[1]:.0f}"
        return (
            f"{len(self.answered):8} {len(self.refused):8} {self.worst:8.1f} {p95:7.1f} {self.pace:9.2f} "
            f"{memory:>13} {self.alive:8.3f}"
        )


async def crowd(server: Server, clients: int, seconds: float) -> Crowd:
    """So many ask for a morph of two sounds and both ways' sound, again and again; who is refused comes back when told.

    Nobody is cut off: what was asked within the time is waited for, and counts.
    """
    found = Crowd(seconds)
    async with client_of(server) as client, watched(client) as alive:
        ids = (await client.get(f"{API}/sounds")).json()["id"]
        chance, began = random.Random(0), time.perf_counter()
        half = asyncio.create_task(memory_at(server, began + seconds / 2))
        await asyncio.gather(*(one_of(client, chance, ids, began + seconds, found) for _ in range(clients)))
        found.seconds = time.perf_counter() - began
        found.memory = (await half, server.memory)
        found.alive = max(alive)
    return found


async def one_of(
    client: httpx.AsyncClient, chance: random.Random, ids: list[str], until: float, found: Crowd
) -> None:
    while (left := until - time.perf_counter()) > 0:
        first, second = chance.sample(ids, 2)
        body = {
            "anchors": [{"sound": first}, {"sound": second}],
            "kinds": ["geodesic", "linear"],
            "steps": 17,
        }
        began = time.perf_counter()
        answer = await client.post(f"{API}/morphs", json=body)
        if answer.status_code == 503:
            found.refused.append(time.perf_counter() - began)
            await asyncio.sleep(min(float(answer.headers["retry-after"]), left))
            continue
        answer.raise_for_status()
        for morph in answer.json()["morphs"]:
            (await client.get(morph["audio"]["url"])).raise_for_status()
        found.answered.append(time.perf_counter() - began)


async def hostile(server: Server) -> list[tuple[str, float, int]]:
    """For each kind of body: what it is, the longest look whether the server lives meanwhile, and the last status."""
    bodies = {
        "170,000 unknown members": ("paths", json.dumps({f"k{i}": 1 for i in range(170_000)})),
        "400,000 wrong numbers": ("atlas/positions", json.dumps({"points": [["x"] * 400] * 1000})),
        "100,000 brackets": ("morphs", "[" * 100_000),
        "20,000 anchors": ("paths", json.dumps({"anchors": [{"sound": "x", "no": 1}] * 20_000})),
        "1,024 points, all well": ("atlas/positions", json.dumps({"points": [[0.123456789] * 32] * 1024})),
    }
    found = []
    async with client_of(server) as client:
        for what, (resource, body) in bodies.items():
            async with watched(client) as alive:
                asked = [
                    client.post(
                        f"{API}/{resource}", content=body, headers={"Content-Type": "application/json"}
                    )
                    for _ in range(8)
                ]
                answers = await asyncio.gather(*asked)
            found.append((what, max(alive), answers[-1].status_code))
    return found


def client_of(server: Server) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    return httpx.AsyncClient(base_url=server.url, timeout=600, limits=limits)


@contextlib.asynccontextmanager
async def watched(client: httpx.AsyncClient) -> AsyncIterator[list[float]]:
    """Looks whether the server lives, ten times a second; the seconds that each look took."""
    looks = [0.0]

    async def look() -> None:
        while True:
            began = time.perf_counter()
            await client.get("livez")
            looks.append(time.perf_counter() - began)
            await asyncio.sleep(0.1)

    looking = asyncio.create_task(look())
    try:
        await asyncio.sleep(0.3)
        yield looks
        await asyncio.sleep(0.3)
    finally:
        looking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await looking


async def memory_at(server: Server, when: float) -> float:
    await asyncio.sleep(max(0.0, when - time.perf_counter()))
    return server.memory
