"""Language: the interface in the language that the browser asks for.

Texts stand in English in the templates and in web/; their translations in locales/, one folder a
language. A language more: `make locales LANGUAGE=de`, then translate locales/de (README.md).
"""

from __future__ import annotations

from pathlib import Path

from flask import Flask, request
from flask_babel import Babel, get_locale

LOCALES = Path(__file__).parent.parent / "locales"
SOURCE = "en"


def languages() -> list[str]:
    """The languages there are, the one that the texts are written in first."""
    return [SOURCE, *sorted(path.name for path in LOCALES.iterdir() if path.is_dir())]


def install(app: Flask) -> None:
    """Have the templates of `app` speak the browser's language: `_`, `trans` and `language()`."""
    offered = languages()

    def chosen() -> str:
        return request.accept_languages.best_match(offered, SOURCE) or SOURCE

    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(LOCALES)
    Babel(app, locale_selector=chosen)
    app.jinja_env.policies["ext.i18n.trimmed"] = True
    app.jinja_env.globals["language"] = lambda: str(get_locale())
