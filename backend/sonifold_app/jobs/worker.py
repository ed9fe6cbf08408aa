"""The process that does one job: refine a pack on some of the user's sounds, and write the result as a pack of its own.

It goes on from its checkpoint where it was interrupted, and ends at once when the server that started it is gone: the
next server starts it anew.
"""

from __future__ import annotations

import argparse
import io
import logging
import os
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from sonifold import errors
from sonifold_app.jobs.store import Job, JobStore
from sonifold_app.made import KINDS, REFINED
from sonifold_app.store.kept import KeptSounds

if TYPE_CHECKING:
    from sonifold.adapt import AdaptedModel, RefineInfo, Watch
    from sonifold.model import Model
    from sonifold.sound import Sound

NICE = 10  # the page and its morphs go first
LOOK_SECONDS = 0.3  # between looks whether the job was cancelled
PARENT_SECONDS = 0.5  # between looks whether the server is there

log = logging.getLogger(__name__)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the data folder")
    parser.add_argument("job", help="id of the job")
    parser.add_argument("--models", type=Path, help="folder of packs")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    end_with_parent()
    if hasattr(os, "nice"):
        os.nice(NICE)
    store = JobStore(options.data / "library")
    job = store.find(options.job)
    if job is None:
        return 2
    try:
        work(store, job, options.data, options.models, options.threads)
    except errors.Cancelled:
        store.finish(job.id, "cancelled", {})
    except errors.SonifoldError as error:
        store.finish(job.id, "failed", {"message": str(error)}, str(error))
    finally:
        store.close()
    return 0


def work(store: JobStore, job: Job, data: Path, models: Path | None, threads: int) -> None:
    """Write the pack. Raises Cancelled, or any error of the science that no new attempt would mend."""
    folder, made = data / REFINED / job.pack, data / "jobs" / job.id
    if folder.exists():  # written by an attempt that was interrupted before the server knew
        return
    store.tell(job.id, "loading", {})
    import torch

    from sonifold import adapt

    torch.set_num_threads(threads)
    model = base_of(job, data, models)
    sounds = sounds_of(job, data, model)
    made.mkdir(parents=True, exist_ok=True)
    watch = Watching(store, job, made, model)
    config = adapt.RefineConfig(**job.request["config"])
    adapted = adapt.refine(model, sounds, config, made / "checkpoint.safetensors", watch.watch())
    store.tell(job.id, "saving", {})
    folder.parent.mkdir(parents=True, exist_ok=True)
    adapt.save(adapted, folder, job.title)


def base_of(job: Job, data: Path, models: Path | None) -> Model:
    """The pack to start from, shipped or the user's own. Raises PackError."""
    import sonifold

    own = [data / where / job.model for where in KINDS]
    here = next((folder for folder in own if folder.is_dir()), None)
    return sonifold.load(here or sonifold.pack.find(job.model, models))


def sounds_of(job: Job, data: Path, model: Model) -> list[Sound]:
    """The user's sounds to learn from. Raises SoundNotFound."""
    import soundfile
    import torch

    kept = KeptSounds(data / "library")
    found = kept.some(job.request["kept_with"], job.request["sounds"])
    sounds = []
    for id in job.request["sounds"]:
        audio = kept.audio(found[id]) if id in found else None
        if audio is None:
            raise errors.SoundNotFound(
                f"the sound {id} was deleted before the job could learn from it. Start it again without that sound."
            )
        samples, _ = soundfile.read(io.BytesIO(audio), dtype="float32")
        sounds.append(model.recorded(torch.from_numpy(samples), None, found[id].name, found[id].seconds))
    kept.close()
    return sounds


class Watching:
    """Turns what a run tells into events, and what the user says into its end."""

    def __init__(self, store: JobStore, job: Job, folder: Path, model: Model) -> None:
        self._store, self._job, self._folder, self._model = store, job, folder, model
        self._looked, self._cancelled = 0.0, False

    def watch(self) -> Watch:
        from sonifold.adapt import Watch

        return Watch(self.report, self.cancelled, self.preview)

    def report(self, info: RefineInfo) -> None:
        self._store.tell(self._job.id, "progress", asdict(info))

    def cancelled(self) -> bool:
        if not self._cancelled and time.monotonic() - self._looked > LOOK_SECONDS:
            self._cancelled, self._looked = self._store.cancelled(self._job.id), time.monotonic()
        return self._cancelled

    def preview(self, adapted: AdaptedModel, step: int) -> None:
        """The first upload as the base makes it and as the model does by now."""
        z = adapted.adaptation.uploads.z[:1]
        if not (self._folder / "before.wav").exists():
            write(self._folder / "before.wav", self._model.decode(z).to_bytes("wav"))
        write(self._folder / "after.wav", adapted.decode(z).to_bytes("wav"))
        self._store.tell(self._job.id, "preview", {"step": step})


def write(path: Path, data: bytes) -> None:
    """Whole or not at all."""
    scratch = path.with_suffix(".part")
    scratch.write_bytes(data)
    scratch.replace(path)


def end_with_parent() -> None:
    """End this process soon after the one that started it."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_SECONDS)
        os._exit(3)

    threading.Thread(target=watch, name="sonifold-parent", daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
