"""The user's collection: folders that were taken in, how that goes, the sounds in them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from sonifold_app import urls
from sonifold_app.collection.runs import Run
from sonifold_app.collection.search import Match, Page
from sonifold_app.collection.service import FolderFacts
from sonifold_app.engine.examples import example
from sonifold_app.schemas.common import Reply, Request

MAX_FOLDERS = 64
MAX_PAGE = 200
MAX_OFFSET = 1_000_000
MAX_QUERY = 500
MAX_ID = 2**53

PROGRESS: dict[str, Any] = {
    "phase": "sounds",
    "listed": 1200,
    "missing": 0,
    "analysed": 480,
    "unreadable": 1,
    "remaining": 720,
    "seconds_left": 14.5,
}
INGEST: dict[str, Any] = {
    "id": 1,
    "folders": ["/samples"],
    "model": "oneshots",
    "state": "running",
    "progress": PROGRESS,
    "wish": None,
    "error": None,
    "created": "2026-01-01T12:00:00.000+00:00",
    "changed": "2026-01-01T12:00:10.000+00:00",
}
FOLDER: dict[str, Any] = {
    "id": 1,
    "path": "/samples",
    "followed": False,
    "sounds": 1200,
    "analysed": 480,
    "unreadable": 1,
    "missing": 0,
}
SOUND: dict[str, Any] = {
    "id": 17,
    "name": "BD01.wav",
    "folder": "/samples/Kits/TR808",
    "path": "/samples/Kits/TR808/BD01.wav",
    "tags": ["kick"],
    "state": "analysed",
    "reason": None,
    "missing": False,
    "duplicates": None,
    "near_duplicates": None,
    "seconds": 0.41,
    "channels": 2,
    "sample_rate": 44100,
    "family": "kick",
    "confidence": 0.93,
    "pitch": 51.9,
    "tempo": None,
    "key": None,
    "loudness": -14.2,
    "brightness": 0.21,
    "favourite": True,
    "rating": 4,
    "note": "for the bridge",
    "distance": None,
    "audio_url": urls.collection_sound(17) + "/audio",
}


class IngestRequest(Request):
    """Folders on the server's machine."""

    model_config = example(folders=["/samples"], phase="names")

    folders: list[str] = Field(
        default_factory=list,
        max_length=MAX_FOLDERS,
        description="Whole paths; `~` is the home of whoever runs the server. None: all that were taken in before.",
    )
    phase: Literal["names", "all"] = Field(
        "all", description="`names`: only list them. `all`: then analyse how they sound, too."
    )
    model: str = Field("oneshots", max_length=64, description="The model to analyse by.")


class IngestProgress(Reply):
    """How far an ingest is."""

    model_config = example(**PROGRESS)

    phase: Literal["names", "sounds"]
    listed: int = Field(description="Files in the folders.")
    missing: int = Field(description="Files that were there before and are not.")
    analysed: int = Field(description="By this run.")
    unreadable: int = Field(description="Of those; the search `is:unreadable` has them with their reasons.")
    remaining: int
    seconds_left: float | None = Field(description="Until the end, as it has gone so far.")


class Ingest(Reply):
    """Taking folders in: under way, or over."""

    model_config = example(**INGEST)

    id: int
    folders: list[str]
    model: str | None = Field(description="The model to analyse by; null where only names are listed.")
    state: Literal["running", "paused", "done", "cancelled", "failed", "interrupted"] = Field(
        description="`interrupted`: its process was ended; another ingest goes on where it was."
    )
    progress: IngestProgress
    wish: Literal["pause", "resume", "cancel"] | None = Field(
        description="What was last wanted of it; it follows at its next report, within seconds."
    )
    error: str | None
    created: str
    changed: str

    @classmethod
    def of(cls, run: Run) -> Ingest:
        return cls(
            id=run.id,
            folders=list(run.folders),
            model=run.model,
            state=run.state.value,
            progress=IngestProgress.model_validate(run.progress, from_attributes=True),
            wish=None if run.wish is None else run.wish.value,
            error=run.error,
            created=run.created,
            changed=run.changed,
        )


class Ingests(Reply):
    """Ingests, latest first."""

    model_config = example(ingests=[INGEST])

    ingests: list[Ingest]


class CollectionFolder(Reply):
    """A folder that was taken in, and how many sounds are in it."""

    model_config = example(**FOLDER)

    id: int
    path: str
    followed: bool = Field(description="Whether what changes in it is taken in, while a server runs.")
    sounds: int
    analysed: int
    unreadable: int
    missing: int

    @classmethod
    def of(cls, facts: FolderFacts) -> CollectionFolder:
        return cls.model_validate(facts, from_attributes=True)


class FolderChange(Request):
    """What to change about a folder."""

    model_config = example(followed=True)

    followed: bool = Field(description="Take in what changes in it, also after a restart.")


class CollectionReply(Reply):
    """What the collection is made of, and what can be taken in."""

    model_config = example(
        folders=[FOLDER],
        within=None,
        ingest=INGEST,
    )

    folders: list[CollectionFolder]
    within: list[str] | None = Field(
        description="Folders that may be taken in, with all below them; null: any. None in it: nothing can be, see "
        "`SONIFOLD_COLLECTION_FOLDERS`."
    )
    ingest: Ingest | None = Field(description="The latest.")


class CollectionSound(Reply):
    """A sound file where it lies, and what is known of it."""

    model_config = example(**SOUND)

    id: int
    name: str
    folder: str
    path: str
    tags: list[str]
    state: Literal["listed", "analysed", "unreadable"] = Field(
        description="`listed`: known by name; the facts below come later."
    )
    reason: str | None = Field(description="Why it is unreadable.")
    missing: bool = Field(description="Its file is gone, for now or for good.")
    duplicates: int | None = Field(
        description="The same in all files with the same bytes, where there are several."
    )
    near_duplicates: int | None = Field(
        description="The same in all sounds that are nearly the same, to the ear, where there are several."
    )
    seconds: float | None
    channels: int | None
    sample_rate: int | None
    family: str | None = Field(description="By the nearest labelled sounds of the model's library.")
    confidence: float | None = Field(description="The family's share of their votes, 0 to 1.")
    pitch: float | None = Field(description="In Hz, where the sound has one.")
    tempo: float | None = Field(description="Beats a minute, by the name.")
    key: str | None = Field(description="By the name.")
    loudness: float | None = Field(description="LUFS, of the loudest moment.")
    brightness: float | None
    favourite: bool
    rating: int | None = Field(description="1 to 5.")
    note: str
    distance: float | None = Field(description="To the sound that was asked about.")
    audio_url: str

    @classmethod
    def of(cls, match: Match) -> CollectionSound:
        sound = match.sound
        same = ("id", "name", "folder", "path", "state", "reason", "missing", "duplicates",
                "near_duplicates", "seconds", "channels", "sample_rate", "family", "tempo", "key")  # fmt: skip
        return cls(
            **{name: sound[name] for name in same},
            tags=sound["tags"].split(),
            confidence=rounded(sound["confidence"]),
            pitch=rounded(sound["pitch_hz"]),
            loudness=rounded(sound["loudness"]),
            brightness=rounded(sound["brightness"], 3),
            favourite=sound["mark"].favourite,
            rating=sound["mark"].rating,
            note=sound["mark"].note,
            distance=rounded(match.distance),
            audio_url=f"{urls.collection_sound(sound['id'])}/audio",
        )


class CollectionSounds(Reply):
    """Some of the sounds that fit a search."""

    model_config = example(sounds=[SOUND], count=1, offset=0, more=False)

    sounds: list[CollectionSound]
    count: int | None = Field(description="How many fit; null of neighbours.")
    offset: int
    more: bool = Field(description="Whether others follow.")

    @classmethod
    def of(cls, page: Page, offset: int, count: int | None = None) -> CollectionSounds:
        sounds = [CollectionSound.of(match) for match in page.matches]
        return cls(sounds=sounds, count=count, offset=offset, more=page.more)


def rounded(number: float | None, digits: int = 2) -> float | None:
    """A number for a reply."""
    return None if number is None else round(number, digits)
