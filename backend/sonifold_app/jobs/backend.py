"""What the service needs of whoever does long jobs. ``local`` does them in processes of this machine."""

from __future__ import annotations

from typing import Protocol

from sonifold_app.jobs.feed import EventFeed
from sonifold_app.store.jobs import Job, JobStore


class JobBackend(Protocol):
    """Takes jobs out of the store, one after another, and writes their events into it."""

    @property
    def store(self) -> JobStore:
        """The jobs and their events."""

    @property
    def feed(self) -> EventFeed:
        """The events of jobs as they come, for all who watch."""

    @property
    def trouble(self) -> str | None:
        """Why jobs wait at the moment, for something other than their turn; None where none does."""

    def start(self) -> None:
        """Begin; on the event loop."""

    async def close(self) -> None:
        """Stop; a job under way goes on at the next start."""

    def prepare(self, model: str) -> None:
        """Get ready to fine-tune this model, which somebody may soon ask for."""

    def wake(self) -> None:
        """There is a new job, or one was cancelled."""

    async def discard(self, job: Job) -> None:
        """Forget a job that is over, with its log and its previews. The model it made stays."""
