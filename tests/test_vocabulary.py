"""Names say what they hold, and one thing has one word: docs/GLOSSARY.md, counted by tools/vocabulary.py."""

import re

import pytest

from script_modules import module_of

vocabulary = module_of("tools/vocabulary.py")

#: Vague names per 1,000 bindings, and uses of replaced words. These only ever go down.
VAGUE_AT_MOST = {"science": 10, "service": 10, "page": 6}
REPLACED_AT_MOST = {"science": 0, "service": 0, "page": 0}

#: Names that may hold a replaced word, in this file alone: something outside the code reads or calls them.
FIXED_NAMES = {
    ("backend/sonifold_research/fewshot/bench.py", "own"): "a key of the evaluation's stored cells",
    ("backend/sonifold_app/http/connections.py", "connection_made"): "asyncio.Protocol calls it",
    ("backend/sonifold_app/schemas/problems.py", "place"): "a field of the API's problems",
    ("backend/sonifold_app/schemas/sounds.py", "made_with"): "a field of the API's sounds",
    ("frontend/core/shapes.js", "made"): "a value of the API's `kind`",
    ("frontend/core/sounds.js", "made"): "a value of the API's `kind`",
    ("frontend/library/library.js", "made"): "a value of the API's `kind`",
    ("frontend/found/visit.js", "made"): "a key of what browsers have stored",
}


@pytest.mark.parametrize("layer", vocabulary.LAYERS)
def test_names_say_what_they_hold(layer):
    assert vocabulary.vague_rate(layer) <= VAGUE_AT_MOST[layer], (
        f"see where: python3 tools/vocabulary.py --list {layer}"
    )


@pytest.mark.parametrize("layer", vocabulary.LAYERS)
def test_replaced_words_of_the_glossary_are_not_used(layer):
    uses = [use for use in vocabulary.replaced_words(layer) if (use.file, use.text) not in FIXED_NAMES]
    lines = "\n".join(f"{use.file}:{use.line}: {use.word} in {use.text}" for use in uses)
    assert len(uses) <= REPLACED_AT_MOST[layer], lines


def test_names_that_are_fixed_from_outside_still_stand_where_they_are_excused():
    uses = {(use.file, use.text) for layer in vocabulary.LAYERS for use in vocabulary.replaced_words(layer)}
    assert set(FIXED_NAMES) <= uses


def test_the_glossary_replaces_no_word_by_itself():
    entries = vocabulary.glossary()
    assert len(entries) > 20
    for entry in entries:
        assert not [
            word for word in (*entry.names, *entry.everywhere) if vocabulary.contains(entry.word, word)
        ]


def test_the_words_of_the_glossary_are_unique():
    words = [entry.word for entry in vocabulary.glossary()]
    assert len(words) == len(set(words))


def test_every_row_of_the_glossary_is_read():
    text = vocabulary.GLOSSARY.read_text(encoding="utf-8")
    assert len(vocabulary.glossary()) == len(re.findall(r"^\| \*\*", text, re.M))


def test_bindings_of_python_are_assignments_parameters_loops_and_patterns():
    source = """
import unbound
field: int = 1
def function(positional, *rest, keyword=default, **options):
    first, (second, *third) = value
    for loop in (comprehended for comprehended in value): pass
    with value as opened: pass
    try: walrus = (inner := 1)
    except Error as error: attribute.unbound = 2
    match value:
        case [one, *several] | {"key": one}: pass
"""
    expected = (
        "field positional rest keyword options first second third loop comprehended opened walrus inner error "
        "one several"
    )
    assert {name.text for name in vocabulary.python_bindings(source)} == set(expected.split())


def test_bindings_of_javascript_are_declarations_parameters_and_patterns():
    source = """
import {unbound} from "./const let.js";  // const comment = 1;
const {a, b: c, d = call(unbound)} = x, e = /[)]const f\\//, g = 4 / 2 / 1;
let [h, ...i] = y;
for (const j of list) call(j);
export function name(k, {l: {m}}, n = call(x)) { return k.map((o) => o.v).filter(p => p); }
const q = {method(r) { return `const s ${x ? `in ${(t) => t}` : {key: 1}} y`; }};
try { call(x) } catch (error) { if (x) { while (y) call() } }
let u
let v = async (w) => { for await (const z of w) call(z) };
"""
    expected = re.findall(r"\w+", "a c d e g h i j k m n o p q r t error u v w z")
    assert sorted(name.text for name in vocabulary.script_bindings(source)) == sorted(expected)


def test_names_are_split_into_words():
    assert vocabulary.words_of("postUserSound") == vocabulary.words_of("POST_USER_SOUND")
    assert vocabulary.contains("userSoundData", "UserSound")
    assert not vocabulary.contains("replaceAll", "place")
