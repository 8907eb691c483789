"""`python -m bench.rclip_child FOLDER IMAGE_ONNX`: rclip's own indexing command, with our model.

Run by the Python of an environment that has rclip (see rclip_environment.py). Its loader, its
preprocessing, its settings for ONNX Runtime, its database (in RCLIP_DATADIR) and its command's
start are its own; it is only told which file its model is, what that file calls its input and how
large its pictures are. Nothing is downloaded.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from rclip import model_download
from rclip.main import init_rclip
from rclip.utils import helpers, preprocess

_BATCH = helpers.init_arg_parser().get_default("indexing_batch_size")


class _Session:
    """rclip's session of our file, which names its input otherwise."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.get_inputs = session.get_inputs

    def run(self, outputs: None, inputs: dict[str, np.ndarray[Any, Any]]) -> Any:
        return self._session.run(outputs, {"pixel_values": inputs["input"]})


def main(folder: str, image_onnx: str) -> None:
    """Index a folder, as `rclip` does before it answers a query."""
    session = _Session(model_download._load_onnx_session(image_onnx))
    preprocess.IMAGE_SIZE = session.get_inputs()[0].shape[-1]
    model_download.ensure_downloaded = lambda: None
    model_download.load_visual_query_session = lambda: session
    rclip, model, database = init_rclip(folder, _BATCH)
    print(len(rclip._get_features(folder)[0]))
    rclip.close()
    model.close()
    database.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
