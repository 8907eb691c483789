"""What went wrong, as a page for people and as JSON below /api/."""

from __future__ import annotations

import logging

from flask import Flask, Response, make_response, render_template, request
from werkzeug.exceptions import BadRequest, HTTPException, InternalServerError

from search.errors import InputError, QueryError, SearchError
from web import bar
from web.language import gettext, gettext_noop
from web.said import said

logger = logging.getLogger(__name__)

_TITLES = {
    400: gettext_noop("That did not work"),
    401: gettext_noop("Not without the password"),
    403: gettext_noop("Not from here"),
    404: gettext_noop("Nothing here"),
    405: gettext_noop("Not that way"),
    409: gettext_noop("Not now"),
    413: gettext_noop("Too large"),
    500: gettext_noop("Something broke"),
    502: gettext_noop("That did not arrive"),
    503: gettext_noop("Not now"),
    504: gettext_noop("That took too long"),
}
_SENTENCES = {
    400: gettext_noop("The request could not be understood."),
    404: gettext_noop("There is no page at this address."),
    405: gettext_noop("This address does not take that kind of request."),
    413: gettext_noop("The file is too large: pictures of up to 64 MB can be searched with."),
    500: gettext_noop(
        "Kindred made a mistake. What happened stands in the terminal that it runs in."
    ),
}


def install(app: Flask) -> None:
    """Answer every error of `app` in our own words."""
    app.register_error_handler(HTTPException, _answer)
    app.register_error_handler(InputError, _refused)
    app.register_error_handler(SearchError, _unanswerable)
    app.register_error_handler(QueryError, _misread)
    app.register_error_handler(Exception, _broken)


def _answer(error: HTTPException) -> Response:
    status = error.code or 500
    own_words = error.description != type(error).description
    usual = gettext(_SENTENCES[status]) if status in _SENTENCES else error.name
    message = error.description if own_words and error.description else usual
    if request.path.startswith("/api/"):
        code = error.name.lower().replace(" ", "_")
        response = make_response({"error": {"code": code, "message": message}})
    else:
        title = gettext(_TITLES[status]) if status in _TITLES else error.name
        page = render_template("error.html", title=title, message=message, status=status)
        response = make_response(page)
    response.status_code = status
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def _refused(error: InputError) -> Response:
    """What cannot be encoded, an empty text for one, was the client's to mend."""
    return _answer(BadRequest(f"{said(str(error))}."))


def _unanswerable(error: SearchError) -> Response:
    return _answer(BadRequest(said(str(error))))


def _misread(error: QueryError) -> Response:
    """A search that was mistyped: the place is pointed at."""
    if request.path.startswith("/api/"):
        place = {"start": error.start, "end": error.end}
        answer = {"error": {"code": "bad_query", "message": error.message, **place}}
        response = make_response(answer)
    else:
        response = make_response(render_template("misread.html", bar=bar.misread(error)))
    response.status_code = 400
    return response


def _broken(error: Exception) -> Response:
    logger.error("%s %s failed", request.method, request.path, exc_info=error)
    return _answer(InternalServerError())
