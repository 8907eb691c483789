"""`python -m mlx_clip embed|info|convert|zeroshot|selftest`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from mlx_clip import convert, embed, info, selftest, zeroshot
from mlx_clip.errors import EncoderError

EXIT_UNUSABLE, EXIT_INTERRUPTED = 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; gives its exit status."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # whoever reads the output has had enough of it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (EncoderError, OSError) as error:
        print("mlx_clip:", " ".join(str(error).split()), file=sys.stderr)
        return EXIT_UNUSABLE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m mlx_clip",
        description="CLIP, SigLIP and SigLIP 2 on MLX or ONNX Runtime. "
        "`python -m mlx_clip COMMAND --help` says what a command takes.",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for module in (embed, info, convert, zeroshot, selftest):
        module.add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
