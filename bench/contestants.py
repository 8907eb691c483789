"""What the crawl is compared with, each a whole process over the same pictures and model."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from bench.measure import Run, run
from mlx_clip.load import find_checkpoint
from mlx_clip.onnx_build import onnx_folder


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the ways in which Kindred can run a model."""

    name: str
    runtime: str
    precision: str

    @property
    def has_own_device(self) -> bool:
        """Whether it encodes where nothing is decoded."""
        return self.runtime == "mlx"


@dataclass(frozen=True, slots=True)
class Contest:
    """Pictures, a checkpoint, and a folder for models and libraries."""

    pictures: Path
    count: int
    checkpoint: Path
    work: Path

    def get_ready(self) -> None:
        """Make the models and read the pictures, so that nobody pays for models or disk."""
        for precision in ("float32", "int8"):
            self._model(precision)
        os.sync()
        for path in self.pictures.iterdir():
            path.read_bytes()

    def plain(self) -> Run:
        """One picture at a time."""
        data = self._new_library()
        return self._whole(run(["-m", "bench.plain_child", self.pictures, self._float32, data]))

    def rclip(self, python: Path) -> Run:
        """rclip, by the Python of an environment that has it."""
        environment = {
            "RCLIP_DATADIR": str(self._new_library()),
            "RCLIP_USE_ONNX_ON_MACOS": "1",
            "HF_HUB_OFFLINE": "1",
        }
        child = "bench.rclip_child"
        return self._whole(run(["-m", child, self.pictures, self._float32], environment, python))

    def crawl(self, kind: Kind) -> Run:
        """Kindred's own command, into a new library."""
        data = self._new_library()
        settings = self._settings(kind)
        return self._whole(
            run(["-m", "crawler", self.pictures, "--data", data, "--json"], settings)
        )

    def half(self, name: str, kind: Kind) -> Run:
        """`decode` or `encode` alone; its output is the seconds without the process's start."""
        return run(["-m", "bench.bound_child", name, self.pictures], self._settings(kind))

    @property
    def _float32(self) -> Path:
        return self._model("float32") / "image.onnx"

    def _model(self, precision: str) -> Path:
        return onnx_folder(find_checkpoint(str(self.checkpoint)), precision, self._models)

    @property
    def _models(self) -> Path:
        return self.work / "models"

    def _settings(self, kind: Kind) -> dict[str, str]:
        return {
            "CLIP_MODEL": str(self.checkpoint),
            "CLIP_RUNTIME": kind.runtime,
            "CLIP_PRECISION": kind.precision,
            "MODEL_CACHE": str(self._models),
        }

    def _new_library(self) -> Path:
        data = self.work / "library-compare"
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir()
        return data

    def _whole(self, done: Run) -> Run:
        said = json.loads(done.output)
        indexed = said["indexed"] if isinstance(said, dict) else said
        if indexed != self.count:
            raise SystemExit(f"only {indexed} of {self.count} pictures were indexed")
        return done
