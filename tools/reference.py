"""Writes the API reference as pages that open without a network: the library by pdoc, HTTP from its OpenAPI document.

    python tools/reference.py [FOLDER]          build/reference unless told otherwise

`make docs` runs it. Start at index.html.
"""

import sys
import tempfile
from collections import defaultdict
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ["sonifold", "!sonifold.training", "!sonifold.evaluate", "!sonifold.cli"]
STYLE = """
body {font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222}
code, pre {font: 14px ui-monospace, monospace} table {border-collapse: collapse} article {margin: 2rem 0}
td, th {text-align: left; vertical-align: top; padding: .2rem 1rem .2rem 0; border-bottom: 1px solid #ddd}
h3 code {background: #eee; padding: .1rem .4rem}
"""


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "reference"
    folder.mkdir(parents=True, exist_ok=True)
    library_pages(folder / "python")
    document = openapi()
    (folder / "http.html").write_text(http_page(document), encoding="utf-8")
    (folder / "index.html").write_text(page("Sonifold: reference", index(document)), encoding="utf-8")
    print(f"Open {folder / 'index.html'}")


def library_pages(folder):
    """The library's docstrings as pages."""
    import pdoc

    import sonifold

    for module in (
        sonifold,
        sonifold.audio,
    ):  # names that are looked up when first used, pdoc must find in place
        vars(module).update({name: getattr(module, name) for name in module.__all__})
    pdoc.render.configure(docformat="google")
    pdoc.pdoc(*LIBRARY, output_directory=folder)


def index(document):
    return (
        f"<p>Version {escape(document['info']['version'])}.</p><ul>"
        '<li><a href="python/sonifold.html">The Python library</a></li>'
        '<li><a href="http.html">The HTTP API</a></li></ul>'
    )


def openapi():
    """The service's own description of its API."""
    from sonifold_app.app import create_app
    from sonifold_app.engine.local import LocalEngine
    from sonifold_app.settings import Settings

    with tempfile.TemporaryDirectory() as data:
        return create_app(Settings(data=Path(data)), LocalEngine(load=lambda: ({}, {}))).openapi()


def http_page(document):
    """The HTTP API as one page: each operation by its tag, then the schemas."""
    operations = defaultdict(list)
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            operations[(operation.get("tags") or ["other"])[0]].append(
                operation_article(method, path, operation)
            )
    sections = [f"<h2>{escape(tag)}</h2>{''.join(articles)}" for tag, articles in sorted(operations.items())]
    schemas = document["components"]["schemas"]
    types = [schema_article(name, schema) for name, schema in sorted(schemas.items())]
    about = f"<p>{escape(document['info']['description'].strip())}</p>"
    return page("Sonifold: HTTP API", about + "".join(sections) + "<h2>Schemas</h2>" + "".join(types))


def operation_article(method, path, operation):
    parts = [f"<article><h3><code>{method.upper()} {escape(path)}</code></h3>"]
    parts.append(f"<p>{escape(operation.get('description') or operation.get('summary', ''))}</p>")
    parameters = [
        (p["name"], p["in"], kind(p.get("schema", {})), p.get("description", ""))
        for p in operation.get("parameters", [])
    ]
    parts.append(table(["parameter", "in", "type", ""], parameters))
    for media, body in operation.get("requestBody", {}).get("content", {}).items():
        parts.append(f"<p>Request, {escape(media)}: {kind(body.get('schema', {}))}</p>")
    parts.append(table(["status", "reply", ""], [reply(*pair) for pair in operation["responses"].items()]))
    return "".join([*parts, "</article>"])


def reply(status, response):
    kinds = {kind(content.get("schema", {})) for content in response.get("content", {}).values()}
    return status, ", ".join(sorted(kinds)), response.get("description", "")


def schema_article(name, schema):
    required = set(schema.get("required", []))
    rows = [
        (field + ("" if field in required else " (optional)"), kind(inner), inner.get("description", ""))
        for field, inner in schema.get("properties", {}).items()
    ]
    about = escape(schema.get("description", ""))
    fields = table(["field", "type", ""], rows) or f"<p>{kind(schema)}</p>"
    return (
        f'<article id="{escape(name)}"><h3><code>{escape(name)}</code></h3><p>{about}</p>{fields}</article>'
    )


def kind(schema):
    """The type of a schema in a few words, as HTML, with links to the schemas that it names."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            return " or ".join(kind(part) for part in schema[choice])
    if "enum" in schema:
        return " or ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {kind(schema.get('items', {}))}"
    return escape(str(schema.get("const") or schema.get("type", "any")))


def table(head, rows):
    """Rows as an HTML table, none where there are no rows; the column "type" or "reply" holds HTML already."""
    if not rows:
        return ""
    heads = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join(
        "<tr>"
        + "".join(
            f"<td>{cell if name in ('type', 'reply') else escape(str(cell))}</td>"
            for name, cell in zip(head, row, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    return f"<table><tr>{heads}</tr>{body}</table>"


def page(title, body):
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style><h1>{escape(title)}</h1>{body}</html>\n"
    )


if __name__ == "__main__":
    main()
