"""Settings: defaults, the environment, and what cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from library.errors import SettingsError
from library.settings import ROOT, SETTINGS, load_settings, read_environment


def test_everything_has_a_default() -> None:
    settings = load_settings({})
    assert settings.host == "127.0.0.1"
    assert settings.port == 5000
    assert settings.data_dir == ROOT / "data"
    assert settings.image_directory is None
    assert settings.clip_model == "auto"


def test_the_environment_wins_over_the_defaults() -> None:
    settings = load_settings({"PORT": "8080", "DATA_DIR": "~/pictures", "LOG_LEVEL": "info"})
    assert settings.port == 8080
    assert settings.data_dir == Path.home() / "pictures"
    assert settings.log_level == "INFO"


def test_the_library_lies_in_the_project_wherever_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings({}).data_dir == ROOT / "data"
    assert load_settings({"DATA_DIR": "mine"}).data_dir == tmp_path / "mine"


def test_an_empty_value_means_the_default() -> None:
    assert load_settings({"PORT": ""}).port == 5000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("PORT", "70000"),
        ("PORT", "-1"),
        ("PORT", "٣"),
        ("NUM_IMAGE_RESULTS", "0"),
        ("NUM_IMAGE_RESULTS", "1e3"),
        ("MAX_IMAGE_MEGAPIXELS", "none"),
        ("LOG_LEVEL", "LOUD"),
        ("CHROMA_URL", "localhost:8000"),
        ("CHROMA_URL", "http://"),
        ("CHROMA_URL", "ftp://localhost"),
        ("CHROMA_URL", "http://localhost:eight"),
        ("CHROMA_URL", "http://[::1"),
    ],
)
def test_a_bad_value_is_named_in_the_error(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings({name: value})
    assert name in str(caught.value)
    assert value in str(caught.value)


def test_the_environment_wins_over_the_env_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("PORT=1234\nHOST=localhost\n# a comment\n", encoding="utf-8")
    monkeypatch.setenv("HOST", "127.0.0.2")
    settings = load_settings(read_environment(env_file))
    assert (settings.port, settings.host) == (1234, "127.0.0.2")


def test_the_readme_lists_every_setting_with_its_default() -> None:
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    rows = [
        tuple(cell.strip() for cell in line.strip("|").split("|"))
        for line in readme.splitlines()
        if line.startswith("| `") and line.count("|") == 4
    ]
    expected = [(f"`{s.name}`", f"`{s.default}`" if s.default else "", s.help) for s in SETTINGS]
    assert [row for row in rows if row[0].strip("`").isupper()] == expected
