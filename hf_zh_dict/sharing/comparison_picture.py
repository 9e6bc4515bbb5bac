"""A comparison in, a picture of it out: each model's interval, and its difference to the first."""

from pathlib import Path
from typing import Any

from hf_zh_dict.sharing.chinese_fonts import find_chinese_fonts

COLORS = {"validation": "#1f5f8b", "test": "#d08030"}


def draw_comparison(comparison: dict[str, Any], picture: Path) -> None:
    """Bits per character on the left, differences to the first model on the right.

    Names are drawn in a Chinese font where there is one; the labels are English.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    models = comparison["models"]
    with pyplot.rc_context({"font.family": ["DejaVu Sans", *find_chinese_fonts()]}):
        figure, panels = pyplot.subplots(
            1, 2, figsize=(10, 1.5 + 0.6 * len(models)), sharey=True, layout="constrained"
        )
        kinds = ("bits_per_char", "difference")
        titles = ("bits per character", "difference to the first, same documents")
        for panel, kind, title in zip(panels, kinds, titles, strict=True):
            for offset, (split, color) in zip((-0.12, 0.12), COLORS.items(), strict=True):
                measures = [model[split][kind] for model in models]
                values = [measure["value"] for measure in measures]
                lows = [m["value"] - m.get("low", m["value"]) for m in measures]
                highs = [m.get("high", m["value"]) - m["value"] for m in measures]
                places = [row + offset for row in range(len(models))]
                spans = [[max(0.0, x) for x in lows], [max(0.0, x) for x in highs]]
                panel.errorbar(
                    values, places, xerr=spans, fmt="o", color=color, capsize=3, label=split
                )
            panel.set_xlabel(title)
            panel.grid(alpha=0.3)
        panels[0].set_yticks(range(len(models)), [model["name"] for model in models])
        panels[0].invert_yaxis()
        panels[0].legend(frameon=False)
        panels[1].axvline(0, color="#808080", linewidth=1)
        figure.savefig(picture, dpi=120)
        pyplot.close(figure)
