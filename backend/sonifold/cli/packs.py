"""Commands that train packs and measure them, and blind listening tests."""

from __future__ import annotations

import argparse
from pathlib import Path

from sonifold.cli.options import Commands, progress

#: The data set of the default pack.
ONESHOTS = Path("build/datasets/oneshots")
#: Parts of a model card that can be measured alone; see sonifold.evaluate.card.
EVALUATED = ("reconstruction", "paths", "metrics", "directions", "topology")


def add_trial(commands: Commands) -> None:
    from sonifold.listening import command as listening

    listening.add_options(commands.add_parser("trial", help="blind listening tests of a running server"))


def add_dataset(commands: Commands) -> None:
    from sonifold.training import datasets

    command = commands.add_parser("dataset", help="build a training set from licensed sources")
    datasets.add_arguments(command)
    command.set_defaults(run=datasets.run)


def add_train(commands: Commands) -> None:
    command = commands.add_parser("train", help="train a pack; started again, it goes on where it stopped")
    command.add_argument(
        "name",
        nargs="?",
        default="oneshots",
        help="folder under --models; `drums`: an RHVAE of two latent dimensions on the drums of the pack oneshots",
    )
    command.add_argument("--dataset", type=Path, default=ONESHOTS)
    command.add_argument("--work", type=Path, help="for features and checkpoints (build/training/NAME)")
    command.add_argument("--models", type=Path, help="where packs are kept")
    command.add_argument("--steps", type=int, help="of the optimiser")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--device", default="auto", help="cpu, cuda or mps; the best there is otherwise")
    command.add_argument("--workers", type=int, default=2, help="processes that prepare features")
    command.set_defaults(run=_train)


def add_finetune(commands: Commands) -> None:
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


def add_evaluate(commands: Commands) -> None:
    command = commands.add_parser("evaluate", help="measure a pack on sounds it never saw, and its paths")
    command.add_argument(
        "name",
        nargs="?",
        default="oneshots",
        help="a pack; `fewshot`: adaptation on groups never seen; `ears`: morphs as judges hear them that are not ours",
    )
    command.add_argument(
        "--dataset",
        type=Path,
        help="sounds never seen, to rebuild (build/datasets/oneshots; of other packs those that were held out)",
    )
    command.add_argument("--models", type=Path)
    command.add_argument("--only", choices=EVALUATED, help="one part of it")
    command.add_argument("--docs", type=Path, help="also write the page of `ears` into this folder")
    command.add_argument(
        "--pairs", type=int, default=100, help="of sounds, to compare every metric between (100)"
    )
    command.set_defaults(run=_evaluate)


def add_reproduce(commands: Commands) -> None:
    import sonifold_research

    command = commands.add_parser(
        "reproduce", help="run an experiment of the field again, with its baselines"
    )
    sonifold_research.add_arguments(command)
    command.set_defaults(run=_reproduce)


def add_measures(commands: Commands) -> None:
    command = commands.add_parser("measures", help="every figure measured so far beside its bar")
    command.set_defaults(run=_measures)


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
        show = progress()
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
    from sonifold.training import drums
    from sonifold.training.build import build
    from sonifold.vae.config import TrainingConfig, VAEConfig

    out = (options.models or pack.models_folder()) / options.name
    work = options.work or Path("build/training") / options.name
    changed = {"seed": options.seed, **({"steps": options.steps} if options.steps else {})}
    if options.name == drums.NAME:
        config = drums.TRAINING.model_copy(update=changed)
        source = pack.find(pack.DEFAULT, options.models)
        drums.build(source, work, out, progress(), config, options.device, options.workers)
    else:
        config = TrainingConfig(**changed)
        build(options.dataset, work, out, VAEConfig(), config, progress(), options.device, options.workers)
    print(f"\n{out} is ready; `sonifold evaluate {options.name}` measures it and writes its card.")
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    from sonifold import pack
    from sonifold.evaluate import card

    if options.name == "fewshot":
        from sonifold_research.fewshot import command

        command.run(options.dataset or ONESHOTS, progress(), options.models)
        return 0
    if options.name == "ears":
        from sonifold_research import ears

        written = ears.evaluate(
            pack.find("oneshots", options.models), Path("build/ears"), options.docs, progress()
        )
        print("", *written, sep="\n")
        return 0
    usual = ONESHOTS if options.name == pack.DEFAULT else None
    card.evaluate(
        pack.find(options.name, options.models),
        options.dataset or usual,
        progress(),
        options.only,
        options.pairs,
    )
    return 0


def _reproduce(options: argparse.Namespace) -> int:
    import sonifold_research

    return sonifold_research.run(options, progress())


def _measures(options: argparse.Namespace) -> int:
    from sonifold.evaluate import measures

    return measures.main()
