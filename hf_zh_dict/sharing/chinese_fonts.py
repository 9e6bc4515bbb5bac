"""The machine's fonts in, those that matplotlib can draw Chinese with out."""

from hf_zh_dict.messages import Say, _

CHINESE_FONTS = (  # Taiwan's forms of the characters first
    "Noto Sans CJK TC", "Noto Sans TC", "PingFang TC", "Microsoft JhengHei", "Heiti TC",
    "Noto Sans CJK JP", "WenQuanYi Zen Hei",
)  # fmt: skip


def find_chinese_fonts() -> list[str]:
    """The names of the installed ones, the best first.

    matplotlib remembers which fonts there are; those that were installed since are added.
    """
    from matplotlib import font_manager

    manager = font_manager.fontManager
    known = {font.fname for font in manager.ttflist}
    for path in font_manager.findSystemFonts():
        if path not in known and "CJK" in path:  # fonts-noto-cjk, as on Colab and Kaggle
            manager.addfont(path)
    installed = {font.name for font in manager.ttflist}
    return [name for name in CHINESE_FONTS if name in installed]


def use_chinese_fonts(say: Say = print) -> None:
    """Let matplotlib draw Chinese in all pictures of this process; say so when it cannot."""
    from matplotlib import pyplot

    fonts = find_chinese_fonts()
    pyplot.rcParams["font.family"] = ["DejaVu Sans", *fonts]
    if not fonts:
        say(
            _(
                "no Chinese font was found, its characters will be boxes in pictures; install "
                "Noto Sans TC (on Debian and Ubuntu the package fonts-noto-cjk) and run this again"
            )
        )
