"""tools/audit.py says what was asked and what was not, and fails only for a known vulnerability."""

import pytest

from script_modules import module_of

SAFE = {"name": "numpy", "version": "2.4.6", "vulns": []}
UNKNOWN = {"name": "torch", "version": "2.13.0", "skip_reason": "not found"}
VULNERABLE = {"name": "old", "version": "1.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"]}]}


@pytest.fixture
def audit():
    return module_of("tools/audit.py")


@pytest.mark.parametrize(
    ("report", "code", "says"),
    [
        (None, 0, "could not be asked"),
        ([SAFE], 0, "0 of 1 audited packages"),
        ([SAFE, UNKNOWN], 0, "about 1 packages"),
        ([UNKNOWN], 0, "0 of 0 audited packages"),
        ([SAFE, VULNERABLE, UNKNOWN], 1, "old 1.0: PYSEC-1"),
    ],
)
def test_only_a_known_vulnerability_fails(audit, monkeypatch, capsys, report, code, says):
    monkeypatch.setattr(audit, "audited", lambda constraints: report)
    assert audit.main() == code
    assert says in capsys.readouterr().out


@pytest.mark.long
def test_a_package_with_published_advisories_is_found_where_the_network_allows_it(
    audit, monkeypatch, capsys, tmp_path
):
    """The real pip-audit, on a version whose sandbox could be left (CVE-2019-10906)."""
    monkeypatch.setattr(audit, "CONSTRAINTS", tmp_path / "constraints.txt")
    audit.CONSTRAINTS.write_text("jinja2==2.10\n")
    code = audit.main()
    said = capsys.readouterr().out
    if "could not be asked" in said:
        pytest.skip("the advisories cannot be asked from here")
    assert code == 1
    assert "jinja2 2.10: " in said
    assert "1 of 1 audited packages" in said
