"""From packs on disk to what the service knows about them."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sonifold import errors
from sonifold.choices import SamplerName
from sonifold.files import may_pass
from sonifold.model.provenance import version_of
from sonifold_app.engine.choices import ModelKind
from sonifold_app.engine.facts import AtlasField, DescriptorFacts, LibraryTable, ModelFacts, SamplerFacts
from sonifold_app.engine.numbers import numbers

if TYPE_CHECKING:
    from sonifold.model import Model
    from sonifold.model.outline import Described

#: Samplers that draw by the volume of a metric, or walk by it.
BY_VOLUME = (SamplerName.HMC, SamplerName.IMPORTANCE, SamplerName.WALK)
Opened = TypeVar("Opened")

log = logging.getLogger(__name__)


class LazyModel:
    """A model that is loaded when it is first computed with; what it says of itself is there before."""

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        """Raises PackError for a folder that is no whole pack, OSError where that may pass."""
        from sonifold.model.outline import Described
        from sonifold.pack.read import read_outline

        self.described = Described(read_outline(folder))
        self._folder, self._device = folder, device
        self._loading = threading.Lock()
        self._model: Model | None = None

    def load(self) -> Model:
        """The model. Raises PackInvalid where it cannot be loaded."""
        with self._loading:
            if self._model is None:
                model_or_problem = load_pack(self._folder, self._device)
                if isinstance(model_or_problem, str):
                    raise errors.PackInvalid(model_or_problem)
                self._model = model_or_problem
            return self._model


def loaded(model: Model | LazyModel) -> Model:
    """A model to compute with. Raises PackInvalid where it cannot be loaded."""
    return model.load() if isinstance(model, LazyModel) else model


def load_packs(
    folder: Path | None, device: str = "cpu"
) -> tuple[dict[str, Model | LazyModel], dict[str, str]]:
    """Models by name, and a sentence for each pack that could not be loaded.

    The first model is loaded, so that it answers at once; the others when somebody uses them.
    """
    import sonifold

    models: dict[str, Model | LazyModel] = {}
    unusable: dict[str, str] = {}
    for pack in sonifold.packs(folder):
        open_pack = outlined if models else load_pack
        model_or_problem = pack.problem or open_pack(pack.path, device)
        if isinstance(model_or_problem, str):
            unusable[pack.name] = model_or_problem
        else:
            models[pack.name] = model_or_problem
    return models, unusable


def outlined(folder: Path, device: str = "cpu") -> LazyModel | str:
    """A model that is loaded later, or a sentence about why it cannot be. Raises OSError where that may pass."""
    return _attempt(folder, lambda: LazyModel(folder, device))


def load_pack(folder: Path, device: str = "cpu") -> Model | str:
    """A model, or a sentence about why it cannot be loaded. Raises OSError where that may pass."""
    import sonifold

    return _attempt(folder, lambda: sonifold.load(folder, device=device))


def _attempt(folder: Path, opening: Callable[[], Opened]) -> Opened | str:
    """What opening a pack gives, or a sentence about why it fails. Raises OSError where that may pass."""
    try:
        return opening()
    except errors.PackError as error:
        return str(error)
    except Exception as error:  # whatever is wrong with one pack, the others serve
        if may_pass(error):
            raise
        log.exception("pack %s is whole but does not load", folder.name)
        return (
            f"{folder.name}: its files are whole but do not load in this version of Sonifold; the server's log "
            "says why. Update Sonifold, or train the pack again."
        )


def facts_of(name: str, model: Described, code: str, kind: ModelKind = "library") -> ModelFacts:
    """What the service tells about a model without computing."""
    library, atlas = model.library, model.atlas
    card = dict(model.card)
    version = hashlib.sha256((code + json.dumps(card, sort_keys=True, default=str)).encode()).hexdigest()[:16]
    return ModelFacts(
        name=name,
        version=version,
        pack=meaning_of_points(model),
        release=version_of(model),
        title=model.title,
        description=model.description,
        latent_dim=model.latent_dim,
        sample_rate=model.sample_rate,
        sound_samples=model.sound_samples,
        unit=model.unit,
        weight=float(model.config.metric.weight),
        card=card,
        card_markdown=model.card_markdown,
        library=LibraryTable(
            ids=list(library.ids),
            names=list(library.names),
            families=list(library.families),
            family_names=list(library.family_names),
            sources=[label.source for label in library.labels],
            licences=[label.licence for label in library.labels],
            credits=[label.credit for label in library.labels],
            groups=[label.group for label in library.labels],
            seconds=[label.seconds for label in library.labels],
            pitches=[label.pitch_hz for label in library.labels],
            finetuned=[label.split == "uploaded" for label in library.labels],
            positions=numbers(library.positions),
            z=numbers(library.z),
        ),
        atlas=AtlasField(
            extent=tuple(float(edge) for edge in atlas.extent),  # type: ignore[arg-type]
            x=numbers(atlas.field.x),
            y=numbers(atlas.field.y),
            values=numbers(atlas.field.values),
            coast=float(atlas.field.coast),
            levels=[float(level) for level in atlas.field.levels],
            placement_error=dict(atlas.placement_error),
        ),
        metrics=tuple(model.metric_names),
        volume_metrics=tuple(model.volume_metric_names),
        samplers=samplers(),
        descriptors=descriptors(),
        kind=kind,
        base=base_named(card),
    )


def base_named(card: Mapping[str, Any]) -> str | None:
    """The model that a fine-tuned one was made from."""
    about = card.get("adapted")
    base = about.get("base") if isinstance(about, Mapping) else None
    return base if isinstance(base, str) else None


def descriptors() -> tuple[DescriptorFacts, ...]:
    """What the science has a word and a number for."""
    from sonifold.audio.descriptors import DESCRIPTORS

    return tuple(
        DescriptorFacts(
            descriptor.name, descriptor.unit, descriptor.more, descriptor.less, descriptor.meaning
        )
        for descriptor in DESCRIPTORS.values()
    )


def meaning_of_points(model: Described) -> str:
    """Changes with the files that lead from sounds to latent points and on to the map."""
    names = ("coefficients.safetensors", "library.safetensors", "weights.safetensors")
    return hashlib.sha256("".join(model.config.files[name] for name in names).encode()).hexdigest()[:16]


def samplers() -> tuple[SamplerFacts, ...]:
    """What the science offers to draw new points with."""
    return tuple(
        SamplerFacts(
            name,
            name.words.sentence,
            temperature=True,
            start=name is SamplerName.WALK,
            volume=name in BY_VOLUME,
        )
        for name in SamplerName
    )


def fingerprint_of_code() -> str:
    """sha256 over the science's source: what another version of it rendered is not to be served as this
    one's.
    """
    import sonifold

    digest = hashlib.sha256()
    root = Path(sonifold.__file__).parent
    for file in sorted(root.rglob("*.py")):
        digest.update(str(file.relative_to(root)).encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()
