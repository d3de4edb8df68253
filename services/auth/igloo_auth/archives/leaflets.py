"""What an archive says of itself: a text to read first, and a page that shows what is in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from itertools import groupby
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import quote

_README: Final = """\
igloo: everything held about you, as of {made} UTC
=======================================================

Open index.html in a browser to look around. Nothing in this archive needs the internet.

auth/     your account, what Facebook said of you, the devices you signed in on, your security activity
social/   your profile, posts, likes, notifications, whom you follow and who follows you
media/    your photos, and what is known of each

The .json files are plain text. Times are in UTC. The ids are igloo's own: they tie the files together.
Anybody who has this archive can read it. Keep it as you would keep your photos.


igloo: {made} UTC 현재 보관 중인 회원님의 모든 정보
=======================================================

브라우저에서 index.html을 열면 내용을 둘러볼 수 있습니다. 인터넷 연결은 필요하지 않습니다.

auth/     계정, Facebook에서 받은 정보, 로그인한 기기, 보안 활동
social/   프로필, 게시물, 좋아요, 알림, 팔로우와 팔로워
media/    사진과 사진별 정보

.json 파일은 일반 텍스트이고, 시각은 모두 UTC입니다.
이 파일을 가진 사람은 누구나 내용을 볼 수 있으니 안전하게 보관해 주세요.
"""
_PAGE: Final = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>igloo · {made} UTC</title>
<style>
body {{ font: 1rem/1.5 sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }}
img {{ max-width: 12rem; max-height: 12rem; margin: .25rem; }}
</style>
<h1>igloo</h1>
<p>Everything held about you, as of {made} UTC.
<span lang="ko">{made} UTC 현재 보관 중인 회원님의 모든 정보입니다.</span></p>
{sections}
</html>
"""
_PICTURES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif"})
_KIBIBYTE: Final = 1024


def read_me(*, made_at: datetime) -> str:
    """Return the text to read first, in English and Korean."""
    return _README.format(made=_shown(made_at))


def index_page(files: Sequence[tuple[str, int]], *, made_at: datetime) -> str:
    """Return a page with a link to each file and every photo shown; `files` are paths and sizes in bytes."""
    by_folder = groupby(sorted(files), key=lambda file: file[0].partition("/")[0])
    sections = "\n".join(_section(folder, members) for folder, members in by_folder)
    return _PAGE.format(made=_shown(made_at), sections=sections)


def _section(folder: str, files: Iterable[tuple[str, int]]) -> str:
    links, pictures = [], []
    for path, size_bytes in files:
        address = escape(quote(path))
        if PurePosixPath(path).suffix.lower() in _PICTURES:
            pictures.append(f'<a href="{address}"><img src="{address}" alt="" loading="lazy"></a>')
        else:
            links.append(f'<li><a href="{address}">{escape(path)}</a> ({_size(size_bytes)})</li>')
    return f"<h2>{escape(folder)}</h2>\n<ul>\n{_lines(links)}</ul>\n{_lines(pictures)}"


def _lines(texts: Sequence[str]) -> str:
    return "".join(f"{text}\n" for text in texts)


def _size(size_bytes: int) -> str:
    return f"{max(1, round(size_bytes / _KIBIBYTE))} KiB"


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
