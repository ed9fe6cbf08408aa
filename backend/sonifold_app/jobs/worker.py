"""The process that does one job: fine-tune a pack on some of the user's sounds and write the result as a new pack.

Started without a job it loads what one will need, and waits for a job's id on its standard input. It goes on from its
checkpoint where it was interrupted, and ends at once when the server that started it is gone: the next server starts it
anew.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import sonifold
from sonifold import errors
from sonifold.files import write_whole
from sonifold.pack import CONFIG
from sonifold_app.engine.operations.sounds import samples_of
from sonifold_app.processes import end_with_parent
from sonifold_app.store.audio import recording_path
from sonifold_app.store.database import DatabaseUnusableError
from sonifold_app.store.failures import StorageUnavailableError, StoreFullError, failure_of
from sonifold_app.store.jobs import Job, JobStore
from sonifold_app.store.opening import open_database
from sonifold_app.store.sounds import UserSoundStore, missing_recording
from sonifold_app.user.models import FINETUNED, KINDS

if TYPE_CHECKING:
    from sonifold.adapt import AdaptedModel, FinetuneInfo, FinetuneOutcome, Watch
    from sonifold.model import Model
    from sonifold.sound import Sound

#: Of the environment: the URL of the database, unless it is the embedded one.
DATABASE_VARIABLE = "SONIFOLD_DATABASE"
#: The same of the object store that has the recordings.
BLOBS_VARIABLE = "SONIFOLD_BLOBS"
CHECKPOINT = "checkpoint.safetensors"
#: What writing a pack and loading it takes for each sound of its library, as steps of fine-tuning: measured.
SAVING_STEPS = 0.11
LOOK_SECONDS = 0.3  # between looks whether the job was cancelled
#: Exit statuses after an error that passes, of any kind or for want of room on the disk: the job has no part in it and
#: goes on later. EX_TEMPFAIL and EX_CANTCREAT of sysexits.h.
PASSING, NO_ROOM = 75, 73

log = logging.getLogger(__name__)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the data folder")
    parser.add_argument(
        "job", nargs="?", help="id of the job; without one it is read from the standard input"
    )
    parser.add_argument("--warm", help="model to load while there is no job yet")
    parser.add_argument("--models", type=Path, help="folder of packs")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu", help="where to fine-tune: auto, cpu, cuda or mps")
    parser.add_argument("--nice", type=int, default=0, help="how far to give way to other processes, 0 to 19")
    options = parser.parse_args(arguments)
    end_with_parent()
    if hasattr(os, "nice"):
        os.nice(options.nice)
    warm = (
        None if options.warm is None else loaded(options.warm, options.data, options.models, options.device)
    )
    id = options.job or sys.stdin.readline().strip()
    if not id:
        return 0
    try:
        url = os.environ.get(DATABASE_VARIABLE)
        store = JobStore(open_database(options.data / "library", url, make=False))
    except DatabaseUnusableError:
        log.exception("the database, which the server has open, cannot be opened now")
        return PASSING
    job = store.find(id)
    if job is None:
        return 2
    if options.job is None:
        write_to(options.data / "jobs" / id / "log.txt")
    try:
        work_to_its_end(store, job, options.data, options.models, options.threads, options.device, warm)
    except Exception as error:
        if not passes(error):
            raise
        log.exception("the job waits until this has passed")
        return NO_ROOM if isinstance(failure_of(error, options.data), StoreFullError) else PASSING
    finally:
        store.close()
    (options.data / "jobs" / id / CHECKPOINT).unlink(missing_ok=True)  # the pack is there, or none will be
    return 0


def work_to_its_end(
    store: JobStore,
    job: Job,
    data: Path,
    models: Path | None,
    threads: int,
    device: str,
    warm: Loaded | None,
) -> None:
    """Write the pack, or that the job was cancelled or why it failed. Raises what a new attempt may mend."""
    try:
        work(store, job, data, models, threads, device, warm)
    except errors.Cancelled:
        store.finish(job.id, "cancelled", {})
    except errors.SonifoldError as error:
        store.finish(job.id, "failed", {"message": str(error)}, str(error))


def opened_sounds(data: Path, store: JobStore) -> UserSoundStore:
    """The user's sounds, in the database of the jobs."""
    blobs = os.environ.get(BLOBS_VARIABLE)
    return UserSoundStore(data / "library", make=False, database=store.database, blobs=blobs)


def passes(error: BaseException) -> bool:
    """Whether an error is one that a new attempt may not meet, through no fault of the job."""
    failure = failure_of(error)
    return isinstance(failure, StoreFullError | StorageUnavailableError) and not isinstance(
        error, FileNotFoundError
    )


@dataclass(frozen=True)
class Loaded:
    """A pack in memory, as it was on the disk."""

    folder: Path
    config: bytes
    model: Model


def loaded(name: str, data: Path, models: Path | None, device: str) -> Loaded | None:
    """A pack, with all that fine-tuning it will need of the libraries."""
    from sonifold import adapt

    assert adapt.finetune is not None
    with contextlib.suppress(errors.SonifoldError, OSError):  # the job will say what is wrong
        folder = folder_of(name, data, models)
        return Loaded(folder, (folder / CONFIG).read_bytes(), sonifold.load(folder, device=device))
    return None


def write_to(log: Path) -> None:
    """Have what this process prints go to a file."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)


def work(
    store: JobStore,
    job: Job,
    data: Path,
    models: Path | None,
    threads: int,
    device: str = "cpu",
    warm: Loaded | None = None,
) -> None:
    """Write the pack. Raises Cancelled, or any error of the science that no new attempt would mend."""
    folder, scratch = data / FINETUNED / job.pack, data / "jobs" / job.id
    if folder.exists():  # written by an attempt that was interrupted before the server knew
        return
    store.tell(job.id, "loading", {"what": "the model"})
    import torch

    from sonifold import adapt

    torch.set_num_threads(threads)
    model = base_of(job, data, models, device, warm)
    store.tell(job.id, "loading", {"what": "your sounds"})
    sounds = sounds_of(job, opened_sounds(data, store), model)
    scratch.mkdir(parents=True, exist_ok=True)
    watch = ProgressWriter(store, job, scratch, model)
    checkpoint = scratch / CHECKPOINT
    config = adapt.FinetuneConfig(**job.request["config"])
    adapted = adapt.finetune(model, sounds, config, checkpoint, watch.watch(), model.device, keep=True)
    store.tell(job.id, "saving", watch.outcome)
    folder.parent.mkdir(parents=True, exist_ok=True)
    adapt.write(adapted, folder, job.title)


def base_of(job: Job, data: Path, models: Path | None, device: str, warm: Loaded | None) -> Model:
    """The pack to start from, on a device. Raises PackError, DeviceUnavailable."""
    folder = folder_of(job.model, data, models)
    if warm is not None and warm.folder == folder and (folder / CONFIG).read_bytes() == warm.config:
        return warm.model
    return sonifold.load(folder, device=device)


def folder_of(model: str, data: Path, models: Path | None) -> Path:
    """Where a pack lies, shipped or the user's own. Raises PackNotFound, in words for whoever asked for the job."""
    folders = [data / subfolder / model for subfolder in KINDS]
    user_folder = next((folder for folder in folders if folder.is_dir()), None)
    try:
        return user_folder or sonifold.pack.find(model, models)
    except errors.PackNotFound as error:  # its own words name folders of this machine
        raise errors.PackNotFound(
            f"the model {model} was deleted before the job could start from it. Start it again from another model."
        ) from error


def sounds_of(job: Job, store: UserSoundStore, model: Model) -> list[Sound]:
    """The user's sounds to fine-tune on. Raises SoundNotFound."""
    stored = store.some(job.request["kept_with"], job.request["sounds"])
    sounds = []
    for id in job.request["sounds"]:
        if id not in stored:
            raise errors.SoundNotFound(
                f"the sound {id} was deleted before the job could learn from it. Start it again without that sound."
            )
        audio = store.audio(stored[id])
        if audio is None:
            raise errors.SoundNotFound(
                f"{missing_recording(stored[id])} Put {recording_path(stored[id].audio)} back from a copy and "
                "start the job again, or start it without that sound."
            )
        sounds.append(model.recorded(samples_of(audio), None, stored[id].name, stored[id].seconds))
    return sounds


class ProgressWriter:
    """Turns what a run tells into events, and what the user says into its end."""

    def __init__(self, store: JobStore, job: Job, folder: Path, model: Model) -> None:
        self._store, self._job, self._folder, self._model = store, job, folder, model
        self._looked, self._cancelled = 0.0, False
        self._saving_steps = SAVING_STEPS * len(model.library)
        self.outcome: dict[str, Any] = {}

    def watch(self) -> Watch:
        from sonifold.adapt import Watch

        return Watch(self.report, self.cancelled, self.preview, self.finished)

    def report(self, info: FinetuneInfo) -> None:
        """How it goes, and when the model will be there: when it has been fine-tuned and saved."""
        eta = None if info.remaining is None else info.remaining + info.pace * self._saving_steps
        progress = {
            "phase": info.phase,
            "step": info.step,
            "steps": info.steps,
            "percent": info.percent,
            "elapsed": round(info.elapsed, 2),
            "eta": None if eta is None else round(eta, 2),
            "train": info.train,
            "held_out": info.held_out,
            "best_step": info.best,
        }
        self._store.tell(self._job.id, "progress", progress)

    def finished(self, outcome: FinetuneOutcome) -> None:
        self.outcome = {
            "best_step": outcome.best,
            "held_out": outcome.held_out,
            "train": outcome.train,
            "share": outcome.share,
            "reason": outcome.reason,
        }

    def cancelled(self) -> bool:
        if not self._cancelled and time.monotonic() - self._looked > LOOK_SECONDS:
            self._cancelled, self._looked = self._store.cancelled(self._job.id), time.monotonic()
        return self._cancelled

    def preview(self, adapted: AdaptedModel, step: int) -> None:
        """The first upload as the base makes it and as the model does by now."""
        z = adapted.adaptation.uploads.z[:1]
        if not (self._folder / "before.wav").exists():
            write_whole(self._folder / "before.wav", self._model.decode(z).to_bytes("wav"), durable=False)
        write_whole(self._folder / "after.wav", adapted.decode(z).to_bytes("wav"), durable=False)
        self._store.tell(self._job.id, "preview", {"step": step})


def exit_with(status: int) -> NoReturn:
    """End the process with this very status: Python's own end makes it 120 where a full disk does not take the log."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(status)


if __name__ == "__main__":
    exit_with(main())
