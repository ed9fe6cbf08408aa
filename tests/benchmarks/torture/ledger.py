"""What was acknowledged, what was under way, and what of it is not as it was promised."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Kept:
    """A sound that was acknowledged. The name and the digest are None until they are known."""

    digest: str | None
    name: str | None = None
    names_under_way: set[str] = field(default_factory=set)
    deleting: bool = False


class Ledger:
    """Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sounds: dict[str, Kept] = {}
        self._deleted: set[str] = set()
        self._models: set[str] = set()
        self.acknowledged = Counter[str]()
        self.statuses = Counter[str]()
        self.faults = Counter[str]()

    def settled(self) -> list[str]:
        """Sounds that nobody is deleting."""
        with self._lock:
            return [id for id, sound in self._sounds.items() if not sound.deleting]

    def begin(self, kind: str, id: str = "", name: str = "", **_: object) -> None:
        with self._lock:
            sound = self._sounds.get(id)
            if sound is not None and kind == "rename":
                sound.names_under_way.add(name)
            elif sound is not None and kind == "delete":
                sound.deleting = True

    def end(self, kind: str, done: bool, id: str = "", name: str = "", digest: str | None = None) -> None:
        with self._lock:
            if done:
                self.acknowledged[kind] += 1
            if kind == "keep" and done:
                self._sounds[id] = Kept(digest)
            elif kind == "rename" and done and id in self._sounds:
                self._sounds[id].name = name
            elif kind == "delete" and done:
                self._sounds.pop(id, None)
                self._deleted.add(id)
            elif kind == "delete" and id in self._sounds:
                self._sounds[id].deleting = False

    def answered(self, status: int | str) -> None:
        with self._lock:
            self.statuses[str(status)] += 1

    def model(self, name: str) -> None:
        """A model was taken in."""
        with self._lock:
            self._models.add(name)

    def deleting_model(self, name: str) -> None:
        with self._lock:
            self._models.discard(name)

    def models(self) -> set[str]:
        """Those that must be there."""
        with self._lock:
            return set(self._models)

    def compare_models(self, usable: set[str], unusable: set[str]) -> None:
        """Count acknowledged models that are not there, and any that is there in part."""
        self.faults["acknowledged models lost"] += len(self.models() - usable)
        self.faults["models half there"] += len(unusable)

    def compare(self, there: dict[str, tuple[str, str | None]]) -> None:
        """Count what is not as acknowledged; what was under way may have happened or not, and is taken as it is."""
        with self._lock:
            for id, sound in list(self._sounds.items()):
                self._compare(id, sound, there.get(id))
            self.faults["deleted sounds listed again"] += len(self._deleted & there.keys())
            for id, (name, digest) in there.items():
                self.faults["listed without its recording"] += digest is None
                self._sounds.setdefault(id, Kept(digest, name))

    def _compare(self, id: str, sound: Kept, found: tuple[str, str | None] | None) -> None:
        if found is None:
            self.faults["acknowledged sounds lost"] += not sound.deleting
            del self._sounds[id]
            return
        name, digest = found
        self.faults["recordings changed"] += sound.digest not in (None, digest)
        self.faults["acknowledged names lost"] += sound.name is not None and name not in (
            sound.name, *sound.names_under_way
        )  # fmt: skip
        self._sounds[id] = Kept(digest, name)
