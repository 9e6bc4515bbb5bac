"""`presets`: the shipped presets, with their exact parameter counts and estimated times."""

import argparse

from hf_zh_dict.commands.command import Command
from hf_zh_dict.commands.terminal import say, show_table
from hf_zh_dict.config import ModelConfig, count_parameters, count_training_flops
from hf_zh_dict.messages import N_, _
from hf_zh_dict.settings import load_config, preset_names, preset_path

# TFLOP/s that are reached: on two CPU cores as measured, without and with bf16 instructions
# (docs/speed.md), on GPUs a fifth of what the card can do in half precision (T4 65, A100 312), which
# is a guess for models so small.
REACHED = {"CPU × 2": 0.15, "CPU × 2, bf16": 0.3, "T4": 13.0, "A100": 62.0}
LONGEST = 14 * 24  # hours that are worth telling


def add_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--markdown", action="store_true", help=_("the table as the README has it")
    )


def run_presets(arguments: argparse.Namespace) -> int:
    """A table: name, exact parameter count, shape, vocabulary, context, hours; what it is for."""
    from rich.table import Table

    if arguments.markdown:
        say(draw_markdown())
        return 0
    table = Table(box=None, pad_edge=False)
    for title, justify in (
        (_("preset"), "left"), (_("parameters"), "right"), (_("shape"), "left"),
        (_("vocabulary"), "right"), (_("context"), "right"),
        *((device, "right") for device in REACHED),
    ):  # fmt: skip
        table.add_column(title, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for name in preset_names():
        config = load_config(preset=name)
        size = config.tokenizer.vocab_size
        table.add_row(
            name, f"{count_parameters(config.model, size):,}", describe_shape(config.model),
            f"{size:,}", f"{config.context_length:,}", *estimate_times(name),
        )  # fmt: skip
    show_table(table)
    for name in preset_names():
        config = load_config(preset=name)
        source = " ".join((config.corpus.source, *config.corpus.data_files))
        say(f"{name}: {describe_preset(name)} ({source})")
    say(_("Times (~) count the steps' arithmetic alone; hf-zh-dict plan measures your machine."))
    return 0


def draw_markdown() -> str:
    """The same for the README, in both languages."""
    lines = [
        "| preset | 參數 parameters | 寬 × 層 width × layers | 詞表 vocabulary | 上下文 context | "
        + "".join(f"{device} | " for device in REACHED)
        + "用途 purpose |",
        "|---|--:|---|--:|--:|" + "--:|" * len(REACHED) + "---|",
    ]
    for name in preset_names():
        config = load_config(preset=name)
        size = config.tokenizer.vocab_size
        cells = (
            f"`{name}`", f"{count_parameters(config.model, size):,}",
            f"{config.model.hidden_size} × {config.model.num_hidden_layers}", f"{size:,}",
            f"{config.context_length:,}", *estimate_times(name), describe_preset(name),
        )  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def estimate_times(name: str) -> list[str]:
    """How long a preset's steps take on each device: `~9 min`, `~2.5 h`; `–` is too long."""
    flops = count_training_flops(load_config(preset=name))
    hours = [flops / (teraflops * 1e12) / 3600 for teraflops in REACHED.values()]
    return [tell_hours(each) for each in hours]


def tell_hours(hours: float) -> str:
    if hours > LONGEST:
        return "–"
    if hours < 1:
        return f"~{max(1, round(hours * 60))} min"
    return f"~{hours:.1f} h" if hours < 10 else f"~{hours:.0f} h"


def describe_preset(name: str) -> str:
    """The first line of its file."""
    return preset_path(name).read_text(encoding="utf-8").splitlines()[0].lstrip("# ")


def describe_shape(model: ModelConfig) -> str:
    """`288 × 6, 6 heads`: width, layers, heads (and key-value heads when they are fewer)."""
    heads = str(model.num_attention_heads)
    if model.key_value_heads != model.num_attention_heads:
        heads += f"/{model.key_value_heads}"
    return _("{width} × {layers}, {heads} heads").format(
        width=model.hidden_size, layers=model.num_hidden_layers, heads=heads
    )


PRESETS = Command(
    "presets",
    N_("list the presets with their exact parameter counts and estimated times"),
    run_presets,
    add_options,
    usage="[--markdown]",
)
