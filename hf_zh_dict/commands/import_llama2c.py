"""`import-llama2c CKPT`: a checkpoint of llama2.c as a folder that `from_pretrained` loads."""

import argparse
from pathlib import Path

from hf_zh_dict.commands.command import Command
from hf_zh_dict.commands.terminal import disk_errors_as_sentences, quieten_libraries, say
from hf_zh_dict.messages import N_, InputError, _


def add_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "checkpoint", type=Path, metavar="CKPT", help=_("checkpoint of llama2.c, as in out/ckpt.pt")
    )
    command.add_argument(
        "--tokenizer",
        type=Path,
        required=True,
        metavar="FILE",
        help=_("the SentencePiece vocabulary that it was trained with, as in tokenizer.model"),
    )
    command.add_argument(
        "--name", metavar="NAME", help=_("name of the model (default: the checkpoint's)")
    )
    command.add_argument(
        "--output-dir", type=Path, metavar="DIR", help=_("folder to write (default: NAME)")
    )


def run_import(arguments: argparse.Namespace) -> int:
    """Write the folder, and say what is in it."""
    from hf_zh_dict.formats.llama2c_checkpoint import import_llama2c

    quieten_libraries()
    folder = arguments.output_dir or Path(arguments.name or arguments.checkpoint.stem)
    if folder.exists():
        raise InputError(
            _("{folder}: is there already; choose another --output-dir.").format(folder=folder)
        )
    with disk_errors_as_sentences(folder):
        model = import_llama2c(arguments.checkpoint, arguments.tokenizer, folder)
    shape = model.config
    say(
        _(
            "{parameters:,} parameters, {width} × {layers}, {heads}/{key_value_heads} heads, "
            "{vocab_size:,} vocabulary entries, context {context:,}"
        ).format(
            parameters=model.num_parameters(), width=shape.hidden_size,
            layers=shape.num_hidden_layers, heads=shape.num_attention_heads,
            key_value_heads=shape.num_key_value_heads, vocab_size=shape.vocab_size,
            context=shape.max_position_embeddings,
        )
    )  # fmt: skip
    say(_("model: {model}; try it: hf-zh-dict generate {model} --prompt 文").format(model=folder))
    return 0


IMPORT_LLAMA2C = Command(
    "import-llama2c",
    N_("make a checkpoint and a vocabulary of llama2.c a folder that from_pretrained loads"),
    run_import,
    add_options,
    usage="CKPT --tokenizer FILE [--name NAME] [--output-dir DIR]",
)
