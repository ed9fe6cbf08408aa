"""Counts names that do not say what they hold, and finds words that docs/GLOSSARY.md has replaced.

    python3 tools/vocabulary.py                       vague names per 1,000 bindings in each layer
    python3 tools/vocabulary.py --list page           each vague name of a layer, with its place
    python3 tools/vocabulary.py --replaced service    each replaced word of the glossary in a layer

A binding gives a name to a value: an assignment, a parameter, a loop, a pattern, a field. It is vague where
its name is one of ``VAGUE``. Needs only Python: the page's code is split into tokens here.
"""

import argparse
import ast
import functools
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
GLOSSARY = ROOT / "docs" / "GLOSSARY.md"
LAYERS = {
    "science": ("backend/sonifold", "backend/sonifold_research"),
    "service": ("backend/sonifold_app",),
    "page": ("frontend",),
}

#: Participles, pronouns and adverbs: they say how a value came or where it stands, never what it is.
VAGUE = frozenset(
    re.findall(
        r"\w+",
        """
        found one ones told kept asked made given said wanted came come gone taken put held done seen sent got met
        heard chosen picked moved meant drawn brought shown lost laid let tried there here away left again still
        this that these those it its what which who whose where when ours mine yours theirs thing things stuff
        """,
    )
)

#: What Python and JavaScript bind by convention; these count neither as vague nor as bindings.
CONVENTIONAL = frozenset({"self", "cls", "_", "__all__"})


class Word(NamedTuple):
    """A name or a string, and where it stands."""

    text: str
    line: int


class Use(NamedTuple):
    """One place where a replaced word stands."""

    word: str
    file: str
    line: int
    text: str


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--list", choices=LAYERS, help="print every vague name of a layer")
    parser.add_argument(
        "--replaced", choices=LAYERS, help="print every replaced word of the glossary in a layer"
    )
    parser.add_argument("--root", type=Path, default=ROOT, help="another checkout to look at")
    options = parser.parse_args()
    if options.list:
        print_vague(options.list, options.root)
    elif options.replaced:
        for use in replaced_words(options.replaced, options.root):
            print(f"{use.file}:{use.line}: {use.word}: {use.text}")
    else:
        for layer in LAYERS:
            print(f"{layer}: {vague_rate(layer, options.root):.1f} vague names per 1,000 bindings")


def print_vague(layer: str, root: Path) -> None:
    counts = Counter[str]()
    for file in files(layer, root):
        for name in bindings(file):
            if name.text in VAGUE:
                counts[name.text] += 1
                print(f"{file.relative_to(root)}:{name.line}: {name.text}")
    print(*(f"{name} {count}" for name, count in counts.most_common()), sep=", ")


def vague_rate(layer: str, root: Path = ROOT) -> float:
    """Vague names per 1,000 bindings of a layer."""
    names = [name.text for file in files(layer, root) for name in bindings(file)]
    return 1000 * sum(name in VAGUE for name in names) / len(names)


def files(layer: str, root: Path = ROOT) -> list[Path]:
    """The code of a layer."""
    ending = "*.js" if layer == "page" else "*.py"
    return sorted(file for folder in LAYERS[layer] for file in (root / folder).rglob(ending))


def bindings(file: Path) -> list[Word]:
    """Every name that a file binds to a value, without the conventional ones."""
    text = file.read_text(encoding="utf-8")
    found = python_bindings(text) if file.suffix == ".py" else script_bindings(text)
    return [name for name in found if name.text not in CONVENTIONAL]


# Python


def python_bindings(source: str) -> Iterator[Word]:
    """Names that Python code binds: assignments, parameters, loops, ``with``, ``except``, patterns, fields."""
    for node in ast.walk(ast.parse(source)):
        yield from bound_by(node)


def python_names(source: str) -> Iterator[Word]:
    """Every name that Python code declares: bindings, functions, classes, attributes that are set."""
    for node in ast.walk(ast.parse(source)):
        yield from bound_by(node)
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield Word(name, node.lineno)
            case ast.Attribute(attr=name, ctx=ast.Store()):
                yield Word(name, node.lineno)


def bound_by(node: ast.AST) -> Iterator[Word]:
    """The name that a node itself binds, if it binds one."""
    match node:
        case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
            yield Word(name, node.lineno)
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield Word(name, node.lineno)


# JavaScript

TOKEN = re.compile(
    r"""
    (?P<space>\s+|//[^\n]*|/\*.*?\*/)
  | (?P<name>[A-Za-z_$][\w$]*)
  | (?P<number>\.?\d[\w.]*)
  | (?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
  | (?P<arrow>=>)
  | (?P<sign>\.\.\.|\?\.|[-+*%&|^!=<>?]+|.)
    """,
    re.VERBOSE | re.DOTALL,
)
REGULAR_EXPRESSION = re.compile(r"/(?![*/])(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*")
TEMPLATE_TEXT = re.compile(r"(?:[^`\\$]|\\.|\$(?!\{))*", re.DOTALL)
#: Keywords behind which a slash begins a regular expression, and before whose parentheses nothing is bound.
BEFORE_VALUE = frozenset(
    {"return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "else", "await"}
)
WITH_CONDITION = frozenset({"if", "for", "while", "switch", "with", "return", "typeof", "await", "super"})
OPENING, CLOSING = frozenset("([{"), frozenset(")]}")


class Token(NamedTuple):
    """A piece of JavaScript: ``kind`` is name, number, string, template, regex, arrow or sign."""

    kind: str
    text: str
    line: int


def script_tokens(source: str) -> list[Token]:
    """JavaScript in pieces, without comments and white space."""
    tokens: list[Token] = []
    depths: list[int] = []  # of braces, one for each template literal that is open
    position, line = 0, 1
    while position < len(source):
        kind, text = next_token(source, position, tokens, depths)
        if kind != "space":
            tokens.append(Token(kind, text, line))
        line += text.count("\n")
        position += len(text)
    return tokens


def next_token(source: str, position: int, tokens: list[Token], depths: list[int]) -> tuple[str, str]:
    """The kind and the text of the token at ``position``; ``depths`` follows the template literals."""
    character = source[position]
    if character == "`" or (character == "}" and depths and depths[-1] == 0):
        if character == "}":
            depths.pop()
        return template_piece(source, position, depths)
    may_be_expression = character == "/" and value_may_begin(tokens)
    if may_be_expression and (expression := REGULAR_EXPRESSION.match(source, position)):
        return "regex", expression[0]
    if depths and character in "{}":
        depths[-1] += 1 if character == "{" else -1
    token = TOKEN.match(source, position)
    assert token is not None, "TOKEN takes any character"
    return str(token.lastgroup), token[0]


def template_piece(source: str, position: int, depths: list[int]) -> tuple[str, str]:
    """A template literal from its quote, or from the end of an inserted value, to the next of either."""
    text = TEMPLATE_TEXT.match(source, position + 1)
    assert text
    end = text.end()
    if source.startswith("${", end):
        depths.append(0)
        return "template", source[position : end + 2]
    return "template", source[position : end + 1]


def value_may_begin(tokens: list[Token]) -> bool:
    """Whether a slash behind these tokens begins a regular expression and does not divide."""
    if not tokens:
        return True
    last = tokens[-1]
    if last.kind == "name":
        return last.text in BEFORE_VALUE
    if last.kind == "template":
        return last.text.endswith("${")
    return last.kind in ("sign", "arrow") and last.text not in CLOSING


def script_bindings(source: str) -> Iterator[Word]:
    """Names that JavaScript code binds: declarations, parameters, caught errors, patterns."""
    tokens = script_tokens(source)
    closers = matching(tokens)
    for i, token in enumerate(tokens):
        before = tokens[i - 1] if i else Token("sign", ";", 0)
        if token.kind == "name" and token.text in ("const", "let", "var") and before.text not in (".", "?."):
            yield from declared(tokens, i + 1, closers)
        elif token.kind == "arrow" and before.kind == "name":
            yield Word(before.text, before.line)
        elif token.text == "(" and token.kind == "sign" and holds_parameters(tokens, i, closers):
            yield from pattern(tokens, i + 1, closers.get(i, i), closers)


def matching(tokens: list[Token]) -> dict[int, int]:
    """Where each bracket is closed, by the index of its opening one."""
    closers: dict[int, int] = {}
    open_brackets: list[int] = []
    for i, token in enumerate(tokens):
        if token.kind == "template":
            if token.text.startswith("}"):
                closers[open_brackets.pop()] = i
            if token.text.endswith("${"):
                open_brackets.append(i)
        elif token.kind == "sign" and token.text in OPENING:
            open_brackets.append(i)
        elif token.kind == "sign" and token.text in CLOSING:
            closers[open_brackets.pop()] = i
    return closers


def holds_parameters(tokens: list[Token], opening: int, closers: dict[int, int]) -> bool:
    """Whether these parentheses are the parameters of a function, a method, an arrow, or a caught error."""
    after = tokens[closers[opening] + 1] if closers[opening] + 1 < len(tokens) else Token("sign", ";", 0)
    if after.kind == "arrow":
        return True
    before = tokens[opening - 1] if opening else Token("sign", ";", 0)
    is_method = (before.kind == "name" and before.text not in WITH_CONDITION) or before.text == "*"
    return after.text == "{" and after.kind == "sign" and is_method


def declared(tokens: list[Token], start: int, closers: dict[int, int]) -> Iterator[Word]:
    """Names of a declaration that begins at ``start``, up to its ``=``, ``of`` or ``in``, after each comma."""
    if tokens[start].kind == "name":
        yield Word(tokens[start].text, tokens[start].line)
        end = start + 1
    else:
        yield from pattern(tokens, start + 1, closers[start], closers)
        end = closers[start] + 1
    while end < len(tokens) and (
        tokens[end].text not in (",", ";", "of", "in") and tokens[end].text not in CLOSING
    ):
        begins_statement = tokens[end].text in (
            "const",
            "let",
            "var",
            "return",
            "if",
            "for",
            "function",
            "export",
        )
        if begins_statement and tokens[end - 1].text not in (".", "?."):
            return
        end = closers.get(end, end) + 1
    if end < len(tokens) and tokens[end].text == ",":
        yield from declared(tokens, end + 1, closers)


def pattern(tokens: list[Token], start: int, end: int, closers: dict[int, int]) -> Iterator[Word]:
    """Names that a pattern binds, between its brackets: ``a, {b, c: d}, [e], ...f, g = 1``."""
    i = start
    while i < end:
        token = tokens[i]
        if token.text == "=":  # a default value binds nothing
            while i < end and tokens[i].text != ",":
                i = closers.get(i, i) + 1
        elif token.kind == "name" and tokens[i + 1].text != ":":
            yield Word(token.text, token.line)
        i += 1


def script_names(source: str) -> Iterator[Word]:
    """Every name that JavaScript code declares: bindings, functions, classes, keys and methods of objects."""
    yield from script_bindings(source)
    tokens = script_tokens(source)
    for before, token, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        declares = before.text in ("function", "class", "*") or (before.text in "{," and after.text in ":,}(")
        if token.kind == "name" and declares:
            yield Word(token.text, token.line)


# The glossary


class Entry(NamedTuple):
    """A row of the glossary: the word to use, and the words that it replaces.

    ``names`` are those that may stand in no name, ``everywhere`` those that may stand in no sentence of the
    page either, ``exceptions`` whole names in which they may.
    """

    word: str
    names: tuple[str, ...]
    everywhere: tuple[str, ...]
    exceptions: tuple[str, ...]


def glossary(file: Path = GLOSSARY) -> list[Entry]:
    """The rows of docs/GLOSSARY.md."""
    row = re.compile(r"^\| \*\*(.+?)\*\* \|[^|]*\|([^|]*)\|([^|]*)\|([^|]*)\|$", re.MULTILINE)
    rows = row.findall(file.read_text(encoding="utf-8"))
    return [Entry(word, *(tuple(re.findall(r"`([^`]+)`", cell)) for cell in cells)) for word, *cells in rows]


@functools.cache
def words_of(name: str) -> list[str]:
    """``postUserSound`` and ``POST_USER_SOUND`` as post, user, sound."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]


@functools.cache
def replaced_words(layer: str, root: Path = ROOT) -> list[Use]:
    """Where replaced words stand in a layer: in names, and in the sentences that the page shows."""
    entries = glossary()
    everywhere = {word for entry in entries for word in entry.everywhere}
    in_names = everywhere | {word for entry in entries for word in entry.names}
    exceptions = {name for entry in entries for name in entry.exceptions}
    uses = []
    for file in files(layer, root):
        path = file.relative_to(root).as_posix()
        declared = [name for name in dict.fromkeys(names(file)) if name.text not in exceptions]
        for words, texts in ((in_names, declared), (everywhere, sentences(file))):
            uses += [
                Use(word, path, line, text) for text, line in texts for word in words if contains(text, word)
            ]
    return uses


def contains(text: str, word: str) -> bool:
    """Whether a name or a sentence contains this word, or these words in this order, as whole words."""
    words, sequence = words_of(text), words_of(word)
    return sequence[0] in words and any(
        words[i : i + len(sequence)] == sequence for i in range(len(words) - len(sequence) + 1)
    )


def names(file: Path) -> Iterator[Word]:
    """Every name that a file declares."""
    text = file.read_text(encoding="utf-8")
    return python_names(text) if file.suffix == ".py" else script_names(text)


def sentences(file: Path) -> list[Word]:
    """The texts of several words in a file of the page, without line breaks."""
    if file.suffix != ".js":
        return []
    texts = [
        token for token in script_tokens(file.read_text("utf-8")) if token.kind in ("string", "template")
    ]
    return [Word(" ".join(text.text.split()), text.line) for text in texts if " " in text.text.strip()]


if __name__ == "__main__":
    main()
