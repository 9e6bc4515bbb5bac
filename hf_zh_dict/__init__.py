"""Train small Llama models from scratch on Traditional Chinese dictionaries."""

__version__ = "0.1.0"
