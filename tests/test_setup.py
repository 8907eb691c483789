"""`tools/setup.sh` in a project of its own, with requirements that need no network."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent


def new_project(folder: Path) -> Path:
    (folder / "tools").mkdir(parents=True)
    shutil.copy(ROOT / "tools/setup.sh", folder / "tools")
    (folder / "requirements.lock").write_text("# nothing\n")
    (folder / "requirements-dev.txt").write_text("# nothing\n")
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return new_project(tmp_path / "a project")


@pytest.fixture(scope="module")
def first_set_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = new_project(tmp_path_factory.mktemp("set up") / "a project")
    answer = setup(project)
    assert answer.returncode == 0, answer.stderr
    assert "Making .venv with Python 3." in answer.stdout
    return project


@pytest.fixture
def ready(first_set_up: Path, tmp_path: Path) -> Path:
    """A project that is set up, to be broken: a copy, since to make one takes seconds."""
    return shutil.copytree(first_set_up, tmp_path / "a project", symlinks=True)


@pytest.fixture
def bare_path(tmp_path: Path) -> Path:
    """A PATH with the tools of a bare Unix and no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "cat", "cmp", "dirname", "mktemp", "rm"):
        found = shutil.which(name)
        assert found
        (folder / name).symlink_to(found)
    return folder


def setup(project: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(project / "tools/setup.sh"), *words],
        env={**os.environ, "PYTHON": sys.executable, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def python_that_says(folder: Path, version: str, name: str = "python3") -> str:
    fake = folder / name
    fake.write_text(f"#!/bin/sh\necho {version}\n")
    fake.chmod(0o755)
    return str(fake)


def test_a_python_that_is_asked_for_and_too_old_is_refused(project: Path, bare_path: Path) -> None:
    old = python_that_says(bare_path, "3.8")
    answer = setup(project, PYTHON=old, PATH=str(bare_path))
    assert answer.returncode == 1
    assert f"{old} is Python 3.8: Kindred needs 3.10 or newer" in answer.stderr
    assert not (project / ".venv").exists()


def test_with_only_an_old_python_it_says_what_is_missing(project: Path, bare_path: Path) -> None:
    python_that_says(bare_path, "3.9")
    answer = setup(project, PYTHON="", PATH=str(bare_path))
    assert answer.returncode == 1
    assert "python3 is Python 3.9, which is too old. Kindred needs Python 3.10" in answer.stderr
    assert "apt install python3 python3-venv" in answer.stderr


def test_without_any_python_it_says_what_is_missing(project: Path, bare_path: Path) -> None:
    answer = setup(project, PYTHON="", PATH=str(bare_path))
    assert answer.returncode == 1
    assert "No Python was found. Kindred needs Python 3.10 or newer" in answer.stderr


def test_an_old_python3_is_passed_over_for_a_newer_one(project: Path, bare_path: Path) -> None:
    python_that_says(bare_path, "3.9")
    (bare_path / "python3.11").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (bare_path / "python3.11").chmod(0o755)
    answer = setup(project, PYTHON="", PATH=str(bare_path))
    assert answer.returncode == 0, answer.stderr
    assert (project / ".venv/bin/python").exists()


def test_a_python_without_venv_is_named_with_its_package(project: Path, bare_path: Path) -> None:
    fake = Path(python_that_says(bare_path, "3.11"))
    fake.write_text("#!/bin/sh\ncase $2 in *ensurepip*) exit 1 ;; *) echo 3.11 ;; esac\n")
    answer = setup(project, PYTHON="", PATH=str(bare_path))
    assert answer.returncode == 1
    assert "venv module is missing (Debian: apt install python3.11-venv)" in answer.stderr


def test_a_second_set_up_has_nothing_to_do(ready: Path) -> None:
    second = setup(ready)
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")


def test_the_development_tools_come_only_when_asked_for(ready: Path) -> None:
    assert list(ready.glob(".venv/*.installed")) == [ready / ".venv/run.installed"]
    assert "tools that check" in setup(ready, "dev").stdout
    assert setup(ready, "dev").stdout == ""


def test_changed_requirements_are_installed(ready: Path) -> None:
    (ready / "requirements.lock").write_text("# something else\n")
    answer = setup(ready)
    assert "Installing" in answer.stdout
    assert "Making" not in answer.stdout


def test_a_set_up_that_was_cut_off_is_made_again(ready: Path) -> None:
    (ready / ".venv/whole").unlink()
    (ready / ".venv/left-over").touch()
    answer = setup(ready)
    assert answer.returncode == 0, answer.stderr
    assert "cut off" in answer.stdout
    assert not (ready / ".venv/left-over").exists()


def test_a_killed_pip_leaves_no_environment_that_is_believed(ready: Path) -> None:
    python = ready / ".venv/bin/python"
    python.unlink()
    python.write_text("#!/bin/sh\ncase $1 in -m) kill -KILL $$ ;; esac\n")
    python.chmod(0o755)
    (ready / "requirements.lock").write_text("# something else\n")
    assert setup(ready).returncode == 1
    answer = setup(ready)
    assert answer.returncode == 0, answer.stderr
    assert "cut off" in answer.stdout


def test_a_failed_installation_says_why_and_spares_what_was_there(ready: Path) -> None:
    good = (ready / "requirements.lock").read_text()
    (ready / "requirements.lock").write_text("./no-such-package.whl\n")
    answer = setup(ready)
    assert answer.returncode == 1
    assert "no-such-package" in answer.stderr
    (ready / "requirements.lock").write_text(good)
    assert setup(ready).stdout == ""


def test_a_package_without_a_hash_is_not_installed(ready: Path) -> None:
    (ready / "package").mkdir()
    (ready / "package/setup.py").write_text("raise SystemExit('it was run')\n")
    (ready / "requirements.lock").write_text("./package\n")
    answer = setup(ready)
    assert answer.returncode == 1
    assert "it was run" not in answer.stderr
    assert "hashes" in answer.stderr


def test_an_environment_whose_python_has_gone_is_made_again(ready: Path) -> None:
    python = ready / ".venv/bin/python"
    python.unlink()
    python.symlink_to("/nowhere/python3")
    answer = setup(ready)
    assert answer.returncode == 0, answer.stderr
    assert "is gone" in answer.stdout


def test_the_documentation_names_each_requirement() -> None:
    asked = re.findall(r"^([a-z0-9_-]+)[><=]", (ROOT / "requirements.txt").read_text(), re.M)
    run_time = (ROOT / "docs/dependencies.md").read_text().split("\n## ")[1]
    # One package may be asked for in several lines, each for other machines.
    assert re.findall(r"^\| `([a-z0-9_-]+)`", run_time, re.M) == list(dict.fromkeys(asked))


def test_what_is_asked_for_is_locked_with_hashes() -> None:
    asked = [
        Requirement(line)
        for line in (ROOT / "requirements.txt").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    locked = [Requirement(entry.split(" \\\n")[0]) for entry in entries()]
    for each in asked:
        names = [one for one in locked if one.name == canonicalize_name(each.name)]
        assert names, f"make lock: {each} is not in requirements.lock"
        versions = [str(one.specifier).removeprefix("==") for one in names]
        assert any(each.specifier.contains(version) for version in versions), each


def test_every_package_of_the_lock_has_a_hash_and_no_other_source() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    assert not re.search(r"^--", lock, re.M)
    for entry in entries():
        assert re.fullmatch(r"\S+==\S+[^\n]*( \\\n    --hash=sha256:[0-9a-f]{64})+", entry), entry


def entries() -> list[str]:
    """A package each, with its hashes, of the lock."""
    lock = (ROOT / "requirements.lock").read_text()
    return re.findall(r"^[a-z0-9][^\n]*(?:\n    [^\n]*)*", lock, re.M)


def test_the_style_sheets_lock_names_no_registry() -> None:
    lock = (ROOT / "package-lock.json").read_text()
    assert '"resolved"' not in lock
