"""Barriers that axe-core knows of."""

from __future__ import annotations

from importlib.resources import files

from playwright.sync_api import Page

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOURS = ["color-contrast", "link-in-text-block"]  # all among them that a theme can change


def barriers(page: Page, *, part: str = "html", rules: list[str] | None = None) -> list[str]:
    """What axe-core finds on the page as it is now, or on a part of it: rule, element, and what would mend it.

    ``rules``: those only.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    found: list[str] = page.evaluate(
        """async ([part, only, tags]) => {
            const rules = {"label-content-name-mismatch": {enabled: true}};
            const choice = only ? {runOnly: {type: "rule", values: only}} : {runOnly: tags, rules};
            const {violations} = await window.axe.run(part, {...choice, resultTypes: ["violations"]});
            return violations.flatMap(({id, nodes}) =>
                nodes.map(({target, failureSummary}) => [id, target, failureSummary].join(" ")));
        }""",
        [part, rules, RULES],
    )
    return found
