"""Settings in (preset, YAML file, command line), one frozen `Config` out.

Later wins: defaults below, then the preset, then the YAML file, then dotted settings of the
command line (`train.learning_rate=3e-4`). An unknown key or a value of the wrong kind stops the
run with its name. Names are Hugging Face's where one exists. Nothing heavy is imported here, so
that `--help` is quick.
"""

import dataclasses
import difflib
import re
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from hf_zh_dict.messages import N_, InputError, _

PRESET_FOLDER = Path(__file__).parent / "presets"
DEFAULT_PRESET = "quickstart"
HUB_REPO_ID = "NingJing0718/Traditional_Chinese_Dictionary_Preprocess"


def setting(default: Any, explanation: str) -> Any:
    """A setting: its default, and one line for `--help`."""
    return field(default=default, metadata={"help": explanation})


@dataclass(frozen=True)
class CorpusConfig:
    """Where the text comes from, and how it is divided."""

    source: Literal["embedded", "spreadsheets", "text", "hub"] = setting(
        "embedded", N_("where the text comes from")
    )
    files: tuple[str, ...] = setting((), N_("files of the source spreadsheets or text"))
    repo_id: str = setting(HUB_REPO_ID, N_("dataset repository of the source hub"))
    data_files: tuple[str, ...] = setting((), N_("files in that repository (not set: all of them)"))
    revision: str = setting("main", N_("branch, tag or commit of that repository"))
    validation_fraction: float = setting(
        0.01, N_("share of headword groups held out for validation")
    )
    test_fraction: float = setting(0.01, N_("share of headword groups held out for the test"))
    min_groups: int = setting(20, N_("fewest headword groups in validation and in test"))
    seed: int = setting(0, N_("seed of the split"))

    def __post_init__(self) -> None:
        check(self.validation_fraction > 0, "corpus.validation_fraction", N_("must be above 0"))
        check(self.test_fraction > 0, "corpus.test_fraction", N_("must be above 0"))
        check(
            self.validation_fraction + self.test_fraction < 0.9,
            "corpus.validation_fraction",
            N_("together with corpus.test_fraction leaves too little to train on"),
        )
        check(self.min_groups >= 1, "corpus.min_groups", N_("must be at least 1"))
        if self.source in ("spreadsheets", "text"):
            check(
                bool(self.files),
                "corpus.files",
                N_(
                    "must name the files that corpus.source reads, as in --corpus.files A.xlsx B.xlsx"
                ),
            )


@dataclass(frozen=True)
class TokenizerConfig:
    """The ByteLevel BPE."""

    vocab_size: int = setting(13_304, N_("entries of the vocabulary, special tokens among them"))
    pretrained: str = setting(
        "", N_("an existing tokenizer (folder or Hub id) instead of a new one")
    )

    def __post_init__(self) -> None:
        check(
            self.vocab_size >= 259,
            "tokenizer.vocab_size",
            N_("must be at least 259: 256 bytes and three special tokens"),
        )


@dataclass(frozen=True)
class BlocksConfig:
    """Fixed-length training blocks."""

    block_size: int = setting(256, N_("tokens in a training block"))

    def __post_init__(self) -> None:
        check(self.block_size >= 8, "blocks.block_size", N_("must be at least 8"))


@dataclass(frozen=True)
class ModelConfig:
    """The shape of the Llama."""

    hidden_size: int = setting(288, N_("width of the residual stream"))
    num_hidden_layers: int = setting(6, N_("layers"))
    num_attention_heads: int = setting(6, N_("attention heads"))
    num_key_value_heads: int | None = setting(
        None, N_("key and value heads (not set: one for each head)")
    )
    intermediate_size: int | None = setting(
        None, N_("width inside the MLP (not set: 8/3 of hidden_size, rounded up to multiple_of)")
    )
    multiple_of: int = setting(32, N_("what intermediate_size is rounded up to"))
    max_position_embeddings: int | None = setting(
        None, N_("longest context (not set: blocks.block_size)")
    )
    dropout: float = setting(0.0, N_("dropout on embeddings, attention and residuals in training"))
    tie_word_embeddings: bool = setting(True, N_("one matrix for input and output embeddings"))
    rope_theta: float = setting(10_000.0, N_("base of the rotary position embedding"))
    rms_norm_eps: float = setting(1e-5, N_("epsilon of RMSNorm"))
    pretrained: str = setting(
        "", N_("start from this Llama (folder or Hub id) instead of random weights")
    )

    def __post_init__(self) -> None:
        for name in ("hidden_size", "num_hidden_layers", "num_attention_heads", "multiple_of"):
            check(getattr(self, name) >= 1, f"model.{name}", N_("must be at least 1"))
        for name in ("num_key_value_heads", "intermediate_size", "max_position_embeddings"):
            value = getattr(self, name)
            check(value is None or value >= 1, f"model.{name}", N_("must be at least 1"))
        for name in ("rope_theta", "rms_norm_eps"):
            check(getattr(self, name) > 0, f"model.{name}", N_("must be above 0"))
        check(0 <= self.dropout < 1, "model.dropout", N_("must be from 0 up to, not including, 1"))
        if self.hidden_size % self.num_attention_heads:
            raise InputError(
                _(
                    "model.num_attention_heads: {heads} heads do not divide model.hidden_size "
                    "{width}; choose a divisor of it."
                ).format(heads=self.num_attention_heads, width=self.hidden_size)
            )
        check(
            (self.hidden_size // self.num_attention_heads) % 2 == 0,
            "model.num_attention_heads",
            N_("leaves heads of odd width, which rotary embeddings cannot turn"),
        )
        if self.num_attention_heads % self.key_value_heads:
            raise InputError(
                _(
                    "model.num_key_value_heads: {few} does not divide "
                    "model.num_attention_heads {many}."
                ).format(few=self.key_value_heads, many=self.num_attention_heads)
            )

    @property
    def key_value_heads(self) -> int:
        return self.num_key_value_heads or self.num_attention_heads

    @property
    def mlp_width(self) -> int:
        """`intermediate_size`, or 8/3 of the width rounded up to `multiple_of` (Llama's rule)."""
        if self.intermediate_size:
            return self.intermediate_size
        return -(-(8 * self.hidden_size // 3) // self.multiple_of) * self.multiple_of


@dataclass(frozen=True)
class TrainConfig:
    """The loop. `step` is always an update of the weights."""

    max_steps: int = setting(10_000, N_("updates of the weights"))
    eval_steps: int = setting(500, N_("steps between evaluations"))
    save_steps: int = setting(500, N_("steps between checkpoints"))
    logging_steps: int = setting(10, N_("steps between lines of metrics"))
    save_total_limit: int = setting(
        3, N_("newest checkpoints that are kept (the best weights are in model/ besides)")
    )
    optimizer: Literal["adamw", "muon"] = setting(
        "adamw", N_("adamw, or muon for the hidden matrices and adamw for the rest")
    )
    learning_rate: float = setting(5e-4, N_("highest learning rate"))
    min_learning_rate: float = setting(0.0, N_("learning rate at the end"))
    warmup_steps: int = setting(100, N_("steps over which the learning rate rises"))
    weight_decay: float = setting(0.1, N_("weight decay, on matrices only"))
    adam_beta1: float = setting(0.9, N_("AdamW's first beta"))
    adam_beta2: float = setting(0.95, N_("AdamW's second beta"))
    max_grad_norm: float = setting(1.0, N_("gradients are clipped to this norm (0: not)"))
    per_device_batch_size: int = setting(16, N_("blocks in a micro-batch of one process"))
    gradient_accumulation_steps: int = setting(1, N_("micro-batches in a step"))
    per_device_eval_batch_size: int = setting(32, N_("documents scored at once by one process"))
    max_eval_documents: int = setting(
        0, N_("documents in evaluations during training, evenly chosen (0: the whole split)")
    )
    num_samples: int = setting(
        2, N_("validation headwords that the model continues at evaluations")
    )
    seed: int = setting(0, N_("seed of weights, order and dropout"))
    mixed_precision: Literal["", "no", "fp16", "bf16"] = setting(
        "", N_("precision of the matrix products (empty: what Accelerate was launched with)")
    )
    use_cpu: bool = setting(False, N_("train on the CPU although there is a GPU"))
    cpu_threads: int = setting(
        0, N_("threads of each process on the CPU (0: its share of the machine's cores)")
    )
    compile: bool = setting(False, N_("compile the model with torch.compile"))
    report_to: tuple[str, ...] = setting(("tensorboard",), N_("trackers, through Accelerate"))

    def __post_init__(self) -> None:
        for name in (
            "max_steps", "eval_steps", "save_steps", "logging_steps", "per_device_batch_size",
            "gradient_accumulation_steps", "per_device_eval_batch_size", "save_total_limit",
        ):  # fmt: skip
            check(getattr(self, name) >= 1, f"train.{name}", N_("must be at least 1"))
        for name in ("learning_rate", "min_learning_rate", "warmup_steps", "weight_decay",
                     "max_grad_norm", "max_eval_documents", "num_samples", "cpu_threads"):  # fmt: skip
            check(getattr(self, name) >= 0, f"train.{name}", N_("must not be below 0"))
        for name in ("adam_beta1", "adam_beta2"):
            within = 0 <= getattr(self, name) < 1
            check(within, f"train.{name}", N_("must be from 0 up to, not including, 1"))
        check(
            self.min_learning_rate <= self.learning_rate,
            "train.min_learning_rate",
            N_("must not be above train.learning_rate"),
        )
        check(0 <= self.seed < 1 << 32, "train.seed", N_("must be from 0 up to 4294967295"))


@dataclass(frozen=True)
class Config:
    """One whole run."""

    corpus: CorpusConfig = field(default_factory=CorpusConfig)
    tokenizer: TokenizerConfig = field(default_factory=TokenizerConfig)
    blocks: BlocksConfig = field(default_factory=BlocksConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    train: TrainConfig = field(default_factory=TrainConfig)

    def __post_init__(self) -> None:
        if self.blocks.block_size > self.context_length:
            raise InputError(
                _(
                    "blocks.block_size: {block} is longer than the model's context, "
                    "model.max_position_embeddings {context}."
                ).format(block=self.blocks.block_size, context=self.context_length)
            )

    @property
    def context_length(self) -> int:
        return self.model.max_position_embeddings or self.blocks.block_size

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as YAML and JSON hold them."""
        plain = dataclasses.asdict(self)
        for section in plain.values():
            section.update({k: list(v) for k, v in section.items() if isinstance(v, tuple)})
        return plain


def check(holds: bool, key: str, what: str) -> None:
    """Refuse a setting in one sentence."""
    if not holds:
        raise InputError(_("{key}: {what}.").format(key=key, what=_(what)))


def settings() -> Iterator[tuple[str, Any, Any, str]]:
    """Every setting: dotted key, type, default, explanation."""
    for section in fields(Config):
        section_type = typing.get_type_hints(Config)[section.name]
        hints = typing.get_type_hints(section_type)
        for item in fields(section_type):
            yield (
                f"{section.name}.{item.name}",
                hints[item.name],
                item.default,
                item.metadata["help"],
            )


def convert(key: str, kind: Any, value: Any) -> Any:
    """A YAML or command-line value as the setting's type (`3e-4` is a number in both)."""
    origin, options = typing.get_origin(kind), typing.get_args(kind)
    if origin is types.UnionType:  # X | None
        if value is None or value in ("none", "None", ""):
            return None
        return convert(key, options[0], value)
    if origin is tuple:
        items = [value] if isinstance(value, str | int | float) else list(value or [])
        return tuple(convert(key, options[0], item) for item in items)
    if origin is Literal:
        if value is False:  # YAML reads a bare `no` so
            value = "no"
        if value not in options:
            raise InputError(
                _("{key}: “{value}” is none of {options}.").format(
                    key=key, value=value, options=", ".join(option or '""' for option in options)
                )
            )
        return value
    try:
        if kind is bool:
            return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[
                str(value).lower()
            ]
        if isinstance(value, bool | dict | list) or value is None:
            raise ValueError
        if kind is int:
            if re.fullmatch(r"[+-]?[\d_]+", str(value)):
                return int(value)
            if float(value) != int(float(value)):  # 1e4 is a whole number too
                raise ValueError
            return int(float(value))
        return kind(value)
    except (ValueError, KeyError, OverflowError):
        raise InputError(
            _("{key}: “{value}” is no {kind}.").format(key=key, value=value, kind=kind_name(kind))
        ) from None


def kind_name(kind: Any) -> str:
    names = {
        bool: N_("true or false"),
        int: N_("whole number"),
        float: N_("number"),
        str: N_("text"),
    }
    return _(names[kind])


def nearest(name: str, names: list[str]) -> str:
    """` (did you mean “x”?)`, or nothing when nothing is near."""
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return " " + _("(did you mean “{name}”?)").format(name=near[0]) if near else ""


def flatten(tree: object, *, source: str) -> dict[str, Any]:
    """A YAML file's sections as dotted keys; unknown keys are refused with the nearest name."""
    kinds = {key: kind for key, kind, _default, _help in settings()}
    sections = {key.split(".")[0] for key in kinds}
    if tree is None:
        return {}
    if not isinstance(tree, Mapping):
        raise InputError(
            _("{source}: must hold sections such as “train:”, each with its settings.").format(
                source=source
            )
        )
    flat = {}
    for section, values in tree.items():
        if section not in sections:
            hint = nearest(str(section), sorted(sections))
            raise InputError(
                _("{source}: unknown section “{key}”{hint}.").format(
                    source=source, key=section, hint=hint
                )
            )
        if not isinstance(values, Mapping | None):
            raise InputError(
                _("{source}: section “{key}” must hold settings.").format(
                    source=source, key=section
                )
            )
        for name, value in (values or {}).items():
            key = f"{section}.{str(name).replace('-', '_')}"
            if key not in kinds:
                raise InputError(
                    _("{source}: unknown key “{key}”{hint}.").format(
                        source=source, key=f"{section}.{name}", hint=nearest(key, list(kinds))
                    )
                )
            flat[key] = convert(key, kinds[key], value)
    return flat


def read_settings(path: Path) -> dict[str, Any]:
    """A YAML file's settings as dotted keys."""
    import yaml

    try:
        return flatten(yaml.safe_load(path.read_text(encoding="utf-8")), source=path.name)
    except FileNotFoundError:
        raise InputError(_("{path}: there is no such file.").format(path=path)) from None
    except UnicodeDecodeError:
        raise InputError(_("{path}: not UTF-8; save it as UTF-8.").format(path=path)) from None
    except (yaml.YAMLError, OSError) as error:
        reason = " ".join(str(error).split())
        raise InputError(_("{path}: not YAML: {reason}").format(path=path, reason=reason)) from None


def preset_names() -> list[str]:
    return sorted(path.stem for path in PRESET_FOLDER.glob("*.yaml"))


def preset_path(name: str) -> Path:
    if name not in preset_names():
        raise InputError(
            _("unknown preset “{name}”{hint}; the presets are {names}.").format(
                name=name, hint=nearest(name, preset_names()), names=", ".join(preset_names())
            )
        )
    return PRESET_FOLDER / f"{name}.yaml"


def load_config(
    *,
    preset: str | None = None,
    path: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Config:
    """Defaults, then preset, then file, then overrides (dotted key → value).

    Raises:
        InputError: a key or value is not a setting's, or settings do not fit together.
    """
    flat: dict[str, Any] = {}
    if preset:
        flat |= read_settings(preset_path(preset))
    if path:
        flat |= read_settings(path)
    kinds = {key: kind for key, kind, _default, _help in settings()}
    for key, value in (overrides or {}).items():
        if key not in kinds:
            raise InputError(
                _("unknown setting “{key}”{hint}.").format(key=key, hint=nearest(key, list(kinds)))
            )
        flat[key] = convert(key, kinds[key], value)
    sections: dict[str, dict[str, Any]] = {section.name: {} for section in fields(Config)}
    for key, value in flat.items():
        section, name = key.split(".")
        sections[section][name] = value
    hints = typing.get_type_hints(Config)
    return Config(**{name: hints[name](**values) for name, values in sections.items()})


def save_config(config: Config, path: Path) -> None:
    """The resolved settings as YAML; `load_config(path=…)` gives them back."""
    import yaml

    path.parent.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(config.to_dict(), allow_unicode=True, sort_keys=False)
    path.write_text(text, encoding="utf-8")


def count_parameters(model: ModelConfig, vocab_size: int) -> int:
    """Trainable parameters of the Llama, exactly, without building it.

    Embedding V·d (twice when not tied); a layer: q and o d·d each, k and v d·(kv heads·head) each,
    three MLP matrices d·f, two norms d; and the last norm.
    """
    d, f = model.hidden_size, model.mlp_width
    key_value = d // model.num_attention_heads * model.key_value_heads
    layer = 2 * d * d + 2 * d * key_value + 3 * d * f + 2 * d
    embeddings = vocab_size * d * (1 if model.tie_word_embeddings else 2)
    return embeddings + model.num_hidden_layers * layer + d
