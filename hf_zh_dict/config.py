"""The settings of a run, their defaults and what each means: frozen dataclasses, one a section.

A section refuses values that cannot be used, by name. Names are Hugging Face's where one exists.
settings.py fills the sections from presets, YAML files and the command line.
"""

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal

from hf_zh_dict.messages import N_, InputError, _

SOURCES_OF_ENTRIES = ("embedded", "spreadsheets")  # of corpus.source; the others give lines
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
    recipe: Literal["plain", "extended"] = setting(
        "plain", N_("of a dictionary: one document an entry, or several views of it")
    )
    repo_id: str = setting(HUB_REPO_ID, N_("dataset repository of the source hub"))
    config_name: str = setting("", N_("configuration of that repository that its card names"))
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
        check(
            self.recipe == "plain" or self.source in SOURCES_OF_ENTRIES,
            "corpus.recipe",
            N_("extended needs entries: use corpus.source embedded or spreadsheets"),
        )
        check(
            not (self.config_name and self.data_files),
            "corpus.config_name",
            N_("names files already: leave corpus.data_files out"),
        )
        check(self.min_groups >= 1, "corpus.min_groups", N_("must be at least 1"))
        if self.source not in ("embedded", "hub"):
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
    sample_characters: int = setting(
        5_000_000, N_("characters of a larger corpus, drawn at random, to train it on (0: all)")
    )

    def __post_init__(self) -> None:
        check(
            self.vocab_size >= 259,
            "tokenizer.vocab_size",
            N_("must be at least 259: 256 bytes and three special tokens"),
        )
        check(
            self.sample_characters >= 0,
            "tokenizer.sample_characters",
            N_("must not be below 0"),
        )


@dataclass(frozen=True)
class BlocksConfig:
    """Fixed-length training blocks."""

    block_size: int = setting(256, N_("tokens in a training block"))
    num_workers: int = setting(0, N_("threads that encode the text (0: one for each core)"))

    def __post_init__(self) -> None:
        check(self.block_size >= 8, "blocks.block_size", N_("must be at least 8"))
        check(self.num_workers >= 0, "blocks.num_workers", N_("must not be below 0"))


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
    zero_init: bool = setting(
        False, N_("what layers add to the residual stream starts at zero, not merely small")
    )
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
    save_total_limit: int = setting(3, N_("newest checkpoints that are kept, besides the best one"))
    keep_every_steps: int = setting(
        0, N_("of these steps' multiples every checkpoint is kept for good (0: none)")
    )
    max_minutes: float = setting(
        0.0, N_("minutes after which the run saves and ends, to be resumed (0: no limit)")
    )
    dataloader_num_workers: int = setting(
        0, N_("processes that read blocks ahead, for each training process (0: it reads itself)")
    )
    optimizer: Literal["adamw", "muon"] = setting(
        "adamw", N_("adamw, or muon for the hidden matrices and adamw for the rest")
    )
    learning_rate: float = setting(5e-4, N_("highest learning rate"))
    embedding_learning_rate: float | None = setting(
        None, N_("that of embeddings and output head (not set: learning_rate)")
    )
    min_learning_rate: float = setting(0.0, N_("learning rate at the end"))
    warmup_steps: int = setting(100, N_("steps over which the learning rate rises"))
    lr_scheduler_type: Literal[
        "cosine", "linear", "constant", "constant_with_warmup", "warmup_stable_decay"
    ] = setting(
        "cosine",
        N_("cosine, linear, constant (at once), constant_with_warmup or warmup_stable_decay"),
    )
    decay_steps: float = setting(
        0.2,
        N_("last steps, in which warmup_stable_decay falls (below 1: their share of max_steps)"),
    )
    weight_decay: float = setting(0.1, N_("weight decay, on matrices only"))
    adam_beta1: float = setting(0.9, N_("AdamW's first beta"))
    adam_beta2: float = setting(0.95, N_("AdamW's second beta"))
    max_grad_norm: float = setting(1.0, N_("gradients are clipped to this norm (0: not)"))
    ema_decay: float = setting(
        0.0,
        N_("decay of the weights' moving average, which is then what is judged and kept (0: none)"),
    )
    max_nonfinite_steps: int = setting(
        5,
        N_("skipped steps in a row, their loss or gradient not finite, after which the run stops"),
    )
    early_stopping_patience: int = setting(
        5, N_("evaluations without improvement after which training stops (0: never)")
    )
    early_stopping_threshold: float = setting(
        0.0, N_("smallest fall in bits per character that counts as an improvement")
    )
    reshuffle_entries: bool = setting(
        True, N_("lay entries into new blocks each epoch (false: the same blocks in a new order)")
    )
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
    mixed_precision: Literal["", "no", "fp16", "bf16", "auto"] = setting(
        "",
        N_(
            "precision of the matrix products (empty: what Accelerate was launched with; auto: bf16 "
            "where the machine has instructions for it, else fp16 on a GPU and no on a CPU)"
        ),
    )
    use_cpu: bool = setting(False, N_("train on the CPU although there is a GPU"))
    cpu_threads: int = setting(
        0, N_("threads of each process on the CPU (0: its share of the machine's cores)")
    )
    isolate_documents: bool = setting(
        False, N_("documents in a block do not see each other (tested before training starts)")
    )
    gradient_checkpointing: bool = setting(
        False,
        N_("compute each layer again in the backward pass: less memory, about a third slower"),
    )
    compile: bool | None = setting(
        None,
        N_(
            "compile with torch.compile (not set: where that is possible and the run is long enough)"
        ),
    )
    use_liger_kernel: bool = setting(
        False, N_("liger-kernel's norms, rotary embedding and MLP (CUDA GPUs, to be installed)")
    )
    report_to: tuple[str, ...] = setting(("tensorboard",), N_("trackers, through Accelerate"))

    def __post_init__(self) -> None:
        for name in (
            "max_steps", "eval_steps", "save_steps", "logging_steps", "per_device_batch_size",
            "gradient_accumulation_steps", "per_device_eval_batch_size", "save_total_limit",
            "max_nonfinite_steps",
        ):  # fmt: skip
            check(getattr(self, name) >= 1, f"train.{name}", N_("must be at least 1"))
        for name in ("learning_rate", "min_learning_rate", "warmup_steps", "weight_decay",
                     "max_grad_norm", "max_eval_documents", "num_samples", "cpu_threads",
                     "decay_steps", "early_stopping_patience", "early_stopping_threshold",
                     "keep_every_steps", "max_minutes", "dataloader_num_workers"):  # fmt: skip
            check(getattr(self, name) >= 0, f"train.{name}", N_("must not be below 0"))
        for name in ("adam_beta1", "adam_beta2", "ema_decay"):
            within = 0 <= getattr(self, name) < 1
            check(within, f"train.{name}", N_("must be from 0 up to, not including, 1"))
        check(
            self.embedding_learning_rate is None
            or min(self.embedding_learning_rate, self.learning_rate) > 0,
            "train.embedding_learning_rate",
            N_("must be above 0, and so must train.learning_rate"),
        )
        check(
            self.min_learning_rate <= self.learning_rate,
            "train.min_learning_rate",
            N_("must not be above train.learning_rate"),
        )
        check(0 <= self.seed < 1 << 32, "train.seed", N_("must be from 0 up to 4294967295"))

    @property
    def num_decay_steps(self) -> int:
        """`decay_steps` as steps, when it is a share of `max_steps` too."""
        unit = self.max_steps if self.decay_steps < 1 else 1
        return round(min(self.decay_steps * unit, self.max_steps))


@dataclass(frozen=True)
class HubConfig:
    """Where training puts its model on the Hub; the token is never a setting (HF_TOKEN)."""

    push: bool = setting(False, N_("put the best model on the Hub when training is done"))
    repo_id: str = setting("", N_("model repository on the Hub, OWNER/NAME"))
    private: bool = setting(True, N_("a new repository is seen by its owner alone"))
    subfolder: str = setting("", N_("folder of this model, when its repository holds several"))
    tag: str = setting("", N_("tag for the commit of the best model"))
    push_checkpoints: bool = setting(
        False, N_("send every checkpoint too, in the background, to the branch checkpoints")
    )
    license: str = setting("", N_("licence that you state for the model, by its id on the Hub"))
    terms_read: bool = setting(
        False, N_("you have read the terms of use (使用說明) of the Ministry's dictionaries")
    )

    def __post_init__(self) -> None:
        check(
            bool(self.repo_id) or not self.push,
            "hub.repo_id",
            N_("must name the repository to push to, as in --hub.repo_id OWNER/NAME"),
        )
        check(
            self.push or not self.push_checkpoints,
            "hub.push_checkpoints",
            N_("needs hub.push true"),
        )


@dataclass(frozen=True)
class Config:
    """One whole run."""

    corpus: CorpusConfig = field(default_factory=CorpusConfig)
    tokenizer: TokenizerConfig = field(default_factory=TokenizerConfig)
    blocks: BlocksConfig = field(default_factory=BlocksConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    hub: HubConfig = field(default_factory=HubConfig)

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


def count_training_flops(config: Config) -> float:
    """Floating-point operations of a whole training, every block full: what its steps multiply.

    6 for each parameter and token (Kaplan et al. 2020), where an embedding that is only looked up
    does not count; and attention's two products, 12·layers·width·block_size for each token, halved
    because a token sees only those before it.
    """
    model, train, block_size = config.model, config.train, config.blocks.block_size
    vocab_size = config.tokenizer.vocab_size
    multiplied = count_parameters(model, vocab_size)
    if not model.tie_word_embeddings:
        multiplied -= vocab_size * model.hidden_size
    attention = 6 * model.num_hidden_layers * model.hidden_size * block_size
    blocks = train.max_steps * train.per_device_batch_size * train.gradient_accumulation_steps
    return float(blocks * block_size * (6 * multiplied + attention))
