"""Pictures decoded by a process of their own, which may crash or hang and takes nothing with it.

`python -m library.apart DESCRIPTOR` is that process; the descriptor is its end of a connection.
For each picture it is sent a JSON object (`least`, `most`, and `path` unless the file's bytes
follow), answers with the megapixels that a decode will hold, and decodes once it is told to. Then
come metadata and size, the RGB pixels, and the profile; or, for either answer, what was raised.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from dataclasses import asdict
from io import BytesIO
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any

from PIL import Image

from library import photos
from library.errors import PhotoError, PhotoTooLargeError, PhotoTooSlowError
from library.memory import DECODING
from library.models import Metadata
from library.photos import Photo
from library.time_limit import within

_ROOT = Path(__file__).parent.parent
_GO = b"go"
_RAISED = {kind.__name__: kind for kind in (PhotoError, PhotoTooLargeError, PhotoTooSlowError)}


class DecoderProcess:
    """Decodes one picture after another. For one thread at a time. Close it."""

    def __init__(self) -> None:
        self._connection, theirs = Pipe()
        with theirs:
            descriptor = theirs.fileno()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "library.apart", str(descriptor)],
                cwd=_ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(descriptor,),
                start_new_session=True,  # a Ctrl-C is for whoever started it
            )

    @property
    def is_alive(self) -> bool:
        """False once a picture has ended it."""
        return self._process.poll() is None

    def decode(self, source: bytes | Path, least: int, max_megapixels: int) -> Photo:
        """What `photos.decode` makes of a picture, which is given by its bytes or as a file.

        Raises what `photos.read_header` and `photos.decode` do, PhotoError when the decoder
        crashes, and OSError when there is no such file.
        """
        try:
            header = within(photos.SECONDS, lambda: self._asked(source, least, max_megapixels))
            megapixels = header["megapixels"]
            with DECODING.reserve(megapixels, max_megapixels):
                self._connection.send_bytes(_GO)
                return within(photos.seconds_for(megapixels), self._photo)
        except PhotoTooSlowError:
            self.close()  # the decoder still has its thread
            raise
        except (EOFError, ConnectionError) as error:
            raise PhotoError(f"crashes its decoder ({self._end()})") from error

    def close(self) -> None:
        """End the process, whatever it is at."""
        self._process.kill()
        self._process.wait()

    def _asked(self, source: bytes | Path, least: int, most: int) -> dict[str, Any]:
        asked: dict[str, object] = {"least": least, "most": most}
        if isinstance(source, Path):
            asked["path"] = str(source)
        self._connection.send_bytes(json.dumps(asked).encode())
        if isinstance(source, bytes):
            self._connection.send_bytes(source)
        return self._answer()

    def _photo(self) -> Photo:
        answer = self._answer()
        pixels, profile = self._connection.recv_bytes(), self._connection.recv_bytes()
        image = Image.frombytes("RGB", tuple(answer["size"]), pixels)
        return Photo(image, Metadata(**answer["metadata"]), profile or None)

    def _answer(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._connection.recv_bytes())
        if "raised" in answer:
            raise _RAISED.get(answer["raised"], OSError)(answer["said"])
        return answer

    def _end(self) -> str:
        """Wait for the end of the process. Gives the signal it ended by, or its status."""
        status = self._process.wait()
        return signal.Signals(-status).name if status < 0 else f"status {status}"


def main(descriptor: int) -> None:
    """Decode for whoever holds the connection's other end, for as long as they hold it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with Connection(descriptor) as connection:
        while True:
            try:
                asked = json.loads(connection.recv_bytes())
                path = asked.get("path")
                content = connection.recv_bytes() if path is None else None
            except (EOFError, ConnectionError):
                return
            try:
                with BytesIO(content) if content is not None else open(path, "rb") as stream:
                    header = photos.read_header(stream, asked["least"], asked["most"])
                    _send(connection, megapixels=header.megapixels)
                    connection.recv_bytes()
                    size = stream.seek(0, os.SEEK_END)
                    photo = photos.decode(header, asked["least"], size)
                _send(connection, metadata=asdict(photo.metadata), size=photo.image.size)
                connection.send_bytes(photo.image.tobytes())
                connection.send_bytes(photo.profile or b"")
            except (PhotoError, OSError) as error:
                _send(connection, raised=type(error).__name__, said=str(error))


def _send(connection: Connection, **answer: object) -> None:
    connection.send_bytes(json.dumps(answer).encode())


if __name__ == "__main__":
    main(int(sys.argv[1]))
    os._exit(0)  # no thread that a decoder may still be in keeps the process
