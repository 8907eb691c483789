"""The API against its description, by schemathesis, in an environment of its own."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from bench.measure import ROOT
from bench.table import table
from reliability.at_work import site_at_work

PROGRAM = ROOT / ".venv-reliability" / "bin" / "schemathesis"
_SEED, _EXAMPLES = 1, 40
_CHECKS = (
    "not_a_server_error,response_schema_conformance,content_type_conformance,"
    "status_code_conformance"
)


def api_section(work: Path) -> str:
    """Send whatever the description allows, and much that it does not, to a site that crawls."""
    if not PROGRAM.exists():
        return (
            "## The API\n\nNot tried: schemathesis is missing (`make reliability` installs it).\n"
        )
    with site_at_work(work) as site:
        command = [PROGRAM, "run", ROOT / "docs" / "openapi.yaml", "--url", site.address]
        options = ["--seed", _SEED, "--max-examples", _EXAMPLES, "--checks", _CHECKS]
        phases = ["--phases", "examples,coverage,fuzzing"]
        said = subprocess.run(
            [*map(str, (*command, *options, *phases))], cwd=work, capture_output=True, text=True
        ).stdout
    found = re.search(r"(\d+) generated, (\d+) passed", said)
    if not found:
        raise SystemExit(said)
    sent, passed = map(int, found.groups())
    if sent != passed:
        print(said)
    rows = [[f"{sent:,}", f"{sent - passed:,}"]]
    return (
        "## The API\n\n"
        f"What schemathesis makes of `docs/openapi.yaml` (seed {_SEED}): no answer may be a 500, "
        "or\nanother than the description says.\n\n"
        f"{table(['requests', 'answered otherwise'], rows)}\n"
    )
