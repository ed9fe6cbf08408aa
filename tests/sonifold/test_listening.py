"""Listening tests: statistics that agree with scipy's, orders that tell nothing, sounds of one loudness."""

import itertools
import json
import math
import random
import warnings
from collections import Counter

import numpy as np
import pytest
from scipy import stats

from sonifold import listening
from sonifold.cli import main
from sonifold.listening.loudness import integrated, match
from sonifold.listening.statistics import sign_flip_p

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the independent meter, as it is imported
    import pyloudnorm

RATE = 44_100
LOW_RATE = 16_000  # for the independent meter, which takes its time


def counts(largest):
    return [(hits, trials) for trials in range(1, largest + 1) for hits in range(trials + 1)]


@pytest.mark.long
def test_every_p_and_interval_up_to_fifty_trials_is_scipys():
    for hits, trials in counts(50):
        one_sided = stats.binomtest(hits, trials, alternative="greater")
        interval = stats.binomtest(hits, trials).proportion_ci(method="wilson")
        assert listening.binomial_p(hits, trials) == pytest.approx(one_sided.pvalue, rel=1e-12)
        assert listening.sign_p(hits, trials - hits) == pytest.approx(
            stats.binomtest(hits, trials).pvalue, rel=1e-12
        )
        mine = listening.wilson(hits, trials)
        assert (mine.low, mine.high) == pytest.approx((interval.low, interval.high), abs=1e-12)


@pytest.mark.parametrize("true_share", [0.6, 0.7, 0.8])
def test_power_up_to_fifty_trials_is_scipys(true_share):
    for trials in range(1, 51):
        critical = stats.binom.isf(0.05, trials, 0.5) + 1
        assert listening.power(trials, true_share) == pytest.approx(
            stats.binom.sf(critical - 1, trials, true_share), rel=1e-9, abs=1e-12
        )


def test_critical_scores_are_those_of_the_exact_test():
    scores = {8: 7, 10: 9, 12: 10, 16: 12, 20: 15, 24: 17, 30: 20, 50: 32, 100: 59}
    assert {trials: listening.critical_hits(trials) for trials in scores} == scores
    assert listening.critical_hits(4) is None
    assert listening.power(4, 1.0) == 0


def test_a_preference_needs_the_published_number_of_trials_for_80_percent_power():
    assert listening.power(49, 0.7, alternative="two-sided") > 0.8
    assert listening.power(20, 0.8, alternative="two-sided") > 0.8
    assert listening.power(19, 0.8, alternative="two-sided") < 0.8


@pytest.mark.parametrize("alternative", ["greater", "two-sided"])
@pytest.mark.parametrize("scores", [(3, -1, 4), (2, 2, 2, 2, 2), (8, 0, -2, 6, 4, 4), (1, -1)])
def test_the_pooled_test_is_scipys_exact_randomisation_test(scores, alternative):
    reference = stats.permutation_test(
        (np.array(scores),), np.sum, permutation_type="samples", alternative=alternative, n_resamples=np.inf
    )
    assert sign_flip_p(scores, alternative) == pytest.approx(reference.pvalue)


def test_one_sure_listener_among_many_is_not_a_population():
    """Added up, 16 of 16 and three times 9 of 16 would look like a proof."""
    sure, guessing = listening.abx([True] * 16), listening.abx([True] * 9 + [False] * 7)
    assert listening.binomial_p(16 + 3 * 9, 64) < 0.01
    assert listening.pool([sure] + [guessing] * 3).p == 1 / 16
    assert listening.pool([sure] * 5).p == 1 / 32
    assert listening.pool([sure]) is None


def test_ties_are_reported_and_left_out():
    result = listening.preference(["a", "a", "none", "b", "a", "none"])
    assert (result.a, result.b, result.ties) == (3, 1, 2)
    assert result.p == stats.binomtest(3, 4).pvalue
    assert result.share.share == 0.75
    nobody = listening.preference(["none"] * 4)
    assert (nobody.p, nobody.share.low, nobody.share.high) == (1.0, 0.0, 1.0)


def played(trials, hears, rng):
    """The result of a listener who hears the difference in a share of the trials, and else guesses."""
    return listening.abx(
        [(trial.answer if rng.random() < hears else rng.choice("12")) == trial.answer for trial in trials]
    )


def test_who_hears_nothing_is_rarely_believed_and_who_hears_something_as_often_as_promised():
    rng = random.Random(1)
    tests = [listening.draw_trials(16, 16, f"{seed}") for seed in range(2000)]
    false_alarms = sum(played(trials, 0.0, rng).p <= 0.05 for trials in tests)
    assert false_alarms / 2000 <= 0.05
    for true_share in (0.6, 0.7, 0.8):
        detected = sum(played(trials, 2 * true_share - 1, rng).p <= 0.05 for trials in tests) / 2000
        assert detected == pytest.approx(listening.power(16, true_share), abs=0.04)


def test_who_knows_the_key_has_sixteen_of_sixteen():
    result = played(listening.draw_trials(16, 1, "a"), 1.0, random.Random(2))
    assert (result.hits, result.p) == (16, 2**-16)


def test_orders_are_random_independent_and_the_same_for_the_same_seed():
    assert listening.draw_trials(16, 5, "s") == listening.draw_trials(16, 5, "s")
    trials = list(itertools.chain.from_iterable(listening.draw_trials(16, 5, f"{s}") for s in range(500)))
    for share in (Counter((trial.first, trial.x) for trial in trials)).values():
        assert share / len(trials) == pytest.approx(0.25, abs=0.02)
    pairs = Counter(trial.pair for trial in listening.draw_trials(16, 5, "s"))
    assert sorted(pairs.values()) == [3, 3, 3, 3, 4]


def test_drawn_pairs_differ_until_there_are_no_others():
    drawn = listening.draw_pairs("dcba", 6, 3)
    assert len({frozenset(pair) for pair in drawn}) == 6
    assert drawn == listening.draw_pairs("abcd", 6, 3)
    assert len(listening.draw_pairs("ab", 3, 0)) == 3
    with pytest.raises(ValueError, match="two sounds"):
        listening.draw_pairs("a", 1, 0)


def struck(seconds, rng, rate=RATE):
    """A decaying, coloured noise with a tone in it."""
    t = np.arange(round(seconds * rate)) / rate
    body = np.cumsum(rng.standard_normal(len(t))) * 0.02 + rng.standard_normal(len(t)) * rng.uniform(0, 1)
    tone = np.sin(2 * np.pi * rng.uniform(60, 4000) * t)
    return rng.uniform(0.05, 0.9) * (body - body.mean() + tone) * np.exp(-t * rng.uniform(0, 8) / seconds)


def by_independent_meter(sound):
    """LUFS of a sound repeated for nine seconds and more."""
    return pyloudnorm.Meter(LOW_RATE, filter_class="DeMan").integrated_loudness(
        np.tile(sound, math.ceil(9 * LOW_RATE / len(sound)))
    )


@pytest.mark.long
def test_two_hundred_pairs_of_short_sounds_are_equally_loud_to_an_independent_meter():
    rng = np.random.default_rng(0)
    for _ in range(200):
        first, second = (struck(rng.uniform(0.1, 1.5), rng, LOW_RATE) for _ in range(2))
        matched = match(first, second, LOW_RATE)
        a, b = matched.sounds
        assert len(a) == len(b)
        assert max(np.abs(a).max(), np.abs(b).max()) <= 0.98 + 1e-9
        assert by_independent_meter(a) == pytest.approx(by_independent_meter(b), abs=0.5)


def test_gains_are_those_that_were_applied():
    rng = np.random.default_rng(1)
    first, second = struck(0.3, rng), 0.1 * struck(0.3, rng)
    matched = match(first, second, RATE)
    for sound, gain, out in zip((first, second), matched.gains_db, matched.sounds, strict=True):
        np.testing.assert_allclose(out, sound * 10 ** (gain / 20))
        assert integrated(out, RATE) == pytest.approx(matched.lufs, abs=0.01)


def test_a_tone_has_the_loudness_of_the_standard_however_short_it_is():
    for seconds in (0.1, 0.25, 1.0, 5.0):
        tone = np.sin(2 * np.pi * 1000 * np.arange(round(seconds * RATE)) / RATE)
        assert integrated(tone, RATE) == pytest.approx(-3.01, abs=0.05)


def test_silence_stays_silent():
    matched = match(np.zeros(4410), struck(0.1, np.random.default_rng(2)), RATE)
    assert not matched.sounds[0].any()
    assert matched.gains_db[0] == 0


RESULTS = {
    "title": "Geodesic or re-timed",
    "method": "abx",
    "conditions": ["geodesic", "retimed"],
    "listeners": [
        {
            "name": "Ada",
            "result": {
                "trials": 16,
                "hits": 12,
                "p": 0.0384,
                "share": {"share": 0.75, "low": 0.5, "high": 0.9},
            },
        }
    ],
    "pooled": None,
    "sentence": "12 of 16 right (p = 0.0384).",
}


def test_the_command_prints_results_that_were_saved_as_a_table(tmp_path, capsys):
    file = tmp_path / "results.json"
    file.write_text(json.dumps(RESULTS))
    assert main(["trial", "results", str(file)]) == 0
    assert "Ada       12/16  0.0384  0.75 [0.50, 0.90]" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["create", "pairs.csv", "--a", "loud"], "begins with one of geodesic"),
        (["create", "pairs.csv", "--a", "linear:flat:much"], "the weight"),
        (["create", "bad.csv"], "needs the columns start and end"),
        (["create", "pairs.csv", "--server", "http://127.0.0.1:9"], "no Sonifold answers"),
        (["create", "pairs.csv", "--server", "file:///"], "begins with http"),
    ],
)
def test_the_command_says_what_it_cannot_use(tmp_path, monkeypatch, capsys, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pairs.csv").write_text("start,end\na,b\n")
    (tmp_path / "bad.csv").write_text("from,to\na,b\n")
    assert main(["trial", *arguments]) == 1
    assert sentence in capsys.readouterr().err
