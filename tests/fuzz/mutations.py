"""The bad ways: blind ones on bytes, knowing ones on the parts of a format, and files grown together."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from fuzz.pieces import Piece, kind_of, numbers_of, pieces_of, repaired

# Numbers at which arithmetic breaks.
TELLING = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
MAX_RUN = 64
# Less is no file with parts.
MIN_BYTES = 16
# Most mutants are nearly whole: they get further.
HOW_MANY = (1, 1, 1, 2, 3, 4)
REPAIRED_SHARE = 0.8

Change = Callable[[bytes, bytes, Random], bytes]


def mutated(original: bytes, other: bytes, random: Random) -> tuple[bytes, list[str]]:
    """Return a file changed in one to four ways, and their names.

    `other` is what it may be grown together with.
    """
    data, names = original, []
    for _ in range(random.choice(HOW_MANY)):
        change = random.choice(CHANGES)
        if data:
            data = change(data, other, random)
            names.append(change.__name__)
    if len(data) > MIN_BYTES and random.random() < REPAIRED_SHARE:
        data = repaired(data)
    return data, names


def flip_bits(data: bytes, _: bytes, random: Random) -> bytes:
    """Flip up to sixteen bits anywhere."""
    changed = bytearray(data)
    for _bit in range(random.randint(1, 16)):
        changed[random.randrange(len(data))] ^= 1 << random.randrange(8)
    return bytes(changed)


def overwrite_run(data: bytes, _: bytes, random: Random) -> bytes:
    """Put noise, zeros or ones over a run of bytes."""
    start, end = _run(data, random)
    noise = random.choice((random.randbytes(end - start), bytes(end - start), b"\xff" * (end - start)))
    return data[:start] + noise + data[end:]


def delete_run(data: bytes, _: bytes, random: Random) -> bytes:
    """Take a run of bytes out."""
    start, end = _run(data, random)
    return data[:start] + data[end:]


def repeat_run(data: bytes, _: bytes, random: Random) -> bytes:
    """Say a run of bytes again, up to fifty times."""
    start, end = _run(data, random)
    return data[:end] + data[start:end] * random.choice((1, 2, 50)) + data[end:]


def cut_off(data: bytes, _: bytes, random: Random) -> bytes:
    """End the file early."""
    return data[: random.randrange(len(data))]


def telling_number_anywhere(data: bytes, _: bytes, random: Random) -> bytes:
    """Write a number at which arithmetic breaks, anywhere."""
    size = random.choice((1, 2, 4))
    number = random.choice(TELLING) & ((1 << 8 * size) - 1)
    start = random.randrange(len(data))
    return data[:start] + number.to_bytes(size, random.choice(("big", "little"))) + data[start + size :]


def telling_number_that_counts(data: bytes, _: bytes, random: Random) -> bytes:
    """Change a length or a dimension."""
    pieces = pieces_of(data) if len(data) > MIN_BYTES else []
    numbers = [each for each in (numbers_of(data, pieces) if pieces else ()) if each.at + 4 <= len(data)]
    if not numbers:
        return data
    number = random.choice(numbers)
    return number.written(data, random.choice((*TELLING, random.randrange(20_000), random.randrange(256))))


def drop_piece(data: bytes, _: bytes, random: Random) -> bytes:
    """Take out a part."""
    piece = _piece(data, random)
    return data[: piece.start] + data[piece.end :]


def repeat_piece(data: bytes, _: bytes, random: Random) -> bytes:
    """Say a part again, up to two hundred times."""
    piece = _piece(data, random)
    return data[: piece.end] + data[piece.start : piece.end] * random.choice((1, 3, 200)) + data[piece.end :]


def move_piece(data: bytes, _: bytes, random: Random) -> bytes:
    """Put a part before another one."""
    piece, target = _piece(data, random), _piece(data, random)
    moved, rest = data[piece.start : piece.end], data[: piece.start] + data[piece.end :]
    place = min(target.start, len(rest))
    return rest[:place] + moved + rest[place:]


def noise_in_piece(data: bytes, _: bytes, random: Random) -> bytes:
    """Put noise into the body of a part."""
    piece = _piece(data, random)
    if piece.end <= piece.body:
        return data
    start = random.randrange(piece.body, piece.end)
    end = min(piece.end, start + random.randint(1, MAX_RUN))
    return data[:start] + random.randbytes(end - start) + data[end:]


def grow_together(data: bytes, other: bytes, random: Random) -> bytes:
    """Go on with another file, from the beginning of one of its parts."""
    return data[: _piece(data, random).start] + other[_piece(other, random).start :]


def borrow_piece(data: bytes, other: bytes, random: Random) -> bytes:
    """Put a part of another file in."""
    place, borrowed = _piece(data, random).start, _piece(other, random)
    return data[:place] + other[borrowed.start : borrowed.end] + data[place:]


CHANGES: tuple[Change, ...] = (
    flip_bits,
    overwrite_run,
    delete_run,
    repeat_run,
    cut_off,
    telling_number_anywhere,
    telling_number_that_counts,
    telling_number_that_counts,
    drop_piece,
    repeat_piece,
    move_piece,
    noise_in_piece,
    noise_in_piece,
    grow_together,
    borrow_piece,
)


def _run(data: bytes, random: Random) -> tuple[int, int]:
    start = random.randrange(len(data))
    return start, min(len(data), start + random.randint(1, MAX_RUN))


def _piece(data: bytes, random: Random) -> Piece:
    pieces = pieces_of(data) if len(data) > MIN_BYTES else []
    return random.choice(pieces) if pieces else Piece(0, 0, len(data))


__all__ = ["kind_of", "mutated"]
