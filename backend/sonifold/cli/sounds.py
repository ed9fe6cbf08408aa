"""Commands that make sounds of sounds: ``morph``, ``embed``, ``sample``, ``export``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sonifold.audio.formats import format_of_suffix, subtype_of
from sonifold.choices import InstrumentName, Layout, MetricName, PathKind, SamplerName
from sonifold.cli.options import (
    Commands,
    add_choice,
    add_file_options,
    add_model,
    finished,
    suffixes,
)

if TYPE_CHECKING:
    from sonifold.audio.clip import Clip
    from sonifold.model import Model


def add_morph(commands: Commands) -> None:
    command = commands.add_parser("morph", help="a path from one sound to another, as a file")
    command.add_argument("start", type=Path, help="where it begins: WAV, FLAC, Ogg, MP3 or AIFF, up to 10 s")
    command.add_argument("end", type=Path, help="where it ends")
    command.add_argument(
        "-o", "--out", type=Path, default=Path("morph.wav"), help=f"{suffixes()}; with --each a folder"
    )
    add_file_options(command)
    _add_path_options(command, steps=17)
    form = command.add_mutually_exclusive_group()
    form.add_argument(
        "--glide", action="store_true", help="one sound that changes all the way, instead of steps"
    )
    form.add_argument("--each", action="store_true", help="each step as a file of its own, in the folder -o")
    command.add_argument("--seconds", type=float, default=4.0, help="length of the glide")
    add_model(command)
    command.set_defaults(run=_morph)


def add_embed(commands: Commands) -> None:
    command = commands.add_parser(
        "embed", help="latent point, map position and nearest sounds of files, as JSON"
    )
    command.add_argument(
        "files", type=Path, nargs="+", help="sound files, and folders, whose sound files are taken"
    )
    add_model(command)
    command.set_defaults(run=_embed)


def add_sample(commands: Commands) -> None:
    command = commands.add_parser(
        "sample", help="draw new sounds, as files and as JSON that says what they are"
    )
    command.add_argument("-o", "--out", type=Path, default=Path("samples"), help="folder for the files")
    add_file_options(command)
    add_choice(command, "--by", SamplerName, note="; walk needs --start")
    command.add_argument("--count", type=int, default=8)
    command.add_argument("--seed", type=int, default=0, help="the same one draws the same sounds")
    command.add_argument(
        "--temperature", type=float, default=1.0, help="above 1 more varied, below more typical"
    )
    command.add_argument("--start", type=Path, help="the sound a walk starts from")
    add_model(command)
    command.set_defaults(run=_sample)


def add_export(commands: Commands) -> None:
    command = commands.add_parser(
        "export", help="sounds, or a morph, as an instrument that opens in a sampler"
    )
    command.add_argument(
        "sounds",
        nargs="*",
        help="ids of library sounds, sound files, and folders, whose sound files are taken",
    )
    command.add_argument(
        "--morph", nargs=2, metavar=("A", "B"), help="instead: the steps between two sounds, by id or file"
    )
    _add_path_options(command, steps=9)
    add_choice(command, "--as", InstrumentName)
    add_choice(command, "--layout", Layout, note="; by default what suits the kind")
    command.add_argument(
        "-o", "--out", type=Path, help="file, or folder, to write; by default named after the sounds"
    )
    command.add_argument("--title", help="of the instrument; by default after the sounds")
    command.add_argument(
        "--names",
        default="{name}",
        help="of the sounds: a pattern of {number}, {name}, {key}, {family} (%(default)s)",
    )
    add_file_options(command)
    add_model(command)
    command.set_defaults(run=_export, format=None, layout=None)


def _add_path_options(command: argparse.ArgumentParser, steps: int) -> None:
    add_choice(command, "--path", PathKind)
    add_choice(command, "--metric", MetricName)
    command.add_argument(
        "--weight", type=float, help="of the blend's data term: 0 shortest, 10 close to known sounds"
    )
    command.add_argument(
        "--steps", type=int, default=steps, help="sounds along the path, ends included (%(default)s)"
    )


def _morph(options: argparse.Namespace) -> int:
    import sonifold

    inputs = [options.start, options.end]
    try:
        _check_target(options, inputs)
        model = sonifold.load(options.model)
        ends = model.encode(options.start), model.encode(options.end)
        path = model.paths([ends], options.path, options.metric, options.weight, options.steps)[0]
        clip = model.render(path, options.seconds) if options.glide else model.render_steps([path])[0]
        written = (
            _write_each(clip, options)
            if options.each
            else finished(clip, options).write(options.out, options.depth)
        )
    except ValueError as error:
        print(f"sonifold: {error}", file=sys.stderr)
        return 1
    print(
        f"{written}: {path.length:.1f} {model.unit} along the {path.kind} path, {path.line_length:.1f} straight; "
        f"{clip.seconds:.1f} s; {path.outcome}."
    )
    return 0


def _check_target(options: argparse.Namespace, inputs: list[Path]) -> None:
    """Before anything is computed: whether its result can be written. Raises OutputError, ValueError."""
    from sonifold.files import check_folder, check_target

    if options.each:
        subtype_of(options.format, options.depth)
        check_folder(options.out)
    else:
        subtype_of(format_of_suffix(options.out.suffix), options.depth)
        check_target(options.out, inputs)


def _write_each(clip: Clip, options: argparse.Namespace) -> Path:
    """The steps as files in a folder, named for their ends."""
    from sonifold.audio.archive import file_stem, numbered

    directory: Path = options.out
    directory.mkdir(exist_ok=True)
    stem = f"{file_stem(options.start.stem)}-to-{file_stem(options.end.stem)}"
    steps = clip.each()
    for index, step in enumerate(steps):
        finished(step, options).write(
            directory / f"{numbered(stem, index, len(steps))}.{options.format}", options.depth
        )
    return directory


def _embed(options: argparse.Namespace) -> int:
    import sonifold
    from sonifold.audio.folders import sound_files
    from sonifold.errors import AudioError

    files = sound_files(options.files)
    model = sonifold.load(options.model)
    embedded, refused = [], 0
    for file in files:
        try:
            embedded.append(_embedding(model, file))
        except AudioError as error:
            print(f"sonifold: {error}", file=sys.stderr)
            refused += 1
    json.dump(embedded, sys.stdout, indent=1)
    print()
    if refused:
        print(f"sonifold: {refused} of {len(files)} files could not be used.", file=sys.stderr)
    return 1 if refused else 0


def _embedding(model: Model, file: Path) -> dict[str, Any]:
    """What is printed of one file."""
    sound = model.encode(file)
    x, y = model.project(sound.z[None])[0].tolist()
    near = [
        {"id": id, "name": model.library.names[model.library.index(id)], "distance": round(distance, 2)}
        for id, distance in model.neighbours(sound, 5)
    ]
    return {
        "file": str(file),
        "z": sound.z.tolist(),
        "x": x,
        "y": y,
        "unit": model.unit,
        "nearest": near,
        "warnings": [{"code": caveat.code, "text": caveat.text} for caveat in sound.caveats],
    }


def _sample(options: argparse.Namespace) -> int:
    import sonifold
    from sonifold.files import check_folder

    check_folder(options.out)
    model = sonifold.load(options.model)
    names = dict(zip(model.library.ids, model.library.names, strict=True))
    start = model.encode(options.start) if options.start else None
    try:
        draw = model.sample(options.by, options.count, options.seed, options.temperature, start)
    except ValueError as error:
        print(f"sonifold: {error}", file=sys.stderr)
        return 1
    options.out.mkdir(parents=True, exist_ok=True)
    files = []
    for i, clip in enumerate(model.decode(draw.points).each()):
        file = options.out / f"{options.by}-{options.seed}-{i + 1:03d}.{options.format}"
        finished(clip, options).write(file, options.depth)
        near, distance = draw.nearest[i]
        files.append(
            {
                "file": str(file),
                "z": draw.points[i].tolist(),
                "in_distribution": bool(draw.in_distribution[i]),
                "nearest": {"id": near, "name": names[near], "distance": round(distance, 2)},
            }
        )
    samples = draw.samples
    report = {
        "sampler": options.by,
        "seed": options.seed,
        "temperature": options.temperature,
        "acceptance": samples.acceptance,
        "effective": samples.effective,
        "escapes": samples.escapes,
        "warnings": [caveat.text for caveat in draw.caveats],
        "unit": model.unit,
        "samples": files,
    }
    json.dump(report, sys.stdout, indent=1)
    print()
    return 0


def _export(options: argparse.Namespace) -> int:
    from sonifold.instruments import command

    return command.run(options)
