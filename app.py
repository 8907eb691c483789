"""Kindred's site: `create_app` puts the parts together, `python app.py` serves them."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from flask import Flask

from crawler.background import Background
from crawler.model import open_encoder
from library import meta, spaces
from library.allocator import give_back_large_blocks
from library.choices import ChoicesCache
from library.database import Database
from library.errors import LibraryError
from library.keeper import IndexKeeper
from library.matrix import Matrix
from library.models import display_path
from library.settings import Settings, settings_for
from library.thumbnails import Thumbnails
from library.unhashed import Unhashed
from mlx_clip import DEFAULT, STARTER, EncoderError
from search.duplicates import Duplicates
from search.engine import Engine
from search.relevance import Relevance
from search.styles import Styles
from web import (
    access,
    api,
    ask,
    assets,
    bodies,
    crawls,
    crawls_api,
    duplicates,
    errors,
    foreground,
    grid,
    guard,
    language,
    library_page,
    maps,
    maps_api,
    media,
    offline,
    pages,
    pictures,
    said,
    shown,
    site,
    state,
    suggest,
    theme,
    units,
)
from web import window as window_room
from web.fetch import Fetcher
from web.map_job import MapJob
from web.server import Server
from web.site import Model, Site
from web.window import Window

EXIT_DONE, EXIT_UNUSABLE, EXIT_INTERRUPTED = 0, 2, 130


def create_app(settings: Settings) -> Flask:
    """The site over the library in `settings.data_dir`, which is made when there is none.

    Whoever serves it starts `keeper`, `relevance` and `duplicates` of `app.extensions["kindred"]`
    and, at the end, closes the site.
    Raises LibraryError or EncoderError when the library or the model cannot be used.
    """
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = bodies.LARGEST
    access.install(app, settings)  # first: no error page may say anything to a stranger
    site.register(app, _open_site(settings))
    guard.install(app, settings.host)
    errors.install(app)
    assets.install(app)
    language.install(app)
    foreground.install(app)
    rooms = (pages, crawls, library_page, duplicates, ask, maps, media, api, crawls_api, maps_api)
    for room in (*rooms, suggest, theme, offline, window_room):
        app.register_blueprint(room.blueprint)
    app.jinja_env.globals.update(
        library_line=state.line,
        chosen_theme=theme.chosen,
        in_window=window_room.in_window,
        thumb_url=grid.thumb_url,
        accepted=pictures.accepted(),
        search_by_url=settings.search_by_url,
        display_path=display_path,
        number=units.number,
        duration=units.duration,
        size=units.file_size,
        said=said.said,
    )
    app.jinja_env.filters["shown"] = shown.shown
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    return app


def _open_site(settings: Settings) -> Site:
    database = Database(settings.database_path)
    try:
        connection = database.connection
        encoder = open_encoder(connection, settings)
        encoder.encode_texts(["a picture"])  # a model that does not load says so now
        space = spaces.space(connection, encoder.space, encoder.dim)
        keeper = IndexKeeper(settings.data_dir, database, space, settings.chroma_url)
        matrix = Matrix(settings.data_dir, database, space)
        relevance = Relevance(database, space, encoder, lambda: matrix.rows().vectors)
        thumbnails = Thumbnails(settings.thumbnail_dir)
        return Site(
            settings=settings,
            database=database,
            space=space,
            model=Model(
                encoder.name,
                starter=encoder.name.startswith(STARTER),
                alternative=DEFAULT,
                runtime=str(encoder.runtime),
                why=encoder.runtime.why,
            ),
            keeper=keeper,
            engine=Engine(database, encoder, space, keeper, matrix, relevance),
            relevance=relevance,
            duplicates=Duplicates(database, space, Unhashed(database, thumbnails)),
            thumbnails=thumbnails,
            choices=ChoicesCache(),
            fetcher=Fetcher(bodies.LARGEST) if settings.search_by_url else None,
            crawls=Background(settings, encoder),
            styles=Styles(database, space, matrix),
            map_job=MapJob(settings),
            library_id=meta.library_id(connection),
        )
    except BaseException:
        database.close()
        raise


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; gives its exit status."""
    give_back_large_blocks()
    options = _parser().parse_args(arguments)
    received = _watch_for_signals()
    try:
        settings = settings_for(DATA_DIR=options.data, HOST=options.host, PORT=options.port)
        logging.basicConfig(level=settings.log_level)
        # It warns of every request that waits for another, which is what a queue is for.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        window = Window() if options.window else None
        app = create_app(settings)
        try:
            _serve(app, settings, window)
        finally:
            site.of(app).close()
        return EXIT_INTERRUPTED if signal.SIGINT in received else EXIT_DONE
    except (LibraryError, EncoderError) as error:
        print(f"app.py: {error}", file=sys.stderr)
        return EXIT_UNUSABLE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python app.py", description="Serve the library as a site. Ctrl-C ends it."
    )
    parser.add_argument("--data", metavar="DIR", help="the library's folder (DATA_DIR)")
    parser.add_argument("--host", metavar="H", help="the address to listen on (HOST)")
    parser.add_argument("--port", metavar="P", help="the port to listen on (PORT)")
    parser.add_argument(
        "--window", action="store_true", help="show it in a window; closing that ends it"
    )
    return parser


def _serve(app: Flask, settings: Settings, window: Window | None) -> None:
    """Serve until a signal comes, or the window is closed."""
    server = Server(app, settings.host, settings.port)
    parts = site.of(app)
    for part in (parts.keeper, parts.relevance, parts.duplicates):
        part.start()
    print(f"Kindred is at {server.address}", flush=True)
    if window is None:
        server.run()
        return
    window_room.register(app, window)
    with server.beside():
        window.show(server.address, settings.data_dir / "window")


def _watch_for_signals() -> list[int]:
    """Ctrl-C and SIGTERM end the serving in good order; a second one does not ask."""
    received: list[int] = []

    def leave(number: int, frame: FrameType | None) -> None:
        received.append(number)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        raise SystemExit(EXIT_INTERRUPTED if number == signal.SIGINT else EXIT_DONE)

    signal.signal(signal.SIGINT, leave)
    signal.signal(signal.SIGTERM, leave)
    return received


if __name__ == "__main__":
    sys.exit(main())
