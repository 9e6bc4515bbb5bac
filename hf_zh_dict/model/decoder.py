"""A Llama and token ids in, the logits of the next token out, over and over: for generation.

A small model spends most of a step between its operations, not in them. So there are few: weights
that see the same input are one matrix, rotary positions are one complex product, keys and values
are written into memory set aside once, and residuals are added by the matrix products. Nothing is
compiled, so the first token comes at once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from hf_zh_dict.model.rotary import halves_to_pairs

if TYPE_CHECKING:
    from transformers import PreTrainedModel

Function = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Layer:
    """One layer's weights, [in, out]."""

    attention_norm: torch.Tensor
    query_key_value: torch.Tensor
    attention_output: torch.Tensor
    mlp_norm: torch.Tensor
    gate_up: torch.Tensor
    down: torch.Tensor


class Decoder:
    """The weights of a Llama, copied and laid out for one token after another."""

    @staticmethod
    def knows(model: "PreTrainedModel") -> bool:
        """Whether it is a Llama as most are: no biases, rotary angles of one kind for all lengths."""
        config: Any = model.config
        return (
            config.model_type == "llama"
            and not (config.attention_bias or config.mlp_bias)
            and config.rope_parameters.get("rope_type", "default") not in ("dynamic", "longrope")
        )

    @classmethod
    @torch.inference_mode()
    def of(cls, model: "PreTrainedModel") -> "Decoder":
        """With the model's own rotary angles, activation and last layer."""
        assert cls.knows(model)
        config: Any = model.config
        embeddings = model.model.embed_tokens.weight
        positions = torch.arange(config.max_position_embeddings, device=embeddings.device)[None]
        cosine, sine = model.model.rotary_emb(embeddings, positions)
        half = config.head_dim // 2
        return cls(
            config.to_dict(),
            model.state_dict(),
            torch.complex(cosine[0, :, :half].float(), sine[0, :, :half].float()),
            activation=model.model.layers[0].mlp.act_fn,
            lm_head=model.lm_head,
        )

    @torch.inference_mode()
    def __init__(
        self,
        config: Mapping[str, Any],
        weights: Mapping[str, torch.Tensor],
        turns: torch.Tensor,
        *,
        activation: Function,
        lm_head: Function,
    ) -> None:
        """`config` and `weights` have transformers' names; `turns` [context, head / 2]."""
        self.turns, self.activation, self.lm_head = turns, activation, lm_head
        self.embeddings = weights["model.embed_tokens.weight"]
        self.norm = weights["model.norm.weight"]
        self.epsilon: float = config["rms_norm_eps"]
        self.num_heads: int = config["num_attention_heads"]
        self.num_key_value_heads: int = config["num_key_value_heads"]
        self.head_dim: int = config["head_dim"]
        self.context_length: int = config["max_position_embeddings"]
        self.layers = [
            self.lay_out(weights, f"model.layers.{number}.")
            for number in range(config["num_hidden_layers"])
        ]

    def lay_out(self, weights: Mapping[str, torch.Tensor], layer: str) -> Layer:
        """Matrices of one input beside each other, queries and keys in pairs of neighbours."""
        query, key, value, output = (
            weights[f"{layer}self_attn.{name}_proj.weight"] for name in "qkvo"
        )
        gate, up, down = (
            weights[f"{layer}mlp.{name}_proj.weight"] for name in ("gate", "up", "down")
        )
        query_key_value = torch.cat(
            [
                halves_to_pairs(query, self.num_heads),
                halves_to_pairs(key, self.num_key_value_heads),
                value,
            ]
        )
        return Layer(
            attention_norm=weights[layer + "input_layernorm.weight"],
            query_key_value=query_key_value.T.contiguous(),
            attention_output=output.T.contiguous(),
            mlp_norm=weights[layer + "post_attention_layernorm.weight"],
            gate_up=torch.cat([gate, up]).T.contiguous(),
            down=down.T.contiguous(),
        )


class Decoding:
    """Texts that grow together: what they hold so far, as keys and values.

    Shorter prompts are filled up on the left; what fills is seen by none.
    """

    @torch.inference_mode()
    def __init__(self, decoder: Decoder, prompts: list[list[int]], *, max_new_tokens: int) -> None:
        self.decoder, self.length = decoder, 0
        width = max(len(ids) for ids in prompts)
        fills = [width - len(ids) for ids in prompts]
        like = decoder.embeddings
        self.prompts = torch.tensor(
            [[0] * fill + ids for fill, ids in zip(fills, prompts, strict=True)], device=like.device
        )
        self.fills = torch.tensor(fills, device=like.device)[:, None]
        slots = torch.arange(width + max_new_tokens, device=like.device)
        self.hidden: torch.Tensor | None = None  # added to scores [texts, 1, 1, slots]
        if any(fills):
            # not -inf: of what fills, nothing would be left to see
            lowest = torch.finfo(like.dtype).min
            self.hidden = like.new_zeros(len(prompts), len(slots))
            self.hidden = self.hidden.masked_fill(slots < self.fills, lowest)[:, None, None]
        self.cache = like.new_zeros(
            len(decoder.layers), 2, len(prompts), decoder.num_key_value_heads, len(slots),
            decoder.head_dim,
        )  # fmt: skip

    @torch.inference_mode()
    def keep(self, rows: list[int]) -> None:
        """Go on with some of the texts only."""
        self.cache, self.fills = self.cache[:, :, rows], self.fills[rows]
        if self.hidden is not None:
            self.hidden = self.hidden[rows]

    @torch.inference_mode()
    def read_prompts(self) -> torch.Tensor:
        """Logits [texts, vocabulary] behind the prompts."""
        width = self.prompts.shape[1]
        lowest = torch.finfo(self.cache.dtype).min
        unseen = self.cache.new_full((width, width), lowest).triu(1)
        if self.hidden is not None:
            unseen = torch.minimum(unseen, self.hidden[..., :width])
        # heads that share keys and values ask one below the other
        shared = self.decoder.num_heads // self.decoder.num_key_value_heads
        return self._read(self.prompts, unseen.tile(shared, 1))

    @torch.inference_mode()
    def read(self, tokens: torch.Tensor) -> torch.Tensor:
        """Append a token to each text [texts]; logits [texts, vocabulary] behind it."""
        hidden = None if self.hidden is None else self.hidden[..., : self.length + 1]
        return self._read(tokens[:, None], hidden)

    def _read(self, ids: torch.Tensor, unseen: torch.Tensor | None) -> torch.Tensor:
        """The Llama itself: ids [texts, tokens] are appended; logits behind the last."""
        decoder = self.decoder
        rows, count = ids.shape
        heads, groups = decoder.num_heads, decoder.num_key_value_heads
        start, end = self.length, self.length + count
        self.length = end
        slots = torch.arange(start, end, device=ids.device)
        # a text that has ended may be carried along beyond the context
        positions = (slots - self.fills).clamp(0, decoder.context_length - 1)
        turns = decoder.turns[positions].unsqueeze(2)
        x = functional.embedding(ids, decoder.embeddings).flatten(0, 1)
        width = x.shape[1:]
        for layer, cache in zip(decoder.layers, self.cache, strict=True):
            h = functional.rms_norm(x, width, layer.attention_norm, decoder.epsilon)
            projected = (h @ layer.query_key_value).view(rows, count, heads + 2 * groups, -1)
            pairs = projected[:, :, : heads + groups].unflatten(-1, (-1, 2))
            turned = torch.view_as_real(torch.view_as_complex(pairs) * turns).flatten(-2)
            turned = turned.transpose(1, 2)
            cache[0, :, :, start:end] = turned[:, heads:]
            cache[1, :, :, start:end] = projected[:, :, heads + groups :].transpose(1, 2)
            found = functional.scaled_dot_product_attention(
                turned[:, :heads].reshape(rows, groups, -1, decoder.head_dim),
                cache[0, :, :, :end],
                cache[1, :, :, :end],
                attn_mask=unseen,
            )
            found = found.view(rows, heads, count, -1).transpose(1, 2).reshape(len(x), -1)
            x = torch.addmm(x, found, layer.attention_output)
            h = functional.rms_norm(x, width, layer.mlp_norm, decoder.epsilon)
            gate, up = (h @ layer.gate_up).chunk(2, dim=1)
            x = torch.addmm(x, decoder.activation(gate) * up, layer.down)
        last = x.view(rows, count, -1)[:, -1]
        last = functional.rms_norm(last, width, decoder.norm, decoder.epsilon)
        return decoder.lm_head(last)
