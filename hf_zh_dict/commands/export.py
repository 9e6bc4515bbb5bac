"""`export MODEL --format …`: a run's model as files of llama2.c, or as GGUF."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from hf_zh_dict.commands.command import Command
from hf_zh_dict.commands.generate import find_model
from hf_zh_dict.commands.terminal import disk_errors_as_sentences, quieten_libraries, say
from hf_zh_dict.files import write_file
from hf_zh_dict.messages import N_, InputError, _
from hf_zh_dict.paths import RunPaths

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

    from hf_zh_dict.formats.llama2c_vocabulary import Llama2cVocabulary

FORMATS = ("llama2c", "gguf")
ONLY_LLAMA2C, ONLY_GGUF = ("version", "prompt", "run_c"), ("dtype", "name")


def add_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", metavar="MODEL", help=_("run folder, folder of a Llama, or Hub id"))
    command.add_argument("--format", required=True, choices=FORMATS, help=_("whose files to write"))
    command.add_argument(
        "--output-dir",
        type=Path,
        metavar="DIR",
        help=_("folder to write (default: MODEL/FORMAT, of a Hub id NAME-FORMAT)"),
    )
    llama2c = command.add_argument_group("llama2c")
    llama2c.add_argument(
        "--version",
        type=int,
        choices=(0, 1, 2),
        help=_("of model.bin: 0 for run.c, 1 with a header, 2 in int8 for runq.c (0)"),
    )
    llama2c.add_argument(
        "--prompt",
        nargs="+",
        metavar="TEXT",
        help=_("prompts whose ids are written beside it, for where run.c reads them otherwise"),
    )
    llama2c.add_argument(
        "--run-c",
        type=Path,
        metavar="BINARY",
        help=_("run.c, compiled: let it run, and compare what it prints"),
    )
    gguf = command.add_argument_group("gguf")
    gguf.add_argument("--dtype", choices=("f32", "f16", "q8_0"), help=_("of the matrices (f16)"))
    gguf.add_argument("--name", metavar="NAME", help=_("name of the model (default: the folder's)"))


def run_export(arguments: argparse.Namespace) -> int:
    """Write the files of the format that was asked for."""
    check_options(arguments)
    paths = RunPaths(Path(arguments.run))
    source = find_model(arguments.run, paths)
    local = isinstance(source, Path)
    name = arguments.name or (paths.root.resolve().name if local else arguments.run.split("/")[1])
    default = paths.root / arguments.format if local else Path(f"{name}-{arguments.format}")
    folder: Path = arguments.output_dir or default

    from transformers import LlamaForCausalLM

    from hf_zh_dict.model.loading import load_model_folder

    quieten_libraries()
    model, tokenizer = load_model_folder(source)
    if not isinstance(model, LlamaForCausalLM):
        raise InputError(
            _("{folder}: a {kind} is no Llama, which both formats are for.").format(
                folder=source, kind=model.config.model_type
            )
        )
    with disk_errors_as_sentences(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if arguments.format == "gguf":
            export_gguf(model, tokenizer, folder, name=name, dtype=arguments.dtype or "f16")
            return 0
        return export_llama2c(model, tokenizer, folder, arguments)


def check_options(arguments: argparse.Namespace) -> None:
    """Refuse an option of another format.

    Raises:
        InputError: names it.
    """
    foreign = ONLY_GGUF if arguments.format == "llama2c" else ONLY_LLAMA2C
    for option in foreign:
        if getattr(arguments, option) is not None:
            raise InputError(
                _("--{option}: not with --format {format}.").format(
                    option=option.replace("_", "-"), format=arguments.format
                )
            )
    if arguments.run_c and arguments.version:
        raise InputError(_("--run-c: run.c reads version 0 only; leave out --version."))


def export_gguf(
    model: "LlamaForCausalLM",
    tokenizer: "PreTrainedTokenizerFast",
    folder: Path,
    *,
    name: str,
    dtype: str,
) -> None:
    """`NAME-DTYPE.gguf`, and the Modelfile that names it."""
    from hf_zh_dict.formats.gguf_file import write_gguf, write_modelfile

    path = folder / f"{name}-{dtype}.gguf"
    larger = write_gguf(model, tokenizer, path, dtype=dtype, name=name)
    context = model.config.max_position_embeddings
    write_modelfile(folder / "Modelfile", path.name, context_length=context)
    if larger:
        say(
            _(
                "{count} matrices stay f16, for q8_0 needs rows whose length 32 divides: {names}"
            ).format(count=len(larger), names=", ".join(larger[:3]))
        )
    say(_("written: {file}").format(file=path))
    say(
        _(
            "try it: llama-completion -m {file} -p 文, or ollama create {name} -f {modelfile}"
        ).format(file=path, name=name, modelfile=folder / "Modelfile")
    )


def export_llama2c(
    model: "LlamaForCausalLM",
    tokenizer: "PreTrainedTokenizerFast",
    folder: Path,
    arguments: argparse.Namespace,
) -> int:
    """`model.bin` and `tokenizer.bin`; the prompts' ids; run.c's word against ours.

    Returns 1 when run.c prints something else than our model says.
    """
    from hf_zh_dict.formats.llama2c_vocabulary import make_vocabulary
    from hf_zh_dict.formats.llama2c_weights import write_model
    from hf_zh_dict.formats.run_c import predict_greedily, print_greedily

    vocabulary = make_vocabulary(tokenizer, model.config.vocab_size)
    weights, pieces = folder / "model.bin", folder / "tokenizer.bin"
    write_model(model, vocabulary, weights, version=arguments.version or 0)
    vocabulary.write(pieces)
    say(_("written: {file}").format(file=f"{weights}, {pieces}"))
    prompts = arguments.prompt or []
    if prompts:
        write_prompts(prompts, tokenizer, vocabulary, folder / "prompts.json")
    elif vocabulary.needs_own_output:
        say(
            _(
                "run.c splits some prompts into other tokens than this model learnt; "
                "--prompt TEXT … tells which"
            )
        )
    if not arguments.run_c:
        return 0
    prompts = prompts or [""]
    different = [
        prompt
        for prompt in prompts
        if print_greedily(arguments.run_c, weights, pieces, prompt)
        != predict_greedily(model, vocabulary, prompt)
    ]
    say(
        _("run.c prints what our model says for {same} of {all} prompts{different}").format(
            same=len(prompts) - len(different),
            all=len(prompts),
            different="".join(f"\n  {prompt}" for prompt in different),
        )
    )
    return 1 if different else 0


def write_prompts(
    prompts: list[str],
    tokenizer: "PreTrainedTokenizerFast",
    vocabulary: "Llama2cVocabulary",
    path: Path,
) -> None:
    """Each prompt's ids in run.c's numbers, and whether run.c itself makes the same of it."""
    rows = []
    for prompt in prompts:
        ids = vocabulary.translate(tokenizer(prompt)["input_ids"])
        read = vocabulary.encode(prompt)
        # ids 0 and 1 are both the beginning of a text
        same = [vocabulary.inputs[i] for i in read] == [vocabulary.inputs[i] for i in ids]
        rows.append({"prompt": prompt, "ids": ids, "run_c_reads_the_same": same})
        if not same:
            say(
                _("run.c reads other tokens than this model learnt: {prompt}").format(prompt=prompt)
            )
    write_file(path, json.dumps(rows, ensure_ascii=False, indent=2) + "\n")
    say(_("written: {file}").format(file=path))


EXPORT = Command(
    "export",
    N_("write a model as files of llama2.c, or as GGUF for llama.cpp, Ollama and LM Studio"),
    run_export,
    add_options,
    usage="MODEL --format {llama2c,gguf} [--option …]",
)
