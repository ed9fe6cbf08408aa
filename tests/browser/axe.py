"""Barriers that axe-core knows of."""

from __future__ import annotations

from importlib.resources import files

from playwright.sync_api import Page

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def barriers(page: Page) -> list[str]:
    """What axe-core finds on the page as it is now: rule, element, and what would mend it."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    found: list[str] = page.evaluate(
        """async (tags) => {
            const rules = {"label-content-name-mismatch": {enabled: true}};
            const {violations} = await window.axe.run(document, {runOnly: tags, rules, resultTypes: ["violations"]});
            return violations.flatMap(({id, nodes}) =>
                nodes.map(({target, failureSummary}) => [id, target, failureSummary].join(" ")));
        }""",
        RULES,
    )
    return found
