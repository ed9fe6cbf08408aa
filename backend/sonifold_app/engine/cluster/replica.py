"""What runs in a process of the cluster: models in memory, computed with for the server that started it.

It knows nothing of Ray. What it returns is plain data; an error of the science is an answer too, so that whatever is
raised on the way is the cluster's.
"""

from __future__ import annotations

import functools
import pickle
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from sonifold_app.engine.answers import Adapted
from sonifold_app.engine.choices import ModelKind
from sonifold_app.engine.facts import ModelFacts
from sonifold_app.engine.finite import checked
from sonifold_app.engine.local import (
    answers_to,
    checked_value,
    collect,
    described,
    opened,
    release_memory,
    without_gradients,
)
from sonifold_app.engine.operations import OPERATIONS, PROGRESSIVE, adapting
from sonifold_app.engine.operations.sounds import load_user_sound
from sonifold_app.engine.packs import facts_of, fingerprint_of_code, loaded
from sonifold_app.engine.parallel import attempt_each
from sonifold_app.engine.questions import UserSoundData

if TYPE_CHECKING:
    from sonifold.model import Model
    from sonifold_app.engine.models import Models
    from sonifold_app.engine.packs import LazyModel

Parameters = ParamSpec("Parameters")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class PackRecipe:
    """A pack that was opened after the start. ``folder``: where every machine of the cluster finds it."""

    folder: Path
    kind: ModelKind


@dataclass(frozen=True)
class AdaptedRecipe:
    """A model that a user's sounds were added to; the same in every process that makes it."""

    base: str
    sounds: tuple[UserSoundData, ...]
    seed: int


@dataclass(frozen=True)
class Missing:
    """Instead of an answer: the model is not in this process yet."""

    model: str


@dataclass(frozen=True)
class Failed:
    """Instead of an answer: the error that it has."""

    error: Exception


@dataclass(frozen=True)
class Loaded:
    """The models that are there from the start."""

    facts: Mapping[str, ModelFacts]
    unusable: Mapping[str, str]
    device: str


def answering(
    method: Callable[Parameters, Answer],
) -> Callable[Parameters, Answer | Missing | Failed]:
    """A method whose errors are returned."""

    @functools.wraps(method)
    def answer(*arguments: Parameters.args, **named: Parameters.kwargs) -> Answer | Missing | Failed:
        try:
            return method(*arguments, **named)
        except ModelMissing as error:
            return Missing(error.model)
        except Exception as error:
            return Failed(portable(error))

    return answer


class ModelMissing(Exception):
    """A model is not in this process yet."""

    def __init__(self, model: str) -> None:
        super().__init__(model)
        self.model = model


class Replica:
    """Models, and threads to compute with. Its methods are called by several threads, as ``actors.GROUPS`` says."""

    def __init__(self, threads: int) -> None:
        """``threads``: computations at the same time."""
        self._models: dict[str, Model | LazyModel] = {}
        self._device = "cpu"
        self._workers = ThreadPoolExecutor(threads, "sonifold-compute", initializer=without_gradients)
        self._stopped: set[str] = set()

    def live(self) -> None:
        """Return never: whoever waits for it learns that the process is gone."""
        threading.Event().wait()

    @answering
    def load(self, load: Callable[[], tuple[Models, Mapping[str, str]]], device: str) -> Loaded:
        """Have the models that ``load`` gives, on a device by the name of the settings."""
        import torch

        torch.set_num_threads(1)  # see LocalEngine
        from sonifold.device import choose

        self._device = str(choose(device))
        models, unusable = load()
        code = fingerprint_of_code()
        self._models = dict(models)
        facts = {name: facts_of(name, described(model), code) for name, model in models.items()}
        return Loaded(facts, dict(unusable), self._device)

    @answering
    def batch(self, operation: str, model: str | None, questions: Sequence[Any]) -> list[Any]:
        """For each question of a batch its answer, or the exception that it has instead."""
        ready = None if model is None else loaded(self._model(model))
        answers = OPERATIONS[operation].compute(ready, questions, self._map_parallel)
        return [
            portable(answer) if isinstance(answer, Exception) else answer
            for answer in attempt_each(checked_value, answers)
        ]

    @answering
    def answers(self, operation: str, model: str | None, questions: Sequence[Any]) -> list[Any]:
        """The answers to questions of the lanes LIGHT and FILES."""
        unloaded = None if model is None else self._model(model)
        return answers_to(OPERATIONS[operation], unloaded, questions)

    def parts(
        self, run: str, operation: str, model: str, question: Any
    ) -> Iterator[list[Any] | Missing | Failed]:
        """What is new of an answer in parts each time, perhaps nothing, until ``stop(run)``."""
        try:
            ready = loaded(self._model(model))
            for parts in PROGRESSIVE[operation].compute(ready, question, self._map_parallel):
                if run in self._stopped:
                    return
                yield [checked(part) for part in parts]
        except ModelMissing as error:
            yield Missing(error.model)
        except Exception as error:
            yield Failed(portable(error))
        finally:
            self._stopped.discard(run)

    def stop(self, run: str) -> None:
        """Nobody waits for an answer's parts any more."""
        self._stopped.add(run)

    @answering
    def open(self, name: str, recipe: PackRecipe) -> ModelFacts | str:
        """Have a pack more; what is told of it, or a sentence about why it cannot be used."""
        model_or_problem = opened(recipe.folder, recipe.kind, self._device)
        if isinstance(model_or_problem, str):
            return model_or_problem
        self._models[name], facts = model_or_problem
        return facts

    @answering
    def adapt(self, name: str, recipe: AdaptedRecipe) -> Adapted:
        """Have an adapted model. Raises UploadsInvalid."""
        adapted = adapting.adapted(loaded(self._model(recipe.base)), recipe.sounds, recipe.seed)
        self._models[name] = adapted
        return adapting.facts_of(adapted)

    def has(self, name: str) -> bool:
        """Whether a model is in this process."""
        return name in self._models

    def forget(self, name: str) -> None:
        """Let go of a model."""
        if self._models.pop(name, None) is not None:
            load_user_sound.cache_clear()  # it would hold on to the model
            collect(False)

    def rest(self) -> None:
        """There has been nothing to do for a moment."""
        release_memory()

    def _model(self, name: str) -> Model | LazyModel:
        """Raises ModelMissing."""
        try:
            return self._models[name]
        except KeyError:
            raise ModelMissing(name) from None

    def _map_parallel(self, function: Callable[[Any], Answer], items: Any) -> list[Answer]:
        return list(self._workers.map(function, items))


def portable(error: Exception) -> Exception:
    """An error that another process can read: itself, or one with the same words."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  # our own
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
