"""Options that several commands have, and what becomes of them."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from sonifold.audio.formats import BIT_DEPTHS, FORMATS
from sonifold.choices import Choice

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    from sonifold.audio.clip import Clip

Commands: TypeAlias = "_SubParsersAction[argparse.ArgumentParser]"


def add_choice(command: argparse.ArgumentParser, option: str, choices: type[Choice], note: str = "") -> None:
    words = "; ".join(f"{choice}: {choice.words.sentence}" for choice in choices)
    names = [str(choice) for choice in choices]
    command.add_argument(option, choices=names, default=names[0], help=words + note)


def suffixes() -> str:
    *others, last = (f".{format.suffixes[0]}" for format in FORMATS.values())
    return f"{', '.join(others)} or {last}"


def add_file_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--format", choices=list(FORMATS), default="wav", help="of files in a folder")
    command.add_argument("--depth", type=int, choices=BIT_DEPTHS, help="bits a sample; 32 are floats")
    command.add_argument("--normalise", action="store_true", help="bring each file's peak to -1 dB")
    command.add_argument("--trim", action="store_true", help="leave the silence at both ends out")


def finished(clip: Clip, options: argparse.Namespace) -> Clip:
    """A clip of one sound as the options want it."""
    clip = clip.trimmed() if options.trim else clip
    return clip.normalised() if options.normalise else clip


def add_model(command: argparse.ArgumentParser) -> None:
    command.add_argument("--model", default="oneshots", help="a pack's name, or the path of one")


def progress() -> Callable[[str, int, int], None]:
    """Prints one line a phase, rewritten in place on a terminal, with the time it has taken."""
    began, terminal, last = time.monotonic(), sys.stdout.isatty(), [0.0]

    def show(phase: str, done: int, total: int) -> None:
        now = time.monotonic()
        if done < total and now - last[0] < (0.1 if terminal else 5.0):
            return
        last[0] = now
        print(
            f"\r\033[K{now - began:6.0f} s  {phase}  {done}/{total}"
            if terminal
            else f"{now - began:6.0f} s  {phase}  {done}/{total}",
            end="" if terminal else "\n",
            flush=True,
        )

    return show
