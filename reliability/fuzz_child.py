"""`python -m reliability.fuzz_child SEED FIRST END STEP`: files through the crawl's reader.

Prints a line before each file, its number, and one after it: read, error, slow or raised. What
kills or stops the process is seen by whoever started it.
"""

from __future__ import annotations

import sys
import tempfile
import traceback
from pathlib import Path

from crawler.read import Decoded, Failed, Reader
from library import spaces
from library.database import Database
from library.models import Work
from library.thumbnails import Thumbnails
from mlx_clip import load_encoder
from reliability.mutations import mutated

MEGAPIXELS = 64


def main(seed: int, first: int, end: int, step: int) -> None:
    """Read the files of these numbers, one after the other."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database = Database(folder / "library.sqlite")
        encoder = load_encoder("starter")
        space = spaces.space(database.connection, encoder.space, encoder.dim)
        reader = Reader(database, space, encoder, Thumbnails(folder / "thumbs"), MEGAPIXELS)
        for number in range(first, end, step):
            kind, content = mutated(seed, number)
            path = folder / f"{number}.{kind}"
            path.write_bytes(content)
            print(number, kind, flush=True)
            print(_outcome(reader, path), flush=True)
            path.unlink()
        database.close()


def _outcome(reader: Reader, path: Path) -> str:
    try:
        outcome = reader.read(_work(path))
    except Exception:
        traceback.print_exc()
        return "raised"
    if isinstance(outcome, Failed):
        return "slow" if outcome.reason.startswith("takes too long") else "error"
    return "read" if isinstance(outcome, Decoded) else "raised"


def _work(path: Path) -> Work:
    info = path.stat()
    return Work(0, bytes(path), info.st_size, info.st_mtime_ns)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
