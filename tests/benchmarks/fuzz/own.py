"""Questions that are understood: points of the right length, sounds that exist, numbers of every size."""

from __future__ import annotations

import io
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2 as httpx
import numpy as np
import soundfile

from sonifold.choices import InstrumentName, Layout, SamplerName

API = "api/v1"
MODEL = f"{API}/models/oneshots"
AT_ONCE = 4
EXTREMES = (0.0, 1e-30, 1e-6, 1.0, 3.0, 10.0, 100.0, 1e6, 1e30, -1.0, -100.0, -1e30)
DESCRIPTORS = ("brightness", "attack", "noisiness", "no such word")
SAMPLERS = tuple(map(str, SamplerName))
INSTRUMENTS = tuple(map(str, InstrumentName))
LAYOUTS = (None, "no such layout", *map(str, Layout))
NAMES = ("Kick", "../../up", "CON", "\u202ekick", "a/b\\c:d", " ", "k" * 100, "{number}")


class Fuzzer:
    """Builds questions by chance, the same ones for the same seed."""

    def __init__(self, client: httpx.Client, seed: int) -> None:
        self._client, self._chance = client, random.Random(seed)
        columns = client.get(f"{MODEL}/sounds").json()
        self._library: list[str] = columns["id"]
        self._dimension: int = client.get(MODEL).json()["latent_dim"]
        self._own = self._upload(6)
        self._models = ["oneshots", self._adapted()]

    def question(self) -> tuple[str, str, Any]:
        """Method, address and body."""
        kind = self._chance.choice(self._kinds())
        model = self._chance.choice(self._models)
        method, path, body = kind()
        return method, f"{API}/models/{model}/{path}", body

    def _kinds(self) -> list[Callable[[], tuple[str, str, Any]]]:
        return [
            self._path, self._path, self._morph, self._mean, self._analogy, self._beyond, self._beyond, self._sample,
            self._travel, self._describe, self._decode, self._place, self._lift, self._neighbours, self._ellipses,
            self._keep, self._check, self._export,
        ]  # fmt: skip

    # -- parts ---------------------------------------------------------------------------------------

    def _number(self) -> float:
        return self._chance.choice(EXTREMES) if self._chance.random() < 0.3 else self._chance.gauss(0, 2)

    def _point(self) -> list[float]:
        size = self._chance.choice(EXTREMES) if self._chance.random() < 0.5 else 1.0
        return [size * self._chance.gauss(0, 1) for _ in range(self._dimension)]

    def _anchor(self) -> dict[str, Any]:
        match self._chance.randrange(4):
            case 0:
                return {"point": self._point()}
            case 1:
                return {"position": [self._number(), self._number()]}
            case 2:
                return {"sound": self._chance.choice(self._own)}
        return {"sound": self._chance.choice(self._library)}

    def _anchors(self, least: int, most: int) -> list[dict[str, Any]]:
        anchors = [self._anchor() for _ in range(self._chance.randint(least, most))]
        if self._chance.random() < 0.2:
            anchors[-1] = anchors[0]
        return anchors

    def _measure(self) -> dict[str, Any]:
        metric = self._chance.choice(("blend", "pullback", "kernel", "flat"))
        weight = {"weight": self._chance.choice((0.0, 1e-9, 0.5, 10.0))} if metric == "blend" else {}
        return {"metric": metric, **(weight if self._chance.random() < 0.5 else {})}

    # -- questions -----------------------------------------------------------------------------------

    def _path(self) -> tuple[str, str, Any]:
        kind = self._chance.choice(("geodesic", "linear", "retimed", "graph"))
        steps = self._chance.choice((2, 3, 17, 33))
        return (
            "POST",
            "paths",
            {"anchors": self._anchors(2, 4), "kind": kind, "steps": steps, **self._measure()},
        )

    def _morph(self) -> tuple[str, str, Any]:
        way = {"kinds": ["linear"], "steps": self._chance.choice((2, 5)), **self._measure()}
        if self._chance.random() < 0.3:
            way |= {"mode": "glide", "seconds": self._chance.choice((0.5, 2.0, 20.0))}
        return "POST", "morphs", {"anchors": self._anchors(2, 2), **way}

    def _mean(self) -> tuple[str, str, Any]:
        anchors = self._anchors(2, 5)
        weights = {"weights": [abs(self._number()) for _ in anchors]} if self._chance.random() < 0.5 else {}
        return "POST", "means", {"anchors": anchors, **weights, **self._measure()}

    def _analogy(self) -> tuple[str, str, Any]:
        return "POST", "analogies", {**{end: self._anchor() for end in "abc"}, **self._measure()}

    def _beyond(self) -> tuple[str, str, Any]:
        to = self._chance.choice((1.01, 1.5, 2.0, 3.0, 4.0))
        return "POST", "extrapolations", {"anchors": self._anchors(2, 2), "to": to, **self._measure()}

    def _sample(self) -> tuple[str, str, Any]:
        sampler = self._chance.choice(SAMPLERS)
        start = {"start": self._anchor()} if sampler == "walk" else {}
        body = {
            "sampler": sampler,
            "count": self._chance.choice((1, 2, 8)),
            "seed": self._chance.randrange(100),
        }
        return "POST", "samples", body | start

    def _travel(self) -> tuple[str, str, Any]:
        word = self._chance.choice(DESCRIPTORS)
        return (
            "POST",
            "traversals",
            {"start": self._anchor(), "descriptor": word, "steps": self._chance.choice((3, 5, 9))},
        )

    def _describe(self) -> tuple[str, str, Any]:
        return "POST", "descriptions", {"anchors": self._anchors(1, 4)}

    def _decode(self) -> tuple[str, str, Any]:
        return "POST", "decodings", {"points": [self._point() for _ in range(self._chance.randint(1, 3))]}

    def _place(self) -> tuple[str, str, Any]:
        return (
            "POST",
            "atlas/positions",
            {"points": [self._point() for _ in range(self._chance.choice((1, 50)))]},
        )

    def _lift(self) -> tuple[str, str, Any]:
        return "POST", "atlas/points", {"positions": [[self._number(), self._number()] for _ in range(20)]}

    def _neighbours(self) -> tuple[str, str, Any]:
        sound = self._chance.choice(self._own + self._library[:50])
        distance = self._chance.choice(("perceptual", "euclidean", "geodesic"))
        return (
            "GET",
            f"sounds/{sound}/neighbours?distance={distance}&count={self._chance.choice((1, 4, 64))}",
            None,
        )

    def _ellipses(self) -> tuple[str, str, Any]:
        return "GET", f"indicatrices?count={self._chance.choice((1, 10, 60))}", None

    def _keep(self) -> tuple[str, str, Any]:
        return "POST", "sounds", {"point": self._point(), "name": "found by chance"}

    def _check(self) -> tuple[str, str, Any]:
        return "POST", "checks", {"sounds": self._own}

    def _export(self) -> tuple[str, str, Any]:
        draw = self._chance.choice
        instrument = {
            "kind": draw(INSTRUMENTS), "layout": draw(LAYOUTS), "title": draw(NAMES),
            "pattern": draw(("{name}", "{number}-{key}", "{family", "{no}", "../{name}")),
        }  # fmt: skip
        content = (
            {"morph": {"anchors": self._anchors(2, 2), "kind": "linear", "steps": draw((2, 3, 5))}}
            if self._chance.random() < 0.4
            else {"sounds": self._anchors(1, 4)}
        )
        options = {
            "destination": draw(("reply", "folder")),
            "format": draw((None, "wav", "flac", "aiff", "ogg")),
        }
        return (
            "POST",
            "exports",
            content | options | ({"instrument": instrument} if draw((True, False)) else {}),
        )

    # -- what there is to ask about ------------------------------------------------------------------

    def _upload(self, count: int) -> list[str]:
        t = np.arange(20_000) / 44_100
        files = []
        for n in range(count):
            buffer = io.BytesIO()
            wave = np.sin(2 * np.pi * 110 * (n + 1) * t) * np.exp(-6 * t)
            soundfile.write(buffer, 0.5 * wave, 44_100, format="WAV")
            files.append(("files", (f"{n}.wav", buffer.getvalue())))
        return [one["id"] for one in self._client.post(f"{MODEL}/sounds", files=files).json()["sounds"]]

    def _adapted(self) -> str:
        return self._client.post(f"{MODEL}/adaptations", json={"sounds": self._own}).json()["result"]


def fuzz(url: str, count: int, seed: int, until: float) -> None:
    """Send so many questions, some at a time, until each has an answer, or until a time of the monotonic clock; what
    comes of them is counted elsewhere.
    """
    with httpx.Client(base_url=url, timeout=300) as client, ThreadPoolExecutor(AT_ONCE) as pool:
        fuzzer = Fuzzer(client, seed)
        questions = [fuzzer.question() for _ in range(count)]
        for _ in pool.map(lambda question: ask(client, *question, until), questions):
            pass


def ask(client: httpx.Client, method: str, path: str, body: Any, until: float) -> None:
    """Who is told to come later comes later; who gets no answer goes on to the next question."""
    while time.monotonic() < until:
        try:
            reply = client.request(method, path, json=body)
        except httpx.TransportError:
            return
        if reply.status_code != 503 or "retry-after" not in reply.headers:
            return
        time.sleep(float(reply.headers["retry-after"]))
