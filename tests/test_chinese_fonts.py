"""Chinese in pictures: the fonts that are installed are found, also late; none is told of."""

from types import SimpleNamespace

import pytest
from matplotlib import font_manager, pyplot

from hf_zh_dict.sharing.chinese_fonts import find_chinese_fonts, use_chinese_fonts


class Fonts:
    """matplotlib's list of fonts."""

    def __init__(self, *names):
        self.ttflist = [SimpleNamespace(name=name, fname=f"/fonts/{name}.ttf") for name in names]

    def addfont(self, path):
        self.ttflist.append(SimpleNamespace(name="Noto Sans CJK JP", fname=path))


@pytest.fixture
def machine(monkeypatch):
    """Gives the machine fonts: those that matplotlib knows, and files that it does not."""

    def give(*names, files=()):
        monkeypatch.setattr(font_manager, "fontManager", Fonts(*names))
        monkeypatch.setattr(font_manager, "findSystemFonts", lambda: list(files))

    return give


def test_taiwans_forms_come_first(machine):
    machine("Noto Sans CJK JP", "DejaVu Sans", "Noto Sans CJK TC")
    assert find_chinese_fonts() == ["Noto Sans CJK TC", "Noto Sans CJK JP"]


def test_a_font_that_was_installed_since_is_found(machine):
    machine("DejaVu Sans", files=["/fonts/NotoSansCJK-Regular.ttc", "/fonts/Other.ttf"])
    assert find_chinese_fonts() == ["Noto Sans CJK JP"]


def test_no_font_is_told_with_what_to_install(machine):
    told = []
    machine("DejaVu Sans")
    with pyplot.rc_context():
        use_chinese_fonts(told.append)
        assert pyplot.rcParams["font.family"] == ["DejaVu Sans"]
    assert "fonts-noto-cjk" in told[0]


def test_pictures_are_drawn_in_the_font(machine):
    machine("Noto Sans CJK TC")
    with pyplot.rc_context():
        use_chinese_fonts(pytest.fail)
        assert pyplot.rcParams["font.family"] == ["DejaVu Sans", "Noto Sans CJK TC"]
