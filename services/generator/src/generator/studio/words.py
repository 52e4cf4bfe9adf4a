"""From a prompt to a scene: pure, total, and the same for the same prompt everywhere."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from generator.studio.lexicon import LINKS, LONGEST_HAN, LOOKUP, REFUSALS, SHADE_OF, fold

READ_CHARACTERS = 4000
"""The painter reads this much of a prompt; the seed depends on all of it."""

MOST_SUBJECTS = 5

_TOKEN = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*|\d+|[,.;:!?、，。]")
_TURKISH_ENDING = re.compile(
    r"(l[ae]r)?(i?m|i?n|si|su|i|u|y[iu])?(n?[dt][ae]n?|n?[iu]n|n?[ae]|y[ae]|l[aeiu]|y?l[ae]|ki|li)?"
)
_ENGLISH_ENDING = (("ies", "y"), ("ves", "f"), ("es", ""), ("s", ""), ("'s", ""), ("’s", ""))
_IRREGULAR = {
    "men": "man",
    "women": "woman",
    "children": "child",
    "mice": "mouse",
    "geese": "goose",
}
_HERDS = {"people", "sheep", "fish"}


@dataclass(frozen=True, slots=True)
class Subject:
    """One kind of thing in the picture, in its named colour if it has one."""

    kind: str
    colour: str | None = None
    count: int = 1


@dataclass(frozen=True, slots=True)
class Scene:
    """What a prompt asks for. ``None`` leaves the choice to the seed."""

    seed: int
    setting: str | None = None
    time: str | None = None
    weather: str | None = None
    season: str | None = None
    mood: str | None = None
    subjects: tuple[Subject, ...] = ()
    colours: tuple[str, ...] = ()
    """Colours that belong to nothing in particular: they tint the whole."""
    tints: tuple[tuple[str, str], ...] = ()
    """(place, colour): a violet ``sky``, a green ``wall``."""
    features: frozenset[str] = frozenset()
    shades: tuple[tuple[str, str], ...] = ()
    """(colour, shade): a ``dark`` green. Cloth has it; a painted scene goes by its light."""

    def tint(self, place: str) -> str | None:
        """The colour that the prompt gave to a place."""
        return dict(self.tints).get(place)


@dataclass(frozen=True, slots=True)
class Word:
    """One understood token. ``plural`` when its form says that there are several."""

    axis: str
    value: str
    text: str
    plural: bool = False


def seed_of(prompt: str) -> int:
    """A seed in 0..2**32-1 that depends on every character of the prompt."""
    digest = hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:4], "big")


def _singular(token: str) -> tuple[str, bool] | None:
    if token in _IRREGULAR:
        return _IRREGULAR[token], True
    for ending, instead in _ENGLISH_ENDING:
        stem = token.removesuffix(ending) + instead
        if token.endswith(ending) and stem in LOOKUP:
            return stem, "'" not in ending and "’" not in ending
    return None


def _turkish_stem(token: str) -> tuple[str, bool] | None:
    for length in range(len(token) - 1, 2, -1):
        stem, ending = token[:length], token[length:]
        if stem in LOOKUP and length >= 3 and _TURKISH_ENDING.fullmatch(ending):
            return stem, ending.startswith(("lar", "ler"))
    return None


def _meaning(token: str) -> Word:
    if token in LOOKUP:
        return Word(*LOOKUP[token], token, token in _HERDS)
    stem = _singular(token) or (_turkish_stem(token) if len(token) > 4 else None)
    if stem is not None and stem[0] in LOOKUP:
        return Word(*LOOKUP[stem[0]], token, stem[1])
    return Word("", "", token)


def _han_words(run: str) -> Iterator[Word]:
    """Longest match first, since Chinese puts no space between words."""
    at = 0
    while at < len(run):
        for length in range(min(LONGEST_HAN, len(run) - at), 0, -1):
            piece = run[at : at + length]
            if piece in LOOKUP:
                yield Word(*LOOKUP[piece], piece)
                break
            if piece in REFUSALS:
                yield Word("", "", piece)
                break
            if piece in SHADE_OF:
                yield Word("shade", SHADE_OF[piece], piece)
                break
        else:
            length = 1
        at += length


def tokens(prompt: str) -> list[Word]:
    """The prompt's words in order, phrases of up to three words joined, each with its meaning."""
    raw = _TOKEN.findall(fold(prompt[:READ_CHARACTERS]))
    found: list[Word] = []
    at = 0
    while at < len(raw):
        if ord(raw[at][0]) > 0x2E7F:
            found.extend(_han_words(raw[at]))
            at += 1
            continue
        for length in (3, 2):
            phrase = " ".join(raw[at : at + length])
            plural = phrase.endswith("s") and phrase not in LOOKUP
            phrase = phrase if not plural else phrase[:-1]
            if length <= len(raw) - at and phrase in LOOKUP:
                found.append(Word(*LOOKUP[phrase], phrase, plural))
                at += length
                break
        else:
            found.append(_meaning(raw[at]))
            at += 1
    return found


@dataclass(slots=True)
class _Reader:
    """Walks the words once, binding colours and counts to what they stand next to."""

    axes: dict[str, str] = field(default_factory=dict)
    subjects: dict[str, Subject] = field(default_factory=dict)
    colours: list[str] = field(default_factory=list)
    tints: dict[str, str] = field(default_factory=dict)
    features: set[str] = field(default_factory=set)
    colour: str | None = None
    count: int | None = None
    patience: int = 0
    """How many more words a waiting colour or count stays good for."""
    last: str | None = None
    linked: bool = False

    def _wait(self, *, colour: str | None = None, count: int | None = None) -> None:
        if colour is not None:
            if self.colour is not None:
                self.colours.append(self.colour)
            self.colour = colour
        if count is not None:
            self.count = count
        self.patience = 3

    def release(self) -> None:
        if self.colour is not None:
            self.colours.append(self.colour)
        self.colour = self.count = None

    def _take_colour(self) -> str | None:
        colour, self.colour = self.colour, None
        return colour

    def read(self, word: Word) -> None:
        match word.axis:
            case "colour":
                self._on_colour(word.value)
            case "count":
                self._wait(count=int(word.value))
            case "figure":
                self._on_figure(word)
            case "tinted":
                self._tint(word.value)
            case "feature":
                self.features.add(word.value)
                if (colour := self._take_colour()) is not None:
                    self.colours.append(colour)
            case "setting":
                self.axes.setdefault("setting", word.value)
                self._tint({"sea": "water", "lake": "water", "fields": "ground"}.get(word.value))
            case "shade":
                pass
            case "":
                self._on_unknown(word.text)
            case axis:
                self.axes.setdefault(axis, word.value)

    def _tint(self, place: str | None) -> None:
        if (colour := self._take_colour()) is not None:
            if place is None:
                self.colours.append(colour)
            else:
                self.tints[place] = colour

    def _on_colour(self, colour: str) -> None:
        subject = self.subjects.get(self.last or "")
        if self.linked and subject is not None and subject.colour is None:
            self.subjects[subject.kind] = Subject(subject.kind, colour, subject.count)
            self.linked = False
        else:
            self._wait(colour=colour)

    def _on_figure(self, word: Word) -> None:
        count = self.count or (3 if word.plural else 1)
        before = self.subjects.get(word.value)
        colour = self._take_colour() or (before.colour if before else None)
        most = max(count, before.count if before else 1)
        self.subjects[word.value] = Subject(word.value, colour, most)
        self.count, self.last = None, word.value

    def _on_unknown(self, text: str) -> None:
        if text.isdecimal():
            self._wait(count=max(1, min(int(text[:4]), 9)))
            return
        self.linked = text in LINKS
        self.patience -= 1
        if self.patience <= 0 or not text[0].isalpha():
            self.release()


def _sitters(subjects: dict[str, Subject]) -> list[Subject]:
    """A portrait of a woman in a blue dress is one subject, not three."""
    found = list(subjects.values())
    people = [kind for kind in ("portrait", "woman", "person") if kind in subjects]
    if not people:
        return found
    whole = (
        [*people, "shirt"] if people[0] != "portrait" else ["portrait", "woman", "person", "shirt"]
    )
    parts = [subject for subject in found if subject.kind in whole]
    if people[0] != "portrait" and "shirt" not in subjects:
        return found
    colour = next((subject.colour for subject in parts if subject.colour), None)
    sitter = Subject(people[0], colour, subjects[people[0]].count)
    return [sitter, *(subject for subject in found if subject not in parts)]


def _shades(words: list[Word]) -> dict[str, str]:
    """Each colour's shade, by its first mention: of the two words before it, or its own."""
    found: dict[str, str | None] = {}
    for at, word in enumerate(words):
        if word.axis == "colour" and word.value not in found:
            before = [w.text for w in reversed(words[max(0, at - 2) : at]) if w.axis != "colour"]
            named = [SHADE_OF[text] for text in (*before, word.text) if text in SHADE_OF]
            found[word.value] = named[0] if named else None
    return {colour: shade for colour, shade in found.items() if shade is not None}


def read(prompt: str, seed: int | None = None) -> Scene:
    """The scene that a prompt describes. Never fails, whatever the prompt holds."""
    reader = _Reader()
    skip = False
    words = tokens(prompt)
    for word in words:
        if word.text in REFUSALS:
            skip = True
        elif skip and word.axis not in {"", "colour", "count", "shade"}:
            skip = False
        else:
            reader.read(word)
    reader.release()
    subjects = _sitters(reader.subjects)
    return Scene(
        seed=seed_of(prompt) if seed is None else seed,
        setting=reader.axes.get("setting"),
        time=reader.axes.get("time"),
        weather=reader.axes.get("weather"),
        season=reader.axes.get("season"),
        mood=reader.axes.get("mood"),
        subjects=tuple(subjects)[:MOST_SUBJECTS],
        colours=tuple(dict.fromkeys(reader.colours)),
        tints=tuple(reader.tints.items()),
        features=frozenset(reader.features),
        shades=tuple(_shades(words).items()),
    )
