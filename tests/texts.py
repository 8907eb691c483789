"""Texts of every kind, nasty ones among them, the same for the same seed and Python."""

from __future__ import annotations

import random
import string
import unicodedata
from collections.abc import Callable

NASTY = (
    "a photo of a cat",
    "a",
    ".",
    "!!!",
    "  leading and trailing\t\n",
    "two  spaces\u00a0and\u2003others\u3000",
    "I'll say it's what we've done, they're sure I'd go and I'm here, don't",
    "I’LL SAY IT’S WHAT WE’VE DONE",
    "'S 'T 'RE 'VE 'M 'LL 'D 'ſ 'lL ''s",
    "ΟΔΥΣΣΕΥΣ ΣΑΣ Σ σς",
    "İSTANBUL ISPARTA ığdır",
    "ẞ ß SS ﬁ ﬀ ﬆ ſ K Å",
    "e\u0301 a\u0308\u0304 \u0345 α\u0345 \u0300",
    "café naïve Ångström",
    "가각 한국어 \u1112\u1161\u11ab",
    "ﾊﾟﾋﾟ ﾌﾟ ｈｅｌｌｏ！ １２３ ㈱ ㌔ ™ ½ ²",
    "مرحبا بالعالم שלום עולם",
    "नमस्ते दुनिया กำลัง ကမ္ဘာ",
    "日本語のテキスト 中文字符 我々",
    "👩‍👩‍👧‍👦 👨🏽‍🚀 🏳️‍🌈 🇩🇪🇫🇷 ❤️ ☺ 1️⃣ 🫠",
    "&lt;b&gt; &amp;amp; &amp;amp;lt; &quot;x&quot; &#39; &#2; &#xd800; &nbsp; &notit; &copy",
    "<b>&amp;</b> &lt;start_of_text&gt;",
    "<i>twice &amp;amp; thrice &amp;amp;amp; &amp;lt;i&amp;gt;</i>",
    "schÃ¶n â€œquotedâ€ itâ€™s Ð¿Ñ€Ð¸Ð²ÐµÑ‚ Ã°Å¸Ëœâ‚¬",
    "<start_of_text>",
    "<end_of_text>",
    "a<start_of_text>b<end_of_text><end_of_text>c",
    "!<start_of_text> (<end_of_text>) _<end_of_text> <<end_of_text>",
    "<START_OF_TEXT> <ſtart_of_text> < start_of_text > <start_of_text",
    "<|startoftext|> <|endoftext|> a<|endoftext|>",
    "</s> a</s>b <unk> <pad> <eos><bos> a <eos> <mask> ＜／ｓ＞ ＜ｐａｄ＞",
    "</w> a</w> Ġ Ā",
    "▁ ▁▁ a▁b ▁a",
    "<0x0A> <0x41>",
    "nul\x00 bell\x07 stx\x02etx\x03 esc\x1b[1m del\x7f c1\x85\x9f",
    "\x02 \x03",
    "zero\u200bwidth\u200djoin\u2060 \ufeffbom soft\u00adhyphen",
    "\u202eright to left\u202c",
    "line\nbreak\r\nand\u2028separator\x1c\x1f\x85",
    "\ufffd \ufffe \U0010ffff \ue000",
    "𝕳𝖊𝖑𝖑𝖔 𝟙𝟚 Ⅷ ⅷ ⓐ ① ٣ ৪ 四 Ⅻ",
    "0123456789 3.14 1,000,000 0x00100000 v1.2.3 00000000",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "999 8888888888888888 hahahahahaha sysysysysys",
    "--------- ........ !?!?!? ***** ##### ~~~ ___ a_b __init__",
    "user@example.org https://example.org/a?b=c&d=%20#e @you #tag",
    "c++ c# f(x)=y; {'a': [1, 2]} \\n \\u0041 $5 €5 50% 5°",
    "¨ ´ ¸ ` ^ a ´b ¨",
    "¿Qué? ¡Sí! «quoted» „deutsch“ … — – ‐",
    "Zalgo: H̵̡̛e̸͚̓l̷̰̈́l̶̨̛ö̴́",
    "x" * 3000,
    "very long " * 1000,
    "ä" * 500,
    "7" * 1000,
    "wordwithoutend" * 200,
    "a!" * 200,
    "a b c d e f g h i j k l m n o p q r s t u v w x y z " * 3 + "<end_of_text> </s>",
)

_WORDS = [
    *("a", "the", "photo", "of", "cat", "dog", "beach", "sunset", "two", "red", "people", "cake"),
    *("mountain", "bicycle", "birthday", "meme", "screenshot", "surprised", "Pikachu", "DRAWING"),
    *("Boyfriend", "black-and-white", "bokeh", "close-up", "New", "York's", "café", "naïve"),
    *("don't", "it's", "we're", "I'd", "you'll", "they've", "I'm", "4K", "35mm", "f/2.8", "e.g."),
    *("U.S.A.", "schön", "Straße", "garçon", "niño", "東京", "привет", "мир", "שלום", "سلام"),
]
_SCRIPTS = (
    (0x20, 0x7E),
    (0xA0, 0x17F),
    (0x180, 0x24F),
    (0x370, 0x3FF),
    (0x400, 0x52F),
    (0x5D0, 0x5EA),
    (0x621, 0x64A),
    (0x900, 0x97F),
    (0xE01, 0xE5B),
    (0x10A0, 0x10FF),
    (0x1100, 0x11FF),
    (0x1E00, 0x1FFF),
    (0x2000, 0x2BFF),
    (0x3040, 0x30FF),
    (0x4E00, 0x9FFF),
    (0xAC00, 0xD7A3),
    (0xFB00, 0xFDFF),
    (0xFF00, 0xFFEF),
    (0x1D400, 0x1D7FF),
    (0x1F300, 0x1FAFF),
)
_ENTITIES = "&lt; &gt; &amp; &quot; &#39; &eacute; &Ouml; &nbsp; &#x1F600; &amp;lt; &bogus;"
_LOOKALIKES = (
    "<start_of_text> <end_of_text> <|startoftext|> <|endoftext|> </s> <unk> <pad> <eos> <bos> </w>"
)
_EMOJI = "😀 👍🏿 👩‍🚀 👨‍👩‍👧 🏴‍☠️ 🇺🇸 ❤️‍🔥 ☂️ 🐈‍⬛ 🤷🏽‍♀️ ✈ 🎂"
_SPACES = " \t\n\r\u00a0\u2009\u3000\u200b\x0b\x0c\x1c\x85"


def texts(count: int, seed: int) -> list[str]:
    """NASTY, and others to make `count`, none of them blank."""
    dice = random.Random(seed)
    found = list(NASTY)
    while len(found) < count:
        text = dice.choice(_KINDS)(dice)
        if text.strip():
            found.append(text)
    return found[:count]


def _caption(dice: random.Random) -> str:
    words = dice.choices(_WORDS, k=dice.randint(1, 14))
    styled = [dice.choice((str, str, str.upper, str.title))(word) for word in words]
    return " ".join(styled) + dice.choice(("", "", ".", "!", "?!", "..."))


def _script(dice: random.Random) -> str:
    words = []
    for _ in range(dice.randint(1, 5)):
        low, high = dice.choice(_SCRIPTS)
        words.append("".join(chr(dice.randint(low, high)) for _ in range(dice.randint(1, 8))))
    return _assigned(" ".join(words))


def _any_characters(dice: random.Random) -> str:
    return _assigned("".join(chr(dice.randrange(0x32000)) for _ in range(dice.randint(1, 12))))


def _marked(dice: random.Random) -> str:
    letters = dice.choices("aeiouyAEIOUYnsczαιωеиかはﾊハ가ا", k=dice.randint(1, 8))
    return "".join(
        letter + "".join(chr(dice.randint(0x300, 0x36F)) for _ in range(dice.randint(0, 2)))
        for letter in letters
    )


def _between(pieces: str) -> Callable[[random.Random], str]:
    """Some of the pieces and some words, not always with a space between."""

    def mixed(dice: random.Random) -> str:
        parts = dice.choices([*pieces.split(), *_WORDS[:20], ".", "!", "_", "1"], k=9)
        return "".join(part + dice.choice(("", "", " ")) for part in parts)

    return mixed


def _mojibake(dice: random.Random) -> str:
    code = dice.choice(("latin-1", "windows-1252", "windows-1251"))
    return _caption(dice).encode().decode(code, "replace")


def _escaped_twice(dice: random.Random) -> str:
    return _between(_ENTITIES)(dice).replace("&", dice.choice(("&amp;", "&amp;amp;")))


def _runs(dice: random.Random) -> str:
    kinds = (string.digits, string.punctuation, string.ascii_letters)
    return "".join(
        dice.choice(dice.choice(kinds)) * dice.choice((1, 2, 3, 5, 17))
        for _ in range(dice.randint(1, 9))
    )


def _spaced(dice: random.Random) -> str:
    return "".join(
        dice.choice((*_WORDS, *_SPACES, *_SPACES, chr(dice.randrange(0xA0))))
        for _ in range(dice.randint(2, 12))
    )


def _long(dice: random.Random) -> str:
    return " ".join(_caption(dice) for _ in range(dice.randint(5, 15)))


def _assigned(text: str) -> str:
    """Without what this Python's Unicode has no character for: libraries may differ on it."""
    return "".join(c for c in text if unicodedata.category(c) not in ("Cn", "Co", "Cs"))


_KINDS = (
    _caption,
    _caption,
    _script,
    _any_characters,
    _marked,
    _between(_ENTITIES),
    _between(_LOOKALIKES),
    _between(_EMOJI),
    _escaped_twice,
    _mojibake,
    _runs,
    _spaced,
    _long,
)
