"""Who the demo people are, whom they follow, and what they post: the same on every machine."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from igloo_local.demo.scenes import SCENES

POSTS_PER_PERSON = 5
_SEED = "igloo"


@dataclass(frozen=True)
class Character:
    """An animal with an account."""

    username: str
    display_name: str
    bio: str


CHARACTERS = (
    Character("puffin", "Puffin", "Clumsy landings, excellent fish."),
    Character("narwhal", "Narwhal", "Yes, it is a tooth."),
    Character("walrus", "Walrus", "Professional lounger on ice."),
    Character("beluga", "Beluga", "I sing. You may have heard me."),
    Character("ptarmigan", "Ptarmigan", "You cannot see me in half of my photos."),
    Character("musk_ox", "Musk Ox", "Wool expert. Facing the wind since the ice age."),
    Character("arctic_fox", "Arctic Fox", "White in winter, brown in summer, hungry always."),
    Character("snowy_owl", "Snowy Owl", "Day shift. Long exposures."),
    Character("caribou", "Caribou", "On the road, five thousand kilometres a year."),
    Character("lemming", "Lemming", "The cliff story is not true."),
    Character("ringed_seal", "Ringed Seal", "Breathing holes of the north, reviewed."),
    Character("kittiwake", "Kittiwake", "Room with a view on a very small ledge."),
)


REMARKS = (
    "So much snow!",
    "@{0}, you have to see this.",
    "Which side of the glacier is it?",
    "Colder than it looks.",
    "여기 어디예요?",
    "@{0} was here last week, ask them.",
)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One post to be made."""

    username: str
    number: int
    caption: str
    scenes: tuple[str, ...]

    @property
    def key(self) -> str:
        """What tells this post from every other one."""
        return f"{self.username}-{self.number}"


def follows() -> Iterator[tuple[str, str]]:
    """Yield who follows whom: the first person everybody, the others some."""
    names = [character.username for character in CHARACTERS]
    chance = random.Random(_SEED)  # noqa: S311 - the same graph everywhere is the point
    for follower in names:
        others = [name for name in names if name != follower]
        count = len(others) if follower == names[0] else chance.randint(3, 7)
        yield from ((follower, followee) for followee in chance.sample(others, count))


def posts() -> Iterator[Plan]:
    """Yield the posts in the order in which they are made: people take turns."""
    chance = random.Random(_SEED)  # noqa: S311 - the same posts everywhere are the point
    scenes = sorted(SCENES)
    for number in range(POSTS_PER_PERSON):
        for index, character in enumerate(CHARACTERS):
            scene = scenes[(index + number) % len(scenes)]
            # Every fifth post is an album: several photos in one post are what igloo is about.
            more = chance.sample(scenes, chance.randint(1, 2)) if (index + number) % 5 == 0 else []
            captions = SCENES[scene].captions
            caption = captions[(index // len(scenes) + number) % len(captions)]
            yield Plan(
                username=character.username,
                number=number,
                caption=f"{caption} #{scene}",
                scenes=(scene, *more),
            )


def likes() -> Iterator[tuple[str, int]]:
    """Yield who likes which post, by the post's place in `posts()`."""
    chance = random.Random(_SEED)  # noqa: S311 - the same likes everywhere
    total = POSTS_PER_PERSON * len(CHARACTERS)
    for character in CHARACTERS:
        yield from ((character.username, place) for place in chance.sample(range(total), 8))


@dataclass(frozen=True, kw_only=True)
class Remark:
    """One comment to be made, under the post at a place in `posts()`."""

    username: str
    place: int
    text: str

    @property
    def key(self) -> str:
        """What tells this comment from every other one."""
        return f"{self.username}-says-{self.place}"


def comments() -> Iterator[Remark]:
    """Yield who says what under which post; some call somebody by name."""
    chance = random.Random(_SEED)  # noqa: S311 - the same comments everywhere
    total = POSTS_PER_PERSON * len(CHARACTERS)
    for number, character in enumerate(CHARACTERS):
        friend = CHARACTERS[(number + 5) % len(CHARACTERS)].username
        for place in chance.sample(range(total), 3):
            yield Remark(
                username=character.username, place=place, text=REMARKS[place % len(REMARKS)].format(friend)
            )
