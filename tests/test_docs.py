"""The documents keep up with the code: links, paths, commands and snippets."""

import pkgutil
import re
import shlex
from pathlib import Path

import pytest

from sonifold.cli import _parser

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("docs", "findings", "models", "tests", "frontend", "backend")
DOCUMENTS = sorted(
    {*ROOT.glob("*.md"), *(file for folder in FOLDERS for file in (ROOT / folder).rglob("*.md"))}
)
GUIDES = [file for file in DOCUMENTS if file.name not in ("CHANGELOG.md", "CARD.md")]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def name_of(file):
    return file.relative_to(ROOT).as_posix()


def fences(document, language):
    """The code blocks of a language in a document."""
    text = document.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


def slug(heading):
    """The anchor that a heading gets on the usual forges."""
    words = re.sub(r"[^\w\- ]", "", re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower())
    return words.strip().replace(" ", "-")


def links(document):
    """The links of a document that stay inside the repository."""
    text = re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.M | re.S)
    targets = re.findall(r"\]\(([^)\s]+)(?: \"[^\"]*\")?\)", text) + re.findall(
        r"(?:src|href)=\"([^\"]+)\"", text
    )
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def headings(document):
    return {slug(line) for line in re.findall(r"^#+ (.*)$", document.read_text(encoding="utf-8"), re.M)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_links_inside_the_repository_lead_somewhere(document):
    broken = []
    for link in links(document):
        path, _, anchor = link.partition("#")
        target = document.parent / path if path else document
        has_anchor = not anchor or target.suffix != ".md" or (target.exists() and anchor in headings(target))
        if not target.exists() or not has_anchor:
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("document", GUIDES, ids=name_of)
def test_files_that_documents_name_exist(document):
    spans = re.findall(r"`([\w./-]+)`", document.read_text(encoding="utf-8"))
    paths = [
        span for span in spans if re.match(r"(?:backend|frontend|tests|docs|tools|models|findings)/\S", span)
    ]
    assert [path for path in paths if "NAME" not in path and not (ROOT / path).exists()] == []


def command_lines(document):
    """Every command in a document: lines of shell blocks, and what is quoted in a sentence."""
    text = document.read_text(encoding="utf-8")
    blocks = [line.split("  #")[0].strip() for block in fences(document, "sh") for line in block.splitlines()]
    quoted = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))
    return [re.sub(r"^(?:[A-Z_]+=\S+ )+", "", line) for line in (*blocks, *quoted)]


def names_of(document):
    return sorted(
        set(re.findall(r"(?<![\w./-])sonifold(?:\.[a-zA-Z_]\w*)+", document.read_text(encoding="utf-8")))
    )


@pytest.mark.parametrize("document", [each for each in DOCUMENTS if names_of(each)], ids=name_of)
def test_names_of_the_library_in_documents_are_there(document):
    for name in names_of(document):
        pkgutil.resolve_name(name)


@pytest.mark.parametrize("document", GUIDES, ids=name_of)
def test_make_targets_that_documents_name_exist(document):
    targets = set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.M)) | {"install", "install-dev"}
    named = {line.split()[1] for line in command_lines(document) if re.match(r"make [a-z-]+(?: |$)", line)}
    assert named <= targets


@pytest.mark.parametrize("document", GUIDES, ids=name_of)
def test_commands_that_documents_name_are_taken(document, capsys):
    refused = []
    for line in command_lines(document):
        if re.match(r"sonifold [a-z]+ ", f"{line} ") and not re.search(r"[|\u2026]|\.\.\.| FOLDER|<", line):
            try:
                _parser().parse_args(completed(shlex.split(line)[1:]))
            except SystemExit:
                refused.append((line, capsys.readouterr().err))
    assert refused == []


def completed(arguments):
    """A command as a sentence names it, such as ``sonifold finetune``, with what it needs at least."""
    least = {
        "morph": ["a.wav", "b.wav"],
        "embed": ["a.wav"],
        "finetune": ["oneshots", "a.wav", "--name", "new"],
    }
    least |= {"reproduce": ["mnist120"], "dataset": ["oneshots"]}
    return arguments + least.get(arguments[0], []) if len(arguments) == 1 else arguments
