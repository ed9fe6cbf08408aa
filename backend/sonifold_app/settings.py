"""Settings for operators, read once from ``SONIFOLD_*`` variables, then passed on."""

from __future__ import annotations

import ipaddress
import os
import sys
from pathlib import Path
from typing import Literal

import platformdirs
from limits import RateLimitItem, parse_many
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

MEBIBYTE = 1024 * 1024
SHORTEST_TOKEN = 16
#: Where more than this machine can reach the server; a page that is played with fast sends a tenth of it.
DEFAULT_RATES = "3000/minute"


def user_data_folder() -> Path:
    """The folder of a user's application data on this system."""
    return Path(platformdirs.user_data_dir("sonifold", appauthor=False))


def usable_cores() -> int:
    """Those that this process may use: a container, or `taskset`, may leave it fewer than the machine has."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Settings(BaseSettings):
    """Settings for operators. Environment variables have the prefix ``SONIFOLD_``."""

    model_config = SettingsConfigDict(env_prefix="SONIFOLD_", frozen=True, extra="ignore")

    host: str = Field("127.0.0.1", description="Address to listen on; any but loopback needs a token.")
    port: int = Field(8750, ge=0, le=65535, description="Port to listen on; 0 takes any free one.")
    data: Path = Field(
        default_factory=user_data_folder,
        description="Folder for what the service keeps: sounds and models of users, jobs, rendered audio.",
    )
    models: Path | None = Field(
        None, description="Folder of packs to serve; by default the packs that come with Sonifold."
    )
    token: SecretStr | None = Field(
        None,
        description="Secret of at least 16 characters that every request must bring: in an `Authorization: Bearer` "
        "header, or once as `?token=` in the address of the page.",
    )
    database: SecretStr | None = Field(
        None,
        description="Database for what users keep, as `postgresql://user:password@host/name`; by default a file in the "
        "data folder, which holds the recordings in either case. Needs the extra `postgres`.",
    )
    blobs: str | None = Field(
        None,
        description="Object store for recordings, as a URL of fsspec such as `s3://bucket/prefix`; by default they are "
        "in the data folder. S3 needs the extra `s3`; its keys are those of every S3 client, `AWS_ACCESS_KEY_ID` and "
        "others.",
    )
    engine: Literal["local", "ray"] = Field(
        "local",
        description="Who computes: `local` is this process, `ray` are processes of a Ray cluster. Needs the extra "
        "`cluster`.",
    )
    ray_address: str | None = Field(
        None,
        description="Address of the Ray cluster, as `host:6379`; by default one is started on this machine, and ends "
        "with the server.",
    )
    replicas_least: int = Field(
        1, ge=1, le=1000, description="With `ray`: processes that hold the models, at least."
    )
    replicas_most: int | None = Field(
        None,
        ge=1,
        le=1000,
        description="With `ray`: processes that hold the models, at most; they become more while requests wait. By "
        "default as many as `SONIFOLD_THREADS`.",
    )
    replica_cpus: float = Field(
        1.0, ge=0.0, le=256.0, description="With `ray`: cores that such a process takes of its machine."
    )
    replica_gpus: float = Field(
        0.0,
        ge=0.0,
        le=16.0,
        description="With `ray`: GPUs that such a process takes of its machine; 0.25 has four share one.",
    )
    threads: int = Field(
        default_factory=usable_cores,
        ge=1,
        le=256,
        description="Computations at the same time, one core each; by default as many as it may use.",
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = Field(
        "cpu",
        description="Where models compute, render and adapt: `cpu`, `cuda`, `mps`, or `auto`, which takes a GPU where "
        "there is one. Reading files, listening for pitch and loudness, and the map stay on the CPU.",
    )
    finetune_nice: int = Field(
        10,
        ge=0,
        le=19,
        description="How far fine-tuning gives way to everything else, as in `nice`: 0 not at all, 19 the furthest.",
    )
    retry_seconds: float = Field(
        60.0,
        ge=0.1,
        le=3600.0,
        description="How often at least to try again a fine-tuning that waits for room on the disk, or for another "
        "failure to pass; the first time after 1 second.",
    )
    keep_bytes: int = Field(
        1024 * MEBIBYTE,
        ge=64 * MEBIBYTE,
        description="How much rendered audio to keep on disk; beyond it the longest unused goes first.",
    )
    upload_bytes: int = Field(
        64 * MEBIBYTE, ge=64 * 1024, description="Largest upload, all its files together."
    )
    metrics: bool = Field(
        False, description="Answer `GET /metrics` with figures for Prometheus, for whoever brings the token."
    )
    log: Literal["text", "json"] = Field(
        "text",
        description="How the log is written: `json` has a line of JSON for each message of the log and each request, "
        "with its id.",
    )
    exports: Path | None = Field(
        None,
        description="Folder that exports are put into where a request or the page says so; have a DAW show it in its "
        "browser.",
    )
    collection_folders: str | None = Field(
        None,
        description="Folders on the server's machine that requests may take into the collection, with all below them, "
        "with a `:` between them (`;` on Windows). By default any, where only this machine can reach the server, and "
        "none otherwise.",
    )
    decoding_processes: int | None = Field(
        None,
        ge=0,
        le=64,
        description="Processes that decode uploads before the server does, with limits of time and memory, so that a "
        "file which ends a decoder ends one of them. By default 2, and none where only this machine can reach the "
        "server.",
    )
    user_bytes: int = Field(
        0,
        ge=0,
        description="Bytes that each user (`sonifold user add`) may keep: recordings, uploads that wait, models, "
        "listening tests. 0: no limit. The holder of the server's own token has none.",
    )
    user_sounds: int = Field(0, ge=0, description="Sounds that each user may keep; 0: no limit.")
    user_jobs: int = Field(0, ge=0, description="Jobs of each user that may wait or run; 0: no limit.")
    user_renders: int = Field(
        0, ge=0, description="Requests of each user that may be computed at the same time; 0: no limit."
    )
    rates: str | None = Field(
        None,
        description="Requests to the API that each user, or each address with the server's own token, may send, such "
        "as `20/second;600/minute`; `off`: any number. By default any number on loopback, 3000 a minute elsewhere.",
    )
    browser: bool = Field(True, description="Open the page in a browser at the start, where there is one.")

    @field_validator("token")
    @classmethod
    def token_of_letters(cls, token: SecretStr | None) -> SecretStr | None:
        """Raises ValueError for what cannot be brought in a header, or could be found by trying."""
        if token is None:
            return None
        text = token.get_secret_value()
        if not (text.isascii() and text.isprintable() and text == text.strip()):
            raise ValueError(
                "it holds characters that no header can carry. Use letters, digits and signs of ASCII, as "
                "`openssl rand -hex 16` prints them."
            )
        if len(text) < SHORTEST_TOKEN:
            raise ValueError(
                f"it has {len(text)} characters and needs {SHORTEST_TOKEN}, or it could be found by "
                "trying. `openssl rand -hex 16` prints a good one."
            )
        return token

    @field_validator("database")
    @classmethod
    def database_of_postgresql(cls, database: SecretStr | None) -> SecretStr | None:
        """Raises ValueError for any other kind."""
        if database is None or database.get_secret_value().startswith(("postgresql://", "postgres://")):
            return database
        raise ValueError(
            "it is not the URL of a PostgreSQL database. Write postgresql://user:password@host:port/name, or unset it "
            "for the embedded database."
        )

    @field_validator("rates")
    @classmethod
    def rates_that_can_be_read(cls, rates: str | None) -> str | None:
        """Raises ValueError for what is no rate."""
        if rates not in (None, "off"):
            try:
                parse_many(rates)
            except ValueError as error:
                raise ValueError(
                    "it is no rate. Write 600/minute, or several with a ; between, or off."
                ) from error
        return rates

    @property
    def decoders(self) -> int:
        """How many processes decode what is sent before the server does."""
        if self.decoding_processes is not None:
            return self.decoding_processes
        return 0 if self.loopback else 2

    @property
    def rate_limits(self) -> list[RateLimitItem]:
        """What each user or address may send."""
        rates = self.rates or ("off" if self.loopback else DEFAULT_RATES)
        return [] if rates == "off" else parse_many(rates)

    @property
    def replicas(self) -> tuple[int, int]:
        """Processes that hold the models, at least and at most."""
        return self.replicas_least, max(self.replicas_least, self.replicas_most or self.threads)

    @property
    def database_url(self) -> str | None:
        """With its password."""
        return None if self.database is None else self.database.get_secret_value()

    @property
    def allowed_folders(self) -> tuple[Path, ...] | None:
        """Folders that requests may take into the collection; None: any."""
        if self.collection_folders is None:
            return None if self.loopback else ()
        return tuple(Path(path).expanduser() for path in self.collection_folders.split(os.pathsep) if path)

    @property
    def loopback(self) -> bool:
        """True if only this machine can reach the server."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """True if a host name or address means this machine and no other."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
