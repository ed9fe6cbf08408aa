"""The command line: ``sonifold serve | backup | restore | doctor | morph | embed | sample | ingest | find | export |
finetune | trial | dataset | train | evaluate | reproduce | measures``.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from sonifold.audio.formats import BIT_DEPTHS, FORMATS, format_of_suffix, subtype_of
from sonifold.choices import Choice, InstrumentName, Layout, MetricName, PathKind, SamplerName
from sonifold.errors import SonifoldError

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    from sonifold.audio.clip import Clip
    from sonifold.model import Model

Commands: TypeAlias = "_SubParsersAction[argparse.ArgumentParser]"

#: Parts of a model card that can be measured alone; see sonifold.evaluate.card.
EVALUATED = ("reconstruction", "paths", "metrics", "directions", "topology")
#: How far ``sonifold ingest`` goes; see sonifold_app.collection.
INGEST_PHASES = ("all", "names")
#: What ``sonifold doctor`` looks at; see sonifold_app.admin.doctor.
CHECKED = ("machine", "software", "device", "port", "folder", "database", "store", "packs")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when it went well, 1 with a sentence on standard error when it did not."""
    options = _parser().parse_args(arguments)
    try:
        return options.run(options) or 0
    except SonifoldError as error:
        print(f"sonifold: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"sonifold: {where}{error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    from sonifold.version import __version__

    parser = argparse.ArgumentParser(prog="sonifold", description="Explore the latent manifold of sound.")
    parser.add_argument("--version", action="version", version=f"sonifold {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add in (
        _add_serve,
        _add_backup,
        _add_restore,
        _add_doctor,
        _add_morph,
        _add_embed,
        _add_sample,
        _add_ingest,
        _add_find,
        _add_export,
        _add_trial,
        _add_dataset,
        _add_train,
        _add_finetune,
        _add_evaluate,
        _add_reproduce,
        _add_measures,
    ):
        add(commands)
    return parser


def _add_serve(commands: Commands) -> None:
    command = commands.add_parser("serve", help="open the app (settings: SONIFOLD_* variables)")
    command.set_defaults(run=_run_service, service="serve")


def _add_backup(commands: Commands) -> None:
    command = commands.add_parser(
        "backup", help="the data folder (SONIFOLD_DATA) as one file, also while a server runs"
    )
    command.add_argument("file", type=Path, help="the archive to write, such as sonifold.zip")
    command.add_argument("--overwrite", action="store_true", help="also where there is such a file")
    command.set_defaults(run=_run_service, service="backup")


def _add_restore(commands: Commands) -> None:
    command = commands.add_parser("restore", help="a backup as the data folder (SONIFOLD_DATA), verified")
    command.add_argument("file", type=Path, help="what `sonifold backup` wrote")
    command.add_argument("--replace", action="store_true", help="move aside what the data folder holds")
    command.set_defaults(run=_run_service, service="restore")


def _add_doctor(commands: Commands) -> None:
    command = commands.add_parser(
        "doctor", help="whether machine, packs, database and files are well, and what to do"
    )
    command.add_argument("--json", action="store_true", help="as one JSON document")
    command.add_argument("--only", choices=CHECKED, action="append", default=[], help="one part of it")
    command.set_defaults(run=_run_service, service="doctor")


def _add_morph(commands: Commands) -> None:
    command = commands.add_parser("morph", help="a path from one sound to another, as a file")
    command.add_argument("start", type=Path, help="where it begins: WAV, FLAC, Ogg, MP3 or AIFF, up to 10 s")
    command.add_argument("end", type=Path, help="where it ends")
    command.add_argument(
        "-o", "--out", type=Path, default=Path("morph.wav"), help=f"{_suffixes()}; with --each a folder"
    )
    _add_file_options(command)
    _add_choice(command, "--path", PathKind)
    _add_choice(command, "--metric", MetricName)
    command.add_argument(
        "--weight", type=float, help="of the blend's data term: 0 shortest, 10 close to known sounds"
    )
    command.add_argument("--steps", type=int, default=17, help="sounds along the path, ends included")
    form = command.add_mutually_exclusive_group()
    form.add_argument(
        "--glide", action="store_true", help="one sound that changes all the way, instead of steps"
    )
    form.add_argument("--each", action="store_true", help="each step as a file of its own, in the folder -o")
    command.add_argument("--seconds", type=float, default=4.0, help="length of the glide")
    _add_model(command)
    command.set_defaults(run=_morph)


def _add_embed(commands: Commands) -> None:
    command = commands.add_parser(
        "embed", help="latent point, map position and nearest sounds of files, as JSON"
    )
    command.add_argument(
        "files", type=Path, nargs="+", help="sound files, and folders, whose sound files are taken"
    )
    _add_model(command)
    command.set_defaults(run=_embed)


def _add_sample(commands: Commands) -> None:
    command = commands.add_parser(
        "sample", help="draw new sounds, as files and as JSON that says what they are"
    )
    command.add_argument("-o", "--out", type=Path, default=Path("samples"), help="folder for the files")
    _add_file_options(command)
    _add_choice(command, "--by", SamplerName, note="; walk needs --start")
    command.add_argument("--count", type=int, default=8)
    command.add_argument("--seed", type=int, default=0, help="the same one draws the same sounds")
    command.add_argument(
        "--temperature", type=float, default=1.0, help="above 1 more varied, below more typical"
    )
    command.add_argument("--start", type=Path, help="the sound a walk starts from")
    _add_model(command)
    command.set_defaults(run=_sample)


def _add_ingest(commands: Commands) -> None:
    command = commands.add_parser(
        "ingest", help="take folders of sounds into your collection, where they lie"
    )
    command.add_argument(
        "folders", type=Path, nargs="*", help="where the sounds lie; without any, all folders taken in before"
    )
    command.add_argument(
        "--phase",
        choices=INGEST_PHASES,
        default="all",
        help="names: only what names say, which takes seconds",
    )
    _add_model(command)
    command.set_defaults(run=_run_service, service="ingest")


def _add_find(commands: Commands) -> None:
    command = commands.add_parser("find", help="find sounds of your collection by words and by what they are")
    command.add_argument(
        "query",
        nargs="*",
        help='words, -without, "phrases", and fields such as folder:tape or tempo:<120; best in quotes as a whole',
    )
    command.add_argument(
        "--near", type=Path, metavar="FILE", help="those most like the sound in a file first"
    )
    command.add_argument("--limit", type=int, default=50, help="sounds at most, to 1000")
    command.add_argument("--json", action="store_true", help="all that is known of each, instead of paths")
    _add_model(command)
    command.set_defaults(run=_run_service, service="find")


def _add_export(commands: Commands) -> None:
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
    command.add_argument("--steps", type=int, default=9, help="of the morph, ends included (%(default)s)")
    _add_choice(command, "--path", PathKind)
    _add_choice(command, "--metric", MetricName)
    command.add_argument("--weight", type=float, help="of the blend's data term")
    _add_choice(command, "--as", InstrumentName)
    _add_choice(command, "--layout", Layout, note="; by default what suits the kind")
    command.add_argument(
        "-o", "--out", type=Path, help="file, or folder, to write; by default named after the sounds"
    )
    command.add_argument("--title", help="of the instrument; by default after the sounds")
    command.add_argument(
        "--names",
        default="{name}",
        help="of the sounds: a pattern of {number}, {name}, {key}, {family} (%(default)s)",
    )
    _add_file_options(command)
    _add_model(command)
    command.set_defaults(run=_export, format=None, layout=None)


def _add_trial(commands: Commands) -> None:
    from sonifold.listening import command as listening

    listening.add_options(commands.add_parser("trial", help="blind listening tests of a running server"))


def _add_dataset(commands: Commands) -> None:
    from sonifold.training import datasets

    command = commands.add_parser("dataset", help="build a training set from licensed sources")
    datasets.add_arguments(command)
    command.set_defaults(run=datasets.run)


def _add_train(commands: Commands) -> None:
    command = commands.add_parser("train", help="train a pack; started again, it goes on where it stopped")
    command.add_argument("name", nargs="?", default="oneshots", help="folder under --models")
    command.add_argument("--dataset", type=Path, default=Path("build/datasets/oneshots"))
    command.add_argument("--work", type=Path, default=Path("build/training"), help="features and checkpoints")
    command.add_argument("--models", type=Path, help="where packs are kept")
    command.add_argument("--steps", type=int, help="of the optimiser")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--device", default="auto", help="cpu, cuda or mps; the best there is otherwise")
    command.add_argument("--workers", type=int, default=2, help="processes that prepare features")
    command.set_defaults(run=_train)


def _add_finetune(commands: Commands) -> None:
    command = commands.add_parser(
        "finetune", help="a pack of your own: a base that has learned 5-20 of your sounds"
    )
    command.add_argument("base", help="name or path of the pack to start from")
    command.add_argument("files", type=Path, nargs="+", help="WAV, FLAC, Ogg, MP3 or AIFF, up to 10 s each")
    command.add_argument("--name", required=True, help="of the new pack, a folder under --models")
    command.add_argument("--models", type=Path, help="where packs are kept")
    command.add_argument("--instant", action="store_true", help="the closed form alone: no gradient steps")
    command.add_argument("--steps", type=int, help="of the optimiser, in each of two runs")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--device", default="cpu", help="auto, cpu, cuda or mps")
    command.set_defaults(run=_finetune)


def _add_evaluate(commands: Commands) -> None:
    command = commands.add_parser("evaluate", help="measure a pack on sounds it never saw, and its paths")
    command.add_argument(
        "name",
        nargs="?",
        default="oneshots",
        help="a pack; `fewshot`: adaptation on groups never seen; `ears`: morphs as judges hear them that are not ours",
    )
    command.add_argument("--dataset", type=Path, default=Path("build/datasets/oneshots"))
    command.add_argument("--models", type=Path)
    command.add_argument("--only", choices=EVALUATED, help="one part of it")
    command.add_argument("--docs", type=Path, help="also write the page of `ears` into this folder")
    command.set_defaults(run=_evaluate)


def _add_reproduce(commands: Commands) -> None:
    import sonifold_research

    command = commands.add_parser(
        "reproduce", help="run an experiment of the field again, with its baselines"
    )
    sonifold_research.add_arguments(command)
    command.set_defaults(run=_reproduce)


def _add_measures(commands: Commands) -> None:
    command = commands.add_parser("measures", help="every figure measured so far beside its bar")
    command.set_defaults(run=_measures)


def _add_choice(command: argparse.ArgumentParser, option: str, choices: type[Choice], note: str = "") -> None:
    words = "; ".join(f"{choice}: {choice.words.sentence}" for choice in choices)
    names = [str(choice) for choice in choices]
    command.add_argument(option, choices=names, default=names[0], help=words + note)


def _suffixes() -> str:
    *others, last = (f".{format.suffixes[0]}" for format in FORMATS.values())
    return f"{', '.join(others)} or {last}"


def _add_file_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--format", choices=list(FORMATS), default="wav", help="of files in a folder")
    command.add_argument("--depth", type=int, choices=BIT_DEPTHS, help="bits a sample; 32 are floats")
    command.add_argument("--normalise", action="store_true", help="bring each file's peak to -1 dB")
    command.add_argument("--trim", action="store_true", help="leave the silence at both ends out")


def _finished(clip: Clip, options: argparse.Namespace) -> Clip:
    """A clip of one sound as the options want it."""
    clip = clip.trimmed() if options.trim else clip
    return clip.normalised() if options.normalise else clip


def _add_model(command: argparse.ArgumentParser) -> None:
    command.add_argument("--model", default="oneshots", help="a pack's name, or the path of one")


def _run_service(options: argparse.Namespace) -> int:
    from sonifold_app import command

    return command.run(options)


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
            else _finished(clip, options).write(options.out, options.depth)
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
        _finished(step, options).write(
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
        _finished(clip, options).write(file, options.depth)
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


def _finetune(options: argparse.Namespace) -> int:
    import sonifold
    from sonifold import adapt, pack

    pack.check_name(options.name)
    model = sonifold.load(options.base, options.models, options.device)
    sounds = [model.encode(file) for file in options.files]
    forecast = adapt.forecast(model, sounds, options.seed)
    print(forecast)
    folder = (options.models or pack.models_folder()) / options.name
    adapt.check_folder(folder)
    if options.instant:
        adapted = adapt.instant(model, sounds, options.seed)
    else:
        config = adapt.FinetuneConfig(
            seed=options.seed, **({"steps": options.steps} if options.steps else {})
        )
        show = _progress()
        watch = adapt.Watch(
            report=lambda info: show(
                f"{info.phase} run: Phi error {info.train:.2f}"
                + ("" if info.held_out is None else f", left out {info.held_out:.2f}"),
                info.step,
                info.steps,
            )
        )
        checkpoint = folder.with_name(folder.name + ".checkpoint.safetensors")
        adapted = adapt.finetune(model, sounds, config, checkpoint, watch, model.device)
    adapt.save(adapted, folder)
    print(
        f"\n{folder} is ready: {len(sounds)} sounds learned. Use it as `--model {options.name}`, or in the app."
    )
    return 0


def _train(options: argparse.Namespace) -> int:
    from sonifold import pack
    from sonifold.training.build import build
    from sonifold.vae.config import TrainingConfig, VAEConfig

    config = TrainingConfig(seed=options.seed, **({"steps": options.steps} if options.steps else {}))
    out = (options.models or pack.models_folder()) / options.name
    build(
        options.dataset, options.work, out, VAEConfig(), config, _progress(), options.device, options.workers
    )
    print(f"\n{out} is ready; `sonifold evaluate {options.name}` measures it and writes its card.")
    return 0


def _progress() -> Callable[[str, int, int], None]:
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


def _evaluate(options: argparse.Namespace) -> int:
    from sonifold import pack
    from sonifold.evaluate import card

    if options.name == "fewshot":
        from sonifold_research.fewshot import command

        command.run(options.dataset, _progress(), options.models)
        return 0
    if options.name == "ears":
        from sonifold_research import ears

        written = ears.evaluate(
            pack.find("oneshots", options.models), Path("build/ears"), options.docs, _progress()
        )
        print("", *written, sep="\n")
        return 0
    card.evaluate(pack.find(options.name, options.models), options.dataset, _progress(), options.only)
    return 0


def _reproduce(options: argparse.Namespace) -> int:
    import sonifold_research

    return sonifold_research.run(options, _progress())


def _measures(options: argparse.Namespace) -> int:
    from sonifold.evaluate import measures

    return measures.main()


if __name__ == "__main__":
    sys.exit(main())
