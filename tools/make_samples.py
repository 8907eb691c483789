"""Writes samples/ again, with its table of licences, from packages of Debian 12.

    python -m tools.make_samples [--root FOLDER]

What is chosen stands in samples.tsv beside this file, one picture a line. The pictures come from
the packages named there (apt-get install them, or unpack them below FOLDER with `dpkg -x`).
"""

import argparse
import csv
import io
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import pillow_heif
from PIL import Image, ImageChops, ImageOps

from tools.qt_resources import read_resource

PROJECT = Path(__file__).resolve().parent.parent
SELECTION = Path(__file__).with_name("samples.tsv")

LONG_SIDE = {"photo": 900, "cutout": 480, "drawing": 480}
COLOURS = 96
"""A drawing has few colours; a palette makes its PNG about a third of the size."""

KEPT_EXIF = (0x010F, 0x0110, 0x0132)
KEPT_EXIF_IFD = (0x829A, 0x829D, 0x8827, 0x9003, 0x920A, 0xA405)
"""Make, model, time; exposure, aperture, ISO, time taken, focal length. Never a maker's note."""
EXIF_IFD = 0x8769

LICENCES = {
    "public domain": "",
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "CC-BY-1.0": "https://creativecommons.org/licenses/by/1.0/",
    "CC-BY-2.0": "https://creativecommons.org/licenses/by/2.0/",
    "CC-BY-3.0": "https://creativecommons.org/licenses/by/3.0/",
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC-BY-SA-2.0": "https://creativecommons.org/licenses/by-sa/2.0/",
    "CC-BY-SA-3.0": "https://creativecommons.org/licenses/by-sa/3.0/",
    "CC-BY-SA-4.0": "https://creativecommons.org/licenses/by-sa/4.0/",
    "GPL-2.0-or-later": "https://www.gnu.org/licenses/old-licenses/gpl-2.0.html",
}

INTRODUCTION = """\
# The sample pictures and their licences

These pictures are here so that a fresh copy of Kindred has something to search. They are not part
of the program and do not carry its licence: each keeps its own, named below. All were made smaller,
drawings also had their margins cut and their colours reduced, and some were saved in another file
format; nothing else was changed. They come from packages of Debian 12 and are written again by
`python -m tools.make_samples`. Authors and licences are those stated by the packages'
copyright files; titles and authors of the openclipart drawings are those in the metadata of the
same drawings in `openclipart-svg`; for the photographs of `gcompris-qt-data`, authors and licences
are those of the lists of sources (README) that GCompris keeps beside them. The pictures of
`plasma-workspace-wallpapers` are under GPL-2.0-or-later by the package's copyright file; their own
metadata say LGPL-3. The text of the GPL, version 2, is in `LICENSES/GPL-2.0.txt`.
"""


@dataclass(frozen=True)
class Sample:
    """One line of samples.tsv.

    Args:
        target: The path below samples/; its suffix decides the format written.
        kind: `photo`, `cutout` (a photograph on nothing), `drawing`, or `copy`.
        package: The Debian package the source comes from.
        source: The path below the root; `archive.rcc!name` for a Qt resource; frames of an
            animation are joined with ` + `. For a `copy`, another line's target.
        title: The author's title, where one is known.
        author: Who made it.
        licence: A key of LICENCES.
        origin: Where the package's makers say they had it from.
    """

    target: str
    kind: str
    package: str
    source: str
    title: str
    author: str
    licence: str
    origin: str


def read_selection(path: Path) -> list[Sample]:
    """The lines of the selection, in its order; the heading names the fields of Sample."""
    with path.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        if reader.fieldnames != [field.name for field in fields(Sample)]:
            raise ValueError(f"{path}: the heading is {reader.fieldnames}")
        return [Sample(**row) for row in reader]


def _open_source(root: Path, source: str) -> Image.Image:
    archive, _, name = source.partition("!")
    if name:
        return Image.open(io.BytesIO(read_resource(root / archive, name)))
    return Image.open(root / source)


def _without_margins(picture: Image.Image) -> Image.Image:
    """`picture` as RGBA, cut to what differs from plain white or from nothing."""
    rgba = picture.convert("RGBA")
    on_white = Image.new("RGB", rgba.size, "white")
    on_white.paste(rgba, mask=rgba.getchannel("A"))
    difference = ImageChops.difference(on_white, Image.new("RGB", rgba.size, "white"))
    box = difference.convert("L").point(lambda value: 255 if value > 8 else 0).getbbox()
    return rgba.crop(box) if box else rgba


def _prepare(picture: Image.Image, kind: str) -> Image.Image:
    if kind == "photo":
        ready = ImageOps.exif_transpose(picture).convert("RGB")
    else:
        ready = _without_margins(picture)
    ready.thumbnail((LONG_SIDE[kind], LONG_SIDE[kind]), Image.Resampling.LANCZOS)
    return ready


def _exif(picture: Image.Image) -> Image.Exif:
    """Of what `picture` itself carries, what a reader of the site may want to see."""
    carried, kept = picture.getexif(), Image.Exif()
    for tag in KEPT_EXIF:
        if tag in carried:
            value = carried[tag]
            kept[tag] = value.partition("\0")[0].strip() if isinstance(value, str) else value
    details = carried.get_ifd(EXIF_IFD)
    # An old lens tells the camera nothing: its zeros would read as "f/0, 0 mm".
    kept_details = {tag: details[tag] for tag in KEPT_EXIF_IFD if details.get(tag)}
    if kept_details:
        kept.get_ifd(EXIF_IFD).update(kept_details)
    return kept


def _with_palette(picture: Image.Image) -> Image.Image:
    return picture.quantize(COLOURS, method=Image.Quantize.FASTOCTREE)


def _on_white(picture: Image.Image) -> Image.Image:
    rgba = picture.convert("RGBA")
    white = Image.new("RGB", rgba.size, "white")
    white.paste(rgba, mask=rgba.getchannel("A"))
    return white


def _save_animation(frames: Sequence[Image.Image], target: Path) -> None:
    size = frames[0].size
    first, *others = (_on_white(frame).resize(size).quantize(48) for frame in frames)
    first.save(target, save_all=True, append_images=others, duration=600, loop=0)


def _save(picture: Image.Image, kind: str, exif: Image.Exif, target: Path) -> None:
    suffix = target.suffix
    if suffix == ".jpg":
        picture.save(target, quality=78, optimize=True, progressive=True, exif=exif)
    elif suffix == ".png" and kind == "cutout":
        picture.quantize(256, method=Image.Quantize.FASTOCTREE).save(target, optimize=True)
    elif suffix == ".png":
        _with_palette(picture).save(target, optimize=True)
    elif suffix == ".webp":
        picture.save(target, quality=78, method=6)
    elif suffix in (".avif", ".heic"):
        picture.save(target, quality=60)
    elif suffix == ".gif":
        _on_white(picture).quantize(64).save(target)
    elif suffix == ".bmp":
        small = _on_white(picture)
        small.thumbnail((240, 240), Image.Resampling.LANCZOS)
        small.quantize(64).save(target)
    elif suffix == ".tif":
        _on_white(picture).save(target, compression="tiff_adobe_deflate")
    else:
        raise ValueError(f"no way is known to write {target}")


def write_sample(sample: Sample, root: Path, folder: Path) -> None:
    """Writes one picture below `folder`, with the EXIF data that its source carries, if any.

    Raises:
        OSError: The source is missing (is the package installed?) or is no picture.
        ResourceError: The Qt resource file does not hold the source.
    """
    target = folder / sample.target
    target.parent.mkdir(parents=True, exist_ok=True)
    if sample.kind == "copy":
        shutil.copyfile(folder / sample.source, target)
        return
    pictures = [_open_source(root, source) for source in sample.source.split(" + ")]
    ready = [_prepare(picture, sample.kind) for picture in pictures]
    if len(ready) > 1:
        _save_animation(ready, target)
    else:
        _save(ready[0], sample.kind, _exif(pictures[0]), target)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _row(sample: Sample) -> str:
    work = f"“{sample.title}”, {sample.author}" if sample.title else sample.author
    licence = LICENCES[sample.licence]
    source = " + ".join(f"`{source}`" for source in sample.source.split(" + "))
    cells = (
        f"`{sample.target}`",
        _cell(work),
        f"[{sample.licence}]({licence})" if licence else sample.licence,
        f"`{sample.package}`",
        f"{source} ([origin]({sample.origin}))" if sample.origin else source,
    )
    return f"| {' | '.join(cells)} |"


def licence_table(samples: Iterable[Sample]) -> str:
    """The text of LICENSES.md: a row for every picture, in the order of their paths."""
    rows = [_row(sample) for sample in sorted(samples, key=lambda sample: sample.target)]
    heading = [
        "| File | Title and author | Licence | Debian package | Original |",
        "|---|---|---|---|---|",
    ]
    return "\n".join([INTRODUCTION, *heading, *rows, ""])


def make_samples(samples: Sequence[Sample], root: Path, folder: Path) -> None:
    """Writes `folder` anew: every picture of `samples`, and LICENSES.md.

    What was there before is replaced, but only once everything new stands: a package that is not
    installed costs nothing.
    """
    pillow_heif.register_heif_opener()
    fresh = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    # Copies last: what they copy must stand first.
    for sample in sorted(samples, key=lambda sample: sample.kind == "copy"):
        write_sample(sample, root, fresh)
    (fresh / "LICENSES.md").write_text(licence_table(samples), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Write samples/ again from Debian packages.")
    parser.add_argument("--root", type=Path, default=Path("/"), help="where they are unpacked")
    arguments = parser.parse_args()
    folder = PROJECT / "samples"
    make_samples(read_selection(SELECTION), arguments.root, folder)
    files = [path for path in folder.rglob("*") if path.is_file()]
    print(f"{len(files) - 1} pictures, {sum(path.stat().st_size for path in files):,} bytes")


if __name__ == "__main__":
    main()
