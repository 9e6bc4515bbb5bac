"""A model whose parameters lie in shards on several devices (FSDP 2) in, whole tensors out, and back.

Scoring, samples and files need the whole model. These models are small, so beside the shards a
plain copy stands on each device: it is filled before it is read, and the shards from it after a
checkpoint was loaded. Without FSDP 2 both have the same parameters, and nothing is copied.

Checkpoints hold whole tensors in the parameters' order: one made on shards can be resumed
without, and the other way round.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

if TYPE_CHECKING:
    from accelerate import Accelerator
    from transformers import LlamaForCausalLM


def model_to_train(model: "LlamaForCausalLM", accelerator: "Accelerator") -> "LlamaForCausalLM":
    """A second model, which may be compiled, patched and cut into shards while the first stays plain.

    It has the same parameters, or its own where they will lie in shards.
    """
    if accelerator.is_fsdp2:
        keep_sums_exact(accelerator)
        trained = copy.deepcopy(model)
        model.to(accelerator.device)
        return trained
    model.to(accelerator.device)
    return copy.deepcopy(model, {id(parameter): parameter for parameter in model.parameters()})


def keep_sums_exact(accelerator: "Accelerator") -> None:
    """With 16-bit products, losses and sums of gradients stay in float32 (Accelerate rounds both)."""
    from torch.distributed.fsdp import MixedPrecisionPolicy

    plugin = accelerator.state.fsdp_plugin
    if plugin.mixed_precision_policy is not None:
        plugin.mixed_precision_policy = MixedPrecisionPolicy(
            param_dtype=plugin.mixed_precision_policy.param_dtype,
            reduce_dtype=torch.float32,
            output_dtype=torch.float32,
        )


def copy_parameters(source: nn.Module, target: nn.Module) -> None:
    """Fill the target's parameters from the source's, either of them in shards; by every process."""
    with torch.no_grad():
        for given, taken in zip(source.parameters(), target.parameters(), strict=True):
            if given is not taken:
                taken.copy_(like(whole(given), taken))


def reshard(wrapped: nn.Module) -> None:
    """Put parameters that a forward pass without its backward has gathered back into shards."""
    from torch.distributed.fsdp import FSDPModule

    for module in wrapped.modules():
        if isinstance(module, FSDPModule):
            module.reshard()


def whole(tree: Any) -> Any:
    """The same, with whole tensors for those in shards; called by every process."""
    from torch.distributed.tensor import DTensor

    if isinstance(tree, DTensor):
        return tree.full_tensor()
    if isinstance(tree, Mapping):
        return {key: whole(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)(whole(value) for value in tree)
    return tree


def like(tensor: torch.Tensor, parameter: torch.Tensor) -> torch.Tensor:
    """A whole tensor in shards as the parameter's, if it has any."""
    from torch.distributed.tensor import DTensor, distribute_tensor

    if not isinstance(parameter, DTensor) or tensor.shape != parameter.shape:
        return tensor
    # every process has the whole tensor: each keeps its part, nothing is sent
    return distribute_tensor(
        tensor.to(parameter.device), parameter.device_mesh, parameter.placements, src_data_rank=None
    )


def list_parameters(optimizer: Any) -> Sequence[torch.Tensor]:
    """In the order that their moments are kept in."""
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def moments_fit(optimizer: Any, state: Mapping[str, Any]) -> bool:
    """Whether the moments in `state` have the shapes of the parameters that they would go to."""
    parameters = list_parameters(optimizer)
    return all(
        value.shape == parameters[index].shape
        for index, kept in state["state"].items()
        for value in kept.values()
        if isinstance(value, torch.Tensor) and value.ndim
    )


def load_optimizer_state(optimizer: Any, state: Mapping[str, Any]) -> None:
    """Give an optimizer the moments that `whole` took from one; called by every process.

    Weight decay and the like stay as they are now set.
    """
    parameters = list_parameters(optimizer)
    moments = {
        index: {
            key: like(value, parameters[index]) if isinstance(value, torch.Tensor) else value
            for key, value in kept.items()
        }
        for index, kept in state["state"].items()
    }
    optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
