"""`train.py` on shards (FSDP 2) in CPU processes, which Accelerate itself refuses.

Run by torchrun; it declares the processes to be sharded once Accelerate has set them up.
"""

import sys

from accelerate.utils import DistributedType, FullyShardedDataParallelPlugin

from hf_zh_dict.cli import main
from hf_zh_dict.training import launch

make_accelerator = launch.make_accelerator


def make_sharding_accelerator(config, paths):
    accelerator = make_accelerator(config, paths)
    plugin = FullyShardedDataParallelPlugin(
        fsdp_version=2,
        auto_wrap_policy="transformer_based_wrap",
        transformer_cls_names_to_wrap=["LlamaDecoderLayer"],
        cpu_ram_efficient_loading=False,
    )
    if accelerator.mixed_precision != "no":
        plugin.set_mixed_precision(accelerator.mixed_precision)
    accelerator.state.distributed_type = DistributedType.FSDP
    accelerator.state.fsdp_plugin = plugin
    assert accelerator.is_fsdp2
    return accelerator


launch.make_accelerator = make_sharding_accelerator
sys.exit(main(["train", *sys.argv[1:]]))
