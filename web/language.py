"""Language: the interface in the language that the browser asks for.

Texts stand in English in the templates and in web/; their translations in locales/, one folder a
language. A language more: `make locales LANGUAGE=de`, then translate locales/de (README.md). The
JSON API is for programs, and in English for everybody.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import flask_babel
from babel import negotiate_locale
from flask import Flask, Response, request
from flask_babel import Babel

LOCALES = Path(__file__).parent.parent / "locales"
SOURCE = "en"


def languages() -> list[str]:
    """The languages there are, the one that the texts are written in first."""
    return [SOURCE, *sorted(path.name for path in LOCALES.iterdir() if path.is_dir())]


def install(app: Flask) -> None:
    """Have `app` speak the browser's language: `_`, `trans` and `language()` in its templates."""
    offered = languages()

    def chosen() -> str:
        if request.path.startswith("/api/"):
            return SOURCE
        # Not best_match, which prefers a fitting second language to "ko-KR" for "ko".
        asked = [name.replace("-", "_") for name in request.accept_languages.values()]
        return negotiate_locale(asked, offered) or SOURCE

    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(LOCALES)
    Babel(app, locale_selector=chosen)
    app.jinja_env.policies["ext.i18n.trimmed"] = True
    app.jinja_env.globals["language"] = language
    app.after_request(_say_that_it_varies)


def language() -> str:
    """The language of the answer at hand, as HTML names it."""
    return str(flask_babel.get_locale()).replace("_", "-")


def gettext(text: str, **values: Any) -> str:
    """A text in the language of the request at hand; in English where there is none."""
    return str(flask_babel.gettext(text, **values))


def ngettext(one: str, several: str, number: int, **values: Any) -> str:
    """The same of a text that depends on a number."""
    return str(flask_babel.ngettext(one, several, number, **values))


def gettext_noop(text: str) -> str:
    """Mark a text of a table: it is translated where it is used."""
    return text


def _say_that_it_varies(response: Response) -> Response:
    if response.mimetype == "text/html":
        response.vary.add("Accept-Language")
    return response
