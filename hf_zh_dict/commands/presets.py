"""`presets`: the shipped presets, with their exact parameter counts."""

import argparse

from hf_zh_dict.commands.command import Command
from hf_zh_dict.commands.terminal import say, show_table
from hf_zh_dict.config import ModelConfig, count_parameters
from hf_zh_dict.messages import N_, _
from hf_zh_dict.settings import load_config, preset_names, preset_path


def run_presets(arguments: argparse.Namespace) -> int:
    """A table: name, what it is for, shape, vocabulary, context, exact parameter count."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title, justify in (
        (_("preset"), "left"), (_("parameters"), "right"), (_("shape"), "left"),
        (_("vocabulary"), "right"), (_("context"), "right"), (_("source"), "left"),
    ):  # fmt: skip
        table.add_column(title, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for name in preset_names():
        config = load_config(preset=name)
        size = config.tokenizer.vocab_size
        table.add_row(
            name, f"{count_parameters(config.model, size):,}", describe_shape(config.model),
            f"{size:,}", f"{config.context_length:,}",
            " ".join((config.corpus.source, *config.corpus.data_files)),
        )  # fmt: skip
    show_table(table)
    for name in preset_names():
        first = preset_path(name).read_text(encoding="utf-8").splitlines()[0]
        say(f"{name}: {first.lstrip('# ')}")
    return 0


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
    N_("list the presets with their exact parameter counts"),
    run_presets,
    lambda _command: None,
    usage="",
)
