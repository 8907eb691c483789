"""`python -m bench.requests_child DATA PORT [PHOTOS]`: the site, and a crawl in the same process.

Serves until its standard input ends. With PHOTOS it crawls that folder from then on when a line
comes in, and says "crawled" when that has ended. Which model, the settings say.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from pathlib import Path

import waitress

from app import create_app
from library.allocator import give_back_large_blocks
from library.settings import load_settings
from web import site

_THREADS = 8


def main(data: Path, port: int, photos: Path | None) -> None:
    """Serve, and crawl when told to."""
    give_back_large_blocks()
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    settings = load_settings({**os.environ, "DATA_DIR": str(data)})
    app = create_app(settings)
    parts = site.of(app)
    parts.keeper.start()
    parts.relevance.start()
    server = waitress.create_server(app, host="127.0.0.1", port=port, threads=_THREADS)
    threading.Thread(target=server.run, daemon=True).start()
    for _ in sys.stdin:
        if photos is not None:
            parts.crawls.start([os.fsencode(photos)])
            while parts.crawls.run is not None:
                time.sleep(0.1)
            print("crawled", flush=True)
    os._exit(0)  # nothing here is worth closing in good order


if __name__ == "__main__":
    data, port, *photos = sys.argv[1:]
    main(Path(data), int(port), Path(photos[0]) if photos else None)
