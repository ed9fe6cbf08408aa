"""Keeps, renames, deletes, and waits with uploads at random until it is killed; says what it begins and what is done.

``python writer.py DATA SEED``: lines of JSON on the standard output.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
from pathlib import Path

import numpy as np

from sonifold_app.engine.answers import PreparedSound
from sonifold_app.store.data_folder import DataFolder
from sonifold_app.store.failures import StorageError
from sonifold_app.store.sounds import NewSound, UserSoundStore

MODEL = "m"


def main(data: Path, seed: int) -> None:
    draw = random.Random(seed)
    folder = DataFolder(data)
    kept = UserSoundStore(data / "library", room=folder.room)
    kept.tidy()
    sounds = [one.id for one in kept.all(MODEL)]
    uploads: list[str] = []
    say(event="open", sounds=len(sounds))
    while True:
        kind = draw.choices(["keep", "rename", "delete", "wait", "forget"], [5, 2, 2, 1, 1])[0]
        try:
            if kind == "keep":
                audio = draw.randbytes(draw.randrange(1_000, 60_000))
                digest = hashlib.sha256(audio).hexdigest()
                say(event="begin", kind=kind, digest=digest)
                (sound,) = kept.add(MODEL, "p", [new_sound(audio)])
                sounds.append(sound.id)
                say(event="done", kind=kind, id=sound.id, digest=digest)
            elif kind == "rename" and sounds:
                id, name = draw.choice(sounds), f"n{draw.randrange(10**9)}"
                say(event="begin", kind=kind, id=id, name=name)
                kept.change(MODEL, id, {"name": name})
                say(event="done", kind=kind, id=id, name=name)
            elif kind == "delete" and len(sounds) > 20:
                id = sounds.pop(draw.randrange(len(sounds)))
                say(event="begin", kind=kind, id=id)
                kept.remove(MODEL, id)
                say(event="done", kind=kind, id=id)
            elif kind == "wait":
                uploads.append(kept.uploads.add(MODEL, [("u", draw.randbytes(50_000), 1.0)]).id)
            elif kind == "forget" and uploads:
                kept.uploads.remove(MODEL, uploads.pop())
        except StorageError as error:
            say(event="refused", kind=kind, error=type(error).__name__)


def new_sound(audio: bytes) -> NewSound:
    z = np.zeros(4, np.float32)
    return NewSound("uploaded", "x", PreparedSound("x", 1.0, z, (0, 0), True, (), z, audio, None, {}, ()), {})


def say(**what: object) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
