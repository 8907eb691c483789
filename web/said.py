"""Said: what the rooms below say in English, in the language of the request.

They know of no request. A sentence of theirs that is not here, or that has changed since, is shown
as it is.
"""

from __future__ import annotations

import re
from functools import cache

from web.language import SOURCE, gettext, gettext_noop, language

_SENTENCES = (
    # search/parser.py
    gettext_noop("A search has room for %(most)s characters; this one has %(number)s."),
    gettext_noop("There is a character here that cannot be read."),
    gettext_noop("A weight goes from %(least)s to %(most)s."),
    gettext_noop("After %(sign)s comes a picture’s number: %(example)s."),
    gettext_noop("There is no picture with this number."),
    gettext_noop("A quotation mark is missing at the end."),
    gettext_noop("There is nothing between the quotation marks."),
    gettext_noop("Write the value directly behind %(name)s: as in %(example)s."),
    gettext_noop("There is no filter %(name)s: here. Did you mean %(close)s:, as in %(example)s?"),
    gettext_noop("Something to look for is missing behind this."),
    gettext_noop("Two signs in a row."),
    gettext_noop("Write the sign before the weight: -2:snow."),
    gettext_noop("Two weights in a row."),
    gettext_noop("A filter has no weight."),
    gettext_noop("This filter cannot be turned around: write the other bound."),
    gettext_noop("There is a place already: only one can be near."),
    gettext_noop("A search has room for %(most)s filters."),
    gettext_noop("A search has room for %(most)s terms."),
    # search/filter_text.py
    gettext_noop("“%(value)s” is not a date. Write 2019, 2019-06 or 2019-06-30."),
    gettext_noop(
        "“%(value)s” is not a size. Write size:>2mp or size:<500kp (mega- or kilopixels)."
    ),
    gettext_noop("No picture has %(size)s."),
    gettext_noop(
        "“%(value)s” is not a place. Write latitude, longitude and a distance: near:48.1,11.5,5km."
    ),
    gettext_noop("A latitude lies from -90 to 90 and a longitude from -180 to 180."),
    gettext_noop("A distance is more than 0 and at most %(most)s km."),
    gettext_noop("There is no type “%(value)s”. Did you mean %(close)s?"),
    gettext_noop("There is no type “%(value)s”. Types are jpeg, png, gif, raw, video, ..."),
    # search/query_vector.py
    gettext_noop("Picture #%(number)s is not in the library, or not read yet."),
    gettext_noop("These terms leave nothing to look for: they take each other away."),
    # search/clusters.py, map_build.py, map_grow.py
    gettext_noop("%(number)s clusters are no map: ask for 2 or more, or leave the number out."),
    gettext_noop("A map needs %(least)s pictures or more; there are %(number)s."),
    gettext_noop("%(pictures)s pictures cannot lie in %(number)s clusters: ask for fewer."),
    gettext_noop("All %(pictures)s pictures are the same to the model: there is nothing to map."),
    gettext_noop(
        "Only %(differing)s of %(pictures)s pictures differ, which is fewer than %(number)s "
        "clusters."
    ),
    gettext_noop("The smallest cluster has 2 pictures or more."),
    gettext_noop("No cluster can have %(size)s of %(pictures)s pictures: ask for fewer."),
    gettext_noop(
        "No %(size)s pictures or more lie together more closely than the rest: ask for smaller "
        "clusters (--smallest), or for KMeans."
    ),
    gettext_noop("A name has 1 to %(most)s characters."),
    gettext_noop(
        "%(number)s of %(pictures)s pictures have a damaged vector (%(names)s): "
        "python -m library doctor --mend removes it, and the next crawl makes it again."
    ),
    gettext_noop(
        "The collection “%(name)s” has no pictures that were read: crawl its folder first "
        "(python -m crawler)."
    ),
    gettext_noop(
        "The map “%(name)s” was made with another model, whose vectors say nothing to this one: "
        "build it anew."
    ),
    # web/map_job.py
    gettext_noop("Kindred made a mistake. What happened stands in the terminal that it runs in."),
    # library/damage.py and who decodes
    gettext_noop("not a picture in a format that Kindred reads, or damaged"),
    gettext_noop("too large: there was not enough memory to decode it; close other programs"),
    gettext_noop(
        "damaged: the file ends before its picture does; copy it again from where it came from"
    ),
    gettext_noop("damaged: it cannot be decoded (%(error)s)"),
    gettext_noop("damaged: %(error)s"),
    gettext_noop(
        "too large: %(shape)s pixels take %(megabytes)s MB of memory to decode; "
        "MAX_IMAGE_MEGAPIXELS=%(needed)s would read it (now %(now)s)"
    ),
    gettext_noop("too large: %(shape)s pixels take %(megabytes)s MB of memory to decode"),
    gettext_noop("takes too long: it was not decoded after %(seconds)s seconds"),
    gettext_noop("crashes its decoder (%(signal)s)"),
    gettext_noop("the file is empty"),
    gettext_noop("cannot be read: %(error)s"),
    gettext_noop(
        "%(kind)s are read where %(package)s is installed: python -m pip install %(same)s"
    ),
    # library/formats.py and crawler/selection.py: kinds of files
    gettext_noop("RAW photos"),
    gettext_noop("JPEG XL pictures"),
    gettext_noop("videos"),
    gettext_noop("RAW photos beside a JPEG or HEIC"),
    # crawler/background.py
    gettext_noop("Kindred made a mistake. What happened stands in the terminal that it runs in"),
    # library/index_files.py: who holds the index
    gettext_noop("another process"),
    gettext_noop("%(program)s, process %(number)s"),
    # mlx_clip/runtime.py
    gettext_noop("CLIP_RUNTIME asks for it"),
    gettext_noop("there is no Metal or CUDA here"),
    gettext_noop("there is %(device)s"),
    gettext_noop("the starter model is made for it"),
    gettext_noop("%(model)s is made for it"),
)


def said(sentence: str) -> str:
    """A sentence of another room, in the language of the request."""
    if language() == SOURCE:
        return sentence
    for text, pattern in _patterns():
        if found := pattern.fullmatch(sentence):
            return gettext(text, **found.groupdict())
    return sentence


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Each sentence and what it looks like with values in it."""
    return tuple((text, _pattern(text)) for text in _SENTENCES)


def _pattern(text: str) -> re.Pattern[str]:
    parts = re.split(r"%\((\w+)\)s", text)
    escaped = [
        re.escape(part) if at % 2 == 0 else f"(?P<{part}>.+)" for at, part in enumerate(parts)
    ]
    return re.compile("".join(escaped), re.DOTALL)
