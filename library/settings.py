"""Every knob of the program, in one table."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from library import memory
from library.errors import SettingsError

ROOT = Path(__file__).parent.parent
"""The project's own folder, where the library lies when nobody says otherwise."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A knob: its environment variable, its default as text, and one line of help."""

    name: str
    default: str
    help: str


SETTINGS = (
    Setting("DATA_DIR", "data", "where the library lives: database, thumbnails, index"),
    Setting("IMAGE_DIRECTORY", "", "the folder to crawl when none is named"),
    Setting(
        "CLIP_MODEL", "auto", "the model: `auto`, `starter`, a name on the Hub, or a model's folder"
    ),
    Setting("CLIP_RUNTIME", "auto", "what runs it: `auto`, `mlx` or `onnx`"),
    Setting(
        "CLIP_PRECISION", "auto", "`auto`, `float32`, `float16` (MLX) or `int8` (ONNX Runtime)"
    ),
    Setting("MODEL_CACHE", "", "where models are made ready for ONNX Runtime; the user's cache"),
    Setting("NUM_IMAGE_RESULTS", "60", "pictures on a page of results"),
    Setting(
        "MAX_IMAGE_MEGAPIXELS",
        "auto",
        "what decodes may hold in memory together, 4 MB each; `auto`: a quarter of what is free",
    ),
    Setting(
        "RAW_BESIDE_JPEG", "skip", "a RAW with a JPEG or HEIC of its name beside: `skip` or `read`"
    ),
    Setting(
        "SEARCH_BY_URL", "off", "whether a picture's address on the web is fetched: `on` or `off`"
    ),
    Setting(
        "CHROMA_URL", "", "a Chroma server for the index, as `http://localhost:8000`; else embedded"
    ),
    Setting("HOST", "127.0.0.1", "the address the site listens on"),
    Setting(
        "AUTH_TOKEN", "", "the password of the site; needed on any HOST but this machine's own"
    ),
    Setting("PORT", "5000", "the port the site listens on"),
    Setting("LOG_LEVEL", "WARNING", "DEBUG, INFO, WARNING or ERROR"),
)


SHORTEST_PASSWORD = 8


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one run, checked."""

    data_dir: Path
    image_directory: Path | None
    clip_model: str
    clip_runtime: str
    clip_precision: str
    model_cache: Path | None
    num_image_results: int
    megapixels: int | None
    """MAX_IMAGE_MEGAPIXELS; None for auto."""
    raw_beside_jpeg: bool
    """Whether such RAWs are read."""
    search_by_url: bool
    """Whether the site fetches the picture at an address that it is given."""
    chroma_url: str | None
    """The server that has the index; None for Chroma's embedded directory."""
    host: str
    auth_token: str | None
    """The site's password, or None."""
    port: int
    log_level: str

    @property
    def max_image_megapixels(self) -> int:
        """What decodes may hold in memory together."""
        return self.megapixels or memory.sensible_megapixels()

    @property
    def database_path(self) -> Path:
        """The SQLite file."""
        return self.data_dir / "library.sqlite"

    @property
    def thumbnail_dir(self) -> Path:
        """The folder of thumbnails."""
        return self.data_dir / "thumbnails"

    @property
    def file_list_path(self) -> Path:
        """The msgpack list that the scan hands to the reader."""
        return self.data_dir / "filelist.msgpack"

    @property
    def in_hand_path(self) -> Path:
        """What a crawl is reading, for the next one if this one's process does not survive it."""
        return self.data_dir / "in-hand"


def read_environment(env_file: Path = ROOT / ".env") -> dict[str, str]:
    """The process's environment over the lines of a `.env` file, where there is one."""
    if not env_file.exists():
        return dict(os.environ)
    from dotenv import dotenv_values  # imported only by those who have such a file

    lines = {name: value for name, value in dotenv_values(env_file).items() if value is not None}
    return {**lines, **os.environ}


def settings_for(**given: str | None) -> Settings:
    """Settings from the environment, and over it what a command line was given, by their names.

    Raises SettingsError as load_settings does.
    """
    return load_settings({**read_environment(), **{n: text for n, text in given.items() if text}})


def load_settings(env: Mapping[str, str]) -> Settings:
    """Settings from an environment; whatever it does not name has its default.

    Raises SettingsError, naming the setting, when a value cannot be used.
    """
    text = {setting.name: env.get(setting.name, "") or setting.default for setting in SETTINGS}
    log_level = text["LOG_LEVEL"].upper()
    if log_level not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise SettingsError(
            f"LOG_LEVEL is {text['LOG_LEVEL']!r}: use DEBUG, INFO, WARNING or ERROR"
        )
    directory = text["IMAGE_DIRECTORY"]
    return Settings(
        data_dir=_folder(env.get("DATA_DIR") or str(ROOT / text["DATA_DIR"])),
        image_directory=_folder(directory) if directory else None,
        clip_model=text["CLIP_MODEL"],
        clip_runtime=text["CLIP_RUNTIME"],
        clip_precision=text["CLIP_PRECISION"],
        model_cache=_folder(text["MODEL_CACHE"]) if text["MODEL_CACHE"] else None,
        num_image_results=_whole(text, "NUM_IMAGE_RESULTS", 1, 500),
        megapixels=_megapixels(text),
        raw_beside_jpeg=_one_of(text, "RAW_BESIDE_JPEG", "skip", "read") == "read",
        search_by_url=_one_of(text, "SEARCH_BY_URL", "on", "off") == "on",
        chroma_url=_server(text, "CHROMA_URL") if text["CHROMA_URL"] else None,
        host=text["HOST"],
        auth_token=_password(text),
        port=_whole(text, "PORT", 0, 65_535),
        log_level=log_level,
    )


def _folder(text: str) -> Path:
    return Path(text).expanduser().absolute()


def _password(text: Mapping[str, str]) -> str | None:
    token = text["AUTH_TOKEN"]
    if token and len(token) < SHORTEST_PASSWORD:
        raise SettingsError(f"AUTH_TOKEN is too short: use {SHORTEST_PASSWORD} characters or more")
    return token or None


def _server(text: Mapping[str, str], name: str) -> str:
    url = text[name]
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port that is none
        usable = False
    if not usable:
        raise SettingsError(f"{name} is {url!r}: use an address such as http://localhost:8000")
    return url


def _megapixels(text: Mapping[str, str]) -> int | None:
    if text["MAX_IMAGE_MEGAPIXELS"] == "auto":
        return None
    return _whole(text, "MAX_IMAGE_MEGAPIXELS", 1, memory.MOST_MEGAPIXELS)


def _one_of(text: Mapping[str, str], name: str, *values: str) -> str:
    if text[name] not in values:
        raise SettingsError(f"{name} is {text[name]!r}: use {' or '.join(values)}")
    return text[name]


def _whole(text: Mapping[str, str], name: str, least: int, most: int) -> int:
    value = text[name]
    if not (value.isascii() and value.isdigit() and least <= int(value) <= most):
        raise SettingsError(f"{name} is {value!r}: use a whole number from {least} to {most}")
    return int(value)
