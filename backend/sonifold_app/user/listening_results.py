"""The results of a listening test: per listener, together, in words, and as a table of every trial."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any, Literal, cast

from sonifold import listening
from sonifold.audio.archive import cell
from sonifold.listening import Abx, Preference, Trial
from sonifold.listening.results import Preferred
from sonifold_app.store.listening import Answer, Listener, ListeningTest, Stimuli
from sonifold_app.user.listening import trials_of

COLUMNS = (
    *("listener", "trial", "start", "end", "played_1", "played_2", "x", "answer", "correct", "preferred"),
    *("listens_1", "listens_2", "listens_x", "gain_a_db", "gain_b_db", "lufs", "answered"),
)
Label = Literal["a", "b"]
LABELS: tuple[Label, Label] = ("a", "b")


def results_of(test: ListeningTest, listeners: Sequence[Listener]) -> dict[str, Any]:
    """Everything about those who are through, as plain data."""
    finished = [each for each in listeners if is_finished(test, each)]
    outcomes = [outcome(test, each) for each in finished]
    pooled = listening.pool(outcomes)
    names = condition_names(test)
    return {
        "test": test.id,
        "title": test.title,
        "method": test.request["method"],
        "conditions": names,
        "listeners": [
            listener_facts(test, each, result) for each, result in zip(finished, outcomes, strict=True)
        ],
        "unfinished": len(listeners) - len(finished),
        "pooled": pooled and asdict(pooled),
        "sentence": sentence(outcomes, pooled, names),
        "repeat": {
            "sonifold": version("sonifold"),
            "request": test.request,
            "models": test.models,
            "pairs": [
                {"start": start, "end": end, **without_files(stimuli)}
                for (start, end), stimuli in zip(test.pairs, test.stimuli or (), strict=False)
            ],
            "loudness": "ITU-R BS.1770-5 integrated, of the sound repeated without a pause",
            "created": test.created,
        },
    }


def without_files(stimuli: Stimuli) -> dict[str, Any]:
    """What was done to a pair."""
    facts = asdict(stimuli)
    del facts["file"]
    return facts


def is_finished(test: ListeningTest, listener: Listener) -> bool:
    return len(listener.answers) == test.trials


def outcome(test: ListeningTest, listener: Listener) -> Abx | Preference:
    """The statistics of one listener."""
    rows = list(zip(trials_of(test, listener), listener.answers, strict=False))
    if test.is_abx:
        return listening.abx([trial.answer == answer.answer for trial, answer in rows])
    return listening.preference([preferred(trial, answer) for trial, answer in rows])


def preferred(trial: Trial, answer: Answer) -> Preferred:
    return "none" if answer.answer == "none" else LABELS[trial.played[int(answer.answer) - 1]]


def listener_facts(test: ListeningTest, listener: Listener, result: Abx | Preference) -> dict[str, Any]:
    facts = asdict(result)
    if result.share.share != result.share.share:  # of no trials
        facts["share"]["share"] = None
    return {
        "name": listener.name,
        "client": listener.client,
        "seed": listener.seed,
        "begun": listener.created,
        "result": facts,
        "trials": rows_of(test, listener),
    }


def rows_of(test: ListeningTest, listener: Listener) -> list[dict[str, Any]]:
    """Every trial with its key."""
    rows = []
    for trial, answer in zip(trials_of(test, listener), listener.answers, strict=False):
        start, end = test.pairs[trial.pair]
        first, second = (LABELS[condition] for condition in trial.played)
        rows.append(
            {
                "trial": answer.number,
                "start": start,
                "end": end,
                "played_1": first,
                "played_2": second,
                "x": LABELS[trial.x] if test.is_abx else None,
                "answer": answer.answer,
                "correct": trial.answer == answer.answer if test.is_abx else None,
                "preferred": None if test.is_abx else preferred(trial, answer),
                "listens": answer.listens,
                "answered": answer.created,
            }
        )
    return rows


def table_of(test: ListeningTest, listeners: Sequence[Listener]) -> str:
    """A CSV file with a row for every trial of those who are through."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for listener in listeners:
        if not is_finished(test, listener):
            continue
        for row, trial in zip(rows_of(test, listener), trials_of(test, listener), strict=True):
            listens = cast(dict[str, int], row.pop("listens"))
            stimuli = (test.stimuli or ())[trial.pair]
            writer.writerow(
                {
                    **{"listener": cell(listener.name), **row},
                    **{f"listens_{name}": listens.get(name, "") for name in ("1", "2", "x")},
                    "gain_a_db": round(stimuli.gains_db[0], 2),
                    "gain_b_db": round(stimuli.gains_db[1], 2),
                    "lufs": stimuli.lufs,
                }
            )
    return text.getvalue()


def condition_names(test: ListeningTest) -> list[str]:
    """Words for both conditions: what differs between them, and the kind of path."""
    first, second = test.request["conditions"]
    differing = [key for key in first if key != "kind" and first[key] != second[key]]

    def words(condition: dict[str, Any]) -> str:
        more = [f"{key} {condition[key]}" for key in differing if condition[key] is not None]
        return ", ".join([condition["kind"], *more])

    return [words(first), words(second)]


def sentence(
    outcomes: Sequence[Abx | Preference], pooled: listening.Pooled | None, names: Sequence[str]
) -> str:
    """What the test shows, in words."""
    if not outcomes:
        return "Nobody is through yet."
    if pooled is not None:
        verb = "shows" if pooled.p <= 0.05 else "does not show"
        return (
            f"{pooled.listeners} listeners, mean share {pooled.mean_share:.0%}; taken together this {verb} a "
            f"{'difference' if isinstance(outcomes[0], Abx) else 'preference'} (p = {pooled.p:.3g})."
        )
    result = outcomes[0]
    if isinstance(result, Abx):
        return f"{result.hits} of {result.trials} right (p = {result.p:.3g}). " + (
            "Guessing would rarely do as well: the difference was heard."
            if result.p <= 0.05
            else "Guessing does as well often enough. No difference was found, which does not prove that there is none."
        )
    return (
        f"{names[0]}: {result.a}, {names[1]}: {result.b}, no preference: {result.ties} (p = {result.p:.3g}). "
        + ("One was preferred." if result.p <= 0.05 else "No preference was found.")
    )
